#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# What is built can be used: by find_package from an install that was moved, by add_subdirectory, and with a family added.
# Needs build/release. Ends with "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Installed in one place, used from another, which only works when the package holds no path of its own.
find_package() {
  cmake --install build/release --prefix "$scratch/first" >/dev/null
  mv "$scratch/first" "$scratch/moved"
  if grep -rIl -e "$PWD" -e "$scratch" "$scratch/moved/lib" "$scratch/moved/include"; then
    echo "the files above hold a path of the machine that built them" && return 1
  fi
  cmake -S tests/package/find_package -B "$scratch/find_package" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/moved"
  cmake --build "$scratch/find_package"
  "$scratch/find_package/consumer"
}

add_subdirectory() {
  cmake -S tests/package/add_subdirectory -B build/add_subdirectory -G Ninja -DMF_CPU_TARGETS=baseline -DMF_CUDA=OFF \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
  cmake --build build/add_subdirectory -j "$jobs" --target consumer
  build/add_subdirectory/consumer
}

passed=0 failed=0
for test in find_package add_subdirectory new_family; do
  echo "--- $test"
  status=0
  if [[ $test == new_family ]]; then command=(tests/package/new_family.sh); else command=("$test"); fi
  (set -e && "${command[@]}") &
  wait $! || status=$?
  if ((status == 0)); then
    ((passed += 1))
  else
    ((failed += 1)) && echo "FAILED: package test $test"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
