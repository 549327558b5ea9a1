// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The mode of the posterior is where it is known to be, and where nothing near it is higher; its standard errors are
// those of its curvature.
#include "prior_tests.hpp"

namespace manyfit::tests {
namespace {

double sum_of(const std::vector<double>& x, const std::vector<double>& weights = {}) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (weights.empty() ? 1 : weights[i]) * x[i];
  return sum;
}
#define EXPECT_NEAR_TO(a, b, tolerance) EXPECT_TRUE(relative_error(a, b) <= (tolerance)) << (a) << " and " << (b)

TEST(conjugate_priors, lead_to_the_modes_in_closed_form) {
  for (const int n : {1, 2, 7, 60}) {
    // Gamma(a, b) on a rate: exponential (n + a − 1)/(Σx + b), Poisson (Σx + a − 1)/(n + b).
    const double a = 2.5, b = 0.75;
    const auto x = draw(find_family("exponential"), {0.8}, n);
    const auto of_exponential = fit_with("exponential", x, {{"rate", {"gamma", {a, b}}}});
    ASSERT_EQ(of_exponential.status[0], fit_status::converged) << n;
    EXPECT_NEAR_TO(of_exponential.parameter(0, 0), (n + a - 1) / (sum_of(x) + b), 1e-9);
    EXPECT_NEAR_TO(of_exponential.std_error(0, 0), of_exponential.parameter(0, 0) / std::sqrt(n + a - 1), 1e-6);
    const auto k = draw(find_family("poisson"), {3.5}, n);
    const auto of_poisson = fit_with("poisson", k, {{"rate", {"gamma", {a, b}}}});
    EXPECT_NEAR_TO(of_poisson.parameter(0, 0), (sum_of(k) + a - 1) / (n + b), 1e-9);
    // Normal(m, s) on a mean, the standard deviation fixed: a mean weighted by precisions.
    const auto y = draw(find_family("normal"), {1.5, 2}, n);
    const auto of_normal = fit_with("normal", y, {{"mean", {"normal", {-1, 0.5}}}}, {.fixed = {{"sd", 2.0}}});
    const double precision = n / 4.0 + 4;
    EXPECT_TRUE(std::abs(of_normal.parameter(0, 0) - (sum_of(y) / 4 - 4) / precision) <= 1e-9);
    EXPECT_NEAR_TO(of_normal.std_error(0, 0), 1 / std::sqrt(precision), 1e-6);
    // Beta(α, β) on a probability: (successes + α − 1)/(trials + α + β − 2).
    const auto e = draw(find_family("bernoulli"), {0.3}, n);
    const auto of_bernoulli = fit_with("bernoulli", e, {{"prob", {"beta", {2, 3}}}});
    EXPECT_NEAR_TO(of_bernoulli.parameter(0, 0), (sum_of(e) + 1) / (n + 3), 1e-9);
    const auto g = draw(find_family("geometric"), {0.3}, n);
    const auto of_geometric = fit_with("geometric", g, {{"prob", {"beta", {2, 3}}}});
    EXPECT_NEAR_TO(of_geometric.parameter(0, 0), (n + 1) / (n + sum_of(g) + 3), 1e-9);
    const auto s = draw(find_family("binomial"), {12, 0.4}, n);
    const auto of_binomial = fit_with("binomial", s, {{"prob", {"beta", {2, 3}}}}, {.fixed = {{"trials", 12.0}}});
    EXPECT_NEAR_TO(of_binomial.parameter("prob", 0), (sum_of(s) + 1) / (12 * n + 3), 1e-9);
    // Gamma(a, b) on a Rayleigh scale σ: of σ², −n log σ² + (a − 1) log σ − b σ − Σx²/(2σ²) has a cubic's root.
    const auto r = draw(find_family("rayleigh"), {1.3}, n);
    const auto of_rayleigh = fit_with("rayleigh", r, {{"scale", {"gamma", {a, b}}}});
    double squares = 0;
    for (const double each : r) squares += each * each;
    const double sigma = of_rayleigh.parameter(0, 0);
    EXPECT_TRUE(std::abs((a - 1 - 2 * n) - b * sigma + squares / (sigma * sigma)) <= 1e-8 * n) << sigma;
  }
}

TEST(conjugate_priors, count_weights_as_repetitions) {
  const std::vector<double> x{0.5, 2.0, 1.25}, weights{2, 0.5, 3};
  const auto r = fit_with("exponential", x, {{"rate", {"gamma", {3, 2}}}}, {}, weights);
  EXPECT_NEAR_TO(r.parameter(0, 0), (5.5 + 2) / (sum_of(x, weights) + 2), 1e-9);
}

/// A prior for each range, off the example value by a good part of its width.
prior_distribution prior_for(const parameter& of, int kind) {
  const double at = of.example;
  switch (of.kind) {
    case constraint::probability:
      return kind == 0 ? prior_distribution{"beta", {4, 5}} : prior_distribution{"normal", {0.5, 0.2}};
    case constraint::positive:
      return kind == 0   ? prior_distribution{"gamma", {4, 4 / at}}
             : kind == 1 ? prior_distribution{"lognormal", {std::log(at) + 0.3, 0.4}}
             : kind == 2 ? prior_distribution{"inverse_gaussian", {1.2 * at, 3 * at}}
                         : prior_distribution{"weibull", {1.8, 1.4 * at}};
    default:
      return kind == 0   ? prior_distribution{"normal", {at + 0.3, 0.5}}
             : kind == 1 ? prior_distribution{"student_t", {4, at - 0.4, 0.6}}
             : kind == 2 ? prior_distribution{"logistic", {at, 0.4}}
                         : prior_distribution{"gumbel", {at, 0.7}};
  }
}

class every_prior : public every_family {};

TEST_P(every_prior, leads_to_where_the_log_posterior_is_level_and_curved_as_standard_errors_say) {
  const auto truth = example_parameters(family());
  int converged = 0, tried = 0;
  for (int kind = 0; kind < 4; ++kind)
    for (const int n : {4, 30, 300}) {
      const auto x = draw(family(), truth, n, 7 + kind);
      priors believed;
      fit_options options = required_options(family());
      for (int i = 0; i < family().parameter_count; ++i)
        if (family().parameters[i].kind != constraint::count && (kind + i) % 3 != 2)
          believed[family().parameters[i].name] = prior_for(family().parameters[i], kind);
      if (believed.empty()) continue;
      const auto r = fit_with(family(), x, believed, options);
      const std::string what = std::string(family().name) + " " + std::to_string(kind) + ", " + std::to_string(n);
      ++tried;
      if (r.status[0] != fit_status::converged) {
        EXPECT_TRUE(r.status[0] == fit_status::unbounded_likelihood || r.status[0] == fit_status::boundary)
            << what << " " << to_string(r.status[0]);
        continue;
      }
      ++converged;
      const auto p = parameters_of_first(r);
      EXPECT_NEAR_TO(r.log_posterior[0], log_posterior_at(family(), p, believed, x), 1e-9) << what;
      EXPECT_NEAR_TO(r.log_likelihood[0], log_likelihood_at(family(), p, x), 1e-9) << what;
      if (std::string(family().name) == "laplace" || std::string(family().name) == "uniform") continue;
      // Information by differences of the log-posterior.
      const int P = family().parameter_count;
      std::vector<int> free;
      for (int i = 0; i < P; ++i)
        if (family().parameters[i].kind != constraint::count) free.push_back(i);
      const auto moved = [&](int i, double by, int j, double by_too) {
        auto q = p;
        q[i] += by;
        q[j] += by_too;
        return log_posterior_at(family(), q, believed, x);
      };
      const auto distance = [&](int i) {  // a fiftieth of a standard error, and well inside the parameter's range
        const double h = 0.02 * r.std_error(i, 0);
        return family().parameters[i].kind == constraint::real ? h : std::min(h, 0.02 * p[i]);
      };
      std::vector<std::vector<double>> information(P, std::vector<double>(P));
      for (const int i : free) {
        const double h = distance(i), little = 0.05 * h;
        ASSERT_TRUE(h > 0) << what;
        const double slope = (moved(i, little, i, 0) - moved(i, -little, i, 0)) / (2 * little) * r.std_error(i, 0);
        EXPECT_TRUE(std::abs(slope) <= 1e-4) << what << ": slope " << slope << " in parameter " << i;
        for (const int j : free) {
          const double k = distance(j);
          information[i][j] =
              -(moved(i, h, j, k) - moved(i, h, j, -k) - moved(i, -h, j, k) + moved(i, -h, j, -k)) / (4 * h * k);
        }
      }
      // (information × covariance) has ones on its diagonal: by Gauss–Jordan.
      auto a = information;
      const std::size_t F = free.size();
      std::vector<std::vector<double>> inverse(F, std::vector<double>(F));
      for (std::size_t i = 0; i < F; ++i) inverse[i][i] = 1;
      for (std::size_t c = 0; c < F; ++c) {
        const double pivot = a[free[c]][free[c]];
        for (std::size_t j = 0; j < F; ++j) a[free[c]][free[j]] /= pivot, inverse[c][j] /= pivot;
        for (std::size_t i = 0; i < F; ++i) {
          if (i == c) continue;
          const double factor = a[free[i]][free[c]];
          for (std::size_t j = 0; j < F; ++j)
            a[free[i]][free[j]] -= factor * a[free[c]][free[j]], inverse[i][j] -= factor * inverse[c][j];
        }
      }
      for (std::size_t i = 0; i < F; ++i)
        EXPECT_TRUE(relative_error(r.std_error(free[i], 0), std::sqrt(inverse[i][i])) <= 2e-2)
            << what << ": " << r.std_error(free[i], 0) << " and " << std::sqrt(inverse[i][i]);
    }
  EXPECT_GE(converged * 4, tried * 3);
}

TEST_P(every_prior, as_vague_as_can_be_changes_nothing) {
  const auto truth = example_parameters(family());
  const auto x = draw(family(), truth, 201, 11);  // odd: one median
  const auto plain = fit_with(family(), x, {}, required_options(family()));
  ASSERT_EQ(plain.status[0], fit_status::converged);
  EXPECT_TRUE(plain.log_posterior.empty());
  priors vague;
  for (int i = 0; i < family().parameter_count; ++i)
    if (family().parameters[i].kind != constraint::count) vague[family().parameters[i].name] = {"normal", {0, 1e9}};
  const auto r = fit_with(family(), x, vague, required_options(family()));
  ASSERT_EQ(r.status[0], fit_status::converged);
  for (int i = 0; i < family().parameter_count; ++i) {
    EXPECT_TRUE(relative_error(r.parameter(i, 0), plain.parameter(i, 0)) <= 1e-7) << i;
    if (plain.std_error(i, 0) > 0)
      EXPECT_TRUE(relative_error(r.std_error(i, 0), plain.std_error(i, 0)) <= 1e-5) << i;
    else
      EXPECT_TRUE(std::isnan(r.std_error(i, 0))) << i;
  }
  EXPECT_NEAR_TO(r.log_likelihood[0], plain.log_likelihood[0], 1e-10);
}

TEST_P(every_prior, is_no_matter_of_company_order_threads_or_chunks) {
  const auto truth = example_parameters(family());
  priors believed;
  for (int i = 0; i < family().parameter_count; ++i)
    if (family().parameters[i].kind != constraint::count)
      believed[family().parameters[i].name] = prior_for(family().parameters[i], 0);
  fit_options options = required_options(family());
  options.priors = believed;
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  for (const int n : {3, 50, 1, 17, 200, 8}) {
    const auto x = draw(family(), truth, n, 100 + n);
    values.insert(values.end(), x.begin(), x.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  const auto all = fit(executor::cpu(3), family(), ragged<double>(values, offsets), options);
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    const std::vector<double> x(values.begin() + offsets[i], values.begin() + offsets[i + 1]);
    const auto one = fit_sample(family(), x, {}, options);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    for (int p = 0; p < family().parameter_count; ++p) {
      EXPECT_TRUE(same(one.parameter(p, 0), all.parameter(p, static_cast<std::int64_t>(i))));
      EXPECT_TRUE(same(one.std_error(p, 0), all.std_error(p, static_cast<std::int64_t>(i))));
    }
    EXPECT_TRUE(same(one.log_posterior[0], all.log_posterior[i]));
    EXPECT_EQ(one.status[0], all.status[i]);
  }
}
MF_FOR_EVERY_FAMILY(every_prior);

TEST(far_samples, meet_a_prior_in_the_data_s_own_scale) {
  // About 1e9 doubles have 7 digits behind the point, and the frame keeps all of them.
  const auto x = draw(find_family("normal"), {0, 2}, 40);
  const priors near_zero{{"mean", {"normal", {0.5, 0.4}}}, {"sd", {"gamma", {9, 4}}}};
  const auto here = fit_with("normal", x, near_zero);
  auto far = x;
  for (double& each : far) each = std::round(each * 1024) / 1024 + 1e9;
  auto rounded = x;
  for (double& each : rounded) each = std::round(each * 1024) / 1024;
  const auto close = fit_with("normal", rounded, near_zero);
  const auto away = fit_with("normal", far, {{"mean", {"normal", {1e9 + 0.5, 0.4}}}, {"sd", {"gamma", {9, 4}}}});
  ASSERT_EQ(away.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(away.parameter(0, 0) - 1e9 - close.parameter(0, 0)) <= 2e-7);
  EXPECT_NEAR_TO(away.parameter(1, 0), close.parameter(1, 0), 1e-8);
  EXPECT_NEAR_TO(away.std_error(0, 0), close.std_error(0, 0), 1e-7);
  EXPECT_NEAR_TO(away.log_posterior[0], close.log_posterior[0], 1e-9);
  EXPECT_TRUE(std::abs(here.parameter(0, 0) - close.parameter(0, 0)) <= 1e-3);
  // A change of unit: the density of a rate per second is not that of one per picosecond.
  const auto y = draw(find_family("exponential"), {0.8}, 25);
  auto small = y;
  for (double& each : small) each *= 0x1p-1000;
  const auto rate = fit_with("exponential", small, {{"rate", {"exponential", {0x1p-1000}}}});
  EXPECT_NEAR_TO(rate.parameter(0, 0), 25 / (sum_of(y) * 0x1p-1000 + 0x1p-1000), 1e-9);
}

TEST(narrow_samples, on_a_logarithm_too) {
  // Weibull and lognormal samples this narrow are read in a frame about their middle.
  for (const char* name : {"lognormal", "weibull"}) {
    std::vector<double> x;
    for (const double each : draw(find_family("normal"), {0, 1}, 50)) x.push_back(1e6 * (1 + 1e-8 * each));
    const bool log_scale = std::string(name) == "lognormal";
    const auto plain = fit_with(name, x, {});
    ASSERT_EQ(plain.status[0], fit_status::converged);
    const int other = log_scale ? 0 : 1;
    const double at = plain.parameter(other, 0), error = plain.std_error(other, 0);
    const auto r = fit_with(name, x, {{find_family(name).parameters[other].name, {"normal", {at + 3 * error, error}}}});
    ASSERT_EQ(r.status[0], fit_status::converged);
    const double way = (r.parameter(other, 0) - at) / error;
    EXPECT_TRUE(std::abs(way - 1.5) <= 0.2) << name << " " << way;
    // Where the posterior is level: the profile's slope against the prior's.
    fit_options with_fixed;
    const auto height = [&](double place) {
      with_fixed.fixed = {{find_family(name).parameters[other].name, at + place * error}};
      return fit_with(name, x, {}, with_fixed).log_likelihood[0] - 0.5 * (place - 3) * (place - 3);
    };
    EXPECT_TRUE(height(way) >= height(way + 0.05) && height(way) >= height(way - 0.05)) << name;
  }
}

TEST(laplace_with_a_prior, reaches_the_highest_corner) {
  for (const int n : {1, 2, 5, 24, 101}) {
    const auto x = draw(find_family("laplace"), {1.5, 2}, n);
    for (const double center : {-3.0, 1.0, 9.0}) {
      const priors believed{{"location", {"normal", {center, 0.7}}}, {"scale", {"gamma", {5, 2}}}};
      const auto r = fit_with("laplace", x, believed);
      ASSERT_EQ(r.status[0], fit_status::converged) << n;
      const auto p = parameters_of_first(r);
      const double best = log_posterior_at(*r.family, p, believed, x);
      EXPECT_NEAR_TO(r.log_posterior[0], best, 1e-10);
      double higher = best;
      for (int i = -400; i <= 400; ++i)
        for (int j = -8; j <= 8; ++j)
          higher =
              std::max(higher, log_posterior_at(*r.family, {p[0] + 0.02 * i, p[1] * std::exp(0.05 * j)}, believed, x));
      for (const double at : x) higher = std::max(higher, log_posterior_at(*r.family, {at, p[1]}, believed, x));
      EXPECT_TRUE(higher <= best + 1e-9 * (1 + std::abs(best))) << n << ": " << higher - best;
      EXPECT_TRUE(r.std_error(0, 0) > 0 && r.std_error(0, 0) <= 0.7);
    }
  }
}

TEST(single_precision, agrees_with_double_on_the_same_values) {
  for (const family_info* family : all_families()) {
    const auto x = draw(*family, example_parameters(*family), 60, 5);
    std::vector<float> narrow(x.begin(), x.end());
    const std::vector<double> wide(narrow.begin(), narrow.end());
    fit_options options = required_options(*family);
    for (int i = 0; i < family->parameter_count; ++i)
      if (family->parameters[i].kind != constraint::count)
        options.priors[family->parameters[i].name] = prior_for(family->parameters[i], 1);
    const auto a = fit_sample(*family, narrow, {}, options), b = fit_sample(*family, wide, {}, options);
    ASSERT_EQ(a.status[0], b.status[0]) << family->name;
    for (int i = 0; i < family->parameter_count; ++i) EXPECT_EQ(a.parameter(i, 0), b.parameter(i, 0)) << family->name;
  }
}

}  // namespace
}  // namespace manyfit::tests
