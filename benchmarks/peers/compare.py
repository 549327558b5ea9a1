# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Mixtures in manyfit and in other people's software: the same data, start and number of iterations, on all cores, in
alternation. ./dev bench --peers runs it: compare.py FOLDER_OF_PROGRAMS RESULTS [POINT...] [--on-gpu] [--rounds N]
--on-gpu: beside manyfit only what runs on a GPU, where one is lent for minutes.

A program is started anew for every round; it warms up, then times a run of one iteration and one of more. An iteration's
time is the difference over the number of iterations between, so that starts and preparations count for nobody; a batch
(e) is timed whole. A time counts only if the log-likelihood at the end is the one that manyfit has in double. The best
round counts, since what else the machine does only ever adds time; all rounds are in the JSON.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import shown, write

HERE = Path(__file__).resolve().parent
# rows, dimensions, components, structure, fits, iterations, rounds
POINTS = {
    "a": (10_000_000, 1, 4, "full", 1, 5, 4),
    "b": (1_000_000, 16, 64, "diagonal", 1, 5, 4),
    "c": (200_000, 16, 64, "full", 1, 5, 4),
    "d": (200_000, 32, 256, "diagonal", 1, 5, 4),
    "e": (1000, 2, 3, "full", 10_000, 50, 3),
}
# Fits of point e that a program gets: what lasts a second or so.
FITS = {"Armadillo": 1000, "scikit-learn": 200, "mclust": 40, "scikit-learn on PyTorch": 20}
BOTH = ("double", "float")
PRECISIONS = {"manyfit": BOTH, "scikit-learn": BOTH, "manyfit on CUDA": BOTH, "scikit-learn on PyTorch": BOTH,
              "PyTorch": BOTH, "gmm-gpu": ("float",)}  # fmt: skip
TOLERANCE = {"double": 1e-8, "float": 1e-4}
NOT_QUICK = {"mclust": "abcd", "gmm-gpu": "bd"}  # gmm-gpu: full covariances only
ON_CPU = ("Armadillo", "scikit-learn", "mclust")
ON_GPU = ("manyfit on CUDA", "PyTorch", "gmm-gpu", "scikit-learn on PyTorch")


def draw(point, folder):
    """Points around K centres, and a start near them: clusters that touch and do not coincide."""
    rows, D, K, _, fits, _, _ = POINTS[point]
    random = np.random.default_rng(ord(point))
    apart = 3.0 if D > 4 else 6.0
    values = np.empty((fits, rows, D))
    start = np.empty((fits, K * (1 + 2 * D)))
    for fit in range(fits):
        centres = apart * random.standard_normal((K, D)) if D > 1 else apart * np.arange(K, dtype=float).reshape(K, 1)
        spreads = random.uniform(0.7, 1.3, (K, D))
        labels = random.integers(0, K, rows)
        for begin in range(0, rows, 100_000):
            part = labels[begin : begin + 100_000]
            noise = random.standard_normal((len(part), D))
            values[fit, begin : begin + len(part)] = centres[part] + spreads[part] * noise
        means = centres + 0.2 * random.standard_normal((K, D))
        start[fit] = np.concatenate([np.full(K, 1 / K), means.ravel(), np.full(K * D, 1.5)])
    values.tofile(folder / "values")
    start.tofile(folder / "start")


def command(software, programs):
    return {
        "manyfit": [str(programs / "mixture_manyfit")],
        "Armadillo": [str(programs / "mixture_armadillo")],
        "scikit-learn": [sys.executable, str(HERE / "mixture_scikit_learn.py")],
        "mclust": ["Rscript", str(HERE / "mixture_mclust.R")],
        "manyfit on CUDA": [str(programs / "mixture_manyfit")],
        "PyTorch": [sys.executable, str(HERE / "mixture_torch.py")],
        "gmm-gpu": [sys.executable, str(HERE / "mixture_gmm_gpu.py")],
        "scikit-learn on PyTorch": [sys.executable, str(HERE / "mixture_scikit_learn_torch.py")],
    }[software]


def why_no_gpu():
    """Why the comparison is left to the CPU; empty where there is a GPU and PyTorch to compare with."""
    try:
        import torch
    except ImportError:
        return f"{sys.executable} has no torch"
    return "" if torch.cuda.is_available() else "PyTorch sees no CUDA device"


