// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// EM stepped from outside is EM: the same bits, also from copies that were made between two steps, and the same answer
// to rounding where a pass is a sum over parts of the rows.
#include <cmath>

#include "family_mixture_tests.hpp"
#include "kernels/algorithms/em.hpp"

namespace manyfit::tests {
namespace {

/// A mixture of two exponentials over rows on several ranks: each sums its own rows, and the sums meet.
struct exponentials_on_ranks {
  std::vector<std::span<const double>> ranks;
  double weight_of[2], rate[2], kept[4];
  double weights_of[2], first[2];

  exponentials_on_ranks(std::vector<std::span<const double>> rows) : ranks(std::move(rows)) {}
  void start(std::span<em_pass> passes) {
    if (!passes[0].wants_start()) return;
    weights_of[0] = weights_of[1] = weight(0) / 2;
    double sum = 0;
    for (const auto& rows : ranks)
      for (const double x : rows) sum += x;
    first[0] = 0.3 * sum;
    first[1] = 0.7 * sum;
  }
  void maximise(std::span<em_pass> passes) {
    if (!passes[0].wants_m_step()) return;
    for (int k = 0; k < 2; ++k) {
      weight_of[k] = weights_of[k] / weight(0);
      rate[k] = weights_of[k] / first[k];
    }
  }
  void expect(std::span<em_pass> passes) {
    double total = 0;
    weights_of[0] = weights_of[1] = first[0] = first[1] = 0;
    for (const auto& rows : ranks) {
      double own[5] = {};  // what a machine adds up before it sends
      for (const double x : rows) {
        const double f[] = {weight_of[0] * rate[0] * std::exp(-rate[0] * x),
                            weight_of[1] * rate[1] * std::exp(-rate[1] * x)};
        own[4] += std::log(f[0] + f[1]);
        for (int k = 0; k < 2; ++k) {
          own[k] += f[k] / (f[0] + f[1]);
          own[2 + k] += f[k] / (f[0] + f[1]) * x;
        }
      }
      for (int k = 0; k < 2; ++k) weights_of[k] += own[k], first[k] += own[2 + k];
      total += own[4];
    }
    passes[0].log_likelihood = total;
  }
  void keep(int) {
    for (int k = 0; k < 2; ++k) kept[k] = weight_of[k], kept[2 + k] = rate[k];
  }
  void restore(int) {
    for (int k = 0; k < 2; ++k) weight_of[k] = kept[k], rate[k] = kept[2 + k];
  }
  double weight(int) const {
    double n = 0;
    for (const auto& rows : ranks) n += static_cast<double>(rows.size());
    return n;
  }
  fit_status why_no_start(int, fit_status) const { return fit_status::constant_sample; }
};
static_assert(latent<exponentials_on_ranks>);

struct em_steps_of_a_mixture : testing::Test {
  const std::vector<double> x = draw_mixture(find_family("exponential"), 600, 8);
  const em_settings settings{.tolerance = 1e-9};
  exponentials_on_ranks whole{{std::span<const double>(x)}};
  em_climb expected;
  void SetUp() override {
    run_em(whole, {&expected, 1}, settings);
    ASSERT_EQ(expected.status, fit_status::converged);
    ASSERT_GT(expected.iterations, 10);
  }
};

TEST_F(em_steps_of_a_mixture, from_outside_end_with_the_same_bits_also_from_copies) {
  exponentials_on_ranks model{{std::span<const double>(x)}};
  em_climb climb;
  em_steps steps({&climb, 1}, settings);
  std::vector<std::pair<exponentials_on_ranks, em_climb>> checkpoints;
  for (checkpoints.emplace_back(model, climb); !steps.begin().empty(); checkpoints.emplace_back(model, climb)) {
    steps.pass(model);
    steps.advance(model);
  }
  EXPECT_EQ(climb.trace, expected.trace);
  ASSERT_EQ(checkpoints.size(), expected.trace.size() + 1);
  for (auto& [again, copy] : checkpoints) {
    run_em(again, {&copy, 1}, settings);
    EXPECT_EQ(copy.trace, expected.trace);
    EXPECT_EQ(copy.status, expected.status);
    for (int k = 0; k < 2; ++k) EXPECT_EQ(again.rate[k], whole.rate[k]);
  }
}

TEST_F(em_steps_of_a_mixture, over_parts_of_the_rows_lead_to_the_same_answer) {
  const std::span<const double> all(x);
  exponentials_on_ranks model{{all.first(137), all.subspan(137)}};
  em_climb climb;
  em_steps steps({&climb, 1}, settings);
  int step = 0;
  for (; !steps.begin().empty(); ++step) {
    EXPECT_EQ(climb.iterations, std::max(step - 1, 0));  // for a progress bar
    steps.pass(model);
    steps.advance(model);
  }
  EXPECT_EQ(step, expected.iterations + 1);
  EXPECT_EQ(climb.status, expected.status);
  for (int k = 0; k < 2; ++k) EXPECT_TRUE(relative_error(model.rate[k], whole.rate[k]) <= 1e-12);
  EXPECT_TRUE(relative_error(climb.log_likelihood, expected.log_likelihood) <= 1e-13);
}

}  // namespace
}  // namespace manyfit::tests
