# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Samples with a fixed seed from every family, by inversion or by Python's own generators (double precision)."""
import math
from random import Random


def exponential(r, rate):
    return r.expovariate(rate)


def standard_logistic(r):
    u = r.random()
    return math.log(u / (1 - u))


def poisson(r, rate):
    """Arrivals before time 1 of a process with this rate."""
    count, time = 0, r.expovariate(rate)
    while time <= 1:
        count, time = count + 1, time + r.expovariate(rate)
    return count


def inverse_gaussian(r, mean, shape):
    """Michael, Schucany, Haas (1976)."""
    y = r.gauss(0, 1) ** 2
    x = mean + mean**2 * y / (2 * shape) - mean / (2 * shape) * math.sqrt(4 * mean * shape * y + (mean * y) ** 2)
    return x if r.random() <= mean / (mean + x) else mean**2 / x


def student_t(r, df, location, scale):
    return location + scale * r.gauss(0, 1) / math.sqrt(r.gammavariate(df / 2, 2) / df)


def gev(r, location, scale, shape):
    return location + scale * math.expm1(-shape * math.log(r.expovariate(1))) / shape


def von_mises(r, mean, concentration):
    return math.remainder(r.vonmisesvariate(mean % math.tau, concentration), math.tau)


def bernoulli(r, prob):
    return int(r.random() < prob)


DRAW = {
    "normal": lambda r, mean, sd: r.gauss(mean, sd),
    "lognormal": lambda r, meanlog, sdlog: r.lognormvariate(meanlog, sdlog),
    "exponential": exponential,
    "gamma": lambda r, shape, rate: r.gammavariate(shape, 1 / rate),
    "inverse_gaussian": inverse_gaussian,
    "weibull": lambda r, shape, scale: r.weibullvariate(scale, shape),
    "rayleigh": lambda r, scale: scale * math.sqrt(2 * r.expovariate(1)),
    "beta": lambda r, alpha, beta: r.betavariate(alpha, beta),
    "uniform": lambda r, min, max: r.uniform(min, max),
    "student_t": student_t,
    "cauchy": lambda r, location, scale: location + scale * math.tan(math.pi * (r.random() - 0.5)),
    "laplace": lambda r, location, scale: location + scale * (r.expovariate(1) - r.expovariate(1)),
    "logistic": lambda r, location, scale: location + scale * standard_logistic(r),
    "gumbel": lambda r, location, scale: location - scale * math.log(r.expovariate(1)),
    "gev": gev,
    "generalized_pareto": lambda r, scale, shape: scale * math.expm1(shape * r.expovariate(1)) / shape,
    "von_mises": von_mises,
    "bernoulli": bernoulli,
    "binomial": lambda r, trials, prob: sum(bernoulli(r, prob) for _ in range(trials)),
    "poisson": poisson,
    "geometric": lambda r, prob: math.floor(r.expovariate(1) / -math.log1p(-prob)),
    "negative_binomial": lambda r, size, mean: poisson(r, r.gammavariate(size, mean / size)),
}


def sample(family, parameters, n, seed, decimals=None, grid=None):
    """n draws, rounded to so many decimals or to a multiple of 1/grid; positive ones stay positive."""
    r = Random(seed)
    values = [DRAW[family](r, *parameters) for _ in range(n)]
    if grid:
        return [max(round(v * grid), 1) / grid if v > 0 else round(v * grid) / grid for v in values]
    if decimals is not None:
        return [max(round(v, decimals), 10.0**-decimals) if v > 0 else round(v, decimals) for v in values]
    return values


def weights(values, seed):
    """Positive, not whole; zero at the first observation, at the smallest and at the largest."""
    r = Random(seed)
    ws = [round(r.expovariate(1) + 0.05, 3) for _ in values]
    for i in (0, values.index(min(values)), values.index(max(values))):
        ws[i] = 0.0
    return ws
