// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Does not compile: a density of more parameters than manyfit has capacity for.
#include "manyfit/custom.hpp"

struct nine {
  static constexpr const char* name = "nine";
  static constexpr manyfit::parameter parameters[] = {
      {"a", manyfit::constraint::real, 0.0, ""}, {"b", manyfit::constraint::real, 0.0, ""},
      {"c", manyfit::constraint::real, 0.0, ""}, {"d", manyfit::constraint::real, 0.0, ""},
      {"e", manyfit::constraint::real, 0.0, ""}, {"f", manyfit::constraint::real, 0.0, ""},
      {"g", manyfit::constraint::real, 0.0, ""}, {"h", manyfit::constraint::real, 0.0, ""},
      {"i", manyfit::constraint::real, 0.0, ""}};
  using support = manyfit::supports::reals;
  template <class T>
  struct params {
    T a, b, c, d, e, f, g, h, i;
  };
  template <class T, class S>
  static T log_density(const params<T>& p, const S& x) {
    return -manyfit::square(x - p.a - p.b - p.c - p.d - p.e);
  }
};

manyfit::fit_results misuse(const manyfit::batch<double>& data) {
  return manyfit::fit<nine>(manyfit::executor::cpu(), data);
}
