// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How far two executors lie apart: every family in every tier, mixtures of every covariance structure in every tier and
// regime, on float and on double data. Worst differences go to a JSON file, of which ./dev gpu makes a table.
//   cuda_agreement OUT.json [FIRST SECOND]      executors: cpu, cpu:THREADS or cuda:NUMBER; default cuda:0 and cpu
// It judges nothing but statuses: the tests hold both to their accuracy. Exit 1 where a status differs.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cuda_tests.hpp"
#include "kernels/cuda/mixture_work.hpp"

namespace manyfit::tests {
namespace {

using nlohmann::json;

executor executor_named(const std::string& name) {
  const auto colon = name.find(':');
  const int number = colon == std::string::npos ? 0 : std::atoi(name.c_str() + colon + 1);
  if (name.substr(0, colon) == "cpu") return executor::cpu(number);
  if (name.substr(0, colon) == "cuda") return executor::cuda(number);
  throw error(error::kind::argument, "no executor is called " + name + "; give cpu, cpu:THREADS or cuda:NUMBER");
}

/// The worst of the differences of one kind, and of which numbers.
struct worst {
  double difference = 0;
  std::string where;
  std::int64_t one_sided = 0;  ///< NaN on one side only

  /// |a − b| in units of `scale`. Equal infinities and two NaN do not differ.
  void add(double a, double b, double scale, const std::string& of) {
    if (std::isnan(a) && std::isnan(b)) return;
    if (std::isnan(a) || std::isnan(b)) {
      if (one_sided++ == 0) where = of;
      return;
    }
    const double d = a == b ? 0 : std::abs(a - b) / scale;
    if (!(d <= difference)) {
      difference = d;
      where = of;
    }
  }
  json shown() const {
    json j{{"difference", std::isfinite(difference) ? json(difference) : json("infinite")}, {"where", where}};
    if (one_sided > 0) j["nan_on_one_side"] = one_sided;
    return j;
  }
};

struct statuses {
  std::int64_t differ = 0;
  std::string first;
  bool same(fit_status a, fit_status b, const std::string& of) {
    if (a == b) return true;
    if (differ++ == 0) first = of + ": " + to_string(a) + " and " + to_string(b);
    return false;
  }
  void show(json& row) const {
    row["status_differs"] = differ;
    if (differ > 0) row["first_status"] = first;
  }
};

template <class T>
const char* type_name() {
  return sizeof(T) == 4 ? "float" : "double";
}

struct sizes_of_tier {
  const char* tier;
  std::vector<std::int64_t> sizes;
  int samples;  ///< of every size
};
const std::vector<sizes_of_tier> family_sizes{{"warp", {20, 100, 1000, 1024}, 25},
                                              {"block", {1025, 5000, 16384, 20000, 131072}, 3},
                                              {"grid", {131073, 300001}, 2}};
const std::vector<sizes_of_tier> simulated_family_sizes{
    {"warp", {20, 100, 1000, 1024}, 5}, {"block", {1025, 5000, 16384, 20000}, 1}, {"grid", {131073}, 1}};

/// Parameters in units of the larger of their size and their standard error, log-likelihoods of 1 + |ll|, standard
/// errors of themselves.
template <class T>
json family_row(const family_info& family, const sizes_of_tier& t, const executor& first, const executor& second) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t size : t.sizes) sizes.insert(sizes.end(), static_cast<std::size_t>(t.samples), size);
  const auto data = draw_batch<T>(family, sizes);
  const auto options = required_options(family);
  const fit_results a = fit(first, family, data.view(), options), b = fit(second, family, data.view(), options);
  worst parameters, likelihood, errors;
  statuses ends;
  for (std::int64_t i = 0; i < a.count; ++i) {
    const std::string n = "n = " + std::to_string(sizes[static_cast<std::size_t>(i)]);
    if (!ends.same(a.status[i], b.status[i], n)) continue;
    likelihood.add(a.log_likelihood[i], b.log_likelihood[i], 1 + std::abs(b.log_likelihood[i]), n);
    for (int p = 0; p < a.parameter_count(); ++p) {
      const std::string of = std::string(family.parameters[p].name) + ", " + n;
      const double se = b.std_error(p, i), size = std::abs(b.parameter(p, i));
      parameters.add(a.parameter(p, i), b.parameter(p, i), se > size ? se : size, of);
      errors.add(a.std_error(p, i), se, std::abs(se), of);
    }
  }
  json row{{"family", family.name},
           {"type", type_name<T>()},
           {"tier", t.tier},
           {"fits", a.count},
           {"parameters", parameters.shown()},
           {"log_likelihood", likelihood.shown()},
           {"std_errors", errors.shown()}};
  ends.show(row);
  return row;
}

struct mixture_case {
  int D, K;
  std::vector<std::int64_t> sizes;
  bool full = true;                          ///< also with full covariances
  std::vector<std::int64_t> simulated = {};  ///< rows on a simulated device; empty: the same
};
/// Chosen so that with one structure or another every regime occurs in every tier that has it.
const std::vector<mixture_case> mixture_cases{{1, 3, {200, 1000, 8000}},
                                              {2, 4, {300, 2000}},
                                              {3, 2, {500, 1500}},
                                              {1, 4, {20000}},
                                              {2, 3, {50000}},
                                              {6, 5, {1000, 4000}},
                                              {8, 16, {5000}, true, {1400}},
                                              {2, 4, {2900000}, true, {66000}},
                                              {16, 64, {30000}, true, {2500}},
                                              {32, 100, {20000}, true, {4000}},
                                              {32, 128, {8000}, true, {4100}},
                                              {32, 1000, {8000}, false, {2000}}};
