// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Small samples from other people's reports on which this or another program has been wrong, with the right answers:
// from closed forms or from 40 to 60 digits (mpmath), each with its source in a comment.
#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <fstream>
#include <numeric>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

std::vector<double> case_values(const std::string& name) {
  std::ifstream in(std::string(MF_GOLDEN_DIR) + "/cases/" + name + ".csv");
  EXPECT_TRUE(in.good()) << name;
  std::string header;
  std::getline(in, header);
  std::vector<double> values;
  for (double x; in >> x;) values.push_back(x);
  EXPECT_GE(values.size(), 3u) << name;
  return values;
}

struct known {
  std::vector<double> parameters, std_errors;  ///< std_errors may be empty
  double log_likelihood;
};

/// A converged fit with the given numbers, to the accuracy contract, whose score agrees with it.
void expect_fit(const char* name, const std::vector<double>& x, const known& right, const fit_options& options = {}) {
  const family_info& family = find_family(name);
  const auto r = fit_sample(family, x, {}, options);
  ASSERT_EQ(r.status[0], fit_status::converged) << to_string(r.status[0]);
  for (int i = 0; i < family.parameter_count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_TRUE(relative_error(r.parameter(i, 0), right.parameters[at]) <= 1e-6) << r.parameter(i, 0);
    if (!right.std_errors.empty())
      EXPECT_TRUE(relative_error(r.std_error(i, 0), right.std_errors[at]) <= 1e-5) << r.std_error(i, 0);
  }
  const double ll = r.log_likelihood[0];
  EXPECT_TRUE(std::abs(ll - right.log_likelihood) <= 1e-8 * (1 + std::abs(right.log_likelihood))) << ll;
  const auto each =
      log_density(executor::cpu(1), family, dense(std::span<const double>(x), 1), one_set(parameters_of_first(r)));
  const double sum = std::accumulate(each.begin(), each.end(), 0.0);
  EXPECT_TRUE(std::abs(sum - ll) <= 1e-9 * std::abs(ll)) << sum << " and " << ll;
}

TEST(cases, normal_of_a_clock_far_from_zero) {  // closed form in 50 digits
  const auto x = case_values("clock");
  expect_fit("normal", x, {{9192631770.0000774, 0.0159497883479}, {0.002521882969, 0.00178324054863}, 108.7748474543});
  const auto r = fit_sample(find_family("normal"), x);
  EXPECT_TRUE(std::abs(r.parameter(0, 0) - 9192631770.0000774) <= 2e-6) << r.parameter(0, 0);
}

TEST(cases, cauchy_and_student_t_at_an_offset_of_1e12) {  // Newton in 50 digits on x − 1e12
  const auto x = case_values("offset12");
  expect_fit("cauchy", x,
             {{1e12 + 0.22488936436, 0.72691655052875}, {0.154065893767, 0.119105876229}, -109.47118990311});
  expect_fit("student_t", x,
             {{4.401651388964, 1e12 + 0.19687808911427934, 1.0614099782448732},
              {2.787599086770831, 0.16002466969018392, 0.18257424564269056},
              -102.9913206556});
  const auto cauchy = fit_sample(find_family("cauchy"), x), t = fit_sample(find_family("student_t"), x);
  EXPECT_TRUE(std::abs(cauchy.parameter(0, 0) - 1e12 - 0.22488936436) <= 2e-4);  // doubles there are 1.2e-4 apart
  EXPECT_TRUE(std::abs(t.parameter(1, 0) - 1e12 - 0.19687808911) <= 2e-4);
}

TEST(cases, gamma_of_narrow_samples) {  // 60 digits, trigamma formula
  expect_fit("gamma", case_values("gamma_cv1e-6"),
             {{1.31597785868e12, 13159778660.391}, {2.631955717e11, 2631955732.08}, 396.434592419});
  expect_fit("gamma", case_values("gamma_cv3e-7"),
             {{1.46219769408e13, 146219769652.88}, {2.924395388e12, 29243953930.6}, 456.633233694});
}

TEST(cases, von_mises_of_a_narrow_sample) {  // besseli in 40 digits
  expect_fit("von_mises", case_values("vm_narrow"), {{0.1, 1.66666666842e17}, {}, 55.2253427092});
}

