#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# What an operation takes: adds cross_entropy to a copy of the tree, where CONTRIBUTING.md says, and calls it there on the
# CPU and on the simulated device. The copy has two families, one of them without CUDA, and no cells for float data.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
copy=$PWD/build/new_operation

tests/copy_tree.sh "$copy"
cp tests/package/cross_entropy.hpp "$copy/kernels/algorithms/"
mkdir "$copy/tests/new_operation"
cp tests/package/cross_entropy_test.cpp "$copy/tests/new_operation/"
cd "$copy"
add() { # FILE LINE TEXT: the text behind the line that holds this
  awk -v line="$2" -v text="$3" '{ print } index($0, line) && !added { print text; added = 1 } END { exit !added }' "$1" >"$1.new"
  mv "$1.new" "$1"
}
add kernels/operations.hpp 'struct log_likelihood_view' 'struct cross_entropy_view : number_view {};'
add kernels/operations.hpp 'log_likelihood = nullptr;' '  function<parameters_view, cross_entropy_view> cross_entropy = nullptr;'
add kernels/algorithms/operations.hpp '#pragma once' '#include "kernels/algorithms/cross_entropy.hpp"'
add kernels/algorithms/operations.hpp '.log_likelihood = ' '      .cross_entropy = sample_cell<Loops, cross_entropy_operation, Family, T>(),'
cat >>host/include/manyfit/score.hpp <<'TEXT'
namespace manyfit {
std::vector<double> cross_entropy(const executor& where, const family_info& family, const batch<double>& data,
                                  const parameters_view& parameters);
}
TEXT
cat >>host/src/score.cpp <<'TEXT'
namespace manyfit {
std::vector<double> cross_entropy(const executor& where, const family_info& family, const batch<double>& data,
                                  const parameters_view& parameters) {
  return numbers(where, family, data, parameters, "cross_entropy", false,
                 [](const auto& table) { return table.cross_entropy; });
}
}  // namespace manyfit
TEXT
cat >tests/new_operation/CMakeLists.txt <<'TEXT'
add_executable(cross_entropy_test cross_entropy_test.cpp)
target_link_libraries(cross_entropy_test PRIVATE manyfit)
TEXT

targets=baseline
if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then targets=avx2; fi
# build/simulated, as in the tree itself: with the same relative paths ccache knows all that no operation is in.
cmake -S . -B build/simulated -G Ninja -DCMAKE_BUILD_TYPE=Release -DMF_CPU_TARGETS=$targets -DMF_CUDA=SIMULATED \
  -DMF_BUILD_APPS=OFF -DMF_INSTALL=OFF -DMF_TEST_FOLDERS=new_operation "-DMF_ONLY_FAMILIES=exponential;poisson" \
  '-DMF_WITHOUT=.*[.]float|poisson[.]cuda[.].*'
cmake --build build/simulated -j "$jobs" --target cross_entropy_test
"$(find build/simulated -name cross_entropy_test -type f)"
