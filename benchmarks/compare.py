# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""compare.py FOLDER PROGRAM: ratios of times between the runs PROGRAM-base-N.json and PROGRAM-this-N.json of Google
Benchmark in FOLDER.

Each round's median of one build is divided by that of the other, which ran right after it; printed are the median, the
least and the greatest of these ratios. Only a median outside of what noise does to a single round says anything.
"""
import json
import pathlib
import statistics
import sys


def medians(path):
    """Time of every work point that ran in one round, in its unit."""
    rows = json.loads(path.read_text())["benchmarks"]
    return {row["run_name"]: row["real_time"] for row in rows if row.get("aggregate_name") == "median"}


def main(folder, program):
    rounds = sorted(folder.glob(f"{program}-base-*.json"))
    pairs = [(medians(base), medians(folder / base.name.replace("-base-", "-this-"))) for base in rounds]
    names = [name for name in pairs[0][0] if all(name in base and name in this for base, this in pairs)]
    if not names:
        sys.exit("compare: the two builds have no work point in common")
    print(f"{'this / base, below 1 is faster':60} median  least .. greatest")
    for name in names:
        ratios = [this[name] / base[name] for base, this in pairs]
        verdict = "faster" if max(ratios) < 1 else "slower" if min(ratios) > 1 else "within the noise"
        print(f"{name:60} {statistics.median(ratios):6.3f}  {min(ratios):.3f} .. {max(ratios):.3f}  {verdict}")


main(pathlib.Path(sys.argv[1]), sys.argv[2])
