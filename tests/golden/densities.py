# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Textbook log-densities in mpmath, written independently of the kernels.

Each function takes the parameters and returns log f as a function of x, or None where the parameters are not allowed.
Constants that depend on the parameters alone are computed once. Sources, by short name:

  JKB1, JKB2  Johnson, Kotz, Balakrishnan: Continuous Univariate Distributions, 2nd ed., volumes 1 and 2 (1994, 1995)
  JKK         Johnson, Kemp, Kotz: Univariate Discrete Distributions, 3rd ed. (2005)
  Coles       Coles: An Introduction to Statistical Modeling of Extreme Values (2001)
  MJ          Mardia, Jupp: Directional Statistics (2000)
"""
from mpmath import mp, mpf, log, log1p, exp, pi, sqrt, loggamma, besseli, cos, cosh, inf


def positive(*values):
    return all(value > 0 for value in values)


def normal(mean, sd):  # JKB1, eq. 13.1
    if not positive(sd):
        return None
    constant = -log(sd) - log(2 * pi) / 2
    return lambda x: constant - ((x - mean) / sd) ** 2 / 2


def lognormal(meanlog, sdlog):  # JKB1, eq. 14.2 with threshold 0
    if not positive(sdlog):
        return None
    log_normal = normal(meanlog, sdlog)
    return lambda x: log_normal(log(x)) - log(x) if x > 0 else -inf


def exponential(rate):  # JKB1, eq. 19.1 with threshold 0
    if not positive(rate):
        return None
    return lambda x: log(rate) - rate * x if x >= 0 else -inf


def gamma(shape, rate):  # JKB1, eq. 17.2 with threshold 0 and rate = 1/beta
    if not positive(shape, rate):
        return None
    constant = shape * log(rate) - loggamma(shape)
    return lambda x: constant + (shape - 1) * log(x) - rate * x if x > 0 else -inf


def inverse_gaussian(mean, shape):  # JKB1, eq. 15.4a
    if not positive(mean, shape):
        return None
    constant = log(shape / (2 * pi)) / 2
    return lambda x: constant - 3 * log(x) / 2 - shape * (x - mean) ** 2 / (2 * mean**2 * x) if x > 0 else -inf


def weibull(shape, scale):  # JKB1, eq. 21.3 with threshold 0
    if not positive(shape, scale):
        return None
    return lambda x: log(shape / scale) + (shape - 1) * log(x / scale) - (x / scale) ** shape if x > 0 else -inf


def rayleigh(scale):  # JKB1, eq. 18.76
    if not positive(scale):
        return None
    return lambda x: log(x) - 2 * log(scale) - x**2 / (2 * scale**2) if x > 0 else -inf


def beta(alpha, beta):  # JKB2, eq. 25.2
    if not positive(alpha, beta):
        return None
    constant = loggamma(alpha + beta) - loggamma(alpha) - loggamma(beta)
    return lambda x: constant + (alpha - 1) * log(x) + (beta - 1) * log1p(-x) if 0 < x < 1 else -inf


def uniform(min, max):  # JKB2, eq. 26.1
    if not min < max:
        return None
    return lambda x: -log(max - min) if min <= x <= max else -inf


def student_t(df, location, scale):  # JKB2, eq. 28.2, shifted and scaled
    if not positive(df, scale):
        return None
    constant = loggamma((df + 1) / 2) - loggamma(df / 2) - log(df * pi) / 2 - log(scale)
    return lambda x: constant - (df + 1) / 2 * log1p(((x - location) / scale) ** 2 / df)


def cauchy(location, scale):  # JKB1, eq. 16.1
    if not positive(scale):
        return None
    return lambda x: -log(pi * scale) - log1p(((x - location) / scale) ** 2)


def laplace(location, scale):  # JKB2, eq. 24.1
    if not positive(scale):
        return None
    return lambda x: -log(2 * scale) - abs(x - location) / scale


def logistic(location, scale):  # JKB2, eq. 23.5: sech^2(z/2) / (4 scale)
    if not positive(scale):
        return None
    return lambda x: -log(4 * scale) - 2 * log(cosh((x - location) / (2 * scale)))


def gumbel(location, scale):  # JKB2, eq. 22.1 (type 1, of maxima)
    if not positive(scale):
        return None

    def log_density(x):
        z = (x - location) / scale
        return -log(scale) - z - exp(-z)

    return log_density


def gev(location, scale, shape):  # Coles, eq. 3.2 differentiated (sec. 3.3.2)
    if not positive(scale) or shape == 0:
        return None

    def log_density(x):
        t = 1 + shape * (x - location) / scale
        return -log(scale) - (1 + 1 / shape) * log(t) - t ** (-1 / shape) if t > 0 else -inf

    return log_density


def generalized_pareto(scale, shape):  # Coles, eq. 4.2 differentiated (sec. 4.3.2), threshold 0
    if not positive(scale) or shape == 0:
        return None

    def log_density(x):
        t = 1 + shape * x / scale
        return -log(scale) - (1 + 1 / shape) * log(t) if x >= 0 and t > 0 else -inf

    return log_density


def von_mises(mean, concentration):  # MJ, eq. 3.5.17
    if not positive(concentration):
        return None
    constant = -log(2 * pi * besseli(0, concentration))
    return lambda x: constant + concentration * cos(x - mean)


def binomial(trials, prob):  # JKK, eq. 3.2
    if not 0 < prob < 1:
        return None

    def log_density(x):
        ways = loggamma(trials + 1) - loggamma(x + 1) - loggamma(trials - x + 1)
        return ways + x * log(prob) + (trials - x) * log1p(-prob)

    return log_density


def bernoulli(prob):  # JKK, sec. 3.2.2
    return binomial(mpf(1), prob)


def poisson(rate):  # JKK, eq. 4.1
    if not positive(rate):
        return None
    return lambda x: x * log(rate) - rate - loggamma(x + 1)


def geometric(prob):  # JKK, eq. 5.8: failures before the first success
    if not 0 < prob < 1:
        return None
    return lambda x: log(prob) + x * log1p(-prob)


def negative_binomial(size, mean):  # JKK, eq. 5.1 with k = size, P = mean / size
    if not positive(size, mean):
        return None
    log_failure, log_success = log(mean / (size + mean)), log(size / (size + mean))
    constant = size * log_success - loggamma(size)
    return lambda x: constant + loggamma(x + size) - loggamma(x + 1) + x * log_failure


PARAMETERS = {  # in the order of CLI.md; binomial's trials are fixed
    normal: "mean sd", lognormal: "meanlog sdlog", exponential: "rate", gamma: "shape rate",
    inverse_gaussian: "mean shape", weibull: "shape scale", rayleigh: "scale", beta: "alpha beta",
    uniform: "min max", student_t: "df location scale", cauchy: "location scale", laplace: "location scale",
    logistic: "location scale", gumbel: "location scale", gev: "location scale shape",
    generalized_pareto: "scale shape", von_mises: "mean concentration", bernoulli: "prob", binomial: "prob",
    poisson: "rate", geometric: "prob", negative_binomial: "size mean",
}
LOG_DENSITY = {density.__name__: density for density in PARAMETERS}
PARAMETERS = {density.__name__: names.split() for density, names in PARAMETERS.items()}
