// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A fit does not depend on the unit or the origin of its data: every family that says what its parameters follow
// (parameter::tracks) is fitted at units from 1e-300 to 1e300 and at offsets of up to 1e12 spreads, whatever is fixed,
// and must give what it gives for the data as drawn. And what a fit says of its likelihood is what score says of it.
#include <numeric>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

bool tracks(const family_info& family, std::initializer_list<tracking> kinds) {
  for (int i = 0; i < family.parameter_count; ++i)
    for (const tracking kind : kinds)
      if (family.parameters[i].tracks == kind) return true;
  return false;
}
bool has_unit(const family_info& f) {
  return tracks(f, {tracking::location, tracking::scale, tracking::rate, tracking::log_scale});
}
bool has_origin(const family_info& f) {
  return tracks(f, {tracking::location});
}

/// Parameter i for the data origin + unit · x, from what it is for x.
double moved(const family_info& family, int i, double p, double origin, double unit) {
  switch (family.parameters[i].tracks) {
    case tracking::location:
      return origin + unit * p;
    case tracking::scale:
      return unit * p;
    case tracking::rate:
      return p / unit;
    case tracking::log_scale:
      return p + std::log(unit);
    default:
      return p;
  }
}
/// A standard error, likewise.
double error_moved(const family_info& family, int i, double se, double unit) {
  const tracking kind = family.parameters[i].tracks;
  return kind == tracking::log_scale ? se : moved(family, i, se, 0, unit);
}

fit_options with_fixed(const family_info& family, unsigned mask, double origin, double unit) {
  fit_options options;
  for (int i = 0; i < family.parameter_count; ++i)
    if (mask >> i & 1u)
      options.fixed[family.parameters[i].name] = moved(family, i, family.parameters[i].example, origin, unit);
  return options;
}

/// `rounding`: what the moved data's own rounding may do, in units of their spread.
void expect_moved(const family_info& family, const std::vector<double>& x, const std::vector<double>& y, double origin,
                  double unit, double rounding) {
  for (unsigned mask = 0; mask + 1 < 1u << family.parameter_count; ++mask) {
    SCOPED_TRACE(testing::Message() << "fixed " << mask << ", unit " << unit << ", origin " << origin);
    const auto a = fit_sample(family, x, {}, with_fixed(family, mask, 0, 1));
    const auto b = fit_sample(family, y, {}, with_fixed(family, mask, origin, unit));
    ASSERT_EQ(b.status[0], a.status[0]) << to_string(a.status[0]) << " " << to_string(b.status[0]);
    EXPECT_EQ(b.observations[0], a.observations[0]);
    for (int i = 0; i < family.parameter_count; ++i) {
      const double expected = moved(family, i, a.parameter(i, 0), origin, unit);
      const double size = std::abs(moved(family, i, 1, 0, unit)) + std::abs(expected - origin);
      const bool same_limit = b.parameter(i, 0) == expected;  // an infinite df
      EXPECT_TRUE(same_limit ||
                  std::abs(b.parameter(i, 0) - expected) <= 1e-9 * size + 3e-16 * std::abs(expected) + rounding * unit)
          << family.parameters[i].name << " " << b.parameter(i, 0) << " for " << expected;
      const double se = error_moved(family, i, a.std_error(i, 0), unit);
      EXPECT_TRUE(std::isnan(se) ? std::isnan(b.std_error(i, 0))
                                 : std::abs(b.std_error(i, 0) - se) <= (1e-6 + rounding) * se)
          << family.parameters[i].name << " " << b.std_error(i, 0) << " for " << se;
    }
    const double shift = static_cast<double>(x.size()) * std::log(unit), ll = a.log_likelihood[0] - shift;
    EXPECT_TRUE(std::abs(b.log_likelihood[0] - ll) <= 1e-12 * (1 + std::abs(shift)) * x.size() * (1 + rounding * 1e9))
        << b.log_likelihood[0] << " for " << ll;
    if (b.status[0] != fit_status::converged) continue;
    const double score = log_likelihood_at(family, parameters_of_first(b), y);
    EXPECT_TRUE(std::abs(score - b.log_likelihood[0]) <= 1e-9 * (1 + std::abs(score))) << score;
  }
}

