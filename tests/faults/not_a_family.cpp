// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Does not compile: a density that says nothing of its support is no family.
#if defined(__CUDA_ARCH__)
#include "manyfit/custom.cuh"
#else
#include "manyfit/custom.hpp"
#endif

struct without_support {
  static constexpr const char* name = "without_support";
  static constexpr manyfit::parameter parameters[] = {{"a", manyfit::constraint::real, 0.0, ""}};
  template <class T>
  struct params {
    T a;
  };
  template <class T, class S>
  MF_FN static T log_density(const params<T>& p, const S& x) {
    return -manyfit::square(x - p.a);
  }
};

const manyfit::family_info& misuse() {
  return manyfit::custom_family<without_support>();
}
