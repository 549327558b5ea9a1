// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Wrong calls: every public function of host/include/manyfit, given sizes, pointers and choices that do not fit. Each
// throws error::kind::argument (under the address sanitizer it also reads nothing out of bounds), or kind::memory where
// what was asked for is too large for this machine only.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "manyfit/manyfit.hpp"

namespace manyfit {
namespace {

const std::vector<double> x{1.5, 2.5, 0.5, 3.0, 2.0, 1.0, 1.2, 2.2};
const executor cpu = executor::cpu(2);
constexpr std::int64_t huge = std::int64_t{1} << 40;
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

/// The kind of error that a call ends with; −1 when it throws nothing, −2 for another exception.
template <class Call>
int kind_of(Call call) {
  try {
    call();
  } catch (const error& e) {
    return static_cast<int>(e.why());
  } catch (...) {
    return -2;
  }
  return -1;
}
#define EXPECT_WRONG(...) \
  EXPECT_EQ(kind_of([&] { (void)(__VA_ARGS__); }), static_cast<int>(error::kind::argument)) << #__VA_ARGS__
#define EXPECT_TOO_LARGE(...) \
  EXPECT_EQ(kind_of([&] { (void)(__VA_ARGS__); }), static_cast<int>(error::kind::memory)) << #__VA_ARGS__

template <class T>
std::span<const T> all(const std::vector<T>& of) {
  return of;
}

const family_info& gamma_family() {
  return find_family("gamma");
}

/// Batches put together by hand: the functions that make them would have refused.
std::vector<batch<double>> wrong_batches() {
  static const std::vector<std::int64_t> falling{0, 6, 2, 8}, negative{-1, 4, 8}, beyond{0, 4, 80};
  return {{{x.data(), nullptr, nullptr, huge, huge}, memory_space::host, 8},
          {{x.data(), nullptr, nullptr, most, 2}, memory_space::host, 8},
          {{x.data(), nullptr, nullptr, 4, -1}, memory_space::host, 8},
          {{x.data(), nullptr, nullptr, -4, 2}, memory_space::host, 8},
          {{x.data(), nullptr, nullptr, 5, 2}, memory_space::host, 8},
          {{nullptr, nullptr, nullptr, 4, 2}, memory_space::host, 8},
          {{x.data(), nullptr, nullptr, 4, 2}, memory_space::host, 0},
          {{x.data(), nullptr, falling.data(), 0, 3}, memory_space::host, 8},
          {{x.data(), nullptr, negative.data(), 0, 2}, memory_space::host, 8},
          {{x.data(), nullptr, beyond.data(), 0, 2}, memory_space::host, 8},
          {{x.data(), nullptr, nullptr, 4, 2}, memory_space::device, 8}};
}

std::vector<point_batch<double>> wrong_points() {
  std::vector<point_batch<double>> wrong;
  for (const batch<double>& each : wrong_batches())
    wrong.push_back({{each.view.values, nullptr, each.view.offsets, each.view.size, each.view.count, 1},
                     each.memory,
                     each.value_count});
  for (const int dimensions : {0, -1, max_dimensions + 1, std::numeric_limits<int>::max()})
    wrong.push_back({{x.data(), nullptr, nullptr, 1, 1, dimensions}, memory_space::host, 1});
  wrong.push_back({{x.data(), nullptr, nullptr, most / 2, 1, 2}, memory_space::host, most / 2});
  return wrong;
}

mixture_results good_mixtures() {
  return fit_mixture(cpu, points<double>(x, 2), {.components = 1, .restarts = 1});
}

/// One good set of mixtures, and every way in which one of its members does not fit the others.
std::vector<std::pair<std::string, mixture_results>> wrong_mixtures() {
  std::vector<std::pair<std::string, mixture_results>> wrong;
  const auto add = [&](const char* what, auto change) {
    wrong.emplace_back(what, good_mixtures());
    change(wrong.back().second);
  };
  add("default", [](mixture_results& r) { r = {.count = 1, .dimensions = 2}; });
  add("weights", [](mixture_results& r) { r.weights.clear(); });
  add("means", [](mixture_results& r) { r.means.pop_back(); });
  add("covariances", [](mixture_results& r) { r.covariances.resize(1); });
  add("components", [](mixture_results& r) { r.components.clear(); });
  add("no component", [](mixture_results& r) { r.components[0] = 0; });
  add("too many components", [](mixture_results& r) { r.components[0] = 2; });
  add("capacity", [](mixture_results& r) { r.max_components = 100; });
  add("no capacity", [](mixture_results& r) { r.max_components = 0; });
  add("negative capacity", [](mixture_results& r) { r.max_components = -1; });
  add("huge capacity", [](mixture_results& r) { r.max_components = std::numeric_limits<int>::max(); });
  add("count", [](mixture_results& r) { r.count = huge; });
  add("negative count", [](mixture_results& r) { r.count = -1; });
  add("dimensions", [](mixture_results& r) { r.dimensions = max_dimensions; });
  add("no dimensions", [](mixture_results& r) { r.dimensions = 0; });
  add("structure", [](mixture_results& r) { r.covariance = static_cast<covariance_structure>(9); });
  return wrong;
}

std::vector<std::pair<std::string, family_mixture_results>> wrong_family_mixtures() {
  const auto good = fit_mixture(cpu, gamma_family(), dense<double>(x, 1), {.components = 2, .restarts = 1});
  std::vector<std::pair<std::string, family_mixture_results>> wrong;
  const auto add = [&](const char* what, auto change) {
    wrong.emplace_back(what, good);
    change(wrong.back().second);
  };
  add("default", [](family_mixture_results& r) { r = {.count = 1}; });
  add("weights", [](family_mixture_results& r) { r.weights.clear(); });
  add("parameters", [](family_mixture_results& r) { r.parameters.pop_back(); });
  add("components", [](family_mixture_results& r) { r.components.clear(); });
  add("too many components", [](family_mixture_results& r) { r.components[0] = 3; });
  add("negative components", [](family_mixture_results& r) { r.components[0] = -1; });
  add("capacity", [](family_mixture_results& r) { r.max_components = 1000; });
  add("parameter stride", [](family_mixture_results& r) { r.parameter_stride = 1; });
  add("no parts", [](family_mixture_results& r) { r.parts.clear(); });
  add("parts", [](family_mixture_results& r) { r.parts.resize(5, r.parts[0]); });
  add("count", [](family_mixture_results& r) { r.count = huge; });
  add("negative count", [](family_mixture_results& r) { r.count = -3; });
  return wrong;
}

TEST(wrong_calls, of_batches) {
  EXPECT_WRONG(dense(all(x), huge));
  EXPECT_WRONG(dense(all(x), -huge));
  EXPECT_WRONG(dense(all(x), 0));
  const std::vector<std::int64_t> none, beyond{0, most}, negative{-5, 3};
  EXPECT_WRONG(ragged(all(x), all(none)));
  EXPECT_WRONG(ragged(all(x), all(beyond)));
  EXPECT_WRONG(ragged(all(x), all(negative)));
  EXPECT_WRONG(dense(all(x), 2).weighted({}));
  EXPECT_WRONG(points(all(x), 0));
  EXPECT_WRONG(points(all(x), 3));
  EXPECT_WRONG(points(all(x), max_dimensions + 1));
  EXPECT_WRONG(dense_points(all(x), 2, huge));
  EXPECT_WRONG(dense_points(all(x), 2, -1));
  EXPECT_WRONG(ragged_points(all(x), 2, all(none)));
  EXPECT_WRONG(ragged_points(all(x), 2, all(beyond)));
  EXPECT_WRONG(points(all(x), 2).weighted(all(x)));
  const double* const nowhere = nullptr;
  EXPECT_WRONG(fit<families::gamma>(cpu, dense(std::span<const double>(nowhere, 8), 2)));
}

TEST(wrong_calls, of_fits_and_scores) {
  const std::vector<double> p{2, 0.5};
  const parameters_view view{p.data(), 0, 1};
  for (const batch<double>& wrong : wrong_batches()) {
    EXPECT_WRONG(fit(cpu, gamma_family(), wrong));
    EXPECT_WRONG(log_density(cpu, gamma_family(), wrong, view));
    EXPECT_WRONG(log_likelihood(cpu, gamma_family(), wrong, view));
    EXPECT_WRONG(fit_mixture(cpu, gamma_family(), wrong));
    EXPECT_WRONG(fit_mixture(cpu, std::vector<mixture_component>{point_mass(0), {&gamma_family()}}, wrong));
  }
  const auto data = dense<double>(x, 2);
  for (const parameters_view& wrong : {parameters_view{}, parameters_view{nullptr, 1, 2},
                                       parameters_view{p.data(), -1, 1}, parameters_view{p.data(), 0, -1}}) {
    EXPECT_WRONG(log_density(cpu, gamma_family(), data, wrong));
    EXPECT_WRONG(log_likelihood(cpu, gamma_family(), data, wrong));
    EXPECT_WRONG(simulate(cpu, gamma_family(), wrong, 2, 3));
  }
  EXPECT_WRONG(fit(cpu, gamma_family(), data, {.max_iterations = -1}));
  EXPECT_WRONG(fit(cpu, gamma_family(), data, {.tolerance = -1}));
  EXPECT_WRONG(fit(cpu, gamma_family(), data, {.tolerance = std::numeric_limits<double>::quiet_NaN()}));
  EXPECT_WRONG(fit(cpu, gamma_family(), data, {.fixed = {{"", 1}}}));
  EXPECT_WRONG(fit(cpu, gamma_family(), data, {.fixed = {{"shape", std::numeric_limits<double>::infinity()}}}));
  EXPECT_WRONG(simulate(cpu, gamma_family(), view, huge, huge));
  EXPECT_WRONG(simulate(cpu, gamma_family(), view, most, 2));
  EXPECT_WRONG(simulate(cpu, gamma_family(), view, -1, 2));
  EXPECT_WRONG(simulate(cpu, gamma_family(), view, 2, -1));
  EXPECT_WRONG(simulate(cpu, gamma_family(), view, 2, 2, {.streams = {1, 2, 3}}));
#if !defined(__SANITIZE_ADDRESS__)  // whose allocator ends the program there
  EXPECT_TOO_LARGE(simulate(cpu, gamma_family(), view, huge, 1 << 16));
#endif
}

TEST(wrong_calls, of_results) {
  const fit_results good = fit<families::gamma>(cpu, dense<double>(x, 2));
  fit_results none, short_one = good;
  short_one.parameters.resize(1);
  short_one.observations.clear();
  EXPECT_WRONG(none.parameter(0, 0));
  EXPECT_WRONG(none.parameter("shape", 0));
  EXPECT_WRONG(none.std_error(0, 0));
  EXPECT_WRONG(none.aic(0));
  EXPECT_WRONG(none.bic(0));
  EXPECT_WRONG(none.interval(0, 0));
  EXPECT_WRONG(short_one.parameter(1, 1));
  EXPECT_WRONG(short_one.bic(0));
  EXPECT_WRONG(parameters_of(short_one));
  for (const std::int64_t fit : {std::int64_t{-1}, std::int64_t{2}, huge, most}) {
    EXPECT_WRONG(good.parameter(0, fit));
    EXPECT_WRONG(good.std_error(0, fit));
    EXPECT_WRONG(good.aic(fit));
    EXPECT_WRONG(good.bic(fit));
    EXPECT_WRONG(good.interval(0, fit));
  }
  for (const int p : {-1, 2, 100}) {
    EXPECT_WRONG(good.parameter(p, 0));
    EXPECT_WRONG(good.std_error(p, 0));
    EXPECT_WRONG(good.interval(p, 0));
  }
  for (const double level : {0.0, 1.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_WRONG(good.interval(0, 0, level));
  EXPECT_WRONG(to_string(static_cast<fit_status>(fit_status_count)));
  EXPECT_WRONG(describe(static_cast<fit_status>(-1)));
  EXPECT_WRONG(find_family(""));
  EXPECT_WRONG(find_parameter(gamma_family(), ""));
}

TEST(wrong_calls, of_gaussian_mixtures) {
  for (const point_batch<double>& wrong : wrong_points()) {
    EXPECT_WRONG(fit_mixture(cpu, wrong));
    EXPECT_WRONG(score_mixture(cpu, wrong, good_mixtures()));
  }
  const auto rows = points<double>(x, 2);
  for (const auto& [what, wrong] : wrong_mixtures()) {
    SCOPED_TRACE(what);
    EXPECT_WRONG(fit_mixture(cpu, rows, {.start = mixture_start::given, .start_values = &wrong}));
    EXPECT_WRONG(score_mixture(cpu, rows, wrong, {.responsibilities = true, .labels = true}));
    EXPECT_WRONG(simulate_mixture(cpu, wrong, 3));
  }
  const auto options = [&](auto change) {
    mixture_options changed{.components = 1, .restarts = 1};
    change(changed);
    return fit_mixture(cpu, rows, changed);
  };
  EXPECT_WRONG(options([](mixture_options& o) { o.start = mixture_start::given; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.components = 0; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.components = {3, 2}; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.components = max_components + 1; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.restarts = 0; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.max_iterations = -1; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.tolerance = -1; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.minibatch_rows = -1; }));
  EXPECT_WRONG(options([](mixture_options& o) { o.regularization = std::numeric_limits<double>::infinity(); }));
  EXPECT_WRONG(options([](mixture_options& o) { o.covariance = static_cast<covariance_structure>(4); }));
  EXPECT_WRONG(options([](mixture_options& o) { o.start = static_cast<mixture_start>(-1); }));
  EXPECT_WRONG(options([](mixture_options& o) { o.select = static_cast<information_criterion>(2); }));
  EXPECT_WRONG(empty_mixtures(huge, max_components, max_dimensions, covariance_structure::full));
  EXPECT_WRONG(empty_mixtures(-1, 1, 1, covariance_structure::full));
  EXPECT_WRONG(empty_mixtures(1, 0, 1, covariance_structure::full));
  EXPECT_WRONG(empty_mixtures(1, 1, -1, covariance_structure::full));
  EXPECT_WRONG(simulate_mixture(cpu, good_mixtures(), -1));
  EXPECT_WRONG(simulate_mixture(cpu, good_mixtures(), most));
  const std::vector<std::uint64_t> two{1, 2};
  EXPECT_WRONG(simulate_mixture(cpu, good_mixtures(), 3, 0, all(two)));
  const mixture_results good = good_mixtures();
  for (const std::int64_t fit : {std::int64_t{-1}, std::int64_t{1}, huge}) {
    EXPECT_WRONG(good.weight(fit, 0));
    EXPECT_WRONG(good.mean(fit, 0));
    EXPECT_WRONG(good.covariance_of(fit, 0));
    EXPECT_WRONG(good.aic(fit));
    EXPECT_WRONG(good.bic(fit));
    EXPECT_WRONG(good.free_parameters(fit));
  }
}

TEST(wrong_calls, of_mixtures_of_families) {
  const auto data = dense<double>(x, 1);
  for (const auto& [what, wrong] : wrong_family_mixtures()) {
    SCOPED_TRACE(what);
    EXPECT_WRONG(fit_mixture(cpu, gamma_family(), data, {.start = mixture_start::given, .start_values = &wrong}));
    EXPECT_WRONG(score_mixture(cpu, data, wrong, {.responsibilities = true, .labels = true}));
    EXPECT_WRONG(simulate_mixture(cpu, wrong, 3));
  }
  EXPECT_WRONG(fit_mixture(cpu, std::vector<mixture_component>{}, data));
  EXPECT_WRONG(
      fit_mixture(cpu, std::vector<mixture_component>{point_mass(std::numeric_limits<double>::quiet_NaN())}, data));
  EXPECT_WRONG(fit_mixture(cpu, gamma_family(), data, {.components = max_components + 1}));
  EXPECT_WRONG(fit_mixture(cpu, gamma_family(), data, {.start = static_cast<mixture_start>(7)}));
  EXPECT_WRONG(fit_mixture(cpu, gamma_family(), data, {.select = static_cast<information_criterion>(7)}));
  EXPECT_WRONG(fit_mixture(cpu, gamma_family(), data, {.start = mixture_start::given}));
  EXPECT_WRONG(fit_mixture(cpu, gamma_family(), data, {.restarts = -1}));
  EXPECT_WRONG(fit_mixture(cpu, gamma_family(), data, {.fixed = {{"no such", 1}}}));
  EXPECT_WRONG(empty_family_mixtures(1, 2, {}));
  EXPECT_WRONG(empty_family_mixtures(1, 0, {{&gamma_family()}}));
  EXPECT_WRONG(empty_family_mixtures(huge, 1 << 30, {{&gamma_family()}}));
  EXPECT_WRONG(empty_family_mixtures(-1, 1, {{&gamma_family()}}));
  const auto good = fit_mixture(cpu, gamma_family(), data, {.components = 2, .restarts = 1});
  EXPECT_WRONG(simulate_mixture(cpu, good, -1));
  EXPECT_WRONG(simulate_mixture(cpu, good, most));
  for (const std::int64_t fit : {std::int64_t{-1}, std::int64_t{1}, huge}) {
    EXPECT_WRONG(good.weight(fit, 0));
    EXPECT_WRONG(good.parameter(fit, 0, 0));
    EXPECT_WRONG(good.aic(fit));
    EXPECT_WRONG(good.bic(fit));
    EXPECT_WRONG(good.free_parameters(fit));
  }
}

struct source_of_sizes : point_source<double> {
  std::int64_t row_count;
  int width;
  source_of_sizes(std::int64_t rows, int dimensions) : row_count(rows), width(dimensions) {}
  std::int64_t rows() const override { return row_count; }
  int dimensions() const override { return width; }
  void read(std::int64_t, std::int64_t count, double* values, double*) const override {
    std::fill_n(values, count * width, 1.0);
  }
};

TEST(wrong_calls, of_point_sources) {
  const auto receive = [](std::int64_t, const mixture_scores&) {};
  for (const auto& [rows, dimensions] :
       std::vector<std::pair<std::int64_t, int>>{{-1, 2}, {10, 0}, {10, -1}, {10, max_dimensions + 1}, {most / 2, 2}}) {
    EXPECT_WRONG(fit_mixture(cpu, source_of_sizes(rows, dimensions)));
    EXPECT_WRONG((score_mixture(cpu, source_of_sizes(rows, dimensions), good_mixtures(), receive), 0));
  }
  EXPECT_WRONG((score_mixture(cpu, source_of_sizes(10, 2), good_mixtures(), {}), 0));
  for (const auto& [what, wrong] : wrong_mixtures()) {
    SCOPED_TRACE(what);
    EXPECT_WRONG((score_mixture(cpu, source_of_sizes(10, 2), wrong, receive), 0));
  }
}

TEST(wrong_calls, of_executors) {
  EXPECT_WRONG(executor::cpu(-1));
  EXPECT_WRONG(executor::cpu(std::numeric_limits<int>::min()));
  EXPECT_TOO_LARGE(executor::cpu(std::numeric_limits<int>::max()));
  EXPECT_TOO_LARGE(executor::cpu(65536));
  for (const int device : {-1, 1000000})
    EXPECT_EQ(kind_of([&] { executor::cuda(device); }), static_cast<int>(error::kind::device));
}

TEST(wrong_calls, never_refuse_what_is_empty) {
  EXPECT_EQ(fit<families::gamma>(cpu, batch<double>{}).count, 0);
  EXPECT_EQ(fit<families::gamma>(cpu, dense<double>({}, 0)).count, 0);
  EXPECT_TRUE(log_density(cpu, gamma_family(), batch<double>{}, {}).empty());
  EXPECT_TRUE(simulate(cpu, gamma_family(), {}, 0, huge).empty());
  EXPECT_EQ(fit_mixture(cpu, dense_points<double>({}, 2, 0)).count, 0);
  EXPECT_EQ(fit_mixture(cpu, gamma_family(), batch<double>{}).count, 0);
  const std::vector<double> nothing;
  EXPECT_EQ(fit_mixture(cpu, points<double>(nothing, 2)).status[0], fit_status::too_few);
}

}  // namespace
}  // namespace manyfit
