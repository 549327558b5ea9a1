#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# The tree keeps its own rules: ./dev check. --quick leaves out clang-tidy and most of the spills. What needs generated
# headers or objects takes them from build/release. Ends with "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
logs=build/logs
mkdir -p "$logs"

files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [[ ! -f $f ]] || echo "$f"; done; }

check_format() {
  clang-format --version | grep -q 'version 14\.' || return 77 # another version formats differently
  files '*.hpp' '*.cpp' '*.cu' '*.cuh' | xargs clang-format --dry-run -Werror
}

check_shell() {
  local scripts
  mapfile -t scripts < <(echo dev && echo .ci/run && files '*.sh')
  printf '%s\0' "${scripts[@]}" | xargs -0 -n 1 bash -n
  ! command -v shellcheck || shellcheck -S warning "${scripts[@]}"
}

# apps may include apps, host and kernels; host: host and kernels; kernels: kernels. Quoted includes say which.
check_dependencies() {
  local file include bad=0 from
  while IFS=: read -r file include; do
    include=${include#*\"} include=${include%%\"*}
    case $file in
      kernels/*) from=(.) ;;
      host/*) from=(. host/include host/src build/release/kernels/generated) ;;
      *) from=(. "$(dirname "$file")" host/include build/release/kernels/generated apps apps/*/) ;;
    esac
    if [[ $file == kernels/* && $include != kernels/* ]] || [[ $file == host/* && $include == apps/* ]]; then
      echo "$file includes \"$include\": dependencies point from apps to host to kernels" && bad=1
    elif [[ $include != kernels/families/all.hpp && $include != kernels/models.def && -z $(for from in "${from[@]}"; do ls "$from/$include" 2>/dev/null; done) ]]; then
      echo "$file includes \"$include\", which is none of its own, of host's public headers or of kernels" && bad=1
    fi
  done < <(files {kernels,host,apps}/'*.'{hpp,cuh,cpp,cu} | xargs grep -HE '^#include "' /dev/null)
  return $bad
}

# The folders of kernels/, from the ground up: a file includes none above its own. Families are named by their own folder and
# by instantiate/ alone.
check_folders() {
  files kernels/'*.'{hpp,cuh,cpp,cu,in} | xargs grep -HE '^#include "kernels/' /dev/null | awk '
    function folder_of(path) {
      if (path ~ /^kernels\/registry\.hpp/) return "contracts"
      split(path, parts, "/")
      return parts[3] == "" ? "core" : parts[2]
    }
    BEGIN {
      n = split("core math random data contracts groups gaussian_mixture families objectives models algorithms cpu " \
                "cuda instantiate", order, " ")
      for (i = 1; i <= n; i++) rank[order[i]] = i
    }
    {
      split($0, halves, "\"")
      file = $0; sub(/:.*/, "", file)
      from = folder_of(file); to = folder_of(halves[2])
      if (!(from in rank) || !(to in rank)) { print file ": no folder of that name: " from " or " to; bad = 1 }
      else if (rank[to] > rank[from]) { print file " (" from ") includes \"" halves[2] "\" (" to "), a folder above"; bad = 1 }
      if (to == "families" && from != "families" && from != "instantiate") { print file " names a family: \"" halves[2] "\""; bad = 1 }
      n_seen++
    }
    END { if (n_seen < 100) { print "only " n_seen + 0 " includes were seen"; bad = 1 } exit bad }'
}

# Commands are data: CLI11, which compiles for nine seconds, is included once. What writes results knows no command.
check_commands() {
  local parsers
  parsers=$(files 'apps/*' 'tests/*' | grep -E '\.(hpp|cpp)$' | xargs grep -lE '^ *#include [<"]CLI/')
  [[ $parsers == apps/manyfit/command_line.cpp ]] || { echo "CLI11 is for command_line.cpp alone, and is in: $parsers" && return 1; }
  ! files 'apps/manyfit/output/*' | xargs grep -nE '#include "(results/|[a-z_]*(command|options|fit|mixture|score|plot|samples)[a-z_]*\.hpp)' ||
    { echo "a writer knows a schema, and no command" && return 1; }
}