TEST(cases, cauchy_with_half_of_the_sample_tied_has_a_limit) {  // Copas, Biometrika 62 (1975) 701; the limit by hand
  const auto r = fit_sample(find_family("cauchy"), case_values("cauchy_half_tied"));
  EXPECT_EQ(r.status[0], fit_status::boundary) << to_string(r.status[0]);
  EXPECT_EQ(r.parameter("location", 0), 0);
  EXPECT_EQ(r.parameter("scale", 0), 0);
  EXPECT_TRUE(relative_error(r.log_likelihood[0], -15.9602338501) <= 1e-10) << r.log_likelihood[0];
}

TEST(cases, ties_of_more_than_half_have_no_bound) {
  EXPECT_EQ(fit_sample(find_family("cauchy"), case_values("cauchy_most_tied")).status[0],
            fit_status::unbounded_likelihood);
  const auto r = fit_sample(find_family("student_t"), case_values("t_rounded"));  // 91 of 200 are 0
  EXPECT_EQ(r.status[0], fit_status::unbounded_likelihood) << to_string(r.status[0]);
}

TEST(cases, student_t_with_df_and_scale_fixed_takes_the_higher_mode) {  // a grid of 340,001 locations, then Brent
  expect_fit("student_t", case_values("t_two_modes"), {{2, 5.07030719, 0.3}, {}, -50.254321772},
             {.fixed = {{"df", 2}, {"scale", 0.3}}});
}

TEST(cases, student_t_of_few_points_finds_the_maximum_above_the_normal_limit) {  // Newton in 50 digits
  expect_fit("student_t", case_values("t_local"),
             {{0.5844181781098478, 2.863502105937256, 0.16181317565963793}, {}, -13.677097475});
}

TEST(cases, sums_beyond_the_doubles_are_no_fault_of_the_sample) {  // closed form; extended precision
  const auto x = case_values("fill_1e300");
  expect_fit("normal", x, {{1e300 / 3, 4.714045207910317e299}, {}, -2074.3272832});
  const auto r = fit_sample(find_family("gamma"), x);
  EXPECT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(relative_error(r.parameter(0, 0) / r.parameter(1, 0), 1e300 / 3) <= 1e-12);
}

TEST(cases, generalized_pareto_with_a_shape_below_minus_one_has_no_bound) {
  const auto x = case_values("gpd_fixed");
  const auto& family = find_family("generalized_pareto");
  const auto of_shape = [&](double shape) { return fit_sample(family, x, {}, {.fixed = {{"shape", shape}}}); };
  EXPECT_EQ(of_shape(-2).status[0], fit_status::unbounded_likelihood);
  EXPECT_EQ(of_shape(-1.01).status[0], fit_status::unbounded_likelihood);
  const auto uniform = of_shape(-1);  // uniform on [0, scale]
  const double top = *std::max_element(x.begin(), x.end());
  EXPECT_EQ(uniform.status[0], fit_status::boundary);
  EXPECT_TRUE(relative_error(uniform.parameter("scale", 0), top) <= 1e-14);
  EXPECT_TRUE(relative_error(uniform.log_likelihood[0], -static_cast<double>(x.size()) * std::log(top)) <= 1e-13);
  EXPECT_EQ(of_shape(-0.9).status[0], fit_status::converged);
}

TEST(cases, gev_with_a_shape_of_minus_one_ends_at_the_largest_value) {
  const std::vector<double> x{1, 2, 4, 7, 7.5};  // density exp(−(end − x)/σ)/σ: σ = mean of 7.5 − x = 3.2
  const auto& family = find_family("gev");
  const auto r = fit_sample(family, x, {}, {.fixed = {{"shape", -1}}});
  EXPECT_EQ(r.status[0], fit_status::boundary) << to_string(r.status[0]);
  EXPECT_TRUE(relative_error(r.parameter("scale", 0), 3.2) <= 1e-14);
  EXPECT_TRUE(relative_error(r.parameter("location", 0) + r.parameter("scale", 0), 7.5) <= 1e-14);
  EXPECT_TRUE(relative_error(r.log_likelihood[0], -5 * (std::log(3.2) + 1)) <= 1e-13) << r.log_likelihood[0];
  EXPECT_EQ(fit_sample(family, x, {}, {.fixed = {{"shape", -1.5}}}).status[0], fit_status::unbounded_likelihood);
}

TEST(cases, gev_of_a_very_heavy_tail_climbs_to_its_maximum) {
  // SciPy on a grid of shapes from 2 to 100, the lower end point free: −1557.7346 at 3.8, −1557.7528 at 3.9.
  const auto x = case_values("gev_heavy");
  const auto r = fit_sample(find_family("gev"), x);
  ASSERT_EQ(r.status[0], fit_status::converged) << to_string(r.status[0]);
  EXPECT_TRUE(r.log_likelihood[0] >= -1557.7346 && r.log_likelihood[0] <= -1557.71) << r.log_likelihood[0];
  EXPECT_TRUE(r.parameter("shape", 0) > 3.8 && r.parameter("shape", 0) < 3.9) << r.parameter("shape", 0);
}

