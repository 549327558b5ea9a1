// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E step along every walk, and mixtures of families climbed over serial groups and over lanes, which are threads
// here: against formulas written out, and against the library.
#include "family_mixture_tests.hpp"
#include "kernels/algorithms/em.hpp"
#include "kernels/cpu/mixture_of_passes.hpp"
#include "kernels/cuda/responsibility_work.hpp"
#include "kernels/cuda/work.hpp"
#include "kernels/families/exponential.hpp"
#include "kernels/families/gamma.hpp"
#include "kernels/groups/lane_context.hpp"
#include "kernels/groups/serial_walk.hpp"

namespace manyfit::tests {
namespace {

struct on_serial_groups {
  static double responsibility(int K, std::int64_t n, std::int64_t stride, const double* x, const double* w,
                               const double* log_weight, double* table, component_sums* sums) {
    serial_walk walk;
    return find_responsibilities(walk, K, n, stride, x, w, log_weight, table, sums);
  }
  static void column(std::int64_t n, const double* x, const double* responsibilities, component_sums& sums) {
    component_sums plain = sums;
    serial_walk walk;
    column_sums(walk, n, x, responsibilities, sums);
    plain_walk one;
    column_sums(one, n, x, responsibilities, plain);
    EXPECT_TRUE(std::abs(plain.second - sums.second) <= 1e-11 * std::abs(sums.second));
  }
};

/// E step and M step as CUDA's kernels take them.
template <reach Reach, int Blocks, int Warps>
struct on_lanes {
  static double responsibility(int K, std::int64_t n, std::int64_t stride, const double* x, const double* w,
                               const double* log_weight, double* table, component_sums* sums) {
    const std::int64_t offsets[] = {0, n}, bounds[] = {0, 1};
    std::vector<double> kept(static_cast<std::size_t>(n));
    double total = nan;
    std::int64_t next = 0;
    const work_list work{nullptr, bounds, &next};
    lane_team team(Blocks, Warps);
    run_lanes<Reach>(team, [&](auto& context, int) {
      responsibility_work(context, work, {1, stride, K, offsets, x, w, log_weight, table, kept.data(), sums, &total});
    });
    return total;
  }
  static void column(std::int64_t n, const double* x, const double* responsibilities, component_sums& sums) {
    const std::int64_t offsets[] = {0, n}, bounds[] = {0, 1};
    std::int64_t next = 0;
    const work_list work{nullptr, bounds, &next};
    lane_team team(Blocks, Warps);
    run_lanes<Reach>(team, [&](auto& context, int) {
      column_work(context, work, {offsets, x, responsibilities, &sums});
    });
  }

