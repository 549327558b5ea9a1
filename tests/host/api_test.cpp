// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The host API's promises: wrong calls throw and say what was expected, bad data do not.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "kernels/operations.hpp"
#include "manyfit/manyfit.hpp"

namespace manyfit {
namespace {

const std::vector<double> values{1.5, 2.5, 0.5, 3.0, 2.0, 1.0};

/// Expects an error of a kind whose message holds every one of the words.
template <class Call>
void expect_error(error::kind kind, const std::vector<std::string>& words, Call call) {
  try {
    call();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const error& e) {
    EXPECT_EQ(e.why(), kind) << e.what();
    for (const std::string& word : words) EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
  }
}

TEST(batch, refuses_shapes_that_do_not_fit) {
  const std::span<const double> all(values);
  expect_error(error::kind::argument, {"6", "4", "ragged"}, [&] { dense(all, 4); });
  expect_error(error::kind::argument, {"-1"}, [&] { dense(all, -1); });
  const std::vector<std::int64_t> falling{0, 4, 2, 6}, long_one{0, 7}, none;
  expect_error(error::kind::argument, {"never fall"}, [&] { ragged(all, std::span<const std::int64_t>(falling)); });
  expect_error(error::kind::argument, {"6"}, [&] { ragged(all, std::span<const std::int64_t>(long_one)); });
  expect_error(error::kind::argument, {"empty"}, [&] { ragged(all, std::span<const std::int64_t>(none)); });
  expect_error(error::kind::argument, {"one weight per value"}, [&] { dense(all, 2).weighted(all.subspan(1)); });
}

TEST(fit, refuses_wrong_options_and_says_what_is_expected) {
  const auto data = dense(std::span<const double>(values), 1);
  const executor cpu = executor::cpu(1);
  expect_error(error::kind::argument, {"gamma", "shape, rate", "scale"}, [&] {
    fit<families::gamma>(cpu, data, {.fixed = {{"scale", 1.0}}});
  });
  expect_error(error::kind::argument, {"shape", "positive"}, [&] {
    fit<families::gamma>(cpu, data, {.fixed = {{"shape", -1.0}}});
  });
  expect_error(error::kind::argument, {"trials"}, [&] { fit<binomial>(cpu, data); });
  expect_error(error::kind::argument, {"max_iterations"},
               [&] { fit<families::gamma>(cpu, data, {.max_iterations = -1}); });
  expect_error(error::kind::argument, {"did you mean 'gamma'"}, [&] { find_family("gama"); });
  expect_error(error::kind::argument, {"device memory"},
               [&] { fit<families::gamma>(cpu, dense(std::span<const double>(values), 1, memory_space::device)); });
  expect_error(error::kind::argument, {"threads"}, [] { executor::cpu(-2); });
  const auto r = fit<families::gamma>(cpu, data);
  expect_error(error::kind::argument, {"level"}, [&] { r.interval(0, 0, 1.0); });
}

TEST(fit, of_no_samples_is_empty) {
  const auto r = fit<families::gamma>(executor::cpu(), dense(std::span<const double>(), 0));
  EXPECT_EQ(r.count, 0);
  EXPECT_TRUE(r.status.empty());
}

TEST(fit, holds_fixed_parameters_and_counts_the_free_ones) {
  const auto data = dense(std::span<const double>(values), 1);
  const auto r = fit<families::gamma>(executor::cpu(1), data, {.fixed = {{"shape", 2.0}}});
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_EQ(r.parameter("shape", 0), 2.0);
  EXPECT_NEAR(r.parameter("rate", 0), 2.0 / 1.75, 1e-12);
  EXPECT_TRUE(std::isnan(r.std_error(0, 0)));
  EXPECT_NEAR(r.std_error(1, 0), r.parameter("rate", 0) / std::sqrt(12.0), 1e-9);
  EXPECT_EQ(r.free_parameters(), 1);
  EXPECT_DOUBLE_EQ(r.aic(0), 2 - 2 * r.log_likelihood[0]);
  EXPECT_DOUBLE_EQ(r.bic(0), std::log(6.0) - 2 * r.log_likelihood[0]);
}

TEST(fit, reports_progress_to_its_end) {
  std::vector<double> many;
  for (int i = 0; i < 3000; ++i) many.push_back(values[i % 6] + 1e-3 * i);
  std::int64_t last = -1, total = 0;
  fit<families::gamma>(executor::cpu(2), dense(std::span<const double>(many), 500),
                       {.progress = [&](std::int64_t done, std::int64_t all) {
                         EXPECT_GE(done, last);
                         last = done;
                         total = all;
                       }});
  EXPECT_EQ(last, 500);
  EXPECT_EQ(total, 500);
}

/// MANYFIT_CPU for as long as this lives; what was there before is put back.
struct chosen_set {
  std::string before;
  explicit chosen_set(const char* name) {
    if (const char* now = std::getenv("MANYFIT_CPU")) before = now;
    setenv("MANYFIT_CPU", name, 1);
  }
  ~chosen_set() { before.empty() ? unsetenv("MANYFIT_CPU") : setenv("MANYFIT_CPU", before.c_str(), 1); }
};

TEST(fit, agrees_between_instruction_sets) {
  const auto data = dense(std::span<const double>(values), 1);
  const char* const names[] = {"baseline", "avx2", "avx512"};
  std::vector<fit_results> found;
  for (int set = 0; set <= static_cast<int>(best_instruction_set()); ++set) {
    const chosen_set chosen(names[set]);
    if (find_family("weibull").cpu[set].f64) found.push_back(fit<weibull>(executor::cpu(1), data));
  }
  ASSERT_GE(found.size(), 1u);
  if (found.size() == 1) GTEST_SKIP() << "this build has one instruction set";
  for (const fit_results& r : found)
    for (int p = 0; p < 2; ++p) EXPECT_TRUE(std::abs(r.parameter(p, 0) / found[0].parameter(p, 0) - 1) <= 1e-12);
}

TEST(fit, refuses_an_instruction_set_that_is_not_there) {
  const auto data = dense(std::span<const double>(values), 1);
  {
    const chosen_set chosen("avx1024");
    expect_error(error::kind::argument, {"MANYFIT_CPU=avx1024", "give one of"},
                 [&] { fit<weibull>(executor::cpu(1), data); });
  }
  const char* const names[] = {"baseline", "avx2", "avx512"};
  for (int set = 0; set < instruction_set_count; ++set) {
    const chosen_set chosen(names[set]);
    const bool there = set <= static_cast<int>(best_instruction_set()) && find_family("weibull").cpu[set].f64;
    if (there)
      EXPECT_EQ(fit<weibull>(executor::cpu(1), data).status[0], fit_status::converged);
    else
      expect_error(error::kind::argument, {names[set]}, [&] { fit<weibull>(executor::cpu(1), data); });
  }
}

TEST(fit, takes_fixed_values_up_to_both_ends_of_their_constraint) {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const double least = std::numeric_limits<double>::denorm_min(), most = std::numeric_limits<double>::max();
  const auto fix = [&](const char* family, const char* name, double value) {
    const std::vector<double> none;
    fit(executor::cpu(1), find_family(family), dense(std::span<const double>(none), 0), {.fixed = {{name, value}}});
  };
  const auto expect_wrong = [&](const char* family, const char* name, double value) {
    expect_error(error::kind::argument, {family, name}, [&] { fix(family, name, value); });
  };
  for (const double inside : {-most, 0.0, most}) fix("normal", "mean", inside);
  for (const double outside : {-infinity, infinity, nan}) expect_wrong("normal", "mean", outside);
  for (const double inside : {least, most}) fix("normal", "sd", inside);
  for (const double outside : {-least, 0.0, infinity, nan}) expect_wrong("normal", "sd", outside);
  for (const double inside : {least, std::nextafter(1.0, 0.0)}) fix("bernoulli", "prob", inside);
  for (const double outside : {0.0, 1.0, -least, nan}) expect_wrong("bernoulli", "prob", outside);
  for (const double inside : {1.0, 0x1p60}) fix("binomial", "trials", inside);
  for (const double outside : {0.0, 0.5, 2.5, -1.0, infinity}) expect_wrong("binomial", "trials", outside);
}

TEST(fit, accounts_for_every_value) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> x{1, nan, 2, -3, 4, 5, -6, 7}, weights{1, 1, 0, 0, 2, nan, 1, 0};
  const auto data = dense(std::span<const double>(x), 1);
  const fit_results plain = fit<families::gamma>(executor::cpu(1), data);
  EXPECT_EQ(plain.status[0], fit_status::out_of_support);
  EXPECT_EQ(plain.observations[0], 7);
  EXPECT_EQ(plain.missing[0], 1);
  EXPECT_EQ(plain.left_out[0], 0);
  EXPECT_EQ(plain.outside[0], 2);
  const fit_results weighted = fit<families::gamma>(executor::cpu(1), data.weighted(weights));
  EXPECT_EQ(weighted.observations[0], 3);
  EXPECT_EQ(weighted.missing[0], 2);
  EXPECT_EQ(weighted.left_out[0], 3);
  EXPECT_EQ(weighted.outside[0], 1);
  EXPECT_EQ(weighted.observations[0] + weighted.missing[0] + weighted.left_out[0], 8);
  // A support that what is fixed makes.
  const std::vector<double> y{1, 2, 3, 9, 12};
  const fit_results with_fixed = fit<generalized_pareto>(executor::cpu(1), dense(std::span<const double>(y), 1),
                                                         {.fixed = {{"scale", 4}, {"shape", -0.5}}});  // ends at 8
  EXPECT_EQ(with_fixed.status[0], fit_status::out_of_support);
  EXPECT_EQ(with_fixed.outside[0], 2);
  const std::vector<double> turned{12, 9, 3, 2, 1};  // an excluded value stands in for those that pad a vector
  const fit_results first = fit<generalized_pareto>(executor::cpu(1), dense(std::span<const double>(turned), 1),
                                                    {.fixed = {{"scale", 4}, {"shape", -0.5}}});
  EXPECT_EQ(first.status[0], fit_status::out_of_support);
  EXPECT_EQ(first.outside[0], 2);
  EXPECT_EQ(fit<families::gamma>(executor::cpu(1), dense(std::span<const double>(y), 1)).outside[0], 0);
}

TEST(simulate, repeats_by_seed_and_stream_and_differs_otherwise) {
  const std::vector<double> p{2.0, 0.5};
  const family_info& family = find_family("gamma");
  const auto draws = [&](int threads, const simulate_options& options) {
    return simulate(executor::cpu(threads), family, {p.data(), 0, 1}, 3, 50, options);
  };
  const auto a = draws(1, {.seed = 9});
  EXPECT_EQ(a, draws(2, {.seed = 9}));
  EXPECT_NE(a, draws(1, {.seed = 10}));
  const auto same_stream = draws(1, {.seed = 9, .streams = {1, 1, 1}});
  EXPECT_TRUE(std::equal(same_stream.begin(), same_stream.begin() + 50, a.begin() + 50));
  EXPECT_TRUE(std::equal(same_stream.begin(), same_stream.begin() + 50, same_stream.begin() + 100));
  expect_error(error::kind::argument, {"streams"}, [&] { draws(1, {.streams = {1}}); });
}

TEST(fit, without_iterations_gives_the_start_and_says_so) {
  for (const char* name : {"student_t", "beta", "gev", "logistic"}) {
    const family_info& family = find_family(name);
    std::vector<double> examples;
    for (int i = 0; i < family.parameter_count; ++i) examples.push_back(family.parameters[i].example);
    const executor cpu = executor::cpu(1);
    const auto draws = simulate(cpu, family, {examples.data(), 0, 1}, 1, 500, {.seed = 3});
    const auto data = dense(std::span<const double>(draws), 1);
    const fit_results start = fit(cpu, family, data, {.max_iterations = 0}), whole = fit(cpu, family, data);
    EXPECT_EQ(start.status[0], fit_status::max_iterations) << name;
    ASSERT_EQ(whole.status[0], fit_status::converged) << name;
    ASSERT_TRUE(start.log_likelihood[0] <= whole.log_likelihood[0] + 1e-8) << name;
    const auto score = log_likelihood(cpu, family, data, {start.parameters.data(), 0, 1})[0];
    ASSERT_TRUE(std::fabs(score - start.log_likelihood[0]) <= 1e-8 * (1 + std::fabs(score))) << name;
    EXPECT_TRUE(std::isnan(start.std_errors[0])) << name;
  }
}

TEST(score, gives_not_a_number_for_parameters_that_are_not_valid) {
  const std::vector<double> p{-2.0, 0.5};
  const auto data = dense(std::span<const double>(values), 1);
  const family_info& family = find_family("gamma");
  for (const double d : log_density(executor::cpu(1), family, data, {p.data(), 0, 1})) EXPECT_TRUE(std::isnan(d));
  EXPECT_TRUE(std::isnan(log_likelihood(executor::cpu(1), family, data, {p.data(), 0, 1})[0]));
}

/// No function of a table fits into another's place.
template <class Table>
constexpr bool no_two_can_be_swapped =
    !std::is_convertible_v<decltype(Table::fit), decltype(Table::log_density)> &&
    !std::is_convertible_v<decltype(Table::fit), decltype(Table::log_likelihood)> &&
    !std::is_convertible_v<decltype(Table::log_density), decltype(Table::log_likelihood)>;
static_assert(no_two_can_be_swapped<operations<on_cpu, double>> && no_two_can_be_swapped<operations<on_cpu, float>> &&
              no_two_can_be_swapped<operations<on_cuda, double>> && no_two_can_be_swapped<operations<on_cuda, float>>);
static_assert(!std::is_convertible_v<operations<on_cpu, double>, operations<on_cpu, float>>);

TEST(operations, that_this_build_lacks_are_refused_by_name) {
  const std::vector<float> narrow(values.begin(), values.end());
  const auto data = dense(std::span<const double>(values), 1);
  const auto floats = dense(std::span<const float>(narrow), 1);
  const executor cpu = executor::cpu(1);
  const std::vector<double> p{2, 1};
  const parameters_view at{p.data(), 0, 1};
  const family_info& gamma = find_family("gamma");
  const auto set = static_cast<std::size_t>(best_instruction_set());
  family_info lacking = gamma;
  for (auto& cells : lacking.cpu) cells.f32 = nullptr;
  EXPECT_EQ(log_likelihood(cpu, lacking, data, at), log_likelihood(cpu, gamma, data, at));
  expect_error(error::kind::device, {"gamma", "data of this type"}, [&] { fit(cpu, lacking, floats); });
  expect_error(error::kind::device, {"gamma"}, [&] { log_density(cpu, lacking, floats, at); });
  expect_error(error::kind::device, {"gamma"}, [&] { log_likelihood(cpu, lacking, floats, at); });

  const operations<on_cpu, double> none;
  lacking.cpu[set].f64 = &none;
  expect_error(error::kind::device, {"gamma", "no fit"}, [&] { fit(cpu, lacking, data); });
  expect_error(error::kind::device, {"gamma", "no log_density"}, [&] { log_density(cpu, lacking, data, at); });
  expect_error(error::kind::device, {"gamma", "no log_likelihood"}, [&] { log_likelihood(cpu, lacking, data, at); });
  expect_error(error::kind::device, {"gamma", "no fit"}, [&] { fit_mixture(cpu, lacking, data); });
}

TEST(operations, of_every_family_are_in_the_table_of_this_build) {
  for (const family_info* family : all_families()) {
    const auto& cells = family->cpu[static_cast<std::size_t>(best_instruction_set())];
    ASSERT_TRUE(cells.f64 && cells.f32 && family->simulate) << family->name;
    EXPECT_TRUE(cells.f64->fit && cells.f64->log_density && cells.f64->log_likelihood) << family->name;
    EXPECT_TRUE(cells.f32->fit && cells.f32->log_density && cells.f32->log_likelihood) << family->name;
  }
}

TEST(devices, list_the_cpu_first_and_usable) {
  const auto list = devices();
  ASSERT_FALSE(list.empty());
  EXPECT_EQ(list[0].id, "cpu");
  EXPECT_TRUE(list[0].usable);
  EXPECT_GT(list[0].memory, 0u);
  EXPECT_GE(executor::cpu().threads(), 1);
  EXPECT_EQ(executor::cpu(3).threads(), 3);
}

TEST(status, every_outcome_has_a_name_and_a_meaning) {
  for (int s = 0; s < fit_status_count; ++s) {
    EXPECT_GT(std::strlen(to_string(static_cast<fit_status>(s))), 3u);
    EXPECT_GT(std::strlen(describe(static_cast<fit_status>(s))), 20u);
  }
  EXPECT_TRUE(usable(fit_status::converged));
  EXPECT_TRUE(usable(fit_status::boundary));
  EXPECT_FALSE(usable(fit_status::max_iterations));
  EXPECT_FALSE(usable(fit_status::too_few));
}

}  // namespace
}  // namespace manyfit
