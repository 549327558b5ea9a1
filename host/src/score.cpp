// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/score.hpp"

#include "checks.hpp"
#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"
#include "kernels/operations.hpp"

namespace manyfit {

namespace {

/// Values that belong to samples of the batch; for device memory the caller's count stands in.
template <class T>
std::int64_t values_in(const batch<T>& data) {
  if (!data.view.offsets) return data.view.size * data.view.count;
  if (data.memory == memory_space::device) return data.value_count;
  return data.view.offsets[data.count()] - data.view.offsets[0];
}

/// An operation that gives a number per value or per sample: `pick(table)` is its cell.
template <class T, class Pick>
std::vector<double> numbers(const executor& where, const family_info& family, const batch<T>& data,
                            const parameters_view& parameters, const char* operation, bool per_value, Pick pick) {
  return guarded([&] {
    check(data);
    check(parameters, family.parameter_count > 0 ? data.count() : 0);
    if (!where.is_cuda()) require_host_memory(data.memory);
    std::vector<double> out(static_cast<std::size_t>(per_value ? values_in(data) : data.count()));
    if (where.is_cuda()) {
      const auto launch = cell_of(pick(cuda::table_of<T>(family)), family, operation);
      cuda::numbers<T>(where, family, data, parameters, per_value, out.data(),
                       [&](const auto& view, const parameters_view& at, const number_view& to, const launch_plan& plan,
                           void* stream) { return launch(view, at, {to}, plan, stream); });
    } else {
      const auto run = cell_of(pick(cpu_table_of<T>(family)), family, operation);
      run(data.view, parameters, {out.data()}, where.threads(), nullptr);
    }
    return out;
  });
}
constexpr auto log_densities = [](const auto& table) { return table.log_density; };
constexpr auto log_likelihoods = [](const auto& table) { return table.log_likelihood; };

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
    (*family.simulate)(parameters, count, size, options.seed, streams, out.data(), where.threads());
  return out;
}

}  // namespace

std::vector<double> log_density(const executor& where, const family_info& family, const batch<double>& data,
                                const parameters_view& parameters) {
  return numbers(where, family, data, parameters, "log_density", true, log_densities);
}
std::vector<double> log_density(const executor& where, const family_info& family, const batch<float>& data,
                                const parameters_view& parameters) {
  return numbers(where, family, data, parameters, "log_density", true, log_densities);
}
std::vector<double> log_likelihood(const executor& where, const family_info& family, const batch<double>& data,
                                   const parameters_view& parameters) {
  return numbers(where, family, data, parameters, "log_likelihood", false, log_likelihoods);
}
std::vector<double> log_likelihood(const executor& where, const family_info& family, const batch<float>& data,
                                   const parameters_view& parameters) {
  return numbers(where, family, data, parameters, "log_likelihood", false, log_likelihoods);
}

std::vector<double> simulate(const executor& where, const family_info& family, const parameters_view& parameters,
                             std::int64_t count, std::int64_t size, const simulate_options& options) {
  return guarded([&] { return simulate_any(where, family, parameters, count, size, options); });
}

}  // namespace manyfit
