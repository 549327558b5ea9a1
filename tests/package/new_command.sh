#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# A command is one file and one line: adds `density` to a copy of the tree, and nothing else. It must have all forms of
# output, the shared options, help and errors of the others.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
jobs=${MF_JOBS:-$(nproc)}
copy=$PWD/build/new_command
pyarrow=$(sed -n 's/^MF_PYARROW_DIR:PATH=//p' build/release/CMakeCache.txt 2>/dev/null || true)

(($(wc -l <tests/package/density_command.cpp) < 100))
tests/copy_tree.sh "$copy"
cp tests/package/density_command.cpp "$copy/apps/manyfit/density_command.cpp"
echo 'MF_COMMAND(density)' >>"$copy/apps/manyfit/commands.def"

cd "$copy"
targets=baseline
if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then targets=avx2; fi
# build/release, as in the tree itself: with the same relative paths ccache knows all but the new command already.
cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DMF_CPU_TARGETS=$targets -DMF_CUDA=OFF \
  -DMF_BUILD_TESTS=OFF "-DMF_PYARROW_DIR=$pyarrow"
cmake --build build/release -j "$jobs" --target manyfit_program

manyfit=$PWD/build/release/manyfit scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
expect() { # WHAT TEXT: the file `said` holds that text
  grep -qF -- "$2" said || { echo "FAILED: $1; expected: $2" && cat said && return 1; }
}
# exponential: the rate is 1/mean, and the log-density at x is log(rate) - rate x
printf 'log_density,x\na,1\na,2\na,3\nb,8\nb,8.5\nb,7.5\n' >d.csv
"$manyfit" --help >said && expect 'the list of commands' 'Log-density of one value under every fit'
"$manyfit" density exponential d.csv --column x --by log_density --at 2 --format csv --quiet >said
expect 'a header with the key named apart' 'key_log_density,n,missing,left_out,status,iterations,rate,'
expect 'the first fit in CSV' ',bic,log_density'
rates=$(cut -d, -f7 said | tail -n +2 | paste -sd' ')
densities=$(sed 's/.*,//' said | tail -n +2 | paste -sd' ')
awk -v r="$rates" -v d="$densities" 'BEGIN {
  split(r, rate, " "); split(d, density, " ")
  for (i = 1; i <= 2; i++) { e = density[i] - (log(rate[i]) - 2 * rate[i]); if (!(e * e < 1e-20)) exit 1 }
  if (!((rate[1] - 0.5) ^ 2 < 1e-20 && (rate[2] - 0.125) ^ 2 < 1e-20)) exit 1 }'
"$manyfit" density exponential d.csv --column x --by log_density --at 2 --format json --quiet >said
expect 'the envelope of JSON' '"command": "density", "family": "exponential"'
expect 'a member of every fit' ', "log_density": -'
"$manyfit" density exponential d.csv --column x --at 2 --quiet >said && expect 'a table of one fit' 'log_density'
if [[ -n $pyarrow ]]; then
  "$manyfit" density exponential d.csv --column x --by log_density --at 2 --out d.parquet --quiet
  "$manyfit" fit normal d.parquet --column log_density --quiet >said && expect 'Parquet that reads back' 'n = 2'
fi
status=0 && "$manyfit" density exponential d.csv --column x 2>said || status=$?
((status == 2)) && expect 'a required option' '--at is required'
"$manyfit" score /dev/null d.csv 2>/dev/null && exit 1 # the others are still there
"$manyfit" fit exponential d.csv --column x --quiet >said && expect 'fit as before' 'exponential: converged, n = 6'
echo "a command of $(wc -l <"$copy/apps/manyfit/density_command.cpp") lines, and one line in commands.def"
