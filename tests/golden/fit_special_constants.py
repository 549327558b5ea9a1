# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Prints the polynomial and rational constants of kernels/math/{gamma,bessel}.hpp and log1p_minus.

Each is the interpolant at Chebyshev nodes, solved in 60 digits: within a small factor of the minimax error and free of
the trouble of an exchange algorithm. The error column is relative, on a dense grid.
"""
import sys
from mpmath import mp, mpf, cos, pi, matrix, lu_solve, loggamma, digamma, psi, log, besseli, exp, sqrt, atanh, log1p

mp.dps = 60


def fit(name, f, a, b, m, n):
    a, b = mpf(a), mpf(b)
    count = m + n + 1
    x = [(a + b) / 2 + (b - a) / 2 * cos(pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    y = [f(t) for t in x]
    rows = matrix(count, count)
    for i in range(count):
        for j in range(m + 1):
            rows[i, j] = x[i] ** j
        for j in range(1, n + 1):
            rows[i, m + j] = -y[i] * x[i] ** j
    c = lu_solve(rows, matrix(y))
    p = [c[j] for j in range(m + 1)]
    q = [mpf(1)] + [c[m + j] for j in range(1, n + 1)]
    worst = 0
    for i in range(203):
        t = a + (b - a) * (mpf(i) + mpf(1) / 3) / 203
        value = sum(v * t**j for j, v in enumerate(p)) / sum(v * t**j for j, v in enumerate(q))
        worst = max(worst, abs(value / f(t) - 1))
    print(f"{name} ({m},{n}) on [{mp.nstr(a, 5)}, {mp.nstr(b, 5)}]: {mp.nstr(worst, 3)}")
    print("  p:", ", ".join(mp.nstr(v, 20) for v in p))
    if n:
        print("  q:", ", ".join(mp.nstr(v, 20) for v in q))
    sys.stdout.flush()
    return worst


def central(t):  # log_gamma(2 + t) = t (1 + t) central(t)
    return loggamma(2 + t) / (t * (1 + t))


def stirling(v):  # log_gamma(x) = (x - 1/2) (log x - 1) + log(2 pi)/2 - 1/2 + stirling(1/x^2) / x
    x = 1 / sqrt(v)
    return x * (loggamma(x) - (x - mpf(1) / 2) * (log(x) - 1) - log(2 * pi) / 2 + mpf(1) / 2)


def digamma_tail(v):  # log z - digamma(z) = 1/(2 z) + v digamma_tail(v), v = 1/z^2
    z = 1 / sqrt(v)
    return (log(z) - digamma(z) - 1 / (2 * z)) / v


def trigamma_tail(v):  # trigamma(z) = 1/z + v/2 + v/z trigamma_tail(v)
    z = 1 / sqrt(v)
    return (psi(1, z) - 1 / z - v / 2) * z / v


def atanh_tail(v):  # 2 atanh(s) = 2 s + s v atanh_tail(v), v = s^2
    s = sqrt(v)
    return 2 * (atanh(s) - s) / (s * v)


def i0_small(t):  # I0(k) = 1 + t i0_small(t), t = k^2/4
    return (besseli(0, 2 * sqrt(t)) - 1) / t


def i0_large(w):  # I0(k) = exp(k) / sqrt(2 pi k) i0_large(1/k)
    return exp(-1 / w) * sqrt(2 * pi / w) * besseli(0, 1 / w)


def ratio_small(t):  # I1(k) / I0(k) = k/2 ratio_small(k^2/4)
    k = 2 * sqrt(t)
    return besseli(1, k) / besseli(0, k) * 2 / k


def ratio_large(w):  # 1 - I1(k) / I0(k) = w/2 + w^2 ratio_large(w), w = 1/k
    k = 1 / w
    return ((1 - besseli(1, k) / besseli(0, k)) - w / 2) / w**2


# Name: function, interval, degrees for double, for float. No interval has a node at a removable singularity.
FITS = {
    "central": (central, -1, "1.0003", [(7, 7)], [(4, 3)]),
    "stirling": (stirling, "1e-12", mpf(1) / 9, [(4, 4)], [(1, 1)]),
    "digamma_tail": (digamma_tail, "1e-12", mpf(1) / 36, [(6, 0)], []),
    "trigamma_tail": (trigamma_tail, "1e-12", mpf(1) / 36, [(6, 0)], []),
    "atanh_tail": (atanh_tail, "1e-9", mpf(1) / 16, [(8, 0)], [(3, 0)]),
    "i0_small": (i0_small, "1e-9", 64, [(20, 0)], []),
    "i0_large": (i0_large, "1e-9", mpf(1) / 16, [(13, 0)], []),
    "ratio_small": (ratio_small, "1e-9", 64, [(10, 10)], []),
    "ratio_large": (ratio_large, "1e-4", mpf(1) / 16, [(13, 0)], []),
}

if __name__ == "__main__":
    for name, (f, a, b, *sizes) in FITS.items():
        for m, n in sizes[0] + sizes[1]:
            fit(name, f, a, b, m, n)
