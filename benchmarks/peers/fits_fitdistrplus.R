# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
# The comparison's fits in R's fitdistrplus, one process per core; arguments as in compare_fits.py.
suppressMessages(library(fitdistrplus))
arguments <- commandArgs(trailingOnly = TRUE)
family <- c(normal = "norm", gamma = "gamma", beta = "beta", weibull = "weibull", negative_binomial = "nbinom")[[arguments[2]]]
fits <- as.integer(arguments[3])
n <- as.integer(arguments[4])
values <- matrix(readBin(arguments[1], "double", fits * n), nrow = n)
cores <- parallel::detectCores()
fit <- function(i) suppressWarnings(fitdist(values[, i], family))$loglik
invisible(parallel::mclapply(1:4, fit, mc.cores = cores))  # warm
taken <- system.time(found <- parallel::mclapply(seq_len(fits), fit, mc.cores = cores))[["elapsed"]]
cat(sprintf('{"software": "fitdistrplus %s", "all": %.9g, "log_likelihood": [%s]}\n', packageVersion("fitdistrplus"), taken,
            paste(sprintf("%.17g", unlist(found)), collapse = ", ")))
