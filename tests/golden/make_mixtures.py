# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes mixtures.json: every iteration of textbook EM for Gaussian mixtures, at 50 digits. Run by hand, a few minutes:

    python3 make_mixtures.py     (needs mpmath; gmpy2 makes it several times faster)
"""
import math
import sys
from pathlib import Path
from random import Random

from draws import weights
from mpmath import exp, fsum, log, mp, mpf, pi, sqrt
from writing import write_cases

PATH = Path(__file__).parent / "mixtures.json"
STRUCTURES = ("full", "diagonal", "tied", "spherical")
ITERATIONS = {1: 30, 2: 25, 3: 20, 8: 15}

# Dimensions, components, rows, name; what a name means is in `draw`.
SAMPLES = [(d, k, n, name)
           for d, n in ((1, 40), (2, 50), (3, 60), (8, 80))
           for k, name in ((2, "plain"), (3, "weighted"), (3, "offset"), (2, "offset_weighted"), (3, "float_exact"),
                           (3, "scaled"))]


def cholesky(matrix):
    size = len(matrix)
    lower = [[mpf(0)] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - fsum(lower[i][m] * lower[j][m] for m in range(j))
            lower[i][j] = sqrt(rest) if i == j else rest / lower[j][j]
    return lower


def squared_length(lower, difference):
    """|L⁻¹ difference|²."""
    solved = []
    for i, each in enumerate(difference):
        solved.append((each - fsum(lower[i][m] * solved[m] for m in range(i))) / lower[i][i])
    return fsum(each * each for each in solved)


def expect(points, row_weights, shares, means, covariances):
    """The log-likelihood, and every row's responsibilities times its weight."""
    factors = [cholesky(each) for each in covariances]
    size = len(points[0])
    constants = [log(share) - size * log(2 * pi) / 2 - fsum(log(lower[i][i]) for i in range(size))
                 for share, lower in zip(shares, factors)]
    value, responsibilities = mpf(0), []
    for x, weight in zip(points, row_weights):
        densities = [exp(constant - squared_length(lower, [a - b for a, b in zip(x, mean)]) / 2)
                     for constant, lower, mean in zip(constants, factors, means)]
        total = fsum(densities)  # mpmath's exponents have no end: nothing underflows
        value += weight * log(total)
        responsibilities.append([weight * each / total for each in densities])
    return value, responsibilities


def maximise(points, responsibilities, structure):
    """McLachlan and Peel, Finite Mixture Models (2000), 3.2; the structures as in Fraley and Raftery (2002)."""
    size, count = len(points[0]), len(responsibilities[0])
    sums = [fsum(r[k] for r in responsibilities) for k in range(count)]
    means, scatters = [], []
    for k in range(count):
        mean = [fsum(r[k] * x[d] for r, x in zip(responsibilities, points)) / sums[k] for d in range(size)]
        about = [[a - b for a, b in zip(x, mean)] for x in points]
        scatters.append([[fsum(r[k] * x[i] * x[j] for r, x in zip(responsibilities, about)) for j in range(size)]
                         for i in range(size)])
        means.append(mean)
    total = fsum(sums)
    pooled = [[fsum(each[i][j] for each in scatters) / total for j in range(size)] for i in range(size)]

    def covariance(k):
        own = [[each / sums[k] for each in row] for row in scatters[k]]
        if structure == "tied":
            return pooled
        if structure == "spherical":
            own = diagonal([fsum(own[d][d] for d in range(size)) / size] * size)
        return diagonal([own[d][d] for d in range(size)]) if structure == "diagonal" else own

    return [each / total for each in sums], means, [covariance(k) for k in range(count)]


def diagonal(variances):
    return [[mpf(v) if i == j else mpf(0) for j in range(len(variances))] for i, v in enumerate(variances)]


