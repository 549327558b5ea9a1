# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# The comparison's work in mclust, one fit after another (it has no threads); arguments and answer as in
# mixture_work.hpp.
suppressPackageStartupMessages(library(mclust))
given <- commandArgs(trailingOnly = TRUE)
rows <- as.integer(given[3]); D <- as.integer(given[4]); K <- as.integer(given[5])
fits <- as.integer(given[7]); iterations <- as.integer(given[8])
name <- if (D == 1) "V" else if (given[6] == "full") "VVV" else "VVI"
values <- readBin(given[1], "double", fits * rows * D)
start <- readBin(given[2], "double", fits * K * (1 + 2 * D))

sample_of <- function(fit) matrix(values[(fit - 1) * rows * D + seq_len(rows * D)], rows, D, byrow = TRUE)
start_of <- function(fit) {
  s <- start[(fit - 1) * K * (1 + 2 * D) + seq_len(K * (1 + 2 * D))]
  variances <- matrix(s[K * (1 + D) + seq_len(K * D)], D, K)
  sigma <- array(apply(variances, 2, diag, nrow = D), c(D, D, K))
  variance <- list(modelName = name, d = D, G = K, sigma = sigma, cholsigma = sqrt(sigma), sigmasq = variances[1, ],
                   scale = apply(variances, 2, prod)^(1 / D))
  variance$shape <- sweep(variances, 2, variance$scale, "/")
  list(pro = s[seq_len(K)], mean = matrix(s[K + seq_len(K * D)], D, K), variance = variance)
}
fit_all <- function(count) {
  control <- emControl(eps = 0, tol = c(0, 0), itmax = c(count, count))
  lapply(seq_len(fits), function(i) em(sample_of(i), name, start_of(i), control = control, warn = FALSE))
}
seconds <- function(count) {
  taken <- system.time(models <<- fit_all(count))
  c(taken[["elapsed"]], taken[["user.self"]] + taken[["sys.self"]])
}
invisible(seconds(1)) # warm
first <- seconds(1)
all <- seconds(1 + iterations)
found <- vapply(seq_len(fits), function(i) estep(sample_of(i), name, models[[i]]$parameters)$loglik, 0)
cat(sprintf('{"software": "mclust %s", "first": [%.9g, %.9g], "all": [%.9g, %.9g], "log_likelihood": [%s]}\n',
            packageVersion("mclust"), first[1], first[2], all[1], all[2], paste(sprintf("%.17g", found), collapse = ", ")))