header_compiles() { # as users include it, for this processor and with nothing before it
  echo "#include \"${1#host/include/}\"" |
    g++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I. -Ihost/include -Ibuild/release/kernels/generated -x c++ - ||
    { echo "$1 does not compile alone" && return 1; }
}
check_headers() {
  export -f header_compiles
  files 'host/include/*.hpp' 'kernels/*.hpp' | xargs -P "$jobs" -I{} bash -c 'header_compiles {}'
}

check_lengths() {
  files 'kernels/*' 'host/*' 'apps/*' 'tests/*' 'benchmarks/*' dev | grep -E '(^dev|\.(hpp|cuh|cpp|cu|py|sh|R|in|def))$' |
    xargs wc -l | awk '$2 != "total" { print $1, $2 }' | sort -n | awk '
      { lines[NR] = $1 } $1 > 400 { print $2 ": " $1 " lines" } $1 > 600 { long = 1 }
      END { print "median " lines[int((NR + 1) / 2)] " lines of " NR " files, longest " lines[NR]; exit long }'
}

# A function that the compiler emitted with vague linkage is merged by name over the whole program. In code built for AVX
# its name must hold the instruction set, manyfit::avx2 or hwy::N_AVX2 and the like: then only AVX code can be given it. Some
# names of lambdas in lambdas are more than c++filt can read; they hold it as they are.
check_weak_symbols() {
  local target found bad=0
  for target in avx2 avx512; do
    found=$(find build/release -path "*manyfit_cpu_$target.dir*" -name '*.o')
    [[ -n $found ]] || continue
    if xargs nm <<<"$found" | awk '$2 == "W" { print $3 }' | sort -u | c++filt | grep -vE "manyfit::$target::|hwy::N_AVX|_Z+N7manyfit[0-9]$target" |
      sed "s/^/$target: AVX code under a name that other code shares: /" | grep .; then bad=1; fi
  done
  [[ -n ${found:-} ]] || return 77
  return $bad
}

# The budget is 5 s for a translation unit on an idle machine; on a busy one a unit may take several times that. The slowest
# are named; twelve times the budget fails, and five minutes for CUDA, whose units hold kernels for several widths of lanes.
check_compile_times() {
  [[ -s build/release/.ninja_log ]] || return 77
  awk -F'\t' '$4 ~ /\.o$/ { print ($2 - $1) / 1000, $4 }' build/release/.ninja_log | sort -rn | awk '
    NR <= 5 { print $1 " s " $2 } $1 > ($2 ~ /\.cu\.o$/ ? 300 : 60) { slow = 1 } $1 > 5 { over++ }
    END { print over + 0 " of " NR " translation units took more than 5 s here"; exit slow }'
}

