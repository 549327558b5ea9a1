// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the C++ programs of the comparison have in common: the work as compare.py lays it down in files, and the line
// that they answer with.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

/// Command line: VALUES START ROWS DIMENSIONS COMPONENTS STRUCTURE FITS ITERATIONS PRECISION [DEVICE]. VALUES holds
/// fits × rows × dimensions doubles; START, for each fit, weights [K], means [K × D] and the diagonals of the start's
/// covariances [K × D].
struct mixture_work {
  std::vector<double> values, start;
  long rows, dimensions, components, fits, iterations;
  std::string structure, precision, device = "cpu";

  mixture_work(int argc, char** argv) {
    if (argc != 10 && argc != 11) throw std::runtime_error("9 or 10 arguments expected, as compare.py gives them");
    if (argc == 11) device = argv[10];
    rows = std::atol(argv[3]);
    dimensions = std::atol(argv[4]);
    components = std::atol(argv[5]);
    structure = argv[6];
    fits = std::atol(argv[7]);
    iterations = std::atol(argv[8]);
    precision = argv[9];
    values = read(argv[1], fits * rows * dimensions);
    start = read(argv[2], fits * start_numbers());
  }
  long start_numbers() const { return components * (1 + 2 * dimensions); }
  const double* weights(long fit) const { return start.data() + fit * start_numbers(); }
  const double* means(long fit) const { return weights(fit) + components; }
  const double* variances(long fit) const { return means(fit) + components * dimensions; }

 private:
  static std::vector<double> read(const char* name, long count) {
    std::vector<double> numbers(static_cast<std::size_t>(count));
    std::ifstream file(name, std::ios::binary);
    file.read(reinterpret_cast<char*>(numbers.data()), static_cast<std::streamsize>(numbers.size() * sizeof(double)));
    if (!file) throw std::runtime_error(std::string("cannot read all of ") + name);
    return numbers;
  }
};

/// Seconds by the clock, and of processor time, all threads together.
struct time_taken {
  double wall, cpu;
};

template <class F>
time_taken time_of(F&& call) {
  const auto from = std::chrono::steady_clock::now();
  const std::clock_t cpu_from = std::clock();
  call();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count(),
          static_cast<double>(std::clock() - cpu_from) / CLOCKS_PER_SEC};
}

/// `first`: a run of one iteration, `all`: one with `iterations` more; log-likelihoods at that run's end.
inline void answer(const std::string& software, time_taken first, time_taken all,
                   const std::vector<double>& log_likelihood) {
  std::printf("{\"software\": \"%s\", \"first\": [%.9g, %.9g], \"all\": [%.9g, %.9g], \"log_likelihood\": [",
              software.c_str(), first.wall, first.cpu, all.wall, all.cpu);
  for (std::size_t i = 0; i < log_likelihood.size(); ++i) std::printf("%s%.17g", i ? ", " : "", log_likelihood[i]);
  std::printf("]}\n");
}
