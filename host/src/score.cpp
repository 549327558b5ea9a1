// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/score.hpp"

#include <type_traits>

#include "checks.hpp"
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

namespace {

template <class T>
void check_call(const family_info& family, const batch<T>& data, const parameters_view& parameters) {
  check(data);
  check(parameters, family.parameter_count > 0 ? data.count() : 0);
}

template <class T>
std::vector<double> log_density_any(const executor& where, const family_info& family, const batch<T>& data,
                                    const parameters_view& parameters) {
  check_call(family, data, parameters);
  if (!where.is_cuda()) require_host_memory(data.memory);
  std::vector<double> out(static_cast<std::size_t>(values_in(data)));
  if (where.is_cuda())
    cuda::log_density(where, family, data, parameters, out.data());
  else if constexpr (std::is_same_v<T, double>)
    functions_of(family).log_density_f64(data.view, parameters, out.data(), where.threads());
  else
    functions_of(family).log_density_f32(data.view, parameters, out.data(), where.threads());
  return out;
}

template <class T>
std::vector<double> log_likelihood_any(const executor& where, const family_info& family, const batch<T>& data,
                                       const parameters_view& parameters) {
  check_call(family, data, parameters);
  if (!where.is_cuda()) require_host_memory(data.memory);
  std::vector<double> out(static_cast<std::size_t>(data.count()));
  if (where.is_cuda())
    cuda::log_likelihood(where, family, data, parameters, out.data());
  else if constexpr (std::is_same_v<T, double>)
    functions_of(family).log_likelihood_f64(data.view, parameters, out.data(), where.threads());
  else
    functions_of(family).log_likelihood_f32(data.view, parameters, out.data(), where.threads());
  return out;
}

std::vector<double> simulate_any(const executor& where, const family_info& family, const parameters_view& parameters,
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
  check(parameters, family.parameter_count > 0 ? count : 0);
  const std::int64_t draws = product_of("simulate", {count, size});
  std::vector<double> out(static_cast<std::size_t>(draws));
  const std::uint64_t* streams = options.streams.empty() ? nullptr : options.streams.data();
  if (where.is_cuda())
    cuda::simulate(where, family, parameters, count, size, options.seed, streams, out.data());
  else
    family.simulate(parameters, count, size, options.seed, streams, out.data(), where.threads());
  return out;
}

}  // namespace

std::vector<double> log_density(const executor& where, const family_info& family, const batch<double>& data,
                                const parameters_view& parameters) {
  return guarded([&] { return log_density_any(where, family, data, parameters); });
}
std::vector<double> log_density(const executor& where, const family_info& family, const batch<float>& data,
                                const parameters_view& parameters) {
  return guarded([&] { return log_density_any(where, family, data, parameters); });
}
std::vector<double> log_likelihood(const executor& where, const family_info& family, const batch<double>& data,
                                   const parameters_view& parameters) {
  return guarded([&] { return log_likelihood_any(where, family, data, parameters); });
}
std::vector<double> log_likelihood(const executor& where, const family_info& family, const batch<float>& data,
                                   const parameters_view& parameters) {
  return guarded([&] { return log_likelihood_any(where, family, data, parameters); });
}

std::vector<double> simulate(const executor& where, const family_info& family, const parameters_view& parameters,
                             std::int64_t count, std::int64_t size, const simulate_options& options) {
  return guarded([&] { return simulate_any(where, family, parameters, count, size, options); });
}

}  // namespace manyfit
