// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

#include <string>

namespace manyfit {

namespace {

const error out_of_memory(error::kind::memory, "out of memory: give less data at a time, or fewer threads");

[[noreturn]] void throw_argument(const std::string& message) {
  throw error(error::kind::argument, message);
}

void check_array(const char* what, const char* name, std::size_t size, std::int64_t needed) {
  if (static_cast<std::int64_t>(size) < needed)
    throw_argument(std::string(what) + ": " + name + " has " + std::to_string(size) + " elements; " +
                   std::to_string(needed) + " expected from the other members");
}

void check_components(const char* what, const std::vector<std::int32_t>& components, std::int64_t count, int capacity) {
  for (std::int64_t i = 0; i < count; ++i)
    if (components[static_cast<std::size_t>(i)] < 1 || components[static_cast<std::size_t>(i)] > capacity)
      throw_argument(std::string(what) + ": mixture " + std::to_string(i) + " has " +
                     std::to_string(components[static_cast<std::size_t>(i)]) + " components; 1 to " +
                     std::to_string(capacity) + " expected");
}

/// Rows (or values) of a batch: `size` for every fit, or between offsets in host memory.
void check_rows(const char* what, const std::int64_t* offsets, std::int64_t size, std::int64_t count, bool on_host,
                std::int64_t given) {
  if (count < 0) throw_argument(std::string(what) + ": " + std::to_string(count) + " fits given; 0 or more expected");
  std::int64_t needed = 0;
  if (!offsets) {
    needed = product_of(what, {size, count});
  } else if (on_host) {
    bool valid = offsets[0] >= 0;
    for (std::int64_t i = 0; i < count; ++i) valid = valid && offsets[i] <= offsets[i + 1];
    if (!valid) throw_argument(std::string(what) + ": offsets must start at 0 or more and never fall");
    needed = offsets[count];
  }
  if (needed > given)
    throw_argument(std::string(what) + ": " + std::to_string(needed) + " expected from the sizes of the fits, " +
                   std::to_string(given) + " given");
}

}  // namespace

void throw_out_of_memory() {
  throw error(out_of_memory);
}

std::int64_t product_of(const char* what, std::initializer_list<std::int64_t> sizes) {
  constexpr std::int64_t most = std::int64_t{1} << 60;
  std::int64_t product = 1;
  bool fits = true;
  for (const std::int64_t size : sizes) {
    if (size < 0)
      throw_argument(std::string(what) + ": a size of " + std::to_string(size) + " given; 0 or more expected");
    fits = fits && (size == 0 || product <= most / size);
    product = fits ? product * size : 0;
  }
  if (fits) return product;
  std::string text;
  for (const std::int64_t size : sizes) {
    if (size == 0) return 0;
    text += (text.empty() ? "" : " × ") + std::to_string(size);
  }
  throw_argument(std::string(what) + ": " + text + " given, which is more than any memory holds");
}

template <class T>
void check(const batch<T>& data) {
  check_rows("batch: values", data.view.offsets, data.view.size, data.count(), data.memory == memory_space::host,
             data.value_count);
  if (data.value_count > 0 && !data.view.values)
    throw_argument("batch: " + std::to_string(data.value_count) + " values given by a null pointer");
}

template <class T>
void check(const point_batch<T>& data) {
  if (data.dimensions() < 1 || data.dimensions() > max_dimensions)
    throw_argument("points: " + std::to_string(data.dimensions()) + " dimensions given; 1 to " +
                   std::to_string(max_dimensions) + " expected");
  check_rows("points: rows", data.view.offsets, data.view.size, data.count(), data.memory == memory_space::host,
             data.row_count);
  product_of("points: coordinates", {data.row_count, data.dimensions()});
  if (data.view.reader ? data.count() != 1 : data.row_count > 0 && !data.view.values)
    throw_argument("points: " + std::to_string(data.row_count) + " rows given by a null pointer");
}

void check(const parameters_view& parameters, std::int64_t count) {
  if (parameters.stride < 0 || parameters.row < 0)
    throw_argument("parameters: a distance of " + std::to_string(std::min(parameters.stride, parameters.row)) +
                   " between them; 0 or more expected");
  if (count > 0 && !parameters.values)
    throw_argument("parameters: a null pointer given; values for every fit expected");
}

namespace {

/// Components that the arrays have capacity for: count × Kmax, or, one fit's after the other, what the offsets say.
std::int64_t component_count(const char* what, const std::vector<std::int64_t>& offsets,
                             const std::vector<std::int32_t>& components, std::int64_t count, std::int64_t K) {
  if (offsets.empty()) return product_of(what, {count, K});
  check_array(what, "component_offsets", offsets.size(), product_of(what, {count}) + 1);
  bool good = offsets[0] == 0;
  for (std::int64_t i = 0; i < count; ++i)
    good = good && offsets[static_cast<std::size_t>(i) + 1] - offsets[static_cast<std::size_t>(i)] >=
                       components[static_cast<std::size_t>(i)];
  if (!good) throw_argument(std::string(what) + ": component_offsets from 0 on, each fit's components apart, expected");
  return product_of(what, {offsets.back()});
}

}  // namespace

void check(const mixture_results& mixtures, const char* what) {
  const std::int64_t K = mixtures.max_components, D = mixtures.dimensions;
  if (D < 1 || D > max_dimensions)
    throw_argument(std::string(what) + ": " + std::to_string(D) + " dimensions given; 1 to " +
                   std::to_string(max_dimensions) + " expected");
  if (K < 1 || K > max_components)
    throw_argument(std::string(what) + ": capacity for " + std::to_string(K) + " components given; 1 to " +
                   std::to_string(max_components) + " expected");
  check_choice("covariance", mixtures.covariance, covariance_structure_count);
  check_array(what, "components", mixtures.components.size(), product_of(what, {mixtures.count}));
  check_components(what, mixtures.components, mixtures.count, mixtures.max_components);
  const std::int64_t all = component_count(what, mixtures.component_offsets, mixtures.components, mixtures.count, K);
  check_array(what, "weights", mixtures.weights.size(), all);
  check_array(what, "means", mixtures.means.size(), product_of(what, {all, D}));
  check_array(what, "covariances", mixtures.covariances.size(), product_of(what, {all, D, D}));
}

void check(const family_mixture_results& mixtures, const char* what) {
  const std::int64_t K = mixtures.max_components, P = mixtures.parameter_stride;
  if (K < 1 || K > max_components)
    throw_argument(std::string(what) + ": capacity for " + std::to_string(K) + " components given; 1 to " +
                   std::to_string(max_components) + " expected");
  if (mixtures.parts.size() != 1 && static_cast<std::int64_t>(mixtures.parts.size()) != K)
    throw_argument(std::string(what) + ": " + std::to_string(mixtures.parts.size()) +
                   " parts given; one for all components or one each expected");
  const std::int64_t D = mixtures.columns;
  if (D < 1 || D > max_dimensions || (D > 1 && (mixtures.parts.size() != 1 || !mixtures.parts[0].family)))
    throw_argument(std::string(what) + ": " + std::to_string(D) + " columns of " +
                   std::to_string(mixtures.parts.size()) + " parts given; 1 to " + std::to_string(max_dimensions) +
                   ", of several one family for all, expected");
  for (const mixture_component& part : mixtures.parts)
    if (part.family && part.family->parameter_count > P)
      throw_argument(std::string(what) + ": capacity for " + std::to_string(P) + " parameters given; " +
                     part.family->name + " has " + std::to_string(part.family->parameter_count));
  check_array(what, "components", mixtures.components.size(), product_of(what, {mixtures.count}));
  check_components(what, mixtures.components, mixtures.count, mixtures.max_components);
  const std::int64_t all = component_count(what, mixtures.component_offsets, mixtures.components, mixtures.count, K);
  check_array(what, "weights", mixtures.weights.size(), all);
  check_array(what, "parameters", mixtures.parameters.size(), product_of(what, {all, D, P}));
}

template <class Enumeration>
void check_choice(const char* what, Enumeration value, int count) {
  const int number = static_cast<int>(value);
  if (number < 0 || number >= count)
    throw_argument(std::string(what) + ": " + std::to_string(number) + " is none of its values");
}

template void check(const batch<double>&);
template void check(const batch<float>&);
template void check(const point_batch<double>&);
template void check(const point_batch<float>&);
template void check_choice(const char*, covariance_structure, int);
template void check_choice(const char*, mixture_start, int);
template void check_choice(const char*, information_criterion, int);

}  // namespace manyfit
