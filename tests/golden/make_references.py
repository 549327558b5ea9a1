# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes references.json: maximum-likelihood fits good to 40 digits. Run by hand, a few minutes:

    python3 make_references.py [family ...]     (needs mpmath; gmpy2 makes it several times faster)

With families named, only their cases are computed anew and the others are kept.
"""
import json
import sys
from pathlib import Path

from draws import sample, weights
from maximum_likelihood import NoInteriorMaximum, fit
from starting_values import weighted_moments
from writing import write_cases

PATH = Path(__file__).parent / "references.json"

# Per family: the parameters drawn from in the ordinary cases, and in the badly conditioned or large one.
DRAWN_FROM = {
    "normal": [(3.0, 2.0), (1e4, 2.0)],
    "lognormal": [(0.5, 0.8), (9.210340371976184, 2e-4)],
    "exponential": [(0.7,), (1e-4,)],
    "gamma": [(2.5, 0.8), (2.5e7, 2500.0)],
    "inverse_gaussian": [(2.0, 3.0), (1e4, 2.5e11)],
    "weibull": [(1.7, 3.0), (6400.0, 1e4)],
    "rayleigh": [(1.5,), (1e4,)],
    "beta": [(2.0, 3.5), (3.6e6, 1.6e6)],
    "uniform": [(-1.0, 4.0), (1e4, 1e4 + 2)],
    "student_t": [(3.0, 1.0, 2.0), (3.0, 1e4, 2.0)],
    "cauchy": [(1.0, 2.0), (1e4, 2.0)],
    "laplace": [(-1.0, 1.5), (1e4, 2.0)],
    "logistic": [(2.0, 0.7), (1e4, 2.0)],
    "gumbel": [(2.0, 1.5), (1e4, 2.0)],
    "gev": [(3.0, 1.2, 0.15), (1e4, 2.0, -0.1)],
    "generalized_pareto": [(2.0, 0.25), (1e4, -0.15)],
    "von_mises": [(2.8, 2.0), (3.1415, 1e6)],
    "bernoulli": [(0.3,), (0.95,)],
    "binomial": [(12, 0.35), (20000, 2e-3)],
    "poisson": [(3.5,), (1e4,)],
    "geometric": [(0.25,), (1e-4,)],
    "negative_binomial": [(2.0, 6.0), (8.0, 1e4)],
}
LOCATED = {"normal", "lognormal", "gamma", "inverse_gaussian", "weibull", "uniform", "student_t", "cauchy", "laplace",
           "logistic", "gumbel", "gev", "von_mises", "beta"}
COUNTS = {"bernoulli", "binomial", "poisson", "geometric", "negative_binomial"}


def rounding(family, decimals):
    return {} if family in COUNTS else {"decimals": decimals}


def cases(family):
    """(name, a function from a seed to values and weights, parameters drawn from)."""
    ordinary, hard = DRAWN_FROM[family]
    def plain(parameters, n, **rounded):
        return lambda seed: (sample(family, parameters, n, seed, **rounded), None)

    def weighted(seed):
        values = sample(family, ordinary, 40, seed, **rounding(family, 4))
        return values, weights(values, seed + 1)

    yield "moderate", plain(ordinary, 60, **rounding(family, 3)), ordinary
    yield "small", plain(ordinary, 12), ordinary
    yield "weighted", weighted, ordinary
    yield "offset" if family in LOCATED else "large", plain(hard, 60), hard
    yield "float_exact", plain(ordinary, 50, **({} if family in COUNTS else {"grid": 256})), ordinary
    if family == "negative_binomial":
        yield "near_poisson", plain((200.0, 20.0), 60), (200.0, 20.0)
    if family == "von_mises":
        yield "diffuse", plain((-1.0, 0.3), 60), (-1.0, 0.3)
    if family == "laplace":
        yield "weighted_tie", lambda seed: ([1.5, -2.0, 7.25, 3.0, 0.5], [0.75, 0.5, 1.25, 0.5, 0.5]), ordinary
    if family == "weibull":
        yield "shape_below_one", plain((0.4, 2.0), 60), (0.4, 2.0)
    if family == "gamma":
        yield "shape_below_one", plain((0.05, 2.0), 60), (0.05, 2.0)


def has_interior_maximum(family, values, ws):
    """Cheap conditions that a sample must meet before it is fitted."""
    mean, variance = weighted_moments(values, ws or [1.0] * len(values))
    if family == "negative_binomial":
        return variance > 1.05 * mean
    if family in COUNTS:
        return variance > 0
    return True


def well_inside(family, parameters):
    """Not near the edge where the usual theory ends."""
    if family == "student_t":
        return 0.5 < parameters["df"] < 30
    if family in ("gev", "generalized_pareto"):
        return parameters["shape"] > -0.4
    return True


def make_case(family, name, draw, parameters):
    seed = 20240 + sum(map(ord, family + name))
    fixed = {"trials": parameters[0]} if family == "binomial" else {}
    while True:  # the first seed whose sample has an interior maximum
        values, ws = draw(seed)
        try:
            fitted = fit(family, values, ws, fixed) if has_interior_maximum(family, values, ws) else None
            if fitted and well_inside(family, fitted["parameters"]):
                return {"family": family, "case": name, "values": values, "weights": ws, "fixed": fixed, **fitted}
        except NoInteriorMaximum:
            pass
        print(f"{family} {name}: seed {seed} passed over", file=sys.stderr)
        seed += 1000


def kept_cases(path, families):
    """The lines of the cases not to be computed anew, by family."""
    kept = {}
    for line in path.read_text().splitlines()[1:-1] if path.exists() else []:
        case = json.loads(line.rstrip(","))
        if case["family"] not in families:
            kept.setdefault(case["family"], []).append(line.rstrip(","))
    return kept


def main(families):
    kept = kept_cases(PATH, families)
    made = []
    for family in DRAWN_FROM:
        if family in families:
            made += [make_case(family, *case) for case in cases(family)]
            print(family, file=sys.stderr)
        else:
            made += kept.get(family, [])
    write_cases(PATH, made)


if __name__ == "__main__":
    main(sys.argv[1:] or list(DRAWN_FROM))
