# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes special_functions_more.json: [arguments..., value] at exact double arguments, from 80 digits or more. A minute, by hand.

special_functions.json has the textbook functions; here are the differences and limits that only this project names, and
the ends of the range of log_gamma. Cancellation costs digits at the ends of the range, hence the precision.
"""
import json
import math
from pathlib import Path
from random import Random

from mpmath import mp, mpf, besseli, digamma, log, log1p, loggamma, psi

mp.dps = 80


def spread(low, high, count, seed):
    r, step = Random(seed), math.log(high / low) / (count - 1)
    inner = [low * math.exp(step * (i + r.uniform(-0.4, 0.4))) for i in range(1, count - 1)]
    return [low, *inner, high]


def rising_arguments():
    r = Random(7)
    sizes = [*spread(1e-3, 1e12, 40, 3), 5.999999, 6.0, 7.999999999, 8.0, 8.000001, 1e-290, 1e-20, 2.5, 25.0]
    counts = [0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 8.0, 20.0, 1000.0, 123456.0, 1e9]
    pairs = [(a, b) for a in sizes for b in counts]
    return pairs + [(a, r.uniform(0.1, 30)) for a in sizes]


def ratio(k):
    return besseli(1, k) / besseli(0, k)


POSITIVE = sorted({*spread(1e-6, 1e12, 80, 1), *spread(0.5, 20, 40, 2), 1.0, 2.0, 3.0, 5.999999999, 6.0, 2.5e7})
CONCENTRATIONS = [*spread(1e-6, 1e8, 80, 4), *spread(1, 40, 30, 5), 15.99999999, 16.0, 16.0000001]
SMALL = [s * x for x in spread(1e-12, 0.9999, 60, 6) for s in (1, -1)]
TABLES = {
    "log_gamma_ends": (loggamma, [(x,) for x in [*spread(1e-300, 1e-6, 30, 8), *spread(1e10, 1e300, 30, 9)]]),
    "log_gamma_zeros": (loggamma, [(c + d,) for c in (1.0, 2.0) for x in spread(1e-9, 0.9, 30, 10) for d in (x, -x)]),
    "log_minus_digamma": (lambda x: log(x) - digamma(x), [(x,) for x in POSITIVE]),
    "log_minus_digamma_derivative": (lambda x: 1 / x - psi(1, x), [(x,) for x in POSITIVE]),
    "log_gamma_ratio": (lambda r, x: loggamma(r + x) - loggamma(r), rising_arguments()),
    "log_gamma_ratio_first": (lambda r, x: digamma(r + x) - digamma(r), rising_arguments()),
    "log_gamma_ratio_second": (lambda r, x: psi(1, r + x) - psi(1, r), [p for p in rising_arguments() if p[0] > 1e-150]),
    "one_minus_bessel_ratio": (lambda k: 1 - ratio(k), [(k,) for k in CONCENTRATIONS]),
    "bessel_ratio_derivative": (lambda k: 1 - ratio(k) / k - ratio(k) ** 2, [(k,) for k in CONCENTRATIONS]),
    "log1p_minus": (lambda x: log1p(x) - x, [(x,) for x in [*SMALL, 0.4, -0.4, 0.39999999, -0.40000001]]),
}


def main():
    tables = []
    for name, (f, arguments) in TABLES.items():
        mp.dps = 400 if "ratio" in name and "log_gamma" in name else 80
        rows = [json.dumps([*a, float(f(*map(mpf, a)))]) for a in arguments]
        tables.append(f'"{name}": [\n' + ",\n".join(rows) + "\n]")
    (Path(__file__).parent / "special_functions_more.json").write_text("{" + ",\n".join(tables) + "}\n")


if __name__ == "__main__":
    main()
