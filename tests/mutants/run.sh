#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# The tests catch what they are there to catch: plants one mistake at a time (mutants.txt) in a copy of the tree, and each
# must make its test program fail. A mistake that does not compile, or changes nothing, proves nothing and fails here.
# run.sh: those that the program of the lanes is to catch; run.sh all: those for the simulated device and for faults too.
# Ends with "N passed, N failed, N skipped".
set -euo pipefail
which=${1:-lanes}
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
list=$PWD/tests/mutants/mutants.txt
copy=$PWD/build/mutants

[[ -f $list ]] || exit 77
tests/copy_tree.sh "$copy"
cd "$copy"

# One per line: NAME ;; FILE ;; OLD TEXT ;; NEW TEXT ;; TEST PROGRAM. The first place where OLD TEXT stands is changed.
names=() paths=() olds=() news=() programs=()
while IFS= read -r line; do
  [[ -n $line && $line != \#* ]] || continue
  fields=()
  while [[ $line == *" ;; "* ]]; do
    fields+=("${line%%" ;; "*}")
    line=${line#*" ;; "}
  done
  fields+=("$line")
  ((${#fields[@]} == 5)) || { echo "FAILED: mutants.txt: five fields are wanted, not ${#fields[@]}: ${fields[*]}" && exit 1; }
  [[ $which == all || ${fields[4]} == lane_* ]] || continue
  names+=("${fields[0]}") paths+=("${fields[1]}") olds+=("${fields[2]}") news+=("${fields[3]}") programs+=("${fields[4]}")
done <"$list"

targets=baseline
if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then targets=avx2; fi
cuda=OFF folders=groups
if [[ $which == all ]]; then cuda=SIMULATED folders="groups;device;faults"; fi
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DMF_CPU_TARGETS=$targets -DMF_CUDA=$cuda -DMF_INSTALL=OFF \
  -DMF_BUILD_APPS=OFF -DMF_TEST_FOLDERS="$folders" -DMF_TEST_LANE_FAMILIES=OFF \
  -DMF_ONLY_FAMILIES="normal;exponential;gamma;poisson"
mapfile -t controls < <(printf '%s\n' "${programs[@]}" | sort -u)
cmake --build build -j "$jobs" --target "${controls[@]}"
declare -A patience
for program in "${controls[@]}"; do # without a mistake, every program passes; with one it may also wait for ever
  start=$SECONDS
  timeout 300 "build/test_programs/$program" --gtest_brief=1
  patience[$program]=$((10 + 5 * (SECONDS - start)))
done

passed=0 failed=0
missed() { ((failed += 1)) && echo "FAILED: mutant ${names[i]}: $1"; }
for i in "${!names[@]}"; do
  file=${paths[i]}
  original=$(cat "$file" && echo .) # the dot keeps the last newline
  if [[ $original != *"${olds[i]}"* ]]; then
    missed "$file does not hold: ${olds[i]}"
    continue
  fi
  printf '%s' "${original%%"${olds[i]}"*}${news[i]}${original#*"${olds[i]}"}" | sed '$ s/\.$//' >"$file"
  if ! cmake --build build -j "$jobs" --target "${programs[i]}" >build/mutant.log 2>&1; then
    tail -n 20 build/mutant.log
    missed "does not compile"
  elif timeout "${patience[${programs[i]}]}" "build/test_programs/${programs[i]}" --gtest_fail_fast >build/mutant.log 2>&1; then
    missed "${programs[i]} passes all the same"
  else
    ((passed += 1)) && echo "caught after $SECONDS s: ${names[i]} by ${programs[i]}"
  fi
  printf '%s' "${original%.}" >"$file"
done
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
