#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# What is built can be used: by find_package from an install that was moved, by add_subdirectory, and with a family, an
# operation or a command added.
# Needs build/release, and takes build/nvcc where that is built. Ends with "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Installed in one place, used from another, which only works when the package holds no path of its own.
find_package() { # BUILD [CMAKE OPTIONS...]
  local build=${1:-build/release}
  shift || true
  rm -rf "$scratch/moved" "$scratch/find_package"
  cmake --install "$build" --prefix "$scratch/first" >/dev/null
  mv "$scratch/first" "$scratch/moved"
  if grep -rIl -e "$PWD" -e "$scratch" "$scratch/moved/lib" "$scratch/moved/include"; then
    echo "the files above hold a path of the machine that built them" && return 1
  fi
  cmake -S tests/package/find_package -B "$scratch/find_package" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/moved" "$@"
  cmake --build "$scratch/find_package"
  "$scratch/find_package/consumer"
}
# The same of a library with CUDA in it, which brings what it must be linked with; and a density of the user's own, compiled
# by nvcc.
find_package_with_cuda() {
  find_package build/nvcc -DCMAKE_CUDA_ARCHITECTURES=90 \
    "-DCMAKE_CUDA_COMPILER=$(sed -n 's/^CMAKE_CUDA_COMPILER:[A-Z]*=//p' build/nvcc/CMakeCache.txt)"
  "$scratch/find_package/custom_consumer"
}

add_subdirectory() {
  cmake -S tests/package/add_subdirectory -B build/add_subdirectory -G Ninja -DMF_CPU_TARGETS=baseline -DMF_CUDA=OFF \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
  cmake --build build/add_subdirectory -j "$jobs" --target consumer
  build/add_subdirectory/consumer
}

# The program loads nothing from the current folder (an empty element of its RUNPATH) or from the tree that built it, and
# works where there is no such tree.
installed_program() {
  cmake --install build/release --prefix "$scratch/program" >/dev/null
  local program path
  for program in build/release/manyfit "$scratch/program/bin/manyfit"; do
    path=$(readelf -d "$program" | sed -nE 's/.*R(UN)?PATH.*\[(.*)\].*/\2/p')
    if [[ -n $path && (":$path:" == *::* || ":$path:" == *:.:* || $path == *"$PWD"*) ]]; then
      echo "$program: libraries are looked for in: $path" && return 1
    fi
  done
  ! grep -qaF "$PWD" "$scratch/program/bin/manyfit" || { echo "the installed program names the tree that built it" && return 1; }
  ! ldd "$scratch/program/bin/manyfit" | grep -E "not found|$PWD" || return 1
  printf 'x\n1\n2\n5\n' | (cd / && env -i "$scratch/program/bin/manyfit" fit gamma - --format json) | grep -q '"converged"'
  if [[ -d $scratch/program/lib/manyfit ]]; then # with Apache Arrow inside
    printf 'k,x\na,1\na,2\na,5\n' | "$scratch/program/bin/manyfit" fit gamma - --by k --out "$scratch/fits.parquet"
    "$scratch/program/bin/manyfit" fit normal "$scratch/fits.parquet" --column shape >/dev/null
  fi
}

passed=0 failed=0 skipped=0
tests=(find_package installed_program add_subdirectory new_family new_operation new_command)
if [[ -f build/nvcc/host/libmanyfit.a ]]; then
  tests+=(find_package_with_cuda)
else
  ((skipped += 1))
  echo "skipped: find_package_with_cuda (nothing is built by nvcc in build/nvcc)"
fi
for test in "${tests[@]}"; do
  echo "--- $test"
  status=0
  if [[ $test == new_* ]]; then command=("tests/package/$test.sh"); else command=("$test"); fi
  (set -e && "${command[@]}") &
  wait $! || status=$?
  if ((status == 0)); then
    ((passed += 1))
  else
    ((failed += 1)) && echo "FAILED: package test $test"
  fi
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
