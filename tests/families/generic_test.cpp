// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What holds for every registered family, through the host API: densities integrate to 1, fits recover what was drawn,
// and the numbers of one result agree with each other.
#include <algorithm>
#include <boost/math/quadrature/exp_sinh.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/quadrature/tanh_sinh.hpp>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

/// The example parameters, and two sets away from them: positive ones scaled, reals and odds moved.
std::vector<std::vector<double>> parameter_sets(const family_info& family) {
  std::vector<std::vector<double>> sets;
  for (const double factor : {1.0, 0.6, 2.5}) {
    auto p = example_parameters(family);
    for (int i = 0; i < family.parameter_count; ++i) {
      const double odds = p[i] / (1 - p[i]) * factor;
      switch (family.parameters[i].kind) {
        case constraint::positive:
          p[i] *= factor;
          break;
        case constraint::probability:
          p[i] = odds / (1 + odds);
          break;
        case constraint::count:
          p[i] = std::ceil(p[i] * factor);
          break;
        case constraint::real:
          p[i] *= std::sqrt(factor);
          break;
      }
    }
    sets.push_back(p);
  }
  return sets;
}

class density {
 public:
  density(const family_info& family, const std::vector<double>& p) : family_(family), p_(p) {}
  double operator()(double x) const {
    return std::exp(log_density(executor::cpu(1), family_, dense(std::span<const double>(&x, 1), 1), one_set(p_))[0]);
  }
  std::vector<double> at(const std::vector<double>& x) const {
    return log_density(executor::cpu(1), family_, dense(std::span<const double>(x), 1), one_set(p_));
  }

 private:
  const family_info& family_;
  std::vector<double> p_;
};

/// Probability beyond `from`, away from the sample. Where the density is 0 far out, its edge is found by bisection, so
/// that a quadrature made for end points sees no jump inside.
double tail(const density& f, double from, double width, int direction) {
  double inside = from, outside = from + direction * 1e6 * width;
  if (f(outside) > 0) {
    boost::math::quadrature::exp_sinh<double> rule;
    return rule.integrate([&](double t) { return f(from + direction * t); }, 0.0, infinity, 1e-11);
  }
  for (int i = 0; i < 2000 && std::nextafter(inside, outside) != outside; ++i) {
    const double middle = inside + 0.5 * (outside - inside);
    (f(middle) > 0 ? inside : outside) = middle;
  }
  if (inside == from) return 0;
  boost::math::quadrature::tanh_sinh<double> rule;
  // Measured from the edge, where a density may be infinite.
  return rule.integrate([&](double t) { return f(outside - direction * t); }, 0.0, std::abs(outside - from), 1e-11);
}

double total_probability(const family_info& family, const std::vector<double>& p) {
  const density f(family, p);
  auto x = draw(family, p, 4001, 11);
  std::sort(x.begin(), x.end());
  double total = 0;
  if (family.discrete) {
    std::vector<double> counts;
    for (double k = 0; k <= 10 * x.back() + 1000; ++k) counts.push_back(k);
    for (const double log_p : f.at(counts)) total += std::exp(log_p);
    return total;
  }
  using between = boost::math::quadrature::gauss_kronrod<double, 31>;
  if (std::string(family.name) == "von_mises")  // a density on the circle
    return between::integrate(f, -M_PI, M_PI, 12, 1e-11);
  const double cuts[] = {x[40], x[400], x[1200], x[2000], x[2800], x[3600], x[3960]};
  for (int i = 1; i < 7; ++i) total += between::integrate(f, cuts[i - 1], cuts[i], 8, 1e-11);
  const double width = cuts[5] - cuts[1];
  return total + tail(f, cuts[0], width, -1) + tail(f, cuts[6], width, +1);
}

class family_density : public every_family {};
TEST_P(family_density, integrates_to_one) {
  for (const auto& p : parameter_sets(family())) {
    const double total = total_probability(family(), p);
    EXPECT_TRUE(std::abs(total - 1) <= 1e-8) << "total " << total << " at " << testing::PrintToString(p);
  }
}
MF_FOR_EVERY_FAMILY(family_density);

class family_fit : public every_family {
 protected:
  /// A sample of 2000 at each of the parameter sets, and its fit.
  template <class Check>
  void for_each_fit(Check check) const {
    for (const auto& p : parameter_sets(family())) {
      SCOPED_TRACE(testing::PrintToString(p));
      const auto x = draw(family(), p, 2000, 3);
      const auto r = fit_sample(family(), x, {}, required_options(family(), p));
      ASSERT_EQ(r.status[0], fit_status::converged) << to_string(r.status[0]);
      check(p, x, r);
    }
  }
};