class family_frame : public every_family {};

TEST_P(family_frame, gives_the_same_fit_in_every_unit) {
  if (!has_unit(family())) GTEST_SKIP() << "its data have no unit";
  const auto x = draw(family(), example_parameters(family()), 60, 5);
  for (const double unit : {1e-300, 1e-200, 1e-100, 1e-30, 1e30, 1e100, 1e200, 1e300}) {
    auto y = x;
    for (double& each : y) each *= unit;
    expect_moved(family(), x, y, 0, unit, 0);
  }
}

TEST_P(family_frame, gives_the_same_fit_at_every_origin) {
  if (!has_origin(family())) GTEST_SKIP() << "its data have an origin";
  auto x = draw(family(), example_parameters(family()), 60, 5);
  for (double& each : x) each = std::round(each * 1024) / 1024;  // so that the offset does not round
  for (const double origin : {0x1p20, 0x1p30, -0x1p36, 0x1p40})  // 1e6 to 1e12
    for (const double unit : {0x1p-400, 1.0, 0x1p400}) {
      auto y = x;
      for (double& each : y) each = (each + origin) * unit;
      // A location as a double is worth 2^-53 of the origin.
      expect_moved(family(), x, y, origin * unit, unit, 0);
    }
}

TEST_P(family_frame, takes_no_more_passes_far_from_the_origin) {
  if (!has_origin(family())) GTEST_SKIP() << "its data have an origin";
  const auto near = draw(family(), example_parameters(family()), 300, 5);
  auto far = near;
  for (double& each : far) each += 1e11;
  EXPECT_LE(fit_sample(family(), far).iterations[0], fit_sample(family(), near).iterations[0] + 2);
}

/// Narrow samples of positive values, of which logarithms and powers cancel.
TEST_P(family_frame, says_of_its_likelihood_what_score_says) {
  if (family().discrete) GTEST_SKIP() << "counts are not narrow";
  const auto z = draw(find_family("logistic"), {0, 0.25}, 50, 8);
  int fitted = 0;
  for (const double width : {1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12})
    for (const double center : {0.3, 0.9}) {
      std::vector<double> x;
      for (const double each : z) x.push_back(center * (1 + width * each));
      if (std::string(family().name) == "beta" && x.back() >= 1) continue;
      const auto r = fit_sample(family(), x);
      if (!usable(r.status[0])) continue;
      ++fitted;
      const auto each = log_density(executor::cpu(1), family(), dense(std::span<const double>(x), 1),
                                    one_set(parameters_of_first(r)));
      const double sum = std::accumulate(each.begin(), each.end(), 0.0), ll = r.log_likelihood[0];
      // Parameters are doubles: a location at x is worth (2^-53 / width)² / 2 of a log-density.
      const double resolution = std::pow(1e-15 / width, 2) * static_cast<double>(x.size());
      EXPECT_TRUE(r.status[0] == fit_status::boundary || std::abs(sum - ll) <= 1e-9 * (1 + std::abs(ll)) + resolution)
          << "width " << width << " about " << center << ": " << sum << " and " << ll;
    }
  int tracked = 0;  // a family whose parameters follow no frame of the data need not fit many of these
  for (int p = 0; p < family().parameter_count; ++p) tracked += family().parameters[p].tracks != tracking::nothing;
  EXPECT_GE(fitted, tracked == 0 || std::string(family().name) == "generalized_pareto" ? 0 : 6);
}
MF_FOR_EVERY_FAMILY(family_frame);

TEST(frames, are_known_to_most_families) {
  int units = 0, origins = 0;
  for (const family_info* each : all_families()) {
    units += has_unit(*each);
    origins += has_origin(*each);
  }
  EXPECT_GE(units, 15);
  EXPECT_GE(origins, 8);
}

}  // namespace
}  // namespace manyfit::tests