/// Of an H200, and of the usual simulated device: more blocks in a grid leave less memory for each, so that grid tiles
/// begin earlier.
int multiprocessors() {
  return has_simulated_device() ? 3 : 132;
}
/// The bytes of shared memory that its float kernels plan resident passes for; those in double have none.
template <class T>
constexpr std::int64_t resident_bytes = sizeof(T) == 4 ? 227 * 1024 - 2048 : 0;

template <class T>
json mixture_row(covariance_structure structure, const mixture_case& c, const executor& first, const executor& second) {
  const bool few = has_simulated_device() && !c.simulated.empty();
  const std::vector<std::int64_t>& sizes = few ? c.simulated : c.sizes;
  const clusters drawn(c.D, c.K, sizes);
  const std::vector<T> values(drawn.values.begin(), drawn.values.end());
  const auto data = ragged_points<T>(values, c.D, drawn.offsets);
  mixture_options options;
  options.components = c.K;
  options.covariance = structure;
  options.restarts = 1;
  options.tolerance = 0;
  options.max_iterations = 1;
  const mixture_results start = fit_mixture(executor::cpu(), data, options);
  options.start = mixture_start::given;
  options.start_values = &start;
  options.max_iterations = few ? 2 : 10;
  const mixture_results a = fit_mixture(first, data, options), b = fit_mixture(second, data, options);
  worst weights, means, covariances, likelihood;
  statuses ends;
  for (std::int64_t i = 0; i < a.count; ++i) {
    const std::string n = "n = " + std::to_string(sizes[static_cast<std::size_t>(i)]);
    if (!ends.same(a.status[i], b.status[i], n)) continue;
    likelihood.add(a.log_likelihood[i], b.log_likelihood[i], 1 + std::abs(b.log_likelihood[i]), n);
    for (int k = 0; k < c.K; ++k) {
      const std::string of = "component " + std::to_string(k) + ", " + n;
      const auto sigma = b.covariance_of(i, k), other = a.covariance_of(i, k);
      weights.add(a.weight(i, k), b.weight(i, k), b.weight(i, k), of);
      for (int d = 0; d < c.D; ++d) {
        means.add(a.mean(i, k)[d], b.mean(i, k)[d], std::sqrt(sigma[d * c.D + d]), of);
        for (int e = 0; e <= d; ++e)
          covariances.add(other[d * c.D + e], sigma[d * c.D + e], std::sqrt(sigma[d * c.D + d] * sigma[e * c.D + e]),
                          of);
      }
    }
  }
  const mixture_tier tier = mixture_tier_of<T>(structure, c.D, c.K, sizes.back(), resident_bytes<T>);
  const std::int64_t blocks =
      std::int64_t{mixture_tiers[mixture_grid].blocks_wanted[sizeof(T) == 8]} * multiprocessors();
  const bool chunks = tier == mixture_grid && c.K * features(structure, c.D) > partial_numbers / blocks;
  const char* const names[] = {"full", "diagonal", "tied", "spherical"};
  json row{{"structure", names[static_cast<int>(structure)]},
           {"type", type_name<T>()},
           {"tier", mixture_tiers[tier].name},
           {"regime", register_components(c.D, c.K) > 0 ? "registers"
                      : is_resident(tier)               ? "resident"
                      : chunks                          ? "chunks"
                                                        : "tiles"},
           {"D", c.D},
           {"K", c.K},
           {"rows", sizes.back()},
           {"weights", weights.shown()},
           {"means", means.shown()},
           {"covariances", covariances.shown()},
           {"log_likelihood", likelihood.shown()}};
  ends.show(row);
  return row;
}

int main_of(const std::string& path, const std::string& first_name, const std::string& second_name) {
  const executor first = executor_named(first_name), second = executor_named(second_name);
  json table{{"first", first_name}, {"second", second_name}, {"families", json::array()}, {"mixtures", json::array()}};
  const auto keep = [&] { std::ofstream(path) << table.dump(1) << '\n'; };  // a run cut short leaves what it has
  std::int64_t differ = 0;
  const auto add = [&](const char* list, json row) {
    differ += row["status_differs"].get<std::int64_t>();
    table[list].push_back(std::move(row));
  };
  for (const family_info* family : all_families()) {
    for (const sizes_of_tier& t : has_simulated_device() ? simulated_family_sizes : family_sizes) {
      add("families", family_row<double>(*family, t, first, second));
      add("families", family_row<float>(*family, t, first, second));
    }
    keep();
  }
  for (const mixture_case& c : mixture_cases) {
    for (const auto structure : {covariance_structure::full, covariance_structure::diagonal, covariance_structure::tied,
                                 covariance_structure::spherical}) {
      if (structure == covariance_structure::full && !c.full) continue;  // ten rows hold no matrix of 32 × 32
      add("mixtures", mixture_row<double>(structure, c, first, second));
      add("mixtures", mixture_row<float>(structure, c, first, second));
    }
    keep();
  }
  table["complete"] = true;
  keep();
  std::printf("%zu rows of families, %zu of mixtures; %lld statuses differ\n", table["families"].size(),
              table["mixtures"].size(), static_cast<long long>(differ));
  return differ == 0 ? 0 : 1;
}

}  // namespace
}  // namespace manyfit::tests

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: cuda_agreement OUT.json [FIRST SECOND]\n");
    return 2;
  }
  try {
    return manyfit::tests::main_of(argv[1], argc == 4 ? argv[2] : "cuda:0", argc == 4 ? argv[3] : "cpu");
  } catch (const manyfit::error& problem) {
    std::fprintf(stderr, "cuda_agreement: %s\n", problem.what());
    return problem.why() == manyfit::error::kind::device ? 5 : 2;
  }
}