def run(points, row_weights, start, structure, iterations):
    exact = [[mpf(x) for x in row] for row in points]
    row_weights = [mpf(w) for w in row_weights or [1.0] * len(points)]
    shares = [mpf(w) for w in start["weights"]]
    means = [[mpf(x) for x in mean] for mean in start["means"]]
    covariances = [[[mpf(x) for x in row] for row in each] for each in start["covariances"]]
    trace = []
    for _ in range(iterations):
        value, responsibilities = expect(exact, row_weights, shares, means, covariances)
        trace.append(value)
        shares, means, covariances = maximise(exact, responsibilities, structure)
    trace.append(expect(exact, row_weights, shares, means, covariances)[0])
    if any(after <= before for before, after in zip(trace, trace[1:])):
        raise ArithmeticError("the log-likelihood did not rise")
    return {"log_likelihood_trace": trace, "weights": shares, "means": means, "covariances": covariances}


def draw(dimensions, components, rows, name, seed):
    """Correlated normal clouds about random centres, and the scale of each coordinate."""
    r = Random(seed)
    offset = 1e5 if name.startswith("offset") else 0.0
    scales = [(1e3, 1e-3, 1.0)[d % 3] if name == "scaled" else 1.0 for d in range(dimensions)]
    centres = [[r.gauss(0, 3 / math.sqrt(dimensions)) for _ in range(dimensions)] for _ in range(components)]
    points = []
    for _ in range(rows):
        centre, common = r.choice(centres), r.gauss(0, 1)
        point = [offset + scales[d] * (centre[d] + (0.7 + 0.1 * d) * (r.gauss(0, 1) + 0.6 * common))
                 for d in range(dimensions)]
        if name == "float_exact":
            points.append([round(x * 256) / 256 for x in point])
        else:
            points.append([round(x, 3) if scale == 1 else float(f"{x:.6g}") for x, scale in zip(point, scales)])
    return points, scales


def start_of(points, scales, components, structure):
    """Rows as means, and covariances of the structure, different by component unless they are tied."""
    rows, size = len(points), len(scales)

    def covariance(k):
        wide = 2.0 if structure == "tied" else 1.5 + 0.5 * k
        entry = {"full": lambda i, j: wide + 0.25 * i if i == j else 0.25,
                 "tied": lambda i, j: wide + 0.25 * i if i == j else 0.25,
                 "diagonal": lambda i, j: wide + 0.25 * i if i == j else 0.0,
                 "spherical": lambda i, j: wide if i == j else 0.0}[structure]
        common = max(scales)
        scale = [common] * size if structure == "spherical" else scales
        return [[entry(i, j) * scale[i] * scale[j] for j in range(size)] for i in range(size)]

    return {"weights": {2: [0.625, 0.375], 3: [0.25, 0.25, 0.5]}[components],
            "means": [points[rows * (2 * k + 1) // (2 * components)] for k in range(components)],
            "covariances": [covariance(k) for k in range(components)]}


def worth_keeping(fits):
    """Still on the way at the end, by more than a double's rounding, and with no component about to vanish."""
    return all(fit["log_likelihood_trace"][-1] - fit["log_likelihood_trace"][-2] > 1e-12 and min(fit["weights"]) > 0.1
               for fit in fits)


def make_case(dimensions, components, rows, name):
    seed = 20260 + 100 * dimensions + sum(map(ord, name))
    while True:
        points, scales = draw(dimensions, components, rows, name, seed)
        row_weights = weights([x[0] for x in points], seed + 1) if name.endswith("weighted") else None
        fits = []
        try:
            for structure in STRUCTURES:
                start = start_of(points, scales, components, structure)
                fits.append({"covariance": structure, "start": start,
                             **run(points, row_weights, start, structure, ITERATIONS[dimensions])})
                if not worth_keeping(fits):
                    break
            else:
                return {"case": name, "dimensions": dimensions, "components": components, "values": points,
                        "weights": row_weights, "fits": fits}
        except ArithmeticError:
            pass
        print(f"D = {dimensions}, {name}: seed {seed} passed over", file=sys.stderr)
        seed += 1000


if __name__ == "__main__":
    mp.dps = int(sys.argv[1]) if sys.argv[1:] else 50
    write_cases(PATH, [make_case(*sample) for sample in SAMPLES])
