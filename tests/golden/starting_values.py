# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Starting values for Newton's method: moments and quantiles in double precision. They only have to be near."""
import math


def weighted_moments(xs, ws):
    total = math.fsum(ws)
    mean = math.fsum(w * x for x, w in zip(xs, ws)) / total
    return mean, math.fsum(w * (x - mean) ** 2 for x, w in zip(xs, ws)) / total


def quantile(xs, ws, p):
    """The smallest observation at which the cumulative weight reaches p of the total."""
    below, total = 0.0, math.fsum(ws)
    for x, w in sorted(zip(xs, ws)):
        below += w
        if below >= p * total and w > 0:
            return x


def half_spread(xs, ws):
    return (quantile(xs, ws, 0.75) - quantile(xs, ws, 0.25)) / 2


def location_scale_grid(xs, ws):
    spread = half_spread(xs, ws)
    return [(quantile(xs, ws, p), c * spread) for p in (0.15, 0.35, 0.5, 0.65, 0.85) for c in (0.3, 1.0)]


def gumbel(xs, ws):
    mean, variance = weighted_moments(xs, ws)
    scale = math.sqrt(6 * variance) / math.pi
    return mean - 0.5772 * scale, scale


def weibull(xs, ws):
    location, scale = gumbel([-math.log(x) for x in xs], ws)
    return 1 / scale, math.exp(-location)


def inverse_gaussian(xs, ws):
    mean, _ = weighted_moments(xs, ws)
    return mean, math.fsum(ws) / math.fsum(w * (x - mean) ** 2 / (x * mean**2) for x, w in zip(xs, ws))


def beta(xs, ws):
    mean, variance = weighted_moments(xs, ws)
    total = mean * (1 - mean) / variance - 1
    return mean * total, (1 - mean) * total


def von_mises(xs, ws):
    s, c = (math.fsum(w * f(x) for x, w in zip(xs, ws)) / math.fsum(ws) for f in (math.sin, math.cos))
    mean = math.atan2(s, c)
    one_minus_r = math.fsum(w * 2 * math.sin((x - mean) / 2) ** 2 for x, w in zip(xs, ws)) / math.fsum(ws)
    r = 1 - one_minus_r
    return mean, r * (2 - r * r) / (one_minus_r * (1 + r))


def starts(family, xs, ws, fixed):
    """One or several starting points, each a tuple in the order of the parameters."""
    mean, variance = weighted_moments(xs, ws)
    sd = math.sqrt(variance)
    return {
        "normal": lambda: [(mean, sd)],
        "lognormal": lambda: [(m, math.sqrt(v)) for m, v in [weighted_moments([math.log(x) for x in xs], ws)]],
        "exponential": lambda: [(1 / mean,)],
        "gamma": lambda: [(mean**2 / variance, mean / variance)],
        "inverse_gaussian": lambda: [inverse_gaussian(xs, ws)],
        "weibull": lambda: [weibull(xs, ws)],
        "rayleigh": lambda: [(math.sqrt((mean**2 + variance) / 2),)],
        "beta": lambda: [beta(xs, ws)],
        "student_t": lambda: [(df, *at) for df in (1.0, 3.0, 10.0) for at in location_scale_grid(xs, ws)],
        "cauchy": lambda: location_scale_grid(xs, ws),
        "logistic": lambda: [(mean, sd * math.sqrt(3) / math.pi)],
        "gumbel": lambda: [gumbel(xs, ws)],
        "gev": lambda: [(*gumbel(xs, ws), shape) for shape in (-0.2, -0.05, 0.05, 0.2)],
        "generalized_pareto": lambda: [(mean * max(1 - shape, 0.5), shape) for shape in (-0.2, 0.1, 0.5)],
        "von_mises": lambda: [von_mises(xs, ws)],
        "bernoulli": lambda: [(mean,)],
        "binomial": lambda: [(mean / fixed["trials"],)],
        "poisson": lambda: [(mean,)],
        "geometric": lambda: [(1 / (1 + mean),)],
        "negative_binomial": lambda: [(mean**2 / (variance - mean), mean)] if variance > mean else [],
    }[family]()