  template <class Family>
  static void fit(const batch_view<double>& batch, const fit_settings& settings, const fit_results_view& results, int,
                  std::atomic<std::int64_t>*) {
    constexpr int each = Reach == reach::part ? lane_team::part_lanes : Reach == reach::warp ? 32 : 32 * Warps;
    const std::int64_t bounds[] = {0, batch.count},
                       capacity = lanes_group<family_rows<Family>, double, lane_context<true>>::least_capacity(each);
    std::int64_t next = 0;
    const work_list work{nullptr, bounds, &next};
    lane_team team(Blocks, Warps);
    std::vector<std::vector<double>> buffers(Blocks * Warps * 32 / each,
                                             std::vector<double>(static_cast<std::size_t>(capacity)));
    run_lanes<Reach>(team, [&](auto& context, int thread) {
      sample_work<fit_operation, Family>(context, buffers[static_cast<std::size_t>(thread / each)].data(), capacity,
                                         work, batch, settings, results);
    });
  }
};

template <class How, class Family>
const operations<on_cpu, double>& functions_for(const family_info& family) {
  static const operations<on_cpu, double> functions = [&] {
    operations<on_cpu, double> f = *family.cpu[static_cast<int>(best_instruction_set())].of<double>();
    if constexpr (requires { How::template fit<Family>; }) f.fit = &How::template fit<Family>;
    return f;
  }();
  return functions;
}

template <class How>
struct em_of_mixtures : testing::Test {
  mixture_part part(const char* name) const {
    const family_info& family = find_family(name);
    const operations<on_cpu, double>& f = family.name == std::string("gamma")
                                              ? functions_for<How, families::gamma>(family)
                                              : functions_for<How, exponential>(family);
    return {&family, &f, {.std_errors = false}};
  }
  /// Climbs from the first start.
  em_climb climb(const std::vector<double>& x, std::vector<mixture_part> parts, std::vector<double>& parameters,
                 std::vector<double>& weights, int iterations) {
    const mixture_sample sample = read_mixture_sample<double>({x.data(), nullptr, nullptr, std::ssize(x), 1}, 0);
    mixture_attempt attempt{&sample, 0, philox_stream(1, 0, 2)};
    cpu_mixture_passes passes(parts, 2, attempt, &How::responsibility, 1);
    mixture_of model(passes, parts, 2, {&attempt, 1}, true);
    static_assert(latent<decltype(model)>);
    em_climb one;
    run_em(model, {&one, 1}, {.max_iterations = iterations, .tolerance = 0});
    parameters = attempt.parameters;
    weights = attempt.weights;
    return one;
  }
};
using all_kinds = testing::Types<on_serial_groups, on_lanes<reach::part, 1, 1>, on_lanes<reach::warp, 1, 1>,
                                 on_lanes<reach::block, 1, 2>, on_lanes<reach::grid, 2, 1>>;
TYPED_TEST_SUITE(em_of_mixtures, all_kinds);

TYPED_TEST(em_of_mixtures, responsibilities_add_up_to_what_a_plain_loop_says) {
  constexpr int n = 1500, padded = 1504, K = 3;
  std::vector<double> x(padded), w(padded), table(K * padded), log_weight{std::log(0.2), std::log(0.3), std::log(0.5)};
  for (int i = 0; i < n; ++i) {
    x[i] = i % 13;
    w[i] = 0.5 + i % 3;
    for (int k = 0; k < K; ++k) table[k * padded + i] = k == 2 && i % 7 == 0 ? -infinity : -0.1 * (i % 11) * k;
  }
  table[5] = -1e5;  // a responsibility that underflows
  const std::vector<double> density = table;
  component_sums sums[K];
  for (component_sums& s : sums) s.centre = 6;
  const double total =
      TypeParam::responsibility(K, padded, padded, x.data(), w.data(), log_weight.data(), table.data(), sums);
  double expected_total = 0, part[K][4] = {};
  for (int i = 0; i < n; ++i) {
    double sum = 0, responsibility[K];
    for (int k = 0; k < K; ++k) sum += responsibility[k] = std::exp(density[k * padded + i] + log_weight[k]);
    expected_total += w[i] * std::log(sum);
    for (int k = 0; k < K; ++k) {
      const double s = w[i] * responsibility[k] / sum, l = density[k * padded + i];
      ASSERT_TRUE(std::abs(table[k * padded + i] - s) <= 1e-14) << i << ", " << k;
      part[k][0] += s;
      part[k][1] += s * (x[i] - 6);
      part[k][2] += s * (x[i] - 6) * (x[i] - 6);
      part[k][3] += s > 0 ? s * l : 0;
    }
  }
  EXPECT_EQ(table[2 * padded], 0);
  EXPECT_GT(table[5], 0);
  EXPECT_TRUE(std::abs(total - expected_total) <= 1e-11 * std::abs(expected_total));
  for (int k = 0; k < K; ++k) {
    const double found[] = {sums[k].weight, sums[k].first, sums[k].second, sums[k].log_density};
    for (int j = 0; j < 4; ++j) EXPECT_TRUE(std::abs(found[j] - part[k][j]) <= 1e-11 * (1 + std::abs(part[k][j])));
  }
}

TYPED_TEST(em_of_mixtures, sums_over_a_column_leave_missing_cells_out) {
  constexpr int n = 1504;
  std::vector<double> x(n), responsibilities(n);
  double expected[3] = {};
  for (int i = 0; i < n; ++i) {
    x[i] = i % 5 == 3 ? nan : 7 + i % 11;
    responsibilities[i] = 0.125 * (i % 9);
    if (i % 5 == 3) continue;
    expected[0] += responsibilities[i];
    expected[1] += responsibilities[i] * (x[i] - 10);
    expected[2] += responsibilities[i] * (x[i] - 10) * (x[i] - 10);
  }
  component_sums sums{.centre = 10, .log_density = 5};
  TypeParam::column(n, x.data(), responsibilities.data(), sums);
  EXPECT_TRUE(std::abs(sums.weight - expected[0]) <= 1e-11 * expected[0]);
  EXPECT_TRUE(std::abs(sums.first - expected[1]) <= 1e-11 * std::abs(expected[1]));
  EXPECT_TRUE(std::abs(sums.second - expected[2]) <= 1e-11 * expected[2]);
  EXPECT_EQ(sums.log_density, 5);
}

TYPED_TEST(em_of_mixtures, a_value_without_density_is_told_from_a_broken_one) {
  std::vector<double> x(8, 1.0), w(8, 1.0), table(16, -1.0), log_weight{std::log(0.5), std::log(0.5)};
  component_sums sums[2];
  const auto total = [&] {
    return TypeParam::responsibility(2, 8, 8, x.data(), w.data(), log_weight.data(), table.data(), sums);
  };
  table[3] = table[11] = -infinity;
  EXPECT_EQ(total(), -infinity);
  table.assign(16, -1.0);
  table[3] = table[11] = -infinity;
  table[6] = nan;
  EXPECT_TRUE(std::isnan(total()));
}

TYPED_TEST(em_of_mixtures, of_exponentials_take_the_steps_of_the_textbook) {
  const std::vector<double> x = draw_mixture(find_family("exponential"), 400, 8);
  std::vector<double> parameters, weights, p(2), now(2);
  this->climb(x, {this->part("exponential"), this->part("exponential")}, p, now, 0);
  const std::vector<double> rates{p[0], p[2]};
  const em_climb climb =
      this->climb(x, {this->part("exponential"), this->part("exponential")}, parameters, weights, 10);
  double rate[] = {rates[0], rates[1]}, weight[] = {now[0], now[1]};
  for (int t = 0; t <= 10; ++t) {
    double log_likelihood = 0, sum[2] = {}, first[2] = {};
    for (const double v : x) {
      double f[2];
      for (int k = 0; k < 2; ++k) f[k] = weight[k] * rate[k] * std::exp(-rate[k] * v);
      log_likelihood += std::log(f[0] + f[1]);
      for (int k = 0; k < 2; ++k) {
        sum[k] += f[k] / (f[0] + f[1]);
        first[k] += f[k] / (f[0] + f[1]) * v;
      }
    }
    ASSERT_TRUE(std::abs(climb.trace.at(t) - log_likelihood) <= 1e-11 * std::abs(log_likelihood)) << t;
    if (t == 10) break;
    for (int k = 0; k < 2; ++k) {
      weight[k] = sum[k] / static_cast<double>(x.size());
      rate[k] = sum[k] / first[k];
    }
  }
  for (int k = 0; k < 2; ++k) EXPECT_TRUE(std::abs(parameters[2 * k] - rate[k]) <= 1e-10 * rate[k]);
}

TYPED_TEST(em_of_mixtures, end_where_the_library_ends) {
  const std::vector<double> values = draw_mixture(find_family("gamma"), 300, 4);
  for (const auto& [first, second] : {std::pair{"gamma", "gamma"}, {"gamma", "exponential"}}) {
    std::vector<double> parameters, weights;
    const em_climb found = this->climb(values, {this->part(first), this->part(second)}, parameters, weights, 6);
    const std::vector<mixture_component> parts{{&find_family(first)}, {&find_family(second)}};
    const auto expected = fit_mixture(executor::cpu(1), parts, one(values),
                                      {.restarts = 1, .max_iterations = 6, .tolerance = 0, .trace = true});
    ASSERT_EQ(found.trace.size(), 7u);
    for (std::size_t t = 0; t < 7; ++t)
      EXPECT_TRUE(std::abs(found.trace[t] - expected.log_likelihood_trace[0][t]) <= 1e-9 * std::abs(found.trace[t]))
          << first << ", iteration " << t;
    for (int k = 0; k < 2; ++k) EXPECT_TRUE(std::abs(weights[k] - expected.weight(0, k)) <= 1e-8) << first;
  }
}

}  // namespace
}  // namespace manyfit::tests
