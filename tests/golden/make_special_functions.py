# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes special_functions.json: values at the exact double argument, computed with 80 digits. Run by hand, seconds."""
import math
from pathlib import Path
from random import Random
from statistics import NormalDist

from mpmath import mp, mpf, besseli, digamma, erfc, log, log1p, loggamma, ncdf, npdf, psi
from writing import to_json

mp.dps = 80
DIGAMMA_ROOT = 1.4616321449683622


def spread(low, high, count, seed):
    """Doubles spread evenly in log from low to high, both included, with full random mantissas between."""
    r, step = Random(seed), math.log(high / low) / (count - 1)
    inner = [low * math.exp(step * (i + r.uniform(-0.4, 0.4))) for i in range(1, count - 1)]
    return [low, *inner, high]


def around(centre, distances=(1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-12)):
    """The centre, its neighbouring doubles, and points on both sides of it."""
    return [centre, math.nextafter(centre, math.inf), math.nextafter(centre, -math.inf),
            *(centre + d for d in distances), *(centre - d for d in distances)]


def gamma_arguments():
    halves = [k / 2 for k in range(1, 24)]
    return sorted({*spread(1e-8, 1e12, 72, 1), *around(1.0), *around(2.0), *around(DIGAMMA_ROOT), *halves, 20.0, 170.5})


def bessel_arguments():  # series and asymptotic forms usually meet between 3 and 60
    return sorted({*spread(1e-8, 1e12, 84, 2), *spread(1.0, 60.0, 24, 3), *around(3.75, (1e-6,)),
                   *around(7.75, (1e-6,)), *around(15.0, (1e-6,)), 500.0, 700.0, 713.5, 1000.0})


def quantile_arguments():  # Wichura's and Acklam's forms change at 0.02425, 0.075 and exp(-25)
    r = Random(4)
    tail, middle = spread(1e-300, 1e-3, 48, 5), [r.random() for _ in range(20)]
    edges = [*around(0.02425, (1e-6,)), *around(0.075, (1e-6,)), *around(0.925, (1e-6,)), *around(0.5),
             1.3887943864964021e-11]
    near_one = [1 - d for d in (1e-3, 1e-5, 1e-8, 1e-11, 1e-13, 1e-15, 2e-16)] + [math.nextafter(1.0, 0.0)]
    return sorted({*tail, *middle, *edges, *near_one})


def log1p_arguments():
    small = spread(1e-8, 0.9, 40, 6)
    near_minus_one = [-1 + d for d in (1e-1, 1e-2, 1e-4, 1e-8, 1e-12, 2.0**-52)]
    return sorted({0.0, -0.5, 0.5, 1.0, *small, *(-x for x in small), *spread(1.0, 1e12, 30, 7), *near_minus_one})


def tail_arguments():  # from deep in the left tail to where erfc nears its smallest double
    sizes = spread(1e-8, 37.0, 50, 8)
    return sorted({0.0, *sizes, *(-x for x in sizes), *around(5.0, (1e-6,)), *around(-1.0, (1e-6,)), *range(1, 9)})


def normal_quantile(p):
    if p > 0.5:
        return -normal_quantile(1 - p)
    x = mpf(NormalDist().inv_cdf(float(p)))
    for _ in range(8):  # Newton from a double: 15, 30, 60, 120 digits
        x -= (ncdf(x) - p) / npdf(x)
    return x


TABLES = {
    "log_gamma": (loggamma, gamma_arguments()),
    "digamma": (digamma, gamma_arguments()),
    "trigamma": (lambda x: psi(1, x), gamma_arguments()),
    "log_bessel_i0": (lambda k: log(besseli(0, k)), bessel_arguments()),
    "bessel_ratio_i1_i0": (lambda k: besseli(1, k) / besseli(0, k), bessel_arguments()),
    "normal_quantile": (normal_quantile, quantile_arguments()),
    "log1p_minus_x": (lambda x: log1p(x) - x, log1p_arguments()),
    "erfc": (erfc, [x for x in tail_arguments() if x < 26]),
    "log_normal_survival": (lambda x: log(ncdf(-x)) if x > 0 else log1p(-ncdf(x)), tail_arguments()),
}


def main():
    tables = [f'"{name}": [\n' + ",\n".join(to_json([float(x), f(mpf(x))]) for x in xs) + "\n]"
              for name, (f, xs) in TABLES.items()]
    (Path(__file__).parent / "special_functions.json").write_text("{" + ",\n".join(tables) + "}\n")


if __name__ == "__main__":
    main()