TEST(cases, gev_with_a_scale_far_too_small_is_not_out_of_support) {
  const auto x = case_values("gev_fixed");
  const auto& family = find_family("gev");
  const double least = *std::min_element(x.begin(), x.end());
  for (const double scale : {0.0005, 0.001, 0.002}) {
    const auto r = fit_sample(family, x, {}, {.fixed = {{"scale", scale}}});
    // In exact arithmetic, over the distance of the lower end from the smallest value, the profile of the shape rises
    // without end (at scale 0.001: -230.76, -226.25, -224.60, -221.43, -217.71 at 6, 8, 10, 16, 20): the fit ends where
    // a location as a double no longer tells that distance, above where SciPy's simplex ended.
    EXPECT_EQ(r.status[0], fit_status::boundary) << to_string(r.status[0]);
    const double shape = r.parameter("shape", 0), location = r.parameter("location", 0);
    const double margin = least - location + scale / shape;
    EXPECT_TRUE(margin > 0 && margin < 1e-12 * least) << margin;
    EXPECT_TRUE(shape > 8.2 && shape < 12) << shape;
    EXPECT_TRUE(std::isnan(r.std_error(2, 0)));
    if (scale == 0.001) EXPECT_TRUE(r.log_likelihood[0] >= -226.03972589) << r.log_likelihood[0];
    const double score = log_likelihood_at(family, parameters_of_first(r), x);
    EXPECT_TRUE(std::abs(score - r.log_likelihood[0]) <= 1e-6) << score;
  }
  EXPECT_EQ(fit_sample(family, x, {}, {.fixed = {{"scale", 0.01}}}).status[0], fit_status::converged);
  // The cap on iterations is still called so.
  const auto capped = fit_sample(family, x, {}, {.max_iterations = 110, .fixed = {{"scale", 0.001}}});
  EXPECT_EQ(capped.status[0], fit_status::max_iterations);
  EXPECT_LE(capped.iterations[0], 110);
}

TEST(cases, beta_of_narrow_samples_and_near_zero) {
  // m (1 ± h) with weights 1/2: in the limit of small h the moments are the maximum: n = m (1 − m) / (m h)² − 1.
  for (const double h : {0x1p-24, 0x1p-30, 0x1p-40}) {  // 6e-8 to 1e-12
    const std::vector<double> x{0.25 * (1 - h), 0.25 * (1 + h)};
    const auto r = fit_sample(find_family("beta"), x);
    ASSERT_EQ(r.status[0], fit_status::converged) << h;
    const double n = 3 / (h * h);
    EXPECT_TRUE(relative_error(r.parameter("alpha", 0), n / 4) <= 1e-6) << r.parameter("alpha", 0) * h * h;
    EXPECT_TRUE(relative_error(r.parameter("beta", 0), 3 * n / 4) <= 1e-6);
    // One observation's information on log n is 1/2.
    EXPECT_TRUE(relative_error(r.std_error(0, 0), n / 4 * std::sqrt(2.0 / 2)) <= 1e-5) << r.std_error(0, 0) / n;
    EXPECT_TRUE(relative_error(r.std_error(1, 0), 3 * n / 4 * std::sqrt(2.0 / 2)) <= 1e-5) << r.std_error(1, 0) / n;
  }
  for (const double unit : {0x1p-23, 0x1p-40}) {  // values about 1e-7 and 1e-12: a gamma sample in that unit
    auto x = draw(find_family("gamma"), {3, 3}, 50, 4);
    const auto gamma = fit_sample(find_family("gamma"), x);
    for (double& each : x) each *= unit;
    const auto r = fit_sample(find_family("beta"), x);
    ASSERT_EQ(r.status[0], fit_status::converged) << unit;
    EXPECT_TRUE(relative_error(r.parameter("alpha", 0), gamma.parameter("shape", 0)) <= 1e-7 + 100 * unit);
    EXPECT_TRUE(relative_error(r.parameter("beta", 0), gamma.parameter("rate", 0) / unit) <= 1e-7 + 100 * unit);
    EXPECT_TRUE(relative_error(r.std_error(0, 0), gamma.std_error(0, 0)) <= 1e-5);
    EXPECT_TRUE(relative_error(r.std_error(1, 0), gamma.std_error(1, 0) / unit) <= 1e-5);
  }
}

