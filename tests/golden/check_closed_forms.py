# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Two checks of the golden files that share no code with the Newton solver. Run by hand, under a minute:

  every density integrates (or sums) to 1 at the parameters of the moderate cases;
  where the estimates or standard errors have a closed form, references.json agrees with it to 1e-15 relative.
"""
import json
from pathlib import Path

from mpmath import mp, mpf, fsum, inf, log, matrix, inverse, pi, psi, quad, sqrt, exp

from densities import LOG_DENSITY

mp.dps = 40
LIGHT_TAILS = {"normal", "laplace", "logistic"}
HEAVY_TAILS = {"student_t", "cauchy"}
COUNTS = {"poisson", "geometric", "negative_binomial"}


def total_mass(family, parameters, fixed):
    theta = {name: mpf(value) for name, value in {**fixed, **parameters}.items()}
    log_density = LOG_DENSITY[family](**theta)
    f = lambda x: exp(log_density(mpf(x)))
    if family in COUNTS:
        return fsum(f(k) for k in range(1200))
    if family in ("bernoulli", "binomial"):
        return fsum(f(k) for k in range(fixed.get("trials", 1) + 1))
    centre = theta.get("location", theta.get("mean", mpf(1)))
    if family == "gumbel":
        pieces = [centre - 12, centre, centre + 10, centre + 150]
    elif family in LIGHT_TAILS:
        pieces = [centre - 150, centre - 10, centre, centre + 10, centre + 150]
    elif family in HEAVY_TAILS:
        pieces = [-inf, centre - 10, centre, centre + 10, inf]
    elif family == "gev":  # shape > 0; below 0.6 of the way from the end point there is less than exp(-1000)
        end = theta["location"] - theta["scale"] / theta["shape"]
        pieces = [end + mpf("0.6") * (centre - end), centre, centre + 5, inf]
    else:
        pieces = {"beta": [0, 0.5, 1], "uniform": [theta.get("min"), theta.get("max")], "von_mises": [-pi, 0, pi],
                  "generalized_pareto": [0, 1, 10, inf]}.get(family, [0, 1, 5, 20, 250, 1e5])
    return quad(f, pieces)


def proportion(trials, total, mean):
    prob = mean / trials
    return {"prob": prob}, {"prob": sqrt(prob * (1 - prob) / (trials * total))}


def information_errors(names, information):
    covariance = inverse(matrix(information))
    return {name: sqrt(covariance[i, i]) for i, name in enumerate(names)}


def closed_form(case):
    """Estimates and standard errors, each as far as it has a closed form (given the estimates for gamma and beta)."""
    xs, ws = [mpf(x) for x in case["values"]], [mpf(w) for w in case["weights"] or [1.0] * len(case["values"])]
    total = fsum(ws)
    average = lambda f: fsum(w * f(x) for w, x in zip(ws, xs) if w > 0) / total
    mean = average(lambda x: x)
    theta = {name: mpf(value) for name, value in case["parameters"].items()}
    family = case["family"]
    if family in ("normal", "lognormal"):
        of = log if family == "lognormal" else (lambda x: x)
        centre = average(of)
        sd = sqrt(average(lambda x: (of(x) - centre) ** 2))
        return dict(zip(theta, (centre, sd))), dict(zip(theta, (sd / sqrt(total), sd / sqrt(2 * total))))
    if family == "exponential":
        return {"rate": 1 / mean}, {"rate": 1 / (mean * sqrt(total))}
    if family == "rayleigh":
        scale = sqrt(average(lambda x: x**2) / 2)
        return {"scale": scale}, {"scale": scale / (2 * sqrt(total))}
    if family == "inverse_gaussian":
        shape = 1 / average(lambda x: 1 / x - 1 / mean)
        errors = {"mean": sqrt(mean**3 / (shape * total)), "shape": shape * sqrt(2 / total)}
        return {"mean": mean, "shape": shape}, errors
    if family == "gamma":
        a, b = theta.values()
        return {}, information_errors(theta, [[total * psi(1, a), -total / b], [-total / b, total * a / b**2]])
    if family == "beta":
        a, b = theta.values()
        both = psi(1, a + b)
        return {}, information_errors(theta, [[total * (psi(1, a) - both), -total * both],
                                              [-total * both, total * (psi(1, b) - both)]])
    if family in ("bernoulli", "binomial"):
        return proportion(case["fixed"].get("trials", 1), total, mean)
    if family == "poisson":
        return {"rate": mean}, {"rate": sqrt(mean / total)}
    if family == "geometric":
        prob = 1 / (1 + mean)
        return {"prob": prob}, {"prob": prob * sqrt((1 - prob) / total)}
    if family == "negative_binomial":
        return {"mean": mean}, {"mean": sqrt((mean + mean**2 / theta["size"]) / total)}
    return {}, {}


def main():
    cases = json.loads((Path(__file__).parent / "references.json").read_text())
    worst_mass = worst = mpf(0)
    compared = 0
    for case in cases:
        if case["case"] == "moderate":
            mass = total_mass(case["family"], case["parameters"], case["fixed"])
            if abs(mass - 1) > 1e-15:
                print(case["family"], "mass", float(mass))
            worst_mass = max(worst_mass, abs(mass - 1))
        for kind, expected in zip(("parameters", "std_errors"), closed_form(case)):
            for name, value in expected.items():
                error = abs(mpf(case[kind][name]) / value - 1)
                if error > 1e-15:
                    print(case["family"], case["case"], kind, name, float(error))
                worst, compared = max(worst, error), compared + 1
    print(f"largest |mass - 1| {float(worst_mass):.2g}; "
          f"{compared} closed forms, largest relative error {float(worst):.2g}")


if __name__ == "__main__":
    main()
