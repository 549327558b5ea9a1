// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Fits of the golden samples against their 40-digit references (tests/golden/samples.md) and against published values.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

using nlohmann::json;

struct golden_case {
  std::string file;
  json data;
};
void PrintTo(const golden_case& c, std::ostream* out) {
  *out << c.data["family"].get<std::string>() << "/" << c.data["case"].get<std::string>();
}

std::vector<golden_case> golden_cases(bool (*chosen)(const json&)) {
  std::vector<golden_case> cases;
  for (const std::string file : {"references", "oracles"}) {
    std::ifstream in(std::string(MF_GOLDEN_DIR) + "/" + file + ".json");
    for (const auto& entry : json::parse(in))
      if (chosen(entry)) cases.push_back({file, entry});
  }
  return cases;
}

/// Relative tolerances of parameters and standard errors; the accuracy contract unless a case is listed here. Both
/// errors of a listed case come with its data: rounding x alone moves the answer by more than the contract allows.
struct tolerance {
  double parameter = 1e-6, std_error = 1e-5;
};
tolerance tolerance_of(const std::string& id) {
  static const std::map<std::string, tolerance> listed = {};
  const auto found = listed.find(id);
  return found == listed.end() ? tolerance{} : found->second;
}

class golden_fit : public testing::TestWithParam<golden_case> {
 protected:
  void SetUp() override {
    const json& c = GetParam().data;
    id_ = c["family"].get<std::string>() + "/" + c["case"].get<std::string>();
    for (const family_info* f : all_families())
      if (c["family"] == f->name) family_ = f;
    ASSERT_TRUE(family_) << c["family"] << " is not registered: its references prove nothing";
    for (const auto& [name, value] : c["fixed"].items()) options_.fixed[name] = value;
  }
  template <class T>
  std::vector<T> numbers(const char* name) const {
    const json& values = GetParam().data[name];
    return values.is_null() ? std::vector<T>{} : values.get<std::vector<T>>();
  }
  double reference(const char* what, const char* name) const { return GetParam().data[what][name]; }

  /// Error of parameter p relative to its reference; absolute, in thousandths, where that is nearly 0.
  double parameter_error(const fit_results& r, int p) const {
    const char* name = family_->parameters[p].name;
    if (options_.fixed.count(name)) return relative_error(r.parameter(p, 0), options_.fixed.at(name));
    return relative_error(r.parameter(p, 0), reference("parameters", name), 1e-3);
  }

  std::string id_;
  const family_info* family_ = nullptr;
  fit_options options_;
};

TEST_P(golden_fit, meets_the_accuracy_contract_in_double) {
  const auto r = fit_sample(*family_, numbers<double>("values"), numbers<double>("weights"), options_);
  ASSERT_EQ(r.status[0], fit_status::converged) << to_string(r.status[0]);
  const tolerance allowed = tolerance_of(id_);
  for (int p = 0; p < family_->parameter_count; ++p) {
    const char* name = family_->parameters[p].name;
    EXPECT_TRUE(parameter_error(r, p) <= allowed.parameter)
        << name << " " << r.parameter(p, 0) << " error " << parameter_error(r, p);
    if (GetParam().data["std_errors"].is_null() || ((r.fixed >> p) & 1u)) {
      EXPECT_TRUE(std::isnan(r.std_error(p, 0))) << name;
      continue;
    }
    const double error = relative_error(r.std_error(p, 0), reference("std_errors", name));
    EXPECT_TRUE(error <= allowed.std_error) << name << " std_error " << r.std_error(p, 0) << " error " << error;
  }
  const double expected = GetParam().data["log_likelihood"];
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - expected) <= 1e-8 * (1 + std::abs(expected))) << r.log_likelihood[0];
}

class published_fit : public golden_fit {};

TEST_P(published_fit, agrees_with_published_digits) {
  const auto r = fit_sample(*family_, numbers<double>("values"), numbers<double>("weights"), options_);
  for (const auto& [name, value] : GetParam().data["published"].items()) {
    const double ours = name == "log_likelihood" ? r.log_likelihood[0] : r.parameter(name, 0);
    // Four digits are the fewest that were published.
    EXPECT_TRUE(relative_error(ours, value.get<double>()) <= 5e-5) << name << " " << ours << " published " << value;
  }
}

class float_fit : public golden_fit {};

TEST_P(float_fit, meets_the_contract_on_exact_values) {
  const auto r = fit_sample(*family_, numbers<float>("values"), numbers<float>("weights"), options_);
  ASSERT_EQ(r.status[0], fit_status::converged);
  for (int p = 0; p < family_->parameter_count; ++p)
    EXPECT_TRUE(parameter_error(r, p) <= 1e-4) << family_->parameters[p].name << " " << r.parameter(p, 0);
  EXPECT_TRUE(relative_error(r.log_likelihood[0], GetParam().data["log_likelihood"].get<double>()) <= 1e-4);
}

struct by_case_name {
  std::string operator()(const testing::TestParamInfo<golden_case>& info) const {
    return info.param.data["family"].get<std::string>() + "_" + info.param.data["case"].get<std::string>();
  }
};
TEST(golden_files, hold_cases_of_every_family) {
  std::map<std::string, int> count;
  for (const golden_case& each : golden_cases([](const json&) { return true; }))
    ++count[each.data["family"].get<std::string>()];
  for (const family_info* each : all_families()) EXPECT_GE(count[each->name], 2) << each->name;
}

INSTANTIATE_TEST_SUITE_P(samples, golden_fit, testing::ValuesIn(golden_cases([](const json&) { return true; })),
                         by_case_name());
INSTANTIATE_TEST_SUITE_P(data_sets, published_fit,
                         testing::ValuesIn(golden_cases([](const json& c) { return c.contains("published"); })),
                         by_case_name());
INSTANTIATE_TEST_SUITE_P(samples, float_fit,
                         testing::ValuesIn(golden_cases([](const json& c) { return c["case"] == "float_exact"; })),
                         by_case_name());

}  // namespace
}  // namespace manyfit::tests