TEST(cases, student_t_near_the_normal_tells_its_df_and_error) {
  // Normal scores with their ends stretched. The mean log-likelihood is g/df + h/(2 df²) + ... about the normal limit,
  // with g = mean z⁴/4 − mean z²/2 − 1/4 and h of order 1: df and its error go as 1/g and 1/g².
  const auto scores = [](double stretch) {
    std::vector<double> x;
    for (int i = 0; i < 400; ++i) x.push_back(boost::math::quantile(boost::math::normal(), (i + 0.5) / 400));
    x.front() *= stretch;
    x.back() *= stretch;
    return x;
  };
  const auto slope = [&](double stretch) {  // the mean is 0 by symmetry
    double squares = 0, fourths = 0;
    for (const double each : scores(stretch)) squares += each * each / 400, fourths += each * each * each * each / 400;
    return fourths / (squares * squares) / 4 - 0.75;
  };
  double inside = 1.5, outside = 1;  // where g = 0
  for (int i = 0; i < 60; ++i) (slope(0.5 * (inside + outside)) > 0 ? inside : outside) = 0.5 * (inside + outside);
  // The slope in h = 1/df of the profile over the scale, in long double, through log(1 + h z²)/h as a series in h z²
  // and c(h) = −h/4 + h³/24 − h⁵/20 + ... for the gamma functions (DLMF 5.11.13).
  const auto profile_slope = [&](const std::vector<double>& x, long double h) {
    long double scale = 1, slope = 0;
    for (int i = 0; i < 60; ++i) {
      long double sum = 0;
      for (const double each : x) {
        const long double zz = each / scale * (each / scale);
        sum += (1 + h) * zz / (1 + h * zz) / 400;
      }
      scale *= sqrtl(sum);
    }
    for (const double each : x) {
      const long double zz = each / scale * (each / scale), y = h * zz;
      const long double rest = 0.5L - y * (2 / 3.0L - y * (0.75L - y * (0.8L - y * (5 / 6.0L - y * 6 / 7))));
      slope += -0.25L + h * h / 8 - h * h * h * h / 4 - 0.5L * zz / (1 + y) + 0.5L * zz * zz * rest;
    }
    return slope;
  };
  double first_df = 0, first_error = 0, df = 0;
  for (const double excess : {1e-3, 1e-4, 1e-5}) {
    const auto r = fit_sample(find_family("student_t"), scores(inside + excess));
    ASSERT_EQ(r.status[0], fit_status::converged) << excess;
    const double g = slope(inside + excess), error = r.std_error(0, 0) * g * g;
    df = r.parameter("df", 0);
    long double low = 0.5L / df, high = 2 / static_cast<long double>(df);
    for (int i = 0; i < 70; ++i)
      (profile_slope(scores(inside + excess), (low + high) / 2) > 0 ? low : high) = (low + high) / 2;
    EXPECT_TRUE(relative_error(df, static_cast<double>(1 / low)) <= 1e-6) << df << " for " << 1 / low;
    if (first_df == 0) first_df = df * g, first_error = error;
    EXPECT_TRUE(relative_error(df * g, first_df) <= 0.02) << df << " at " << g;
    EXPECT_TRUE(relative_error(error, first_error) <= 0.05) << error << " at " << g;
  }
  EXPECT_GE(df, 1e5);
  EXPECT_EQ(fit_sample(find_family("student_t"), scores(outside - 1e-6)).status[0], fit_status::boundary);
}

TEST(cases, negative_binomial_of_sizes_up_to_1e10_recovers_them) {
  for (const double size : {1e6, 1e8, 1e9, 1e10}) {
    const auto x = draw(find_family("negative_binomial"), {size, 3 * size}, 400, 6);
    const auto r = fit_sample(find_family("negative_binomial"), x);
    ASSERT_EQ(r.status[0], fit_status::converged) << size << " " << to_string(r.status[0]);
    EXPECT_TRUE(std::abs(r.parameter(0, 0) - size) <= 4 * r.std_error(0, 0)) << r.parameter(0, 0);
    // Counts so large are a gamma of shape `size` seen through Poisson noise of 1/3 of its variance: the error of log
    // size is that of a variance of which 3/4 are its own.
    EXPECT_TRUE(relative_error(r.std_error(0, 0) / r.parameter(0, 0), std::sqrt(2.0 / 400) * 4 / 3) <= 0.15);
  }
}

}  // namespace
}  // namespace manyfit::tests
