// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The golden samples on a GPU, to the accuracy contract.
#include <fstream>
#include <nlohmann/json.hpp>

#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

class cuda_golden : public every_family {};

TEST_P(cuda_golden, cuda_meets_the_accuracy_contract_in_double) {
  MF_NEEDS_CUDA();
  std::ifstream in(std::string(MF_GOLDEN_DIR) + "/references.json");
  int cases = 0;
  for (const auto& c : nlohmann::json::parse(in)) {
    if (c["family"] != family().name) continue;
    ++cases;
    SCOPED_TRACE(c["case"].get<std::string>());
    const auto values = c["values"].get<std::vector<double>>();
    const auto weights = c["weights"].is_null() ? std::vector<double>{} : c["weights"].get<std::vector<double>>();
    fit_options options;
    for (const auto& [name, value] : c["fixed"].items()) options.fixed[name] = value;
    auto data = dense(std::span<const double>(values), 1);
    if (!weights.empty()) data = data.weighted(std::span<const double>(weights));
    const fit_results r = fit(executor::cuda(), family(), data, options);
    ASSERT_EQ(r.status[0], fit_status::converged);
    const double ll = c["log_likelihood"];
    EXPECT_TRUE(std::abs(r.log_likelihood[0] - ll) <= 1e-8 * (1 + std::abs(ll))) << r.log_likelihood[0];
    for (int p = 0; p < family().parameter_count; ++p) {
      if ((r.fixed >> p) & 1u) continue;
      const char* name = family().parameters[p].name;
      EXPECT_TRUE(relative_error(r.parameter(p, 0), c["parameters"][name], 1e-3) <= 1e-6) << name;
      if (!c["std_errors"].is_null()) {
        EXPECT_TRUE(relative_error(r.std_error(p, 0), c["std_errors"][name]) <= 1e-5) << name;
      }
    }
  }
  EXPECT_GE(cases, 2) << "no reference for " << family().name;
}

MF_FOR_EVERY_FAMILY(cuda_golden);

}  // namespace
}  // namespace manyfit::tests
