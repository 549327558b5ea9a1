// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Count, mean and mean logarithm of x by key k with manyfit's readers and group_by: keys_manyfit FILE THREADS; see
// compare_keys.py.
#include <cmath>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "input/input.hpp"
#include "manyfit/manyfit.hpp"

namespace {

using namespace manyfit;

/// What is asked of each key. Values are multiplied, and a product has one logarithm, taken before it could leave the
/// range of doubles.
struct alignas(32) key_sums {
  double count = 0, sum = 0, sum_of_logs = 0, product = 1;

  void add(double x) {
    count += 1;
    sum += x;
    product *= x;
    if (!(product > 1e-100 && product < 1e100)) take_logarithm();
  }
  void take_logarithm() {
    sum_of_logs += std::log(product);
    product = 1;
  }
};

/// Of some of the rows.
std::vector<key_sums> sums_of(std::span<const double> x, std::span<const std::int32_t> group, std::size_t groups) {
  std::vector<key_sums> sums(groups);
  constexpr std::size_t ahead = 16;  // rows in random order would wait for memory one by one
  for (std::size_t row = 0; row < x.size(); ++row) {
    if (row + ahead < x.size()) __builtin_prefetch(&sums[static_cast<std::size_t>(group[row + ahead])], 1);
    sums[static_cast<std::size_t>(group[row])].add(x[row]);
  }
  for (key_sums& each : sums) each.take_logarithm();
  return sums;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) throw std::runtime_error("2 arguments expected: FILE THREADS");
  const unsigned threads = static_cast<unsigned>(std::stoul(argv[2]));
  app::table read = app::read_table(argv[1], {.numeric_columns = {"x"}, .key_columns = {"k"}}, {.threads = threads});
  const app::grouping groups = app::take_groups(read, {"k"}, static_cast<int>(threads));
  const std::span<const double> x = read.at("x", app::column_kind::numeric).numbers;
  const std::span<const std::int32_t> group = groups.group_of_row;

  const auto count = static_cast<std::size_t>(groups.count());
  std::vector<std::vector<key_sums>> parts(threads);
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < threads; ++i)
      workers.emplace_back([&, i] {
        const std::size_t first = x.size() * i / threads, end = x.size() * (i + 1) / threads;
        parts[i] = sums_of(x.subspan(first, end - first), group.subspan(first, end - first), count);
      });
  }
  double rows = 0, means = 0, log_means = 0;
  for (std::size_t key = 0; key < count; ++key) {
    key_sums all;
    for (const auto& part : parts) {
      all.count += part[key].count;
      all.sum += part[key].sum;
      all.sum_of_logs += part[key].sum_of_logs;
    }
    rows += all.count;
    means += all.sum / all.count;
    log_means += all.sum_of_logs / all.count;
  }
  std::printf("{\"software\": \"manyfit %s\", \"keys\": %zu, \"rows\": %.0f, \"means\": %.17g, \"log_means\": %.17g}\n",
              version(), count, rows, means, log_means);
}
