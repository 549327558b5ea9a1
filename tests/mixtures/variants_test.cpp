// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Accelerated EM climbs to the same place and never falls; stepwise EM comes near it.
#include <algorithm>
#include <numeric>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

mixture_results fit_from_rows(const std::vector<double>& values, int D, int K, covariance_structure structure,
                              const mixture_options& wanted, int threads = 1) {
  const mixture_results start = start_at_rows(values, D, K, structure);
  mixture_options options = wanted;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.covariance = structure;
  options.trace = true;
  return fit_mixture(executor::cpu(threads), points<double>(values, D), options);
}

TEST(mixture_squarem, reaches_what_em_reaches_in_fewer_iterations) {
  for (const covariance_structure structure : structures) {
    const std::vector<double> values = draw_points(3000, 3, 4, 0, 61, 0.9);
    mixture_options options;
    options.tolerance = 1e-11;
    options.max_iterations = 20000;
    const mixture_results plain = fit_from_rows(values, 3, 4, structure, options);
    options.accelerate = true;
    const mixture_results fast = fit_from_rows(values, 3, 4, structure, options);
    ASSERT_EQ(plain.status[0], fit_status::converged);
    ASSERT_EQ(fast.status[0], fit_status::converged);
    EXPECT_TRUE(fast.log_likelihood[0] >= plain.log_likelihood[0] - 1e-6 * std::abs(plain.log_likelihood[0]));
    EXPECT_LT(fast.iterations[0], plain.iterations[0]);
    const std::vector<double>& trace = fast.log_likelihood_trace[0];
    ASSERT_EQ(trace.size(), static_cast<std::size_t>(fast.iterations[0]) + 1);
    for (std::size_t t = 1; t < trace.size(); ++t) EXPECT_TRUE(trace[t] >= trace[t - 1]) << "iteration " << t;
    EXPECT_TRUE(same_fit(fast, 0, fit_from_rows(values, 3, 4, structure, options, 2), 0));
  }
}

TEST(mixture_squarem, gives_a_log_likelihood_that_belongs_to_its_parameters) {
  const std::vector<double> values = draw_points(800, 2, 3, 5, 62, 1);
  mixture_options options;
  options.accelerate = true;
  for (const int iterations : {1, 2, 3, 4, 7}) {
    options.max_iterations = iterations;
    const mixture_results r = fit_from_rows(values, 2, 3, covariance_structure::full, options);
    double sum = 0;
    for (const double each : score_mixture(executor::cpu(1), points<double>(values, 2), r).log_density) sum += each;
    EXPECT_TRUE(std::abs(sum - r.log_likelihood[0]) <= 1e-9 * std::abs(sum)) << iterations;
  }
}

TEST(mixture_stepwise, comes_near_em_and_repeats) {
  const std::vector<double> values = draw_points(60000, 2, 4, 0, 63, 3);
  mixture_options options;
  options.tolerance = 1e-9;
  const mixture_results exact = fit_from_rows(values, 2, 4, covariance_structure::full, options);
  options.minibatch_rows = 1000;
  options.tolerance = 1e-6;
  const mixture_results steps = fit_from_rows(values, 2, 4, covariance_structure::full, options);
  EXPECT_EQ(steps.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(steps.log_likelihood[0] - exact.log_likelihood[0]) <= 1e-3 * std::abs(exact.log_likelihood[0]))
      << steps.log_likelihood[0] << " and " << exact.log_likelihood[0];
  EXPECT_TRUE(same_fit(steps, 0, fit_from_rows(values, 2, 4, covariance_structure::full, options, 2), 0));
  double sum = 0;  // exact at the end, whatever the trace says
  for (const double each : score_mixture(executor::cpu(1), points<double>(values, 2), steps).log_density) sum += each;
  EXPECT_TRUE(std::abs(sum - steps.log_likelihood[0]) <= 1e-9 * std::abs(sum));
  options.minibatch_rows = 60000;  // one batch: plain EM
  options.tolerance = 1e-9;
  EXPECT_TRUE(same_fit(exact, 0, fit_from_rows(values, 2, 4, covariance_structure::full, options), 0));
}

/// Stepwise EM of one coordinate as Cappé & Moulines have it, statistics averaged with weight (t + 2)^−0.7, in the
/// order of batches that em.hpp documents.
struct stepwise_textbook {
  using real = long double;
  std::vector<real> weights, means, variances, trace;

