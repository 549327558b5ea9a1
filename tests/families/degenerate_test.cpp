// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What every family says of samples with next to nothing in them, with every subset of its parameters fixed at their
// examples: a table, each entry of which is held against a search for the highest likelihood that knows nothing of the
// fits (likelihood_search.hpp). A family that has no row in it yet is held to the promises that need none.
#include <map>

#include "family_tests.hpp"
#include "likelihood_search.hpp"

namespace manyfit::tests {
namespace {

/// The samples of the table's columns. v is 0.625, 3 for counts, 1 for Bernoulli; counts have whole numbers near by.
struct degenerate {
  const char* name;
  std::vector<double> continuous, count, bit;
};
const std::vector<degenerate> samples = {
    {"one value", {0.625}, {3}, {1}},
    {"two equal values", {0.625, 0.625}, {3, 3}, {1, 1}},
    {"nine equal values", std::vector<double>(9, 0.625), std::vector<double>(9, 3), std::vector<double>(9, 1)},
    {"nine zeros", std::vector<double>(9, 0), std::vector<double>(9, 0), std::vector<double>(9, 0)},
    {"two values", {0.3125, 0.625}, {3, 2}, {1, 0}},
    {"seven of eight tied",
     {0.625, 0.625, 0.625, 0.625, 0.625, 0.625, 0.625, 0.3125},
     {3, 3, 3, 3, 3, 3, 3, 2},
     {1, 1, 1, 1, 1, 1, 1, 0}},
    {"four of eight tied",
     {0.625, 0.625, 0.625, 0.625, 0.0625, 0.125, 0.1875, 0.9375},
     {3, 3, 3, 3, 0, 1, 0, 1},
     {1, 1, 1, 1, 0, 1, 0, 1}}};

/// c converged, f too_few, k constant_sample, o out_of_support, u unbounded_likelihood, b boundary,
/// s singular_information; one letter for each subset of fixed parameters, bit i of its number being parameter i, in
/// order, subsets without what must be fixed left out. A string for each sample.
// clang-format off
const std::map<std::string, std::vector<std::string>> expected = {
    {"normal",             {"fccc", "kccc", "kccc", "kccc", "cccc", "cccc", "cccc"}},
    {"lognormal",          {"fccc", "kccc", "kccc", "oooo", "cccc", "cccc", "cccc"}},
    {"exponential",        {"cc", "cc", "cc", "kc", "cc", "cc", "cc"}},
    {"gamma",              {"fccc", "kccc", "kccc", "oooo", "cccc", "cccc", "cccc"}},
    {"inverse_gaussian",   {"fccc", "kccc", "kccc", "oooo", "cccc", "cccc", "cccc"}},
    {"weibull",            {"fccc", "kccc", "kccc", "oooo", "cccc", "cccc", "cccc"}},
    {"rayleigh",           {"cc", "cc", "cc", "oo", "cc", "cc", "cc"}},
    {"beta",               {"fccc", "kccc", "kccc", "oooo", "cccc", "cccc", "cccc"}},
    {"uniform",            {"fccc", "kccc", "kccc", "kccc", "cccc", "cccc", "cccc"}},
    // With df free what is left is the normal limit; with df = 4 fixed more than 4/5 of the weight at one value has no
    // bound (7/8), less has (1/2).
    {"student_t",          {"fffcfcbc", "fubcbcbc", "kubcbcbc", "kubcbcbc", "fcbcbcbc", "uubcbcbc", "bcbcbcbc"}},
    // Two points: a circle of maxima. Half at one value: the likelihood's limit there; more: no bound.
    {"cauchy",             {"fccc", "kccc", "kccc", "kccc", "sccc", "uccc", "bccc"}},
    {"laplace",            {"fccc", "kccc", "kccc", "kccc", "cccc", "cccc", "cccc"}},
    {"logistic",           {"fccc", "kccc", "kccc", "kccc", "cccc", "cccc", "cccc"}},
    {"gumbel",             {"fccc", "kccc", "kccc", "kccc", "cccc", "cccc", "cccc"}},
    // With shape free and an end point that can reach a value: no bound from ξ < −1, or from ξ (1 + log(1 + ξ)) > n.
    {"gev",                {"fffcfccc", "fuucuccc", "kuucuccc", "kuucuccc", "fuuccccc", "uccccccc", "cuuccccc"}},
    {"generalized_pareto", {"fucc", "kucc", "kucc", "kskc", "uucc", "uucc", "uucc"}},
    {"von_mises",          {"fccc", "kccc", "kccc", "kccc", "cccc", "cccc", "cccc"}},
    {"bernoulli",          {"bc", "bc", "bc", "bc", "cc", "cc", "cc"}},
    {"binomial",           {"cc", "cc", "cc", "bc", "cc", "cc", "cc"}},
    {"poisson",            {"cc", "cc", "cc", "bc", "cc", "cc", "cc"}},
    {"geometric",          {"cc", "cc", "cc", "bc", "cc", "cc", "cc"}},
    {"negative_binomial",  {"fccc", "bccc", "bccc", "bbbc", "bccc", "bccc", "bccc"}}};
// clang-format on

char letter_of(fit_status status) {
  switch (status) {
    case fit_status::converged:
      return 'c';
    case fit_status::too_few:
      return 'f';
    case fit_status::constant_sample:
      return 'k';
    case fit_status::out_of_support:
      return 'o';
    case fit_status::unbounded_likelihood:
      return 'u';
    case fit_status::boundary:
      return 'b';
    case fit_status::singular_information:
      return 's';
    default:
      return '?';
  }
}

/// Every subset of the parameters that contains what must be fixed, as options.
std::vector<fit_options> every_subset_fixed(const family_info& family) {
  const fit_options required = required_options(family);
  std::vector<fit_options> all;
  for (unsigned fixed = 0; fixed < 1u << family.parameter_count; ++fixed) {
    fit_options options;
    for (int i = 0; i < family.parameter_count; ++i)
      if (fixed >> i & 1u) options.fixed[family.parameters[i].name] = family.parameters[i].example;
    const bool whole = std::all_of(required.fixed.begin(), required.fixed.end(),
                                   [&](const auto& each) { return options.fixed.contains(each.first); });
    if (whole) all.push_back(options);
  }
  return all;
}

const std::vector<double>& values_of(const degenerate& sample, const family_info& family) {
  return family.name == std::string("bernoulli") ? sample.bit : family.discrete ? sample.count : sample.continuous;
}

class degenerate_sample : public every_family {};

TEST_P(degenerate_sample, has_the_tabled_status_whatever_is_fixed) {
  const auto found = expected.find(family().name);
  const bool tabled = found != expected.end();  // a family that is new keeps the other promises
  if (tabled) ASSERT_EQ(found->second.size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::vector<double>& x = values_of(samples[i], family());
    std::string letters;
    for (const fit_options& options : every_subset_fixed(family())) {
      const auto r = fit_sample(family(), x, {}, options);
      letters += letter_of(r.status[0]);
      EXPECT_EQ(r.observations[0], static_cast<std::int64_t>(x.size())) << samples[i].name;
      EXPECT_EQ(r.missing[0], 0);
      EXPECT_EQ(r.left_out[0], 0);
      EXPECT_EQ(r.outside[0], r.status[0] == fit_status::out_of_support ? r.observations[0] : 0) << samples[i].name;
      const bool has_likelihood = usable(r.status[0]);
      EXPECT_EQ(has_likelihood, std::isfinite(r.log_likelihood[0])) << samples[i].name << " " << r.log_likelihood[0];
      for (const auto& [name, value] : options.fixed)
        if (has_likelihood) EXPECT_EQ(r.parameter(name, 0), value);
    }
    if (tabled) EXPECT_EQ(letters, found->second[i]) << samples[i].name;
  }
}

TEST_P(degenerate_sample, never_takes_more_iterations_than_it_may) {
  const auto drawn = draw(family(), example_parameters(family()), 60, 5);
  std::vector<std::vector<double>> all{drawn};
  for (const degenerate& each : samples) all.push_back(values_of(each, family()));
  for (fit_options options : every_subset_fixed(family()))
    for (const int most : {0, 1, 2, 3, 5, 8}) {
      options.max_iterations = most;
      for (const auto& x : all) {
        const auto r = fit_sample(family(), x, {}, options);
        EXPECT_LE(r.iterations[0], most) << to_string(r.status[0]) << " with " << options.fixed.size() << " fixed";
      }
    }
}

/// Families whose likelihood, with these parameters free, has no bound anywhere: what is found is a local maximum.
bool is_local(const family_info& family, const fit_options& options) {
  const std::string name = family.name;
  return (name == "student_t" && !options.fixed.contains("df")) ||
         ((name == "gev" || name == "generalized_pareto") && !options.fixed.contains("shape"));
}

/// Two boxes, one in the other; what the likelihood gains from the inner one to the outer one tells a maximum from a
/// limit, and a limit from none.
TEST_P(degenerate_sample, has_a_status_that_a_search_for_the_maximum_bears_out) {
  for (const degenerate& sample : samples) {
    const std::vector<double>& x = values_of(sample, family());
    for (const fit_options& options : every_subset_fixed(family())) {
      const auto r = fit_sample(family(), x, {}, options);
      const auto free = static_cast<std::size_t>(family().parameter_count) - options.fixed.size();
      SCOPED_TRACE(testing::Message() << sample.name << ", " << letter_of(r.status[0]) << ", fixed "
                                      << testing::PrintToString(options.fixed));
      const auto best = [&](double reach, std::uint64_t seed) {
        return likelihood_search(family(), x, options, reach, seed).run();
      };
      const search_end inner = best(6, 1), outer = best(20, 2);
      const double ll = r.log_likelihood[0], most = std::max(inner.log_likelihood, outer.log_likelihood);
      EXPECT_EQ(r.status[0] == fit_status::out_of_support, most == -infinity);
      EXPECT_EQ(r.status[0] == fit_status::too_few, x.size() < free && most > -infinity);
      switch (r.status[0]) {
        case fit_status::constant_sample:
          EXPECT_EQ(std::count(x.begin(), x.end(), x[0]), std::ssize(x));
          [[fallthrough]];
        case fit_status::unbounded_likelihood:
          EXPECT_TRUE(outer.log_likelihood > inner.log_likelihood + 2)
              << inner.log_likelihood << " and " << outer.log_likelihood;
          break;
        case fit_status::boundary:
          if (is_local(family(), options)) break;  // limits_test holds it against every df
          EXPECT_TRUE(most <= ll + 1e-9 * (1 + std::abs(ll))) << most << " and " << ll;
          EXPECT_TRUE(outer.log_likelihood >= ll - 0.02) << outer.log_likelihood << " and " << ll;
          EXPECT_TRUE(ll - inner.log_likelihood > ll - outer.log_likelihood || most < ll);
          break;
        case fit_status::singular_information: {  // as high elsewhere
          const search_end other = best(6, 3);
          double apart = 0;
          for (std::size_t i = 0; i < other.parameters.size(); ++i)
            apart = std::max(apart, std::abs(other.parameters[i] - inner.parameters[i]));
          EXPECT_TRUE(apart > 1e-3) << apart;
          for (const double each : {inner.log_likelihood, other.log_likelihood})
            EXPECT_TRUE(std::abs(each - ll) <= 1e-5) << each << " and " << ll;
          break;
        }
        case fit_status::converged: {
          const auto p = parameters_of_first(r);
          const double near = likelihood_search(family(), x, options, 60, 4).run_near(p, 0.05).log_likelihood;
          EXPECT_TRUE(near <= ll + 1e-9 * (1 + std::abs(ll))) << near << " and " << ll;
          EXPECT_TRUE(is_local(family(), options) || most <= ll + 1e-9 * (1 + std::abs(ll))) << most << " and " << ll;
          EXPECT_TRUE(std::abs(log_likelihood_at(family(), p, x) - ll) <= 1e-9 * (1 + std::abs(ll)));
          break;
        }
        default:
          EXPECT_TRUE(r.status[0] == fit_status::out_of_support || r.status[0] == fit_status::too_few);
      }
    }
  }
}
MF_FOR_EVERY_FAMILY(degenerate_sample);

TEST(degenerate_samples, have_no_row_for_a_family_that_is_not_there) {
  EXPECT_EQ(expected.size(), all_families().size());
}

}  // namespace
}  // namespace manyfit::tests
