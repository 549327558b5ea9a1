// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Rows that are read in windows give what the same rows give in memory, to the bit.
#include <algorithm>
#include <atomic>
#include <span>
#include <stdexcept>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

/// A source over an array, which keeps an eye on what is asked of it.
template <class T>
class array_source : public point_source<T> {
 public:
  array_source(std::span<const T> values, int D, std::span<const T> weights = {})
      : values_(values), weights_(weights), D_(D) {}

  std::int64_t rows() const override { return static_cast<std::int64_t>(values_.size()) / D_; }
  int dimensions() const override { return D_; }
  bool weighted() const override { return !weights_.empty(); }
  void read(std::int64_t first, std::int64_t count, T* values, T* weights) const override {
    if (first < 0 || count < 1 || first + count > rows()) misused = true;
    if ((weights != nullptr) != weighted()) misused = true;
    if (++reads > fail_after) throw std::runtime_error("the disk is gone");
    std::int64_t seen = most.load();
    while (count > seen && !most.compare_exchange_weak(seen, count)) {
    }
    std::copy_n(values_.begin() + first * D_, count * D_, values);
    if (weights) std::copy_n(weights_.begin() + first, count, weights);
  }

  mutable std::atomic<bool> misused{false};
  mutable std::atomic<std::int64_t> reads{0}, most{0};
  std::int64_t fail_after = std::numeric_limits<std::int64_t>::max();

 private:
  std::span<const T> values_, weights_;
  int D_;
};

