#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# run.sh SECONDS: builds every fuzz target of this folder with clang, replays its corpus and goes on from there for so many
# seconds. Without clang's libFuzzer there is nothing to run (77): the corpora are then replayed by the ordinary tests only.
# Ends with "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
seconds=${1:-20}
out=build/fuzz
mkdir -p "$out"

flags=(-std=c++20 -O1 -g1 "-fsanitize=fuzzer,address,undefined" -fno-sanitize-recover=all)
includes=(-Iapps/manyfit -Ihost/include -I. -Ibuild/release/kernels/generated)
probe='extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
if ! echo "$probe" | clang++ "${flags[@]}" -x c++ - -o "$out/probe" 2>/dev/null; then
  echo "skipped: fuzz (no clang with libFuzzer)"
  exit 77
fi

# Apache Arrow as the release build has it; its own code is not instrumented.
arrow=()
pyarrow=$(sed -n 's/^MF_PYARROW_DIR:PATH=//p' build/release/CMakeCache.txt)
if [[ -n $pyarrow ]]; then
  includes+=(-isystem "$pyarrow/include" -DMF_WITH_ARROW)
  arrow=("$pyarrow"/libarrow.so.* "$pyarrow"/libparquet.so.* "-Wl,-rpath,$pyarrow")
fi

# The readers under test, once for all targets.
readers=() program=() pids=()
compile() { # SOURCE LIST: its object joins that list; as many at a time as there are processors
  local -n objects=$2
  objects+=("$out/$(basename "$1" .cpp).o")
  clang++ "${flags[@]/=fuzzer,/=fuzzer-no-link,}" "${includes[@]}" -c "$1" -o "${objects[-1]}" &
  pids+=($!)
  if ((${#pids[@]} >= ${MF_JOBS:-$(nproc)})); then
    wait "${pids[0]}"
    pids=("${pids[@]:1}")
  fi
}
for source in apps/manyfit/input/*.cpp host/src/group_by.cpp; do compile "$source" readers; done
# What fuzz_mixture runs beside them, with the library of the release build.
for source in apps/manyfit/{mixture_models,options,interrupt}.cpp apps/support/*.cpp; do
  compile "$source" program
done
for pid in "${pids[@]}"; do wait "$pid"; done
library=(build/release/host/libmanyfit.a)
cuda=$(sed -n 's/^CUDA_cudart_static_LIBRARY:FILEPATH=//p' build/release/CMakeCache.txt)
[[ -z $cuda ]] || library+=("$cuda" -ldl -lrt)

# One target: built, its corpus replayed, then fuzzed.
fuzz() { # SOURCE
  local name uses=()
  name=$(basename "$1" .cpp)
  if [[ $name == fuzz_mixture ]]; then uses=("${program[@]}"); fi
  clang++ "${flags[@]}" "${includes[@]}" "$1" "${readers[@]}" "${uses[@]}" "${library[@]}" "${arrow[@]}" -lfmt -lz \
    -o "$out/$name"
  mkdir -p "$out/corpus/$name" # what the fuzzer finds stays out of the source tree
  "$out/$name" -runs=0 "tests/fuzz/corpus/${name#fuzz_}"
  "$out/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$out/$name-" "$out/corpus/$name" "tests/fuzz/corpus/${name#fuzz_}"
}

# As many at a time as there are processors; what each prints comes out when it ends.
passed=0 failed=0 skipped=0 names=() running=()
finish() { # the one that began first
  if wait "${running[0]}"; then
    ((passed += 1))
  else
    ((failed += 1)) && echo "FAILED: ${names[0]}; its input is in $out"
  fi
  cat "$out/${names[0]}.log"
  names=("${names[@]:1}") running=("${running[@]:1}")
}
for source in tests/fuzz/fuzz_*.cpp; do
  name=$(basename "$source" .cpp)
  if [[ $name == fuzz_arrow && -z $pyarrow ]]; then
    ((skipped += 1)) && echo "skipped: fuzz_arrow (no pyarrow in the release build)"
    continue
  fi
  (set -e && fuzz "$source") >"$out/$name.log" 2>&1 &
  names+=("$name") running+=($!)
  if ((${#running[@]} >= ${MF_JOBS:-$(nproc)})); then finish; fi
done
while ((${#running[@]})); do finish; done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
