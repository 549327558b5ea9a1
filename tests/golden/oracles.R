# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
# Prints the data sets of the oracles for make_oracles.py, one a line: name, then the values at 17 digits. With a folder
# as argument it writes faithful.csv and groundbeef.csv there instead.
suppressPackageStartupMessages({library(fitdistrplus); library(evd); library(MASS)})
data(groundbeef); data(danishuni); data(toxocara); data(portpirie); data(venice)

folder <- commandArgs(TRUE)
if (length(folder)) {
  write.csv(faithful, file.path(folder, "faithful.csv"), row.names = FALSE, quote = FALSE)
  write.csv(groundbeef, file.path(folder, "groundbeef.csv"), row.names = FALSE, quote = FALSE)
} else {
  show <- function(name, values) cat(name, sprintf("%.17g", values), "\n")
  show("groundbeef", groundbeef$serving)
  show("danishuni", danishuni$Loss)
  show("toxocara", toxocara$number)
  show("portpirie", portpirie)
  show("venice", venice[, 1])
  show("galaxies", galaxies)
}
