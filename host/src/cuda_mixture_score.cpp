// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "chunks.hpp"
#include "cuda_backend.hpp"
#include "cuda_points.hpp"
#include "kernels/gaussian_mixture/score.hpp"
#include "mixture_parameters.hpp"

namespace manyfit::cuda {

template <class T>
void score_mixtures(const executor& where, const point_batch<T>& data, const mixture_results& mixtures,
                    mixture_scores& scores) {
  const device_scope scope(where.device());
  const auto stream = static_cast<cudaStream_t>(where.stream());
  const int D = mixtures.dimensions, Kmax = mixtures.max_components;
  const bool wants_responsibilities = !scores.responsibilities.empty(), labels = !scores.labels.empty();
  const covariance_structure structure = score_structure(mixtures.covariance);
  const std::int64_t each = 1 + score_numbers(D, Kmax);
  const std::int64_t out_row = 8 + (wants_responsibilities ? 8 * std::int64_t{Kmax} : 0) + (labels ? 4 : 0);
  const std::int64_t in_row = D * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t most_rows =
      std::max<std::int64_t>(1, std::min<std::int64_t>(allowance(where) / 2, 256 << 20) / (in_row + out_row));
  std::vector<double> memory(static_cast<std::size_t>(mixture_model::memory(structure, D, Kmax)));
  const auto score = [&](const point_batch<T>& part, std::int64_t begin, std::int64_t first, std::int64_t rows) {
    const std::int64_t sources = mixtures.count == 1 ? 1 : part.count();
    std::vector<T> factors(static_cast<std::size_t>(sources * each), T(0));
    std::vector<double> shift(static_cast<std::size_t>(sources), 0.0);
    for (std::int64_t i = 0; i < sources; ++i) {
      const std::int64_t source = mixtures.count == 1 ? 0 : begin + i;
      mixture_model m;
      m.D = D;
      m.K = mixtures.components[source];
      m.structure = structure;
      m.bind(memory.data());
      if (!prepare_scores(m, parameters_of(mixtures, source), sizeof(T) == 4 ? -1e37 : -1e300)) continue;
      factors[static_cast<std::size_t>(i * each)] = static_cast<T>(m.K);
      write_score_numbers(m, factors.data() + i * each + 1);
      shift[static_cast<std::size_t>(i)] = m.log_volume();
    }
    const points_on_device<T> points(part, 0, part.count(), INT64_MAX, stream);
    const device_buffer device_factors(factors.size() * sizeof(T)), device_shift(shift.size() * 8);
    check(cudaMemcpyAsync(device_factors.as<char>(), factors.data(), factors.size() * sizeof(T), cudaMemcpyHostToDevice,
                          stream),
          "copy mixtures to the device");
    check(cudaMemcpyAsync(device_shift.as<char>(), shift.data(), shift.size() * 8, cudaMemcpyHostToDevice, stream),
          "copy mixtures to the device");
    const auto n = static_cast<std::size_t>(rows), width = static_cast<std::size_t>(Kmax);
    const device_buffer density(n * 8), responsibilities(wants_responsibilities ? n * width * 8 : 0),
        label(labels ? n * 4 : 0);
    // Numbers past a fit's own components stay NaN: all bits set is one.
    if (wants_responsibilities)
      check(cudaMemsetAsync(responsibilities.as<char>(), 0xff, n * width * 8, stream), "clear memory");
    mixture_score_launch<T> launch;
    launch.points = points.view();
    launch.rows = rows;
    launch.factors = device_factors.as<T>();
    launch.numbers = each;
    launch.one_for_all = mixtures.count == 1;
    launch.shift = device_shift.as<double>();
    launch.log_density = density.as<double>();
    launch.responsibilities = wants_responsibilities ? responsibilities.as<double>() : nullptr;
    launch.labels = labels ? label.as<std::int32_t>() : nullptr;
    launch.width = Kmax;
    check(mixture_functions_of<T>().score(launch, stream), "launch the scores");
    const auto fetch = [&](void* to, const device_buffer& from, std::size_t bytes) {
      check(cudaMemcpyAsync(to, from.as<char>(), bytes, cudaMemcpyDeviceToHost, stream), "copy scores to the host");
    };
    fetch(scores.log_density.data() + first, density, n * 8);
    if (wants_responsibilities) fetch(scores.responsibilities.data() + first * Kmax, responsibilities, n * width * 8);
    if (labels) fetch(scores.labels.data() + first, label, n * 4);
    check(cudaStreamSynchronize(stream), "score");
  };
  for (const chunk& c : plan_chunks(data.view.offsets, data.view.size, data.count(), 1 << 14, most_rows)) {
    point_batch<T> part = data;
    part.view.weights = nullptr;  // scores need none
    if (c.end - c.begin > 1) {
      part.view.count = c.end - c.begin;
      if (part.view.offsets)
        part.view.offsets += c.begin;
      else
        part.view.values += c.first * D;
      if (c.values > 0) score(part, c.begin, c.first, c.values);
      continue;
    }
    part.view.offsets = nullptr;  // one fit, perhaps in several chunks
    part.view.count = 1;
    for (std::int64_t row = 0; row < c.values; row += most_rows) {
      part.view.size = std::min(most_rows, c.values - row);
      part.view.values = data.view.values + (c.first + row) * D;
      score(part, c.begin, c.first + row, part.view.size);
    }
  }
}

template void score_mixtures(const executor&, const point_batch<double>&, const mixture_results&, mixture_scores&);
template void score_mixtures(const executor&, const point_batch<float>&, const mixture_results&, mixture_scores&);

}  // namespace manyfit::cuda
