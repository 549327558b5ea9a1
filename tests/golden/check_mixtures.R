# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
# Holds mixtures.json against EM by R's own cov.wt and chol, every iteration to 1e-9 relative, and prints what mclust
# reaches on faithful and iris, which tests/mixtures/oracle_test.cpp holds manyfit to: per model and number of
# components the log-likelihood with mclust's default tolerance, the one it goes on to, BIC (lower is better), and
# BIC's choice.
# Run by hand: Rscript check_mixtures.R
suppressPackageStartupMessages({library(jsonlite); library(mclust)})

matrix_of <- function(rows) matrix(unlist(rows), nrow = length(rows), byrow = TRUE)

log_normal <- function(x, mean, covariance) {
  lower <- t(chol(covariance))
  z <- forwardsolve(lower, t(x) - mean)
  -ncol(x) / 2 * log(2 * pi) - sum(log(diag(lower))) - colSums(z^2) / 2
}

restricted <- function(own, shares, structure) {
  d <- nrow(own[[1]])
  pooled <- Reduce(`+`, Map(`*`, own, shares))
  lapply(own, function(s) switch(structure, full = s, tied = pooled, diagonal = diag(diag(s), d),
                                 spherical = diag(mean(diag(s)), d)))
}

check <- function(sample, fit) {
  x <- matrix_of(sample$values)
  w <- if (is.null(sample$weights)) rep(1, nrow(x)) else unlist(sample$weights)
  shares <- unlist(fit$start$weights)
  means <- lapply(fit$start$means, unlist)
  covariances <- lapply(fit$start$covariances, matrix_of)
  wanted <- unlist(fit$log_likelihood_trace)
  trace <- numeric()
  repeat {
    terms <- sapply(seq_along(shares), function(k) log(shares[k]) + log_normal(x, means[[k]], covariances[[k]]))
    most <- apply(terms, 1, max)
    density <- most + log(rowSums(exp(terms - most)))
    trace <- c(trace, sum(w * density))
    if (length(trace) == length(wanted)) break
    r <- w * exp(terms - density)
    estimates <- apply(r, 2, function(each) cov.wt(x, each / sum(each), method = "ML"), simplify = FALSE)
    shares <- colSums(r) / sum(w)
    means <- lapply(estimates, `[[`, "center")
    covariances <- restricted(lapply(estimates, function(each) unname(each$cov)), shares, fit$covariance)
  }
  sd <- sapply(fit$covariances, function(each) sqrt(diag(matrix_of(each))))
  errors <- c(trace = max(abs(trace / wanted - 1)), weights = max(abs(shares / unlist(fit$weights) - 1)),
              means = max(abs(unlist(means) - unlist(fit$means)) / as.vector(sd)),
              covariances = max(abs(unlist(covariances) - unlist(lapply(fit$covariances, matrix_of))) /
                                  max(abs(unlist(fit$covariances)))))
  if (!all(errors <= c(1e-9, 1e-8, 1e-8, 1e-8)))
    cat(sample$case, "D =", sample$dimensions, fit$covariance, ":", format(errors, digits = 2), "\n")
  errors
}

samples <- fromJSON("mixtures.json", simplifyVector = FALSE)
errors <- do.call(rbind, lapply(samples, function(each) do.call(rbind, lapply(each$fits, check, sample = each))))
cat(nrow(errors), "runs of EM; largest differences:",
    paste(colnames(errors), format(apply(errors, 2, max), digits = 2)), "\n")

further <- emControl(tol = c(1e-14, 1e-14), itmax = c(10000, 10000))
show <- function(label, x, numbers, models) for (model in models) {
  bic <- sapply(numbers, function(k) {
    default <- Mclust(x, k, model, verbose = FALSE)
    on <- Mclust(x, k, model, verbose = FALSE, control = further)
    cat(sprintf("%-10s %-4s K = %d: %16.9f %16.9f  BIC %12.6f\n", label, model, k, default$loglik, on$loglik, -on$bic))
    -on$bic
  })
  cat(sprintf("%-10s %-4s BIC takes %d\n", label, model, numbers[which.min(bic)]))
}
columns <- read.csv("faithful.csv")
show("faithful", columns, 1:6, c("VVV", "VVI", "EEE", "VII"))  # full, diagonal, tied, spherical
show("iris", read.csv("iris.csv"), 1:6, c("VVV", "VVI", "EEE", "VII"))
show("waiting", columns$waiting, 1:4, "V")
show("eruptions", columns$eruptions, 1:4, "V")