  struct pass {
    std::vector<real> sums;  // [K × 3]: Σ r, Σ r x, Σ r x²
    real log_likelihood = 0, weight = 0;
  };
  pass over(const std::vector<double>& x, const std::vector<double>& w, std::size_t begin, std::size_t end) const {
    const std::size_t K = weights.size();
    pass result{std::vector<real>(3 * K, 0)};
    for (std::size_t i = begin; i < end; ++i) {
      std::vector<real> r(K);
      real sum = 0;
      for (std::size_t k = 0; k < K; ++k) {
        const real z = x[i] - means[k];
        sum += r[k] =
            weights[k] * std::exp(-z * z / (2 * variances[k])) / std::sqrt(2 * std::acos(real(-1)) * variances[k]);
      }
      for (std::size_t k = 0; k < K; ++k)
        for (std::size_t power = 0; power < 3; ++power)
          result.sums[3 * k + power] += w[i] * r[k] / sum * std::pow(real(x[i]), static_cast<int>(power));
      result.log_likelihood += w[i] * std::log(sum);
      result.weight += w[i];
    }
    return result;
  }
  void run(const std::vector<double>& x, const std::vector<double>& w, std::size_t size, int sweeps) {
    const std::size_t n = x.size(), batches = (n + size - 1) / size;
    std::size_t step = std::max<std::size_t>(1, static_cast<std::size_t>(0.618 * static_cast<double>(batches)));
    while (std::gcd(step, batches) != 1) ++step;
    const pass first = over(x, w, 0, n);
    std::vector<real> average = first.sums;
    trace.push_back(first.log_likelihood);
    std::size_t batch = 0;
    int t = 0;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      real sum = 0;
      for (std::size_t i = 0; i < batches; ++i) {
        batch = (batch + step) % batches;
        const pass own = over(x, w, batch * size, std::min(n, (batch + 1) * size));
        sum += own.log_likelihood;
        const real step_size = std::pow(real(t++ + 2), real(-0.7));
        for (std::size_t s = 0; s < average.size(); ++s)
          average[s] += step_size * (own.sums[s] * first.weight / own.weight - average[s]);
        for (std::size_t k = 0; k < weights.size(); ++k) {
          weights[k] = average[3 * k] / first.weight;
          means[k] = average[3 * k + 1] / average[3 * k];
          variances[k] = average[3 * k + 2] / average[3 * k] - means[k] * means[k];
        }
      }
      trace.push_back(sum);
    }
    trace.back() = over(x, w, 0, n).log_likelihood;
  }
};

TEST(mixture_stepwise, follows_the_textbook_batch_by_batch) {
  const std::vector<double> values = draw_points(203, 1, 2, 0, 66, 3);
  std::vector<double> weights;
  for (std::size_t i = 0; i < values.size(); ++i) weights.push_back(0.5 + static_cast<double>(i % 4));
  for (const std::size_t batch : {7, 20, 51, 150}) {  // the last of fewer rows; 29, 11, 4 and 2 of them
    const mixture_results start = start_at_rows(values, 1, 2, covariance_structure::full);
    stepwise_textbook wanted{{}, {}, {}, {}};
    for (int k = 0; k < 2; ++k) {
      wanted.weights.push_back(start.weight(0, k) / (start.weight(0, 0) + start.weight(0, 1)));
      wanted.means.push_back(start.mean(0, k)[0]);
      wanted.variances.push_back(start.covariance_of(0, k)[0]);
    }
    wanted.run(values, weights, batch, 4);
    mixture_options options = exactly(4, start);
    options.minibatch_rows = static_cast<std::int64_t>(batch);
    const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 1).weighted(weights), options);
    const std::vector<double>& trace = r.log_likelihood_trace[0];
    ASSERT_EQ(trace.size(), wanted.trace.size());
    for (std::size_t i = 0; i < trace.size(); ++i)
      EXPECT_TRUE(std::abs(trace[i] - wanted.trace[i]) <= 1e-10 * std::abs(wanted.trace[i]))
          << "batches of " << batch << ", sweep " << i << ": " << trace[i] << " for " << wanted.trace[i];
    for (int k = 0; k < 2; ++k) {
      const auto at = static_cast<std::size_t>(k);
      EXPECT_TRUE(std::abs(r.weight(0, k) - wanted.weights[at]) <= 1e-10);
      EXPECT_TRUE(std::abs(r.mean(0, k)[0] - wanted.means[at]) <= 1e-9);
      EXPECT_TRUE(std::abs(r.covariance_of(0, k)[0] - wanted.variances[at]) <= 1e-9 * wanted.variances[at]);
    }
  }
}

// Narrow clusters far apart, batches of few rows: what a batch says of the clusters' sizes would outweigh a tied
// covariance many times over.
TEST(mixture_stepwise, a_tied_covariance_stays_one) {
  for (const int D : {1, 2, 5}) {
    const int K = 3;
    const std::vector<double> values = draw_points(6000, D, K, 0, static_cast<std::uint64_t>(64 + D), 100);
    mixture_options options;
    options.covariance = covariance_structure::tied;
    options.components = K;
    options.tolerance = 1e-9;
    const mixture_results exact = fit_mixture(executor::cpu(1), points<double>(values, D), options);
    for (const std::int64_t batch : {50, 500}) {
      options.minibatch_rows = batch;
      options.max_iterations = 20;
      options.tolerance = 0;
      const mixture_results steps = fit_mixture(executor::cpu(1), points<double>(values, D), options);
      ASSERT_EQ(steps.status[0], fit_status::max_iterations) << "D " << D << ", batches of " << batch;
      for (int i = 0; i < D; ++i) {
        const auto at = static_cast<std::size_t>(i * D + i);
        const double ratio = steps.covariance_of(0, 0)[at] / exact.covariance_of(0, 0)[at];
        EXPECT_TRUE(ratio > 0.8 && ratio < 1.25) << "D " << D << ", batches of " << batch << ": " << ratio;
      }
      EXPECT_TRUE(std::abs(steps.log_likelihood[0] - exact.log_likelihood[0]) <=
                  2e-2 * std::abs(exact.log_likelihood[0]))
          << steps.log_likelihood[0] << " and " << exact.log_likelihood[0];
    }
  }
}

}  // namespace
}  // namespace manyfit::tests
