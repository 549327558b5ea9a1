// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The comparison's fits in manyfit; arguments as in compare_fits.py.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include "manyfit/manyfit.hpp"

namespace {

template <class T>
void run(const std::vector<double>& read, const std::string& family, long fits) {
  const std::vector<T> values(read.begin(), read.end());
  const auto data = manyfit::dense(std::span<const T>(values), fits);
  const auto where = manyfit::executor::cpu();
  const manyfit::family_info& info = manyfit::find_family(family);
  manyfit::fit(where, info, data);  // warm
  const auto from = std::chrono::steady_clock::now();
  const manyfit::fit_results found = manyfit::fit(where, info, data);
  const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  std::printf("{\"software\": \"manyfit %s\", \"all\": %.9g, \"log_likelihood\": [", manyfit::version(), taken);
  for (std::size_t i = 0; i < 4000 && i < found.log_likelihood.size(); ++i) {
    const double l = found.log_likelihood[i];
    std::printf(std::isfinite(l) ? "%s%.17g" : "%snull", i ? ", " : "", l);
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) throw std::runtime_error("5 arguments expected, as compare_fits.py gives them");
  const long fits = std::stol(argv[3]), n = std::stol(argv[4]);
  std::vector<double> values(static_cast<std::size_t>(fits * n));
  std::ifstream file(argv[1], std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(double)));
  if (!file) throw std::runtime_error("cannot read all of the values");
  argv[5] == std::string("float") ? run<float>(values, argv[2], fits) : run<double>(values, argv[2], fits);
}