TEST_P(family_fit, recovers_the_parameters_of_its_draws) {
  for_each_fit([](const auto& p, const auto& x, const auto& r) {
    const auto [least, greatest] = std::minmax_element(x.begin(), x.end());
    for (int i = 0; i < r.parameter_count(); ++i) {
      // Without a standard error: fixed, or an end of the support, where the error is of order range / n.
      const double se = std::isnan(r.std_error(i, 0)) ? (*greatest - *least) / x.size() : r.std_error(i, 0);
      EXPECT_TRUE(std::abs(r.parameter(i, 0) - p[i]) <= 6 * se)
          << r.family->parameters[i].name << " " << r.parameter(i, 0) << " +- " << se;
    }
  });
}

TEST_P(family_fit, reports_the_log_likelihood_at_its_estimate) {
  for_each_fit([this](const auto&, const auto& x, const auto& r) {
    const double direct = log_likelihood_at(family(), parameters_of_first(r), x);
    EXPECT_TRUE(std::abs(r.log_likelihood[0] - direct) <= 1e-11 * x.size() * (1 + std::abs(direct) / x.size()))
        << r.log_likelihood[0] << " " << direct;
  });
}

TEST_P(family_fit, has_no_better_neighbour) {
  for_each_fit([this](const auto&, const auto& x, const auto& r) {
    for (int i = 0; i < r.parameter_count(); ++i)
      for (const double step : {-0.05, 0.05}) {
        if ((r.fixed >> i) & 1u) continue;
        auto p = parameters_of_first(r);
        p[i] += std::isnan(r.std_error(i, 0)) ? step : step * r.std_error(i, 0);
        const double there = log_likelihood_at(family(), p, x);
        EXPECT_TRUE(there <= r.log_likelihood[0] + 1e-9)
            << r.family->parameters[i].name << " " << there - r.log_likelihood[0];
      }
  });
}

TEST_P(family_fit, gives_information_criteria_and_intervals_by_their_formulas) {
  for_each_fit([](const auto&, const auto& x, const auto& r) {
    int free = 0;
    for (int i = 0; i < r.parameter_count(); ++i) {
      free += !((r.fixed >> i) & 1u);
      const auto [lower, upper] = r.interval(i, 0, 0.9);
      const double value = r.parameter(i, 0), se = r.std_error(i, 0);
      if (std::isnan(se)) {
        EXPECT_TRUE(std::isnan(lower) && std::isnan(upper));
        continue;
      }
      EXPECT_TRUE(lower < value && value < upper);
      const constraint kind = r.family->parameters[i].kind;
      EXPECT_TRUE(kind == constraint::real || lower > 0) << lower;
      EXPECT_TRUE(kind != constraint::probability || upper < 1) << upper;
      // To first order the width is that of the plain interval; 1.6448536269514722 is the normal's 95% point.
      EXPECT_TRUE(relative_error(upper - lower, 2 * 1.6448536269514722 * se) <= 0.1) << lower << " " << upper;
    }
    EXPECT_EQ(r.free_parameters(), free);
    EXPECT_DOUBLE_EQ(r.aic(0), 2.0 * free - 2 * r.log_likelihood[0]);
    EXPECT_DOUBLE_EQ(r.bic(0), free * std::log(static_cast<double>(x.size())) - 2 * r.log_likelihood[0]);
    EXPECT_EQ(r.observations[0], static_cast<std::int64_t>(x.size()));
    EXPECT_EQ(r.missing[0], 0);
  });
}