# The mixtures' kernels, the largest there are, spill no register where points are gone through, on any GPU that packages
# are made for: 64 bytes at most in functions that run once a fit or pass, or do so before and after their loop
# (SPILLS.md). --quick: on one of them. Single fits, sixty times as much to compile, are held to none when the preset
# `package` is built.
may_spill='(kmeans_round|sum_second_moments|run_task|pass_by_limbs|register_pass)'
mixture_spills() { # FOLDER TYPE ARCHITECTURE, by the command of that build
  local command said
  command=$(sed -nE "s/^ *\"command\": \"(.*cuda_mixture_$2\.cu.*)\",?$/\1/p" "$1/compile_commands.json" |
    sed -E "s/--generate-code=[^ ]*/--generate-code=arch=compute_$3,code=sm_$3/; s/ -o [^ ]*/ -o \/dev\/null/")
  said=$(cd "$1" && $command 2>&1) || { echo "$said" && return 1; }
  ! sed -nE "s/.*spilled to local memory in function '([^']*)', ([0-9]+) bytes spill stores.*/\2 \1/p" <<<"$said" |
    awk -v may="$may_spill" '$1 > 64 || $2 !~ may' | sed "s/^/mixtures in $2 for sm_$3 spill, bytes: /" | grep .
}
check_spills() {
  local types=(float double) architectures=(75 80 86 89 90 100 120) folder
  folder=$(dirname "$(grep -ls cuda_mixture_float build/{nvcc,release}/compile_commands.json | head -n 1)")
  [[ $folder != . ]] || return 77
  export -f mixture_spills
  export may_spill
  [[ $quick == no ]] || { types=(float) architectures=(80); }
  for type in "${types[@]}"; do printf "$folder $type %s\\n" "${architectures[@]}"; done |
    xargs -P "$jobs" -L 1 bash -c 'mixture_spills "$@"' mixture_spills
}

check_words() { # no package registry's host, no path of one machine; nothing that a GPU's compiler is told to believe
  ! git grep -nE '__builtin_(assume|unreachable)' -- kernels host || return 1
  ! git grep -nIE 'py[p]i\.|python[h]osted|registry\.npm|crates\.i[o]|conda\.(anaconda|forge)|(^|[^[:alnum:]._}-])/(work|home|root|Users|mnt)/' -- .
}

check_pins() { # what is fetched from a package registry is known by its SHA-256 before it comes
  local list bad=0
  ! sed -e ':a' -e '/\\$/N; s/\\\n//; ta' dev | grep -E 'pip .*install' | grep -v -e '--require-hashes' || bad=1
  while read -r list; do
    sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$list" | grep -vE '^(#|$)' | grep -vE '^[a-z0-9-]+==[0-9.]+ .*--hash=sha256:[0-9a-f]{64}' &&
      echo "in $list: no version or no hash" && bad=1
  done < <(sed -nE 's/.*--require-hashes -r ([^ ]+).*/\1/p' dev)
  return $bad
}

check_mutants() { # what they change is still there
  tests/mutants/run.sh --texts
}

check_tidy() {
  command -v clang-tidy || return 77
  files 'host/src/*.cpp' 'apps/*.cpp' | while read -r f; do # what this build leaves out has no flags to be read with
    ! grep -q "/$f\"" build/release/compile_commands.json || echo "$f"
  done | xargs -P "$jobs" -n 2 clang-tidy --quiet -p build/release 2>/dev/null
}

# What the compiler needs to know: the generated headers and the compile commands of build/release.
if [[ ! -f build/release/compile_commands.json ]]; then
  cmake --preset release -DMF_CUDA=OFF >"$logs/check-configure.log" 2>&1 || { tail "$logs/check-configure.log" && exit 1; }
fi

passed=0 failed=0 left_out=0
quick=no
checks=(format shell dependencies folders commands headers lengths weak_symbols words pins mutants spills compile_times)
case ${1:-} in
  --quick) quick=yes ;;
  "") checks+=(tidy) ;;
  *) echo "check takes --quick or --mutants, not $1" >&2 && exit 2 ;;
esac
for name in "${checks[@]}"; do
  status=0
  (set -e && "check_$name") >"$logs/check-$name.log" 2>&1 &
  wait $! || status=$?
  case $status in
    0) ((passed += 1)) && echo "ok: ${name/_/ }" ;;
    77) ((left_out += 1)) && echo "skipped: check of ${name/_/ } (its tool is not installed, or nothing is built yet)" ;;
    *) ((failed += 1)) && echo "FAILED: check of ${name/_/ }" && head -n 40 "$logs/check-$name.log" ;;
  esac
  [[ $name != lengths && $name != compile_times ]] || cat "$logs/check-$name.log"
done
echo "$passed passed, $failed failed, $left_out skipped"
((failed == 0))