template <class T>
std::vector<T> as(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

std::vector<double> with_gaps(std::vector<double> values) {
  for (std::size_t i = 5; i < values.size(); i += 997) values[i] = nan;
  return values;
}

std::vector<double> row_weights(std::size_t n) {
  std::vector<double> weights(n);
  for (std::size_t i = 0; i < n; ++i) weights[i] = i % 13 == 0 ? 0.0 : i % 101 == 7 ? nan : 0.25 * (1 + i % 7);
  return weights;
}

/// Fits rows in memory and from a source, and holds one against the other.
template <class T>
void expect_same_bits(const std::vector<double>& rows, int D, const std::vector<double>& weights,
                      const mixture_options& options, const std::vector<int>& threads) {
  const std::vector<T> values = as<T>(rows), w = as<T>(weights);
  const point_batch<T> plain = points<T>(values, D);
  const mixture_results expected = fit_mixture(executor::cpu(1), w.empty() ? plain : plain.weighted(w), options);
  ASSERT_TRUE(expected.status[0] == fit_status::converged || expected.status[0] == fit_status::max_iterations ||
              expected.status[0] == fit_status::regularized);
  for (const int count : threads) {
    const array_source<T> source(values, D, w);
    const mixture_results got = fit_mixture(executor::cpu(count), source, options);
    EXPECT_TRUE(same_fit(got, 0, expected, 0)) << count << " threads";
    ASSERT_EQ(got.log_likelihood_trace.size(), expected.log_likelihood_trace.size());
    for (std::size_t i = 0; i < got.log_likelihood_trace.size(); ++i)
      EXPECT_TRUE(same_bits(got.log_likelihood_trace[i], expected.log_likelihood_trace[i]));
    EXPECT_FALSE(source.misused);
    EXPECT_LT(source.most * D * static_cast<std::int64_t>(sizeof(T)), 1 << 20) << "a window is no large memory";
  }
}

mixture_options short_run(covariance_structure structure) {
  mixture_options options;
  options.components = 4;
  options.covariance = structure;
  options.restarts = 2;
  options.max_iterations = 6;
  options.trace = true;
  return options;
}

TEST(mixture_source, gives_the_bits_of_memory_for_every_structure_type_and_thread_count) {
  // Windows of 10752 rows of three doubles, 21760 of three floats: neither divides the rows, nor the three partitions.
  const std::vector<double> values = with_gaps(draw_points(100003, 3, 4, 100, 5));
  for (const covariance_structure structure : structures) {
    expect_same_bits<double>(values, 3, {}, short_run(structure), {1, 2, 3});
    expect_same_bits<float>(values, 3, {}, short_run(structure), {2});
  }
}

TEST(mixture_source, gives_the_bits_of_memory_with_weights) {
  const std::vector<double> values = with_gaps(draw_points(70001, 2, 4, -3, 6));
  for (const covariance_structure structure : structures) {
    expect_same_bits<double>(values, 2, row_weights(70001), short_run(structure), {1, 2});
    expect_same_bits<float>(values, 2, row_weights(70001), short_run(structure), {2});
  }
}

TEST(mixture_source, gives_the_bits_of_memory_for_windows_of_every_size) {
  for (const int D : {1, 5, 17, 64}) {  // windows from 32768 rows down to 512
    const std::int64_t n = D == 64 ? 1777 : 5003;
    mixture_options options = short_run(covariance_structure::diagonal);
    options.max_iterations = 3;
    expect_same_bits<double>(with_gaps(draw_points(n, D, 3, 0, 7)), D, row_weights(static_cast<std::size_t>(n)),
                             options, {1, 2});
  }
  for (const std::int64_t n : {5, 255, 256, 257, 513})
    expect_same_bits<double>(draw_points(n, 2, 2, 0, 8), 2, {}, short_run(covariance_structure::spherical), {2});
}

TEST(mixture_source, gives_the_bits_of_memory_for_every_way_to_fit) {
  const std::vector<double> values = draw_points(40009, 2, 3, 0, 9, 1.5);
  mixture_options options = short_run(covariance_structure::full);
  options.accelerate = true;
  options.max_iterations = 15;
  expect_same_bits<double>(values, 2, {}, options, {2});
  options.accelerate = false;
  options.start = mixture_start::random;
  expect_same_bits<double>(values, 2, {}, options, {2});
  options.minibatch_rows = 1000;
  options.max_iterations = 3;
  for (const covariance_structure structure : structures) {
    options.covariance = structure;
    expect_same_bits<double>(values, 2, row_weights(40009), options, {1, 2});
  }
  options = short_run(covariance_structure::tied);
  options.components = {1, 3};
  options.restart_collapsed = true;
  expect_same_bits<double>(values, 2, {}, options, {2});
}

TEST(mixture_source, scores_arrive_in_order_with_the_bits_of_memory) {
  const std::vector<double> values = with_gaps(draw_points(600011, 3, 4, 10, 11));
  const mixture_results mixture = start_at_rows(values, 3, 4, covariance_structure::full);
  const mixture_score_options all{.responsibilities = true, .labels = true};
  const mixture_scores expected = score_mixture(executor::cpu(2), points<double>(values, 3), mixture, all);
  const array_source<double> source(values, 3);
  std::vector<double> density, responsibilities;
  std::vector<std::int32_t> labels;
  int calls = 0;
  score_mixture(
      executor::cpu(2), source, mixture,
      [&](std::int64_t first, const mixture_scores& scores) {
        ++calls;
        EXPECT_EQ(first, static_cast<std::int64_t>(density.size()));
        density.insert(density.end(), scores.log_density.begin(), scores.log_density.end());
        responsibilities.insert(responsibilities.end(), scores.responsibilities.begin(), scores.responsibilities.end());
        labels.insert(labels.end(), scores.labels.begin(), scores.labels.end());
      },
      all);
  EXPECT_GT(calls, 1);
  EXPECT_TRUE(same_bits(density, expected.log_density));
  EXPECT_TRUE(same_bits(responsibilities, expected.responsibilities));
  EXPECT_EQ(labels, expected.labels);
}

TEST(mixture_source, an_exception_from_reading_comes_out_of_the_call) {
  const std::vector<double> values = draw_points(70001, 2, 3, 0, 12);
  const std::int64_t ends[] = {0, 3, 40, 600};
  for (const std::int64_t after : ends) {
    array_source<double> source(values, 2);
    source.fail_after = after;
    mixture_options options = short_run(covariance_structure::full);
    options.restart_collapsed = true;
    EXPECT_THROW(fit_mixture(executor::cpu(2), source, options), std::runtime_error) << after;
    EXPECT_GT(source.reads, after);
  }
  array_source<double> source(values, 2);
  source.fail_after = 0;
  const mixture_results mixture = start_at_rows(values, 2, 2, covariance_structure::full);
  EXPECT_THROW(score_mixture(executor::cpu(1), source, mixture, [](std::int64_t, const mixture_scores&) {}),
               std::runtime_error);
}

TEST(mixture_source, of_bad_data_has_the_status_of_memory) {
  const std::vector<double> none, missing(600, nan), equal(600, 2.5);
  std::vector<double> infinite = draw_points(300, 2, 2, 0, 13);
  infinite[77] = std::numeric_limits<double>::infinity();
  for (const std::vector<double>* values :
       {&none, &missing, &equal, static_cast<const std::vector<double>*>(&infinite)}) {
    const mixture_options options = short_run(covariance_structure::full);
    const mixture_results expected = fit_mixture(executor::cpu(1), points<double>(*values, 2), options);
    const mixture_results got = fit_mixture(executor::cpu(2), array_source<double>(*values, 2), options);
    EXPECT_EQ(got.status[0], expected.status[0]);
    EXPECT_EQ(got.observations[0], expected.observations[0]);
    EXPECT_EQ(got.missing[0], expected.missing[0]);
    EXPECT_TRUE(got.status[0] == fit_status::too_few || got.status[0] == fit_status::constant_sample ||
                got.status[0] == fit_status::nonfinite);
  }
}

TEST(mixture_source, refuses_what_makes_no_sense) {
  const std::vector<double> values(1200, 1.0);
  EXPECT_THROW(fit_mixture(executor::cpu(1), array_source<double>(values, 1200)), error);  // more than 1024 coordinates
  const array_source<double> source(values, 2);
  const auto ignore = [](std::int64_t, const mixture_scores&) {};
  EXPECT_THROW(score_mixture(executor::cpu(1), source, empty_mixtures(2, 2, 2, covariance_structure::full), ignore),
               error);
  EXPECT_THROW(score_mixture(executor::cpu(1), source, empty_mixtures(1, 2, 3, covariance_structure::full), ignore),
               error);
}

}  // namespace
}  // namespace manyfit::tests
