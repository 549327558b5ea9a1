// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What new_operation.sh runs in its copy of the tree: the operation that was added, on the CPU and on the simulated
// device, and cells that this copy is built without. Exits 0 when the answers are right.
#include <cmath>
#include <cstdio>
#include <functional>
#include <manyfit/manyfit.hpp>
#include <string>
#include <vector>

using namespace manyfit;

static int wrong = 0;
static void expect(bool right, const std::string& what) {
  wrong += !right;
  std::printf("%s: %s\n", right ? "right" : "WRONG", what.c_str());
}
/// Whether the call is refused as what this build cannot do, in words that hold all of these.
static bool is_refused(const std::function<void()>& call, const std::vector<std::string>& words) {
  try {
    call();
  } catch (const error& e) {
    std::printf("  %s\n", e.what());
    bool all = e.why() == error::kind::device;
    for (const std::string& word : words) all = all && std::string(e.what()).find(word) != std::string::npos;
    return all;
  }
  return false;
}

int main() {
  std::vector<double> values, weights;
  std::vector<std::int64_t> offsets{0};
  for (const int size : {30, 1200, 0, 5000}) {
    for (int i = 0; i < size; ++i) {
      values.push_back(0.25 * (i % 17));
      weights.push_back(i % 3);
    }
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  const std::vector<double> rate{0.5, 1, 2, 3};
  const auto data = ragged(std::span<const double>(values), std::span<const std::int64_t>(offsets))
                        .weighted(std::span<const double>(weights));
  for (const executor& where : {executor::cpu(), executor::cuda()}) {
    const auto found = cross_entropy(where, find_family("exponential"), data, {rate.data(), 1, 4});
    for (std::size_t fit = 0; fit < 4; ++fit) {
      double sum = 0, weight = 0;
      for (auto i = static_cast<std::size_t>(offsets[fit]); i < static_cast<std::size_t>(offsets[fit + 1]); ++i) {
        sum += weights[i] * values[i];
        weight += weights[i];
      }
      const double expected = rate[fit] * sum / weight - std::log(rate[fit]);
      const bool right = weight == 0 ? std::isnan(found[fit]) : std::abs(found[fit] - expected) <= 1e-12;
      expect(right, where.name() + ", sample " + std::to_string(fit));
    }
  }
  const auto poisson = [&](const executor& where) {
    cross_entropy(where, find_family("poisson"), data, {rate.data(), 1, 4});
  };
  expect(is_refused([&] { poisson(executor::cpu()); }, {"poisson", "cross_entropy"}),
         "no operation of a discrete family");
  expect(is_refused([&] { poisson(executor::cuda()); }, {"poisson", "CUDA"}), "a family that is not built for CUDA");
  const std::vector<float> narrow{1, 2, 5};
  const auto floats = dense(std::span<const float>(narrow), 1);
  for (const executor& where : {executor::cpu(), executor::cuda()})
    expect(is_refused([&] { fit(where, find_family("exponential"), floats); }, {"exponential", "type"}),
           "a type that is not built");
  return wrong;
}
