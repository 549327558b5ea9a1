#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# Instruction counts of fixed work against the budgets of budgets.txt: run.sh PROGRAM, fixed_fits as built. Times are noisy
# on shared machines, these counts repeat to a few in a million. Valgrind knows no AVX-512, so the set is AVX2; it hides
# AVX-512 from the C library too. MF_WRITE_BUDGETS=1 writes what was counted into budgets.txt.
set -euo pipefail
folder=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
program=$1
if ! command -v valgrind >/dev/null || ! grep -qw avx2 /proc/cpuinfo; then
  echo "budgets need valgrind and a processor with AVX2"
  exit 77
fi
export MANYFIT_CPU=avx2 OMP_NUM_THREADS=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

count() { # thousands of instructions inside counted_work; fails where the work fails
  valgrind --tool=callgrind --callgrind-out-file="$scratch/$1" --toggle-collect='*counted_work*' "$program" "$1" \
    >"$scratch/$1.log" 2>&1 || { cat "$scratch/$1.log" >&2 && return 1; }
  sed -n -E 's/^(summary|totals): ([0-9]+)$/\2/p' "$scratch/$1" | awk 'END { if ($1 <= 0) exit 1; printf "%d", $1 / 1000 }'
}

passed=0 failed=0
while read -r name budget; do
  [[ -n $name && $name != \#* ]] || continue
  if ! counted=$(count "$name"); then
    echo "FAILED: $name could not be counted"
    ((failed += 1))
    continue
  fi
  if [[ -n ${MF_WRITE_BUDGETS:-} ]]; then
    sed -i -E "s/^$name .*/$name $counted/" "$folder/budgets.txt"
    budget=$counted
  fi
  if ((counted * 100 > budget * 110)); then
    echo "FAILED: $name takes $counted thousand instructions, its budget is $budget and 10 %"
    ((failed += 1))
  else
    echo "$name: $counted thousand instructions, budget $budget"
    ((counted * 100 >= budget * 80)) || echo "hint: $name is far below its budget: MF_WRITE_BUDGETS=1 $0 PROGRAM lowers it"
    ((passed += 1))
  fi
done <"$folder/budgets.txt"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0 && passed > 0))