def measure(software, precision, point, folder, programs):
    rows, D, K, structure, fits, iterations, _ = POINTS[point]
    fits = min(fits, FITS.get(software, fits))
    arguments = [folder / "values", folder / "start", rows, D, K, structure, fits, iterations, precision]
    arguments += ["cuda"] if software in ON_GPU else []
    done = subprocess.run(
        command(software, programs) + [str(a) for a in arguments], capture_output=True, text=True, timeout=900
    )
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed"])[-1])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    # One fit: seconds an iteration. A batch: seconds a fit, all iterations.
    first, everything = found["first"], found["all"]
    by_clock, by_processor = [
        None if b is None else (b - a) / iterations if fits == 1 else b / fits for a, b in zip(first, everything)
    ]
    found["seconds"], found["cpu_seconds"] = by_clock, by_processor
    found["note"] = done.stderr.strip()
    return found


def worst_difference(found, reference):
    pairs = zip(found["log_likelihood"], reference["log_likelihood"])
    return max(abs(a - b) / abs(b) if a == a else float("inf") for a, b in pairs)


def compare(point, programs, folder, others, rounds):
    draw(point, folder)
    runs = [("manyfit", "double"), ("manyfit", "float")]
    for software in others:
        if point not in NOT_QUICK.get(software, ""):
            runs += [(software, precision) for precision in PRECISIONS.get(software, ("double",))]
    seconds = {run: [] for run in runs}
    rows, reference, gone = {}, None, set()
    for _ in range(rounds or POINTS[point][6]):
        for run in runs:
            if run in gone:
                continue
            try:
                found = measure(*run, point, folder, programs)
            except (OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as problem:
                print(f"{point}: {run[0]} ({run[1]}) is left out: {problem}", file=sys.stderr, flush=True)
                gone.add(run)
                continue
            reference = reference or found
            difference = worst_difference(found, reference)
            if not difference <= TOLERANCE[run[1]]:
                problem = f"its log-likelihood differs by {difference:.1e}, so its time does not count"
                print(f"{point}: {run[0]} ({run[1]}): {problem}", file=sys.stderr, flush=True)
                gone.add(run)
                continue
            seconds[run].append(found)
            rows[run] = {"software": found["software"], "precision": run[1], "difference": difference}
            if found["note"]:
                rows[run]["note"] = found["note"]
    for run, row in rows.items():
        for clock in ("seconds", "cpu_seconds"):
            row[clock] = [found[clock] for found in seconds[run]]
    return list(rows.values())


def is_manyfit(row):
    return row["software"].startswith("manyfit")


def on_cuda(row):
    return is_manyfit(row) and " on cuda" in row["software"]


def table(points):
    heads = ["work point", "software", "precision", "time", "processor time"]
    heads += ["times manyfit double", "times manyfit float"]
    # Where a GPU takes part, also in units of what manyfit needs on it.
    sides = ["manyfit"] + ["manyfit on CUDA"] * any(on_cuda(row) for rows in points.values() for row in rows)
    heads += [f"times {side} {p}" for side in sides[1:] for p in BOTH] + ["log-likelihood differs by"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for point, rows in points.items():
        count, D, K, structure, fits, iterations, _ = POINTS[point]
        what = f"{point}. {structure}, N={count} D={D} K={K}, an iteration"
        if fits > 1:
            what = f"{point}. {fits} mixtures, {structure}, n={count} D={D} K={K}, a fit of {iterations + 1} iterations"
        best = {(on_cuda(row), row["precision"]): min(row["seconds"]) for row in rows if is_manyfit(row)}
        for row in rows:
            time = min(row["seconds"])
            if not time > 0:
                raise RuntimeError(f"{point}: {row['software']}'s time is lost in noise: the machine is too busy")
            known = [s for s in row["cpu_seconds"] if s is not None]
            processor_time = shown(min(known)) if known else ""
            units = [best.get((side != "manyfit", p)) for side in sides for p in BOTH]
            ratios = [f"{time / unit:.2g}" if unit else "" for unit in units]
            cells = [what, row["software"], row["precision"], shown(time), processor_time, *ratios]
            lines.append(f"| {' | '.join(cells)} | {row['difference']:.0e} |")
            what = ""
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("points", nargs="*", metavar="POINT")
    parser.add_argument("--on-gpu", action="store_true")
    parser.add_argument("--rounds", type=int, default=0)
    given = parser.parse_args()
    unknown = [point for point in given.points if point not in POINTS]
    if unknown:
        parser.error(f"no such work point: {', '.join(unknown)}")
    points, problem = {}, why_no_gpu()
    if problem and given.on_gpu:
        parser.error(problem)
    others = () if given.on_gpu else ON_CPU
    others += () if problem else ON_GPU
    if problem:
        print(f"software on a GPU is left out: {problem}", file=sys.stderr, flush=True)
    for point in given.points or POINTS:
        with tempfile.TemporaryDirectory(dir=given.programs) as folder:
            points[point] = compare(point, given.programs, Path(folder), others, given.rounds)
    print(table(points))
    write(given.results, "mixtures", "compare.py", table(points), points)


main()
