// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// EM attempts in double on points that are float: what float arithmetic calls a collapse may be a narrow component far
// from the sample's mean, of whose variance float sums keep no digit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "cuda_backend.hpp"
#include "manyfit/mixture.hpp"

namespace manyfit {

/// A reader of double rows over one of float rows.
class widening_reader {
 public:
  widening_reader(const points_reader<float>& from, int dimensions)
      : from_(from), dimensions_(dimensions), reader_{this, &read, from.weighted} {}
  const points_reader<double>* reader() const { return &reader_; }

 private:
  /// Through a buffer on the stack: a reader is called where nothing may be thrown.
  static void read(const void* self, std::int64_t first, std::int64_t count, double* values, double* weights) {
    const auto& own = *static_cast<const widening_reader*>(self);
    constexpr std::int64_t capacity = 4 * max_dimensions;
    float narrow[capacity], narrow_weights[capacity];
    const std::int64_t D = own.dimensions_, at_once = capacity / D;
    for (std::int64_t done = 0; done < count; done += at_once) {
      const std::int64_t rows = std::min(at_once, count - done);
      own.from_.read(own.from_.source, first + done, rows, narrow, weights ? narrow_weights : nullptr);
      std::copy_n(narrow, rows * D, values + done * D);
      if (weights) std::copy_n(narrow_weights, rows, weights + done);
    }
  }

  const points_reader<float>& from_;
  int dimensions_;
  points_reader<double> reader_;
};

/// Fits' rows as double, in host memory.
class wide_points {
 public:
  explicit wide_points(int dimensions) : dimensions_(dimensions) {}

  std::int64_t numbers() const { return static_cast<std::int64_t>(values_.size()); }
  void add(const executor& where, const point_batch<float>& data, std::int64_t fit) {
    const std::int64_t first = data.view.first_row(fit), rows = data.view.rows(fit), D = dimensions_;
    append(where, data.memory, data.view.values + first * D, rows * D, values_);
    if (data.view.weights) append(where, data.memory, data.view.weights + first, rows, weights_);
    offsets_.push_back(offsets_.back() + rows);
  }
  point_batch<double> batch() const {
    const point_batch<double> all = ragged_points<double>(values_, dimensions_, offsets_);
    return weights_.empty() ? all : all.weighted(weights_);
  }

 private:
  static void append(const executor& where, memory_space memory, const float* from, std::int64_t count,
                     std::vector<double>& to) {
    if (memory == memory_space::host) {
      to.insert(to.end(), from, from + count);
      return;
    }
    std::vector<float> here(static_cast<std::size_t>(count));
    cuda::copy_to_host(where, from, count, here.data());
    to.insert(to.end(), here.begin(), here.end());
  }

  int dimensions_;
  std::vector<double> values_, weights_;
  std::vector<std::int64_t> offsets_{0};
};

/// Calls run(points, tasks, count) for all tasks, whose fits ascend, with their rows as double, 64 MiB of them or one
/// fit's at a time. Meanwhile a task's fit is its place in those points.
template <class Run>
void run_on_wide_points(const executor& where, const point_batch<float>& data, std::span<mixture_task> tasks, Run run) {
  const int D = data.dimensions();
  if (data.view.reader) {
    const widening_reader reader(*data.view.reader, D);
    point_batch<double> wide;
    wide.view.size = wide.row_count = data.row_count;
    wide.view.count = 1;
    wide.view.dimensions = D;
    wide.view.reader = reader.reader();
    return run(wide, tasks.data(), static_cast<std::int64_t>(tasks.size()));
  }
  constexpr std::int64_t most_numbers = std::int64_t{1} << 23;
  std::vector<std::int64_t> fits;
  for (std::size_t begin = 0; begin < tasks.size();) {
    wide_points wide(D);
    fits.clear();
    std::size_t end = begin;
    while (end < tasks.size()) {
      const std::int64_t fit = tasks[end].fit;
      if (end > begin && wide.numbers() + data.view.rows(fit) * D > most_numbers) break;
      wide.add(where, data, fit);
      for (; end < tasks.size() && tasks[end].fit == fit; ++end)
        tasks[end].fit = static_cast<std::int64_t>(fits.size());
      fits.push_back(fit);
    }
    run(wide.batch(), tasks.data() + begin, static_cast<std::int64_t>(end - begin));
    for (; begin < end; ++begin) tasks[begin].fit = fits[static_cast<std::size_t>(tasks[begin].fit)];
  }
}

}  // namespace manyfit
