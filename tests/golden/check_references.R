# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
# Holds references.json and oracles.json against R's own densities (base R and evd): the log-likelihood to 1e-11
# relative, the maximum (no neighbour a twentieth of a standard error away is better), and the standard errors
# by a numerical Hessian. Run by hand: Rscript check_references.R
suppressPackageStartupMessages({library(jsonlite); library(evd)})

scaled_i0 <- function(k)  # beyond 1e5 R gives 0: Abramowitz and Stegun 9.7.1
  if (k < 1e5) besselI(k, 0, expon.scaled = TRUE) else (1 + 1 / (8 * k) + 9 / (128 * k^2)) / sqrt(2 * pi * k)

log_density <- list(
  normal = function(x, mean, sd) dnorm(x, mean, sd, log = TRUE),
  lognormal = function(x, meanlog, sdlog) dlnorm(x, meanlog, sdlog, log = TRUE),
  exponential = function(x, rate) dexp(x, rate, log = TRUE),
  gamma = function(x, shape, rate) dgamma(x, shape, rate, log = TRUE),
  # no dinvgauss in base R: a normal density of the standardised value times its Jacobian
  inverse_gaussian = function(x, mean, shape)
    dnorm(sqrt(shape / x) * (x / mean - 1), log = TRUE) + log(shape) / 2 - 1.5 * log(x),
  weibull = function(x, shape, scale) dweibull(x, shape, scale, log = TRUE),
  rayleigh = function(x, scale) dweibull(x, 2, sqrt(2) * scale, log = TRUE),
  beta = function(x, alpha, beta) dbeta(x, alpha, beta, log = TRUE),
  uniform = function(x, min, max) dunif(x, min, max, log = TRUE),
  student_t = function(x, df, location, scale) dt((x - location) / scale, df, log = TRUE) - log(scale),
  cauchy = function(x, location, scale) dcauchy(x, location, scale, log = TRUE),
  laplace = function(x, location, scale) dexp(abs(x - location), 1 / scale, log = TRUE) - log(2),
  logistic = function(x, location, scale) dlogis(x, location, scale, log = TRUE),
  gumbel = function(x, location, scale) dgumbel(x, location, scale, log = TRUE),
  gev = function(x, location, scale, shape) dgev(x, location, scale, shape, log = TRUE),
  generalized_pareto = function(x, scale, shape) dgpd(x, 0, scale, shape, log = TRUE),
  von_mises = function(x, mean, concentration)
    -2 * concentration * sin((x - mean) / 2)^2 - log(2 * pi * scaled_i0(concentration)),
  bernoulli = function(x, prob) dbinom(x, 1, prob, log = TRUE),
  binomial = function(x, trials, prob) dbinom(x, trials, prob, log = TRUE),
  poisson = function(x, rate) dpois(x, rate, log = TRUE),
  geometric = function(x, prob) dgeom(x, prob, log = TRUE),
  negative_binomial = function(x, size, mean) dnbinom(x, size = size, mu = mean, log = TRUE))

check <- function(case) {
  label <- paste(case$family, case$case)
  x <- unlist(case$values)
  w <- if (is.null(case$weights)) rep(1, length(x)) else unlist(case$weights)
  theta <- unlist(case$parameters)
  density <- log_density[[case$family]]
  loglik <- function(p) {
    terms <- suppressWarnings(do.call(density, c(list(x[w > 0]), case$fixed, as.list(p))))
    sum(w[w > 0] * terms)
  }
  at <- loglik(theta)
  problems <- character()
  ll_error <- abs(at - case$log_likelihood) / (1 + abs(at))
  if (!(ll_error <= 1e-11)) problems <- c(problems, sprintf("log_likelihood off by %.2g", ll_error))
  se_error <- 0
  if (!is.null(case$std_errors)) {
    se <- unlist(case$std_errors)
    slack <- if (case$family == "laplace") 1e-12 * abs(at) else 0  # flat between the two middle observations
    directions <- as.matrix(expand.grid(rep(list(c(-1, 0, 1)), length(se))))
    for (k in seq_len(nrow(directions))) if (any(directions[k, ] != 0)) {
      beside <- loglik(theta + directions[k, ] * se * 0.05)
      if (!is.nan(beside) && !(beside <= at + slack)) problems <- c(problems, "a neighbour is better")
    }
    too_near_singular <- case$family %in% c("gamma", "beta") && case$case == "offset"  # for differences in double
    if (case$family != "laplace" && !too_near_singular) {  # parameters in units of their standard errors
      hessian <- optimHess(0 * theta, function(u) loglik(theta + u * se), control = list(ndeps = rep(3e-3, length(se))))
      se_error <- max(abs(sqrt(diag(solve(-hessian))) - 1))
      if (!(se_error <= 5e-3)) problems <- c(problems, sprintf("std_errors off by %.2g", se_error))
    }
  }
  if (length(problems)) cat(label, ":", unique(problems), "\n")
  c(length(problems) == 0, ll_error, se_error)
}

for (file in commandArgs(TRUE)) {
  cases <- fromJSON(file, simplifyVector = FALSE)
  result <- sapply(cases, check)
  cat(sprintf("%s: %d of %d cases agree; largest log_likelihood error %.2g, std_error error %.2g\n", file,
              sum(result[1, ]), length(cases), max(result[2, ]), max(result[3, ])))
}
