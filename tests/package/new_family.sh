#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# A family is one header and one line: adds Gompertz to a copy of the tree, and nothing else, and runs there the tests that
# every family must pass, the README's table and the README's program.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
copy=$PWD/build/new_family

tests/copy_tree.sh "$copy"
cp tests/package/gompertz.hpp "$copy/kernels/families/gompertz.hpp"
echo 'MF_FAMILY(gompertz)' >>"$copy/kernels/families/families.def"

cd "$copy"
targets=baseline
if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then targets=avx2; fi
# build/release, as in the tree itself: with the same relative paths ccache knows all but the new family already.
cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DMF_CPU_TARGETS=$targets -DMF_CUDA=OFF -DMF_BUILD_APPS=OFF \
  "-DMF_TEST_FOLDERS=families;readme"
cmake --build build/release -j "$jobs" --target tests/families/all readme_test

MF_WRITE_README=1 build/release/test_programs/readme_test --gtest_brief=1
grep -F '| `gompertz` | shape, rate |' README.md
ctest --test-dir build/release -R gompertz --no-tests=error --output-on-failure -j "$jobs"
