# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Maximum likelihood by damped Newton in mpmath: a scan of all starts at 40 digits, then the best polished at 160.

Derivatives are central differences with step 10^(-digits/4): at 160 digits their relative error is about 1e-80, so the
root of the score is good to far more than the 40 digits promised.
"""
from mpmath import mp, mpf, matrix, cholesky, cholesky_solve, inverse, sqrt, pi, inf, fsum

from densities import LOG_DENSITY, PARAMETERS
from starting_values import starts

SCAN_DIGITS, POLISH_DIGITS, MAX_ITERATIONS = 40, 160, 80


class NoInteriorMaximum(Exception):
    pass


def log_likelihood(family, xs, ws, fixed):
    """The weighted log-likelihood as a function of the parameters; -inf outside their domain."""
    points = [(mpf(x), mpf(w)) for x, w in zip(xs, ws) if w > 0]
    constants = {name: mpf(value) for name, value in fixed.items()}

    def at(parameters):
        log_density = LOG_DENSITY[family](**constants, **dict(zip(PARAMETERS[family], parameters)))
        return fsum(w * log_density(x) for x, w in points) if log_density else -inf

    return at


def derivatives(f, theta):
    """f, its gradient and its Hessian at theta."""
    p, h = len(theta), [mpf(10) ** (-mp.dps // 4) * (abs(t) or 1) for t in theta]

    def shifted(*moves):
        moved = list(theta)
        for i, sign in moves:
            moved[i] += sign * h[i]
        return f(moved)

    centre, gradient, hessian = f(theta), matrix(p, 1), matrix(p, p)
    for i in range(p):
        up, down = shifted((i, 1)), shifted((i, -1))
        gradient[i] = (up - down) / (2 * h[i])
        hessian[i, i] = (up - 2 * centre + down) / h[i] ** 2
        for j in range(i):
            mixed = sum(s * r * shifted((i, s), (j, r)) for s in (1, -1) for r in (1, -1))
            hessian[i, j] = hessian[j, i] = mixed / (4 * h[i] * h[j])
    return centre, gradient, hessian


def climb(f, theta):
    """Levenberg's damped Newton from theta at SCAN_DIGITS; (value, theta), or None where it does not converge."""
    damping, value = mpf("1e-3"), f(theta)
    if value == -inf:
        return None
    for _ in range(MAX_ITERATIONS):
        value, gradient, hessian = derivatives(f, theta)
        if not mp.isfinite(value + sum(gradient)):
            return None
        while True:
            damped = -hessian
            for i in range(len(theta)):
                damped[i, i] += damping * abs(hessian[i, i])
            try:
                step = cholesky_solve(damped, gradient)
                if f([t + s for t, s in zip(theta, step)]) >= value - abs(value) * mpf("1e-25"):
                    break
            except ValueError:  # not positive definite
                pass
            if damping > 1e12:
                return None
            damping = max(10 * damping, mpf("1e-3"))
        theta = [t + s for t, s in zip(theta, step)]
        damping = damping / 10 if damping > 1e-5 else mpf(0)
        if damping == 0 and all(abs(s) < 1e-12 * (abs(t) + mpf("1e-6")) for t, s in zip(theta, step)):
            return value, theta
    return None


def polish(f, theta):
    """Newton at POLISH_DIGITS to the root of the score; checks that the Hessian is negative definite there."""
    with mp.workdps(POLISH_DIGITS):
        for _ in range(12):
            value, gradient, hessian = derivatives(f, theta)
            if all(abs(g) < mpf("1e-45") for g in gradient):
                cholesky(-hessian)  # raises ValueError unless negative definite
                covariance = inverse(-hessian)
                return theta, [sqrt(covariance[i, i]) for i in range(len(theta))], value
            theta = [t + s for t, s in zip(theta, cholesky_solve(-hessian, gradient))]
    raise NoInteriorMaximum("the score did not reach 1e-45")


def fit_uniform(f, xs, ws, fixed):
    seen = [mpf(x) for x, w in zip(xs, ws) if w > 0]
    theta = [min(seen), max(seen)]
    return theta, None, f(theta)


def fit_laplace(f, xs, ws, fixed):
    points = sorted((mpf(x), mpf(w)) for x, w in zip(xs, ws) if w > 0)
    total, below = fsum(w for _, w in points), mpf(0)
    for i, (x, w) in enumerate(points):
        below += w
        if 2 * below >= total:
            location = (x + points[i + 1][0]) / 2 if 2 * below == total else x
            break
    scale = fsum(w * abs(x - location) for x, w in points) / total
    return [location, scale], [scale / sqrt(total)] * 2, f([location, scale])


def fit_smooth(family):
    def fit(f, xs, ws, fixed):
        with mp.workdps(SCAN_DIGITS):
            found = [climb(f, [mpf(t) for t in start]) for start in starts(family, xs, ws, fixed)]
        found = [each for each in found if each]
        if not found:
            raise NoInteriorMaximum("no start converged")
        theta, errors, value = polish(f, max(found)[1])
        if family == "von_mises":
            theta[0] -= 2 * pi * mp.ceil((theta[0] - pi) / (2 * pi))  # into (-pi, pi]
        return theta, errors, value

    return fit


def fit(family, values, weights=None, fixed={}):
    """The fit as a dictionary of mpf: parameters, std_errors (None for uniform), log_likelihood."""
    ws = weights if weights is not None else [1.0] * len(values)
    with mp.workdps(POLISH_DIGITS):
        method = {"uniform": fit_uniform, "laplace": fit_laplace}.get(family) or fit_smooth(family)
        theta, errors, value = method(log_likelihood(family, values, ws, fixed), values, ws, fixed)
    names = PARAMETERS[family]
    return {"parameters": dict(zip(names, theta)),
            "std_errors": errors and dict(zip(names, errors)),
            "log_likelihood": value}
