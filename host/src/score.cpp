// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/score.hpp"

#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"

namespace manyfit {

namespace {

/// Values that belong to samples of the batch; for device memory the caller's count stands in.
template <class T>
std::int64_t values_in(const batch<T>& data) {
  if (!data.view.offsets) return data.view.size * data.view.count;
  if (data.memory == memory_space::device) return data.value_count;
  return data.view.offsets[data.count()] - data.view.offsets[0];
}

}  // namespace

#define MF_SCORE(T, suffix)                                                                                  \
  std::vector<double> log_density(const executor& where, const family_info& family, const batch<T>& data,    \
                                  const parameters_view& parameters) {                                       \
    std::vector<double> out(static_cast<std::size_t>(values_in(data)));                                      \
    if (where.is_cuda()) {                                                                                   \
      cuda::log_density(where, family, data, parameters, out.data());                                        \
    } else {                                                                                                 \
      require_host_memory(data.memory);                                                                      \
      functions_of(family).log_density_##suffix(data.view, parameters, out.data(), where.threads());         \
    }                                                                                                        \
    return out;                                                                                              \
  }                                                                                                          \
  std::vector<double> log_likelihood(const executor& where, const family_info& family, const batch<T>& data, \
                                     const parameters_view& parameters) {                                    \
    std::vector<double> out(static_cast<std::size_t>(data.count()));                                         \
    if (where.is_cuda()) {                                                                                   \
      cuda::log_likelihood(where, family, data, parameters, out.data());                                     \
    } else {                                                                                                 \
      require_host_memory(data.memory);                                                                      \
      functions_of(family).log_likelihood_##suffix(data.view, parameters, out.data(), where.threads());      \
    }                                                                                                        \
    return out;                                                                                              \
  }
MF_SCORE(double, f64)
MF_SCORE(float, f32)
#undef MF_SCORE

std::vector<double> simulate(const executor& where, const family_info& family, const parameters_view& parameters,
                             std::int64_t count, std::int64_t size, const simulate_options& options) {
  if (count < 0 || size < 0)
    throw error(error::kind::argument, "simulate: " + std::to_string(count) + " fits of " + std::to_string(size) +
                                           " draws asked for; neither may be negative");
  if (!options.streams.empty() && static_cast<std::int64_t>(options.streams.size()) != count)
    throw error(error::kind::argument, "simulate: " + std::to_string(options.streams.size()) + " streams given for " +
                                           std::to_string(count) + " fits; give one each or none");
  if (!family.simulate)
    throw error(error::kind::argument,
                std::string(family.name) + " is a density of your own; draws are for registered families");
  std::vector<double> out(static_cast<std::size_t>(count) * static_cast<std::size_t>(size));
  const std::uint64_t* streams = options.streams.empty() ? nullptr : options.streams.data();
  if (where.is_cuda())
    cuda::simulate(where, family, parameters, count, size, options.seed, streams, out.data());
  else
    family.simulate(parameters, count, size, options.seed, streams, out.data(), where.threads());
  return out;
}

}  // namespace manyfit
