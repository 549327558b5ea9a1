// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a parameter is: the words in which families and models describe theirs, the same for every instruction set.
#pragma once

namespace manyfit {

/// Which values a parameter may take; also the scale on which Newton runs and intervals are made.
enum class constraint {
  real,         ///< any real number: identity
  positive,     ///< > 0: logarithm
  probability,  ///< in (0, 1): log-odds
  count         ///< a positive integer that the caller must fix (binomial trials)
};

/// What becomes of a parameter when the data x become a + b x. Families that say it are fitted in a frame of their own
/// where the data's offset or unit would cost digits; see contracts/family_rows.hpp.
enum class tracking {
  nothing,    ///< the same for every unit
  location,   ///< a + b p
  scale,      ///< b p
  rate,       ///< p / b
  log_scale,  ///< p + log b
  log_width,  ///< the same; c p when the data become x^c
  power       ///< the same; p / c when the data become x^c
};

struct parameter {
  const char* name;
  constraint kind;
  double example;       ///< a typical value: tests, documentation and the generic start use it
  const char* meaning;  ///< a few words, with units
  tracking tracks = tracking::nothing;
};

/// How a density ends where its support does, if that depends on parameters. EM moves such an end only where the
/// density falls to 0 before it: a value near it then belongs to other components more and more, until it can be left
/// out.
enum class moving_support {
  none,           ///< no end depends on parameters
  falls_to_zero,  ///< at ordinary parameters
  jumps
};

}  // namespace manyfit
