#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# The tests catch what they are there to catch: plants one mistake at a time (the lists beside this) in a copy of the tree,
# and each must make its test program fail. A mistake that does not compile, or changes nothing, proves nothing and fails here.
#   run.sh            a sample, another one every day: MF_MUTANTS_DAY=N takes that of day N
#   run.sh --all      every one, those for the simulated device too
#   run.sh --texts    whether every list can be read and every text that is to be changed stands in its file; plants nothing
#   run.sh --only X   those whose line has X in it
# Says which it ran. Ends with "N passed, N failed, N skipped".
set -euo pipefail
mode=${1:-sample} wanted=${2:-}
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
day=${MF_MUTANTS_DAY:-$(($(date +%s) / 86400))}
compgen -G 'tests/mutants/*.txt' >/dev/null || exit 77

# --- the lists -------------------------------------------------------------------------------------------------------

# One per line: NAME ;; FILE ;; OLD TEXT ;; NEW TEXT ;; TEST PROGRAM [;; ITS CASES, as --gtest_filter [;; FAMILIES]].
# The first place where OLD TEXT stands is changed. A mistake in a header that all families share is planted in FAMILIES
# only, where they are given (three, between semicolons, compile sooner than twenty); one in a family's own header in
# that family.
names=() paths=() olds=() news=() programs=() filters=() families=() areas=()
broken=0
read_list() { # FILE
  local line fields area
  while IFS= read -r line; do
    [[ -n $line && $line != \#* ]] || continue
    fields=()
    while [[ $line == *" ;; "* ]]; do
      fields+=("${line%%" ;; "*}")
      line=${line#*" ;; "}
    done
    fields+=("$line")
    if ((${#fields[@]} < 5 || ${#fields[@]} > 7)); then
      echo "FAILED: $1: five to seven fields are wanted, not ${#fields[@]}: ${fields[*]}"
      ((broken += 1))
      continue
    fi
    area=$(basename "$1" .txt)
    case ${fields[4]} in
      lane_*) area=lanes ;;
      simulated_*) area=device ;;
      faults_test | allocations_test) area=faults ;;
    esac
    areas+=("$area") names+=("${fields[0]}") paths+=("${fields[1]}") olds+=("${fields[2]}") news+=("${fields[3]}")
    programs+=("${fields[4]}") filters+=("${fields[5]:-*}") families+=("${fields[6]:-}")
  done <"$1"
}
for list in tests/mutants/*.txt; do read_list "$list"; done

stands() { # INDEX: whether its text is in its file
  local text
  text=$(cat "${paths[$1]}") && [[ $text == *"${olds[$1]}"* ]]
}
if [[ $mode == --texts ]]; then
  for i in "${!names[@]}"; do
    stands "$i" || { echo "FAILED: mutant ${names[i]}: ${paths[i]} does not hold: ${olds[i]}" && ((broken += 1)); }
  done
  mapfile -t twice < <(printf '%s\n' "${names[@]}" | sort | uniq -d)
  for name in "${twice[@]}"; do echo "FAILED: two mutants are called $name" && ((broken += 1)); done
  echo "$((${#names[@]} - broken)) passed, $broken failed, 0 skipped"
  exit $((broken > 0))
fi
((broken == 0)) || exit 1

# --- which of them ---------------------------------------------------------------------------------------------------

# The sample: of one area in turn a run of neighbours in its list, and some of the lanes' every day. An area's run is as
# long as what it compiles allows.
declare -A run_length=([families]=8 [math]=2 [mixtures]=3 [host]=6 [input]=5 [output]=4 [command_line]=4 [faults]=4)
cycle=(families input mixtures families host output families input command_line families output faults host math)
lanes_a_day=5

in_area() { # AREA: its mutants' numbers
  local i
  for i in "${!areas[@]}"; do [[ ${areas[i]} != "$1" ]] || echo "$i"; done
}
take_run() { # LENGTH TURN NUMBERS...: the TURN-th run of that length, around the end to the beginning
  local length=$1 turn=$2 k
  shift 2
  local all=("$@")
  for ((k = 0; k < length && k < ${#all[@]}; ++k)); do chosen+=("${all[(turn * length + k) % ${#all[@]}]}"); done
}
chosen=()
case $mode in
  sample)
    mapfile -t those < <(in_area lanes)
    take_run $lanes_a_day "$day" "${those[@]}"
    area=${cycle[day % ${#cycle[@]}]}
    mapfile -t those < <(in_area "$area")
    turn=0 # how often the area has had its turn before this day
    for ((k = 0; k < day % ${#cycle[@]}; ++k)); do [[ ${cycle[k]} != "$area" ]] || ((turn += 1)); done
    for each in "${cycle[@]}"; do [[ $each != "$area" ]] || ((turn += day / ${#cycle[@]})); done
    take_run "${run_length[$area]}" "$turn" "${those[@]}"
    echo "the sample of day $day: ${#chosen[@]} of ${#names[@]}, of the areas lanes and $area"
    ;;
  --all) chosen=("${!names[@]}") ;;
  --only)
    for i in "${!names[@]}"; do
      line="${areas[i]} ;; ${names[i]} ;; ${paths[i]} ;; ${programs[i]}"
      [[ $line != *"$wanted"* ]] || chosen+=("$i")
    done
    ;;
  *) echo "run.sh takes --all, --texts or --only TEXT, not $mode" >&2 && exit 2 ;;
esac
((${#chosen[@]})) || { echo "no mutant has $wanted in its line" && exit 2; }

# --- how they are built ----------------------------------------------------------------------------------------------

copy=$PWD/build/mutants
pyarrow=$(compgen -G "$PWD/.venv/lib/python3*/site-packages/pyarrow" | head -n 1 || true)
tests/copy_tree.sh "$copy"
cd "$copy"
targets=baseline
if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then targets=avx2; fi

configure() { # FOLDER CUDA FAMILIES APPS TEST FOLDERS: small programs, quick to compile
  folder=$1
  cmake -S . -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG" -DMF_QUICK_TO_COMPILE=ON \
    -DMF_CPU_TARGETS=$targets -DMF_CUDA="$2" -DMF_INSTALL=OFF -DMF_TEST_LANE_FAMILIES=OFF -DMF_ONLY_FAMILIES="$3" \
    -DMF_PYARROW_DIR="$pyarrow" -DMF_BUILD_APPS="$4" -DMF_TEST_FOLDERS="$5" \
    -DCMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE=PRE_TEST
}

families_of() { # INDEX: those that the mistake is planted in, empty for all
  if [[ -n ${families[$1]} ]]; then
    echo "${families[$1]}"
  elif [[ ${paths[$1]} == kernels/families/* ]]; then
    basename "${paths[$1]}" .hpp
  fi
}

# Objects that a mistake in a header of the kernels changes: the kernels' own, of its families. What else includes the
# header (the library, tests that call it) is left as it is, which is most of what a compiler would have to do again.
# Nothing where the program is made of headers, without the library: there all is built as it comes.
objects_of() { # INDEX
  local file=${paths[$1]} only
  [[ $file == kernels/*.hpp ]] || return 0
  ninja -C "$folder" -t query "test_programs/${programs[$1]}" | grep libmanyfit.a >/dev/null || return 0
  only=";$(families_of "$1");"
  ninja -C "$folder" -t deps | awk -v file="/$file" -v only="$only" '
    /^[^ ]/ { object = $1; sub(/:$/, "", object); stem = object; sub(/.*\//, "", stem); sub(/\..*/, "", stem) }
    /^ / && object ~ /^kernels\// && substr($1, length($1) - length(file) + 1) == file &&
      (only == ";;" || index(only, ";" stem ";") || object ~ /instantiate/) { print object }'
}

compile() { cmake --build "$folder" -j "$jobs" --target "$@"; }

passed=0 failed=0
missed() { ((failed += 1)) && echo "FAILED: mutant ${names[i]}: $1"; }

plant() { # INDEX
  local i=$1 file=${paths[$1]} program=${programs[$1]} original object objects=() key=${programs[$1]}/${filters[$1]}
  stands "$i" || { missed "$file does not hold: ${olds[i]}" && return; }
  mapfile -t objects < <(objects_of "$i")
  original=$(cat "$file" && echo .) # the dot keeps the last newline
  touch -r "$file" before
  printf '%s' "${original%%"${olds[i]}"*}${news[i]}${original#*"${olds[i]}"}" | sed '$ s/\.$//' >"$file"
  if ((${#objects[@]})); then touch -r before "$file"; fi # only what is taken away is built anew
  for object in "${objects[@]}"; do mv "$folder/$object" "$folder/$object.kept"; done
  if ! compile "$program" >mutant.log 2>&1; then
    tail -n 20 mutant.log
    missed "does not compile"
  elif timeout "${patience[$key]}" "$folder/test_programs/$program" --gtest_fail_fast --gtest_filter="${filters[i]}" >mutant.log 2>&1; then
    missed "$program passes all the same"
  else
    ((passed += 1)) && echo "caught after $SECONDS s: ${names[i]} (${areas[i]}) by $program"
  fi
  printf '%s' "${original%.}" >"$file"
  ((${#objects[@]})) || return 0
  touch -r before "$file"
  for object in "${objects[@]}"; do mv "$folder/$object.kept" "$folder/$object"; done
  rm -f "$folder/host/libmanyfit.a" # holds the mistake
}

declare -A patience
plant_all() { # INDEX...: in `folder`, which has been configured
  local i key start wanted=() order=()
  mapfile -t wanted < <(for i in "$@"; do echo "${programs[i]}"; done | sort -u)
  compile "${wanted[@]}"
  for i in "$@"; do # without a mistake, every program passes; with one it may also wait for ever
    key=${programs[i]}/${filters[i]}
    [[ -z ${patience[$key]:-} ]] || continue
    start=$SECONDS
    timeout 300 "$folder/test_programs/${programs[i]}" --gtest_brief=1 --gtest_filter="${filters[i]}" >mutant.log 2>&1 ||
      { cat mutant.log && echo "FAILED: ${programs[i]} ${filters[i]} without a mistake" && exit 1; }
    ! grep -q '\[==========\] 0 tests' mutant.log || { echo "FAILED: ${programs[i]} has no case ${filters[i]}" && exit 1; }
    patience[$key]=$((10 + 5 * (SECONDS - start)))
  done
  mapfile -t order < <(for i in "$@"; do echo "$i ${programs[i]} ${paths[i]}"; done | sort -s -k2,3 | cut -d ' ' -f 1)
  for i in "${order[@]}"; do plant "$i"; done
}

# Three builds: of programs that are made of headers, for which few families do; of those with the library, which needs
# all; and of those with a device, which is simulated.
few="normal;exponential;gamma;poisson"
of_headers=() with_library=() on_device=() apps=OFF
for i in "${chosen[@]}"; do
  case ${areas[i]} in
    lanes | math) of_headers+=("$i") ;;
    device) on_device+=("$i") ;;
    *) with_library+=("$i") ;;
  esac
  case ${programs[i]} in cli_test | input_test | mixtures_streaming_test) apps=ON ;; esac
done
if ((${#of_headers[@]})); then
  configure build OFF "$few" OFF "groups;math"
  plant_all "${of_headers[@]}"
fi
if ((${#with_library[@]})); then
  configure build-library OFF "" $apps ""
  plant_all "${with_library[@]}"
fi
if ((${#on_device[@]})); then
  configure build-device SIMULATED "$few" OFF "device;groups"
  plant_all "${on_device[@]}"
fi
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
