# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Fits of one family after the other in manyfit, SciPy and R's fitdistrplus: the same samples, on all cores, in
alternation. ./dev bench --peers runs it: compare_fits.py FOLDER_OF_PROGRAMS RESULTS [FAMILY...]

A program is started anew for every round; it warms up, then times as many fits as take it a second or so. A time counts
only if no log-likelihood is further than TOLERANCE from manyfit's: what is lower has not arrived at the maximum. The best
round counts, since what else the machine does only ever adds time; all rounds are in the JSON. Programs are started
with VALUES FAMILY FITS N PRECISION; VALUES holds samples of n doubles, one after the other.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import shown, without_manyfit, write

HERE = Path(__file__).resolve().parent
N, MOST_FITS, ROUNDS = 1000, 20_000, 3
TOLERANCE = {"double": 1e-6, "float": 1e-4}
# How to draw, and the fits that SciPy and fitdistrplus get in a round; 0: it does not know the family, or has only an
# optimiser without a start for it.
FAMILIES = {
    "normal": (lambda r, shape: r.normal(10, 2, shape), 4000, 200),
    "gamma": (lambda r, shape: r.gamma(2.0, 2.0, shape), 2000, 100),
    "beta": (lambda r, shape: r.beta(2.0, 3.0, shape), 1000, 100),
    "weibull": (lambda r, shape: 3.0 * r.weibull(1.5, shape), 400, 100),
    "student_t": (lambda r, shape: 1 + 2 * r.standard_t(5, shape), 80, 0),
    "gev": (lambda r, shape: 2 + 3 * ((-np.log(r.random(shape))) ** -0.1 - 1) / 0.1, 80, 0),
    "negative_binomial": (lambda r, shape: r.negative_binomial(3, 0.4, shape).astype(float), 0, 60),
}


def command(software, programs):
    return {
        "manyfit": [str(programs / "fits_manyfit")],
        "SciPy": [sys.executable, str(HERE / "fits_scipy.py")],
        "fitdistrplus": ["Rscript", str(HERE / "fits_fitdistrplus.R")],
    }[software]


def measure(software, precision, family, fits, values, programs):
    arguments = [str(values), family, str(fits), str(N), precision]
    done = subprocess.run(command(software, programs) + arguments, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed"])[-1])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    found["seconds"] = found["all"] / fits
    return found


def compare(family, programs, folder):
    draw, scipy_fits, r_fits = FAMILIES[family]
    random = np.random.default_rng(7)
    values = folder / "values"
    with open(values, "wb") as file:
        for _ in range(0, MOST_FITS, 1000):
            draw(random, (1000, N)).tofile(file)
    runs = [("manyfit", "double", MOST_FITS), ("manyfit", "float", MOST_FITS)]
    runs += [("SciPy", "double", scipy_fits)] if scipy_fits else []
    runs += [("fitdistrplus", "double", r_fits)] if r_fits else []
    rows, reference, gone = {}, None, set()
    for _ in range(ROUNDS):
        for run in runs:
            if run in gone:
                continue
            software, precision, fits = run
            try:
                found = measure(software, precision, family, fits, values, programs)
            except (OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as problem:
                print(f"{family}: {software} ({precision}) is left out: {problem}", file=sys.stderr, flush=True)
                gone.add(run)
                continue
            reference = reference or found["log_likelihood"]
            pairs = zip(found["log_likelihood"], reference)
            difference = max(abs(a - b) / (1 + abs(b)) if a is not None else float("inf") for a, b in pairs)
            if not difference <= TOLERANCE[precision]:
                problem = f"a log-likelihood differs by {difference:.1e}, so its time does not count"
                print(f"{family}: {software} ({precision}): {problem}", file=sys.stderr, flush=True)
                gone.add(run)
                rows.pop(run, None)
                continue
            row = {"software": found["software"], "precision": precision, "fits": fits, "difference": difference}
            rows.setdefault(run, row | {"seconds": []})["seconds"].append(found["seconds"])
    return list(rows.values())


def table(points):
    gone = without_manyfit(points)
    if gone:
        raise RuntimeError(f"manyfit has no row in {', '.join(gone)}: that is no comparison")
    heads = ["family", "software", "precision", "time of a fit", "times manyfit double", "log-likelihood differs by"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for family, rows in points.items():
        best = min(min(r["seconds"]) for r in rows if r["software"].startswith("manyfit") and r["precision"] == "double")
        for i, row in enumerate(rows):
            time = min(row["seconds"])
            cells = ["" if i else f"{family}, n = {N}", row["software"], row["precision"], shown(time), f"{time / best:.1f}"]
            lines.append(f"| {' | '.join(cells)} | {row['difference']:.0e} |")
    return "\n".join(lines)


def main():
    programs, results = Path(sys.argv[1]), Path(sys.argv[2])
    points = {}
    for family in sys.argv[3:] or FAMILIES:
        with tempfile.TemporaryDirectory(dir=programs) as folder:
            points[family] = compare(family, programs, Path(folder))
    write(results, "fits", "compare_fits.py", table(points), points)
    print(table(points))


main()
