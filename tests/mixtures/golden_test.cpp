// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every iteration against EM at 50 digits (tests/golden/mixtures.json).
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

using nlohmann::json;

const json& samples() {
  static const json all = json::parse(std::ifstream(MF_GOLDEN_DIR "/mixtures.json"));
  return all;
}

std::vector<double> flat(const json& nested) {
  std::vector<double> all;
  for (const json& each : nested)
    if (each.is_array()) {
      const std::vector<double> inner = flat(each);
      all.insert(all.end(), inner.begin(), inner.end());
    } else {
      all.push_back(each.get<double>());
    }
  return all;
}

covariance_structure structure_of(const json& fit) {
  const char* const names[] = {"full", "diagonal", "tied", "spherical"};  // as in `structures`
  return structures[std::find(std::begin(names), std::end(names), fit["covariance"]) - std::begin(names)];
}

/// Bounds on the differences from a reference: of every log-likelihood and the final weights relative to themselves, of
/// the final means in standard deviations of their component, beside the last bit of the mean, of the final covariances
/// in products of two of those.
struct bounds {
  double trace, weights, means, covariances;
};

template <class T>
void expect_reference(const json& sample, const json& wanted, const bounds& most) {
  SCOPED_TRACE(sample["case"].dump() + ", D " + sample["dimensions"].dump() + ", " + wanted["covariance"].dump());
  const int D = sample["dimensions"], K = sample["components"];
  const std::vector<double> exact = flat(sample["values"]), trace = flat(wanted["log_likelihood_trace"]);
  const std::vector<T> values(exact.begin(), exact.end());
  std::vector<T> weights;
  if (!sample["weights"].is_null()) weights = sample["weights"].get<std::vector<T>>();
  mixture_results start = empty_mixtures(1, K, D, structure_of(wanted));
  start.components[0] = K;
  start.weights = flat(wanted["start"]["weights"]);
  start.means = flat(wanted["start"]["means"]);
  start.covariances = flat(wanted["start"]["covariances"]);
  const mixture_options options = exactly(static_cast<int>(trace.size()) - 1, start);
  point_batch<T> data = points<T>(values, D);
  if (!weights.empty()) data = data.weighted(weights);
  const mixture_results found = fit_mixture(executor::cpu(1), data, options);

  const std::vector<double>& found_trace = found.log_likelihood_trace[0];
  ASSERT_EQ(found_trace.size(), trace.size());
  EXPECT_EQ(found.log_likelihood[0], found_trace.back());
  for (std::size_t t = 0; t < trace.size(); ++t)
    EXPECT_TRUE(std::abs(found_trace[t] - trace[t]) <= most.trace * std::abs(trace[t]))
        << "iteration " << t << ": " << found_trace[t] - trace[t] << " of " << trace[t];
  const std::vector<double> wanted_weights = flat(wanted["weights"]), means = flat(wanted["means"]),
                            covariances = flat(wanted["covariances"]);
  for (int k = 0; k < K; ++k) {
    const auto entry = [&](int i, int j) { return static_cast<std::size_t>((k * D + i) * D + j); };
    EXPECT_TRUE(std::abs(found.weight(0, k) / wanted_weights[static_cast<std::size_t>(k)] - 1) <= most.weights);
    for (int i = 0; i < D; ++i) {
      const double mean = means[static_cast<std::size_t>(k * D + i)], variance = covariances[entry(i, i)];
      const double ulp = std::nextafter(std::abs(mean), INFINITY) - std::abs(mean);
      EXPECT_TRUE(std::abs(found.mean(0, k)[static_cast<std::size_t>(i)] - mean) <=
                  most.means * std::sqrt(variance) + ulp)
          << "mean " << i << " of " << k;
      for (int j = 0; j < D; ++j)
        EXPECT_TRUE(std::abs(found.covariances[entry(i, j)] - covariances[entry(i, j)]) <=
                    most.covariances * std::sqrt(variance * covariances[entry(j, j)]))
            << "covariance " << i << ", " << j << " of " << k;
    }
  }
}

// The promise is 1e-9 for the trace and 1e-6 for means and covariances. What is reached is better: these bounds are
// about five times the largest differences seen.
TEST(mixture_golden, double_data_follow_em_at_50_digits) {
  ASSERT_EQ(samples().size(), 24u);
  for (const json& sample : samples())
    for (const json& wanted : sample["fits"]) expect_reference<double>(sample, wanted, {3e-12, 3e-13, 3e-13, 1e-12});
}

// The same numbers as floats: the distances of rows and means are float.
TEST(mixture_golden, float_data_follow_em_at_50_digits_to_a_floats_rounding) {
  int checked = 0;
  for (const json& sample : samples())
    if (sample["case"] == "float_exact")
      for (const json& wanted : sample["fits"]) {
        expect_reference<float>(sample, wanted, {5e-6, 5e-6, 1e-5, 1e-5});
        ++checked;
      }
  EXPECT_EQ(checked, 16);
}

}  // namespace
}  // namespace manyfit::tests