TEST_P(family_fit, with_parameters_fixed_does_as_well_as_it_can) {
  const auto p = example_parameters(family());
  const auto x = draw(family(), p, 500, 5);
  for (int fixed = 0; fixed < family().parameter_count; ++fixed) {
    auto options = required_options(family(), p);
    if (options.fixed.count(family().parameters[fixed].name)) continue;
    const auto all_free = fit_sample(family(), x, {}, options);
    // The end of a support may only be fixed beyond the data, so it is moved outwards by moving it nowhere.
    const bool has_error = !std::isnan(all_free.std_error(fixed, 0));
    const double value = all_free.parameter(fixed, 0) + (has_error ? 0.5 * all_free.std_error(fixed, 0) : 0.0);
    options.fixed[family().parameters[fixed].name] = value;
    const auto r = fit_sample(family(), x, {}, options);
    ASSERT_EQ(r.status[0], fit_status::converged) << family().parameters[fixed].name << " " << to_string(r.status[0]);
    EXPECT_EQ(r.parameter(fixed, 0), value);
    EXPECT_TRUE(std::isnan(r.std_error(fixed, 0)));
    EXPECT_EQ(r.free_parameters(), all_free.free_parameters() - 1);
    EXPECT_TRUE(r.log_likelihood[0] <= all_free.log_likelihood[0] + 1e-9);
    // Half a standard error costs 1/8 at most, the others adapting.
    EXPECT_TRUE(!has_error || r.log_likelihood[0] >= all_free.log_likelihood[0] - 0.25) << r.log_likelihood[0];
    for (int i = 0; i < family().parameter_count; ++i) {
      if ((r.fixed >> i) & 1u || std::isnan(r.std_error(i, 0))) continue;
      for (const double step : {-1e-3, 1e-3}) {
        auto moved = parameters_of_first(r);
        moved[i] += step * r.std_error(i, 0);
        EXPECT_TRUE(log_likelihood_at(family(), moved, x) <=
                    r.log_likelihood[0] + 1e-10 * (1 + std::abs(r.log_likelihood[0])));
      }
    }
  }
}
MF_FOR_EVERY_FAMILY(family_fit);

class family_score : public every_family {};
TEST_P(family_score, sums_log_densities_with_weights) {
  for (const auto& p : parameter_sets(family())) {
    auto x = draw(family(), p, 101, 9);
    std::vector<double> weights;
    for (std::size_t i = 0; i < x.size(); ++i) weights.push_back(0.25 * static_cast<double>(i % 7));
    x[13] = nan;
    const auto each = density(family(), p).at(x);
    double sum = 0, size = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(std::isnan(each[i]), i == 13);
      if (i == 13) continue;
      sum += weights[i] * each[i];
      size += weights[i] * std::abs(each[i]);
    }
    EXPECT_TRUE(std::abs(log_likelihood_at(family(), p, x, weights) - sum) <= 1e-13 * (1 + size));
  }
}
TEST_P(family_score, of_an_infinite_value_is_that_of_no_density) {
  const std::vector<double> x{infinity, -infinity};
  for (const double each : density(family(), example_parameters(family())).at(x)) EXPECT_EQ(each, -infinity);
}
/// Each constraint at both its ends: what no parameter can be gives no number, what it can just be gives one.
TEST_P(family_score, is_no_number_where_a_parameter_is_at_the_end_of_what_it_may_be) {
  const auto example = example_parameters(family());
  const auto x = draw(family(), example, 5, 9);
  for (int i = 0; i < family().parameter_count; ++i) {
    const constraint kind = family().parameters[i].kind;
    std::vector<double> outside{nan, infinity, -infinity}, inside;
    if (kind != constraint::real) outside.insert(outside.end(), {0.0, -1.0, -5e-324});
    if (kind == constraint::probability) outside.insert(outside.end(), {1.0, 1.5});
    if (kind == constraint::probability) inside = {1e-300, 1 - 0x1p-53};
    if (kind == constraint::positive) inside = {1e-3, 1e3};
    auto p = example;
    for (const double value : outside) {
      p[i] = value;
      EXPECT_TRUE(std::isnan(log_likelihood_at(family(), p, x))) << family().parameters[i].name << " " << value;
      EXPECT_TRUE(std::isnan(draw(family(), p, 1)[0])) << family().parameters[i].name << " " << value;
    }
    for (const double value : inside) {
      p[i] = value;
      EXPECT_FALSE(std::isnan(log_likelihood_at(family(), p, x))) << family().parameters[i].name << " " << value;
      EXPECT_FALSE(std::isnan(draw(family(), p, 1)[0])) << family().parameters[i].name << " " << value;
    }
  }
}
TEST_P(family_score, is_the_same_for_float_values) {
  const auto p = example_parameters(family());
  std::vector<float> narrow;
  std::vector<double> wide;
  for (const double x : draw(family(), p, 61, 9)) wide.push_back(narrow.emplace_back(static_cast<float>(x)));
  const double in_double = log_likelihood_at(family(), p, wide);
  EXPECT_TRUE(relative_error(log_likelihood_at(family(), p, narrow), in_double) <= 1e-14);
}
MF_FOR_EVERY_FAMILY(family_score);

}  // namespace
}  // namespace manyfit::tests
