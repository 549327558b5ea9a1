// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The contract of an objective (kernels/contracts/objective.hpp), for every one of kernels/objectives/, on a thread
// with SIMD and on lanes: derivatives are those of the value, and both orders say the same.
#include <cmath>
#include <memory>
#include <random>

#include "kernels/contracts/wide_objective.hpp"
#include "kernels/families/bernoulli.hpp"
#include "kernels/families/beta.hpp"
#include "kernels/families/gamma.hpp"
#include "kernels/families/gev.hpp"
#include "kernels/families/student_t.hpp"
#include "kernels/families/weibull.hpp"
#include "kernels/objectives/posterior.hpp"
#include "kernels/objectives/statistics_likelihood.hpp"
#include "on_groups.hpp"
#include "stranger.hpp"

namespace manyfit {
namespace {

template <class Group>
using group_type = std::decay_t<Group>;

/// A case: rows' rule, where to look, and with(points, summary, body), which gives body the objective.
template <class Family>
struct of_rows {
  using rows = family_rows<Family>;
  static vec<double, parameter_count<Family>> place() {
    vec<double, parameter_count<Family>> p;
    for (int i = 0; i < parameter_count<Family>; ++i) p[i] = example_of<Family>(i);
    return p;
  }
  template <class Group, class Body>
  static auto with(const Group& points, const sample_summary& summary, Body body) {
    return body(likelihood<Family, group_type<Group>>(points, summary));
  }
};
template <class Family>
struct as_model : of_rows<Family> {
  template <class Group, class Body>
  static auto with(const Group& points, const sample_summary& summary, Body body) {
    return body(likelihood<family_model<Family>, group_type<Group>>{points, summary});
  }
};
template <class Family>
struct of_statistics : of_rows<Family> {
  template <class Group, class Body>
  static auto with(const Group& points, const sample_summary& summary, Body body) {
    const auto statistics = gather<Family>(points, summary);
    return body(likelihood<Family, gathered<Family>>(statistics));
  }
};
template <class Family>
struct in_regular_coordinates : of_rows<Family> {
  template <class Group, class Body>
  static auto with(const Group& points, const sample_summary& summary, Body body) {
    const auto statistics = gather<Family>(points, summary);
    return body(in_orthogonal_coordinates(likelihood<Family, gathered<Family>>(statistics)));
  }
};
struct from_the_lower_end : of_rows<gev> {
  static vec<double, 3> place() { return {0.8, 2, 0.9}; }
  template <class Group, class Body>
  static auto with(const Group& points, const sample_summary& summary, Body body) {
    const likelihood<gev, group_type<Group>> own(points, summary);
    return body(in_lower_end(own));
  }
};
struct curve_with_prior {
  using rows = decay_curve::rows;
  struct weak {
    template <class T>
    MF_FN T log_density(const vec<T, 2>& p) const {
      return -0.5 * square(p[0] - 1.0) - 0.5 * square(log(p[1]));
    }
  };
  static vec<double, 2> place() { return {2.5, 0.7}; }
  template <class Group, class Body>
  static auto with(const Group& points, const sample_summary& summary, Body body) {
    using L = likelihood<decay_curve, group_type<Group>>;
    return body(posterior<L, weak>{L{points, summary}, weak()});
  }
};
template <class Case, bool Jacobian>
struct on_the_real_line : Case {
  static auto place() {
    auto p = Case::place();
    for (int i = 0; i < p.size(); ++i) p[i] = 0.3 - 0.5 * i;
    return p;
  }
  template <class Group, class Body>
  static auto with(const Group& points, const sample_summary& summary, Body body) {
    return Case::with(points, summary, [&](const auto& inner) {
      return body(unconstrained<std::decay_t<decltype(inner)>, Jacobian>{inner});
    });
  }
};

/// 83 rows that every rule above finds uses for, with a second number each.
struct plain_data {
  std::vector<double> values, weights, times;
  plain_data(double low, double high, bool whole) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 83; ++i) {
      const double u = std::ldexp(static_cast<double>(random() >> 11), -53);
      values.push_back(whole ? std::floor(2 * u) : low + (high - low) * u);
      weights.push_back(0.5 + i % 3);
      times.push_back(0.05 * i);
    }
  }
};

/// value, gradient, Hessian of order 2; value and gradient of order 1; weight.
template <class Case, class P>
auto evaluated_at(const P& p) {
  return [p](const auto& points, const sample_summary& summary) {
    return Case::with(points, summary, [&](const auto& over) {
      using O = std::decay_t<decltype(over)>;
      static_assert(objective<O>);
      const auto second = over.template at<2>(p);
      const auto first = over.template at<1>(p);
      std::vector<double> out{second.value};
      for (int i = 0; i < O::dimension; ++i) out.push_back(second.gradient[i]);
      for (int i = 0; i < packed_size(O::dimension); ++i) out.push_back(second.hessian[i]);
      out.push_back(first.value);
      for (int i = 0; i < O::dimension; ++i) out.push_back(first.gradient[i]);
      out.push_back(over.weight());
      return out;
    });
  };
}

template <class Case>
struct objectives : testing::Test {
  static constexpr int columns = Case::rows::columns;
  static constexpr int P = decltype(Case::place())::size();
  const plain_data data{0.05, 0.95, std::is_same_v<typename Case::rows::support, supports::zero_or_one>};

  template <class Where>
  std::vector<double> at(const vec<double, P>& p) const {
    sample<double, columns> rows;
    rows.values = data.values.data();
    rows.weights = data.weights.data();
    rows.size = static_cast<std::int64_t>(data.values.size());
    if constexpr (columns > 0) rows.columns[0] = data.times.data();
    return Where::template run<typename Case::rows, double>(rows, evaluated_at<Case>(p));
  }
};
using cases =
    testing::Types<of_rows<weibull>, of_rows<student_t>, as_model<weibull>, as_model<families::gamma>,
                   of_statistics<families::gamma>, of_statistics<beta>, of_statistics<bernoulli>,
                   in_regular_coordinates<families::gamma>, in_regular_coordinates<beta>, from_the_lower_end,
                   curve_with_prior, on_the_real_line<of_rows<weibull>, false>,
                   on_the_real_line<of_rows<weibull>, true>, on_the_real_line<of_statistics<bernoulli>, false>,
                   on_the_real_line<of_statistics<bernoulli>, true>, on_the_real_line<curve_with_prior, true>>;
TYPED_TEST_SUITE(objectives, cases);

bool near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * (1 + std::abs(b));
}

TYPED_TEST(objectives, have_the_derivatives_of_their_value) {
  constexpr int P = TestFixture::P;
  const auto place = TypeParam::place();
  const auto here = this->template at<on_serial_group>(place);
  for (int i = 0; i < P; ++i) {
    const double h = 1e-5 * std::max(0.1, std::abs(place[i]));
    auto below = place, above = place;
    below[i] -= h;
    above[i] += h;
    const auto low = this->template at<on_serial_group>(below), high = this->template at<on_serial_group>(above);
    EXPECT_TRUE(near(here[1 + i], (high[0] - low[0]) / (2 * h), 1e-7)) << "gradient " << i << ": " << here[1 + i];
    for (int j = 0; j < P; ++j) {
      const double bend = (high[1 + j] - low[1 + j]) / (2 * h), own = here[1 + P + packed(i, j)];
      EXPECT_TRUE(near(own, bend, 1e-6)) << "Hessian " << i << j << ": " << own << " and " << bend;
    }
  }
}
TYPED_TEST(objectives, say_the_same_in_both_orders) {
  constexpr int P = TestFixture::P;
  const auto here = this->template at<on_serial_group>(TypeParam::place());
  for (int i = 0; i <= P; ++i) EXPECT_TRUE(near(here[1 + P + packed_size(P) + i], here[i], 1e-13)) << i;
}
TYPED_TEST(objectives, are_the_same_on_lanes) {
  const auto serial = this->template at<on_serial_group>(TypeParam::place());
  const auto lanes = this->template at<on_lanes<reach::warp, 1, 1, 0>>(TypeParam::place());
  ASSERT_EQ(serial.size(), lanes.size());
  for (std::size_t i = 0; i < serial.size(); ++i) EXPECT_TRUE(near(lanes[i], serial[i], 1e-11)) << i;
}

TYPED_TEST(objectives, are_the_same_as_wide_ones) {
  constexpr int P = TestFixture::P;
  const auto place = TypeParam::place();
  const auto as_they_are = this->template at<on_serial_group>(place);
  const auto seen_as_wide = [&](const auto& points, const sample_summary& summary) {
    return TypeParam::with(points, summary, [&](const auto& over) {
      const wide_view<std::decay_t<decltype(over)>> wide(over);
      static_assert(wide_objective<decltype(wide)>);
      const any_objective any = wide;
      std::vector<double> out, g(P), h(static_cast<std::size_t>(packed_size(P)));
      out.push_back(any.hessian({place.v, P}, g, h));
      out.insert(out.end(), g.begin(), g.end());
      out.insert(out.end(), h.begin(), h.end());
      out.push_back(any.gradient({place.v, P}, g));
      out.insert(out.end(), g.begin(), g.end());
      out.push_back(any.weight());
      EXPECT_EQ(any.dimension(), P);
      for (int i = 0; i < P; ++i) EXPECT_EQ(any.constraint_of(i), over.constraint_of(i));
      return out;
    });
  };
  sample<double, TestFixture::columns> rows;
  rows.values = this->data.values.data();
  rows.weights = this->data.weights.data();
  rows.size = static_cast<std::int64_t>(this->data.values.size());
  if constexpr (TestFixture::columns > 0) rows.columns[0] = this->data.times.data();
  EXPECT_EQ((on_serial_group::run<typename TypeParam::rows, double>(rows, seen_as_wide)), as_they_are);
}

TEST(posterior, adds_the_prior_once_to_the_whole_sample) {
  const plain_data data(0.05, 0.95, false);
  sample<double, 1> rows;
  rows.values = data.values.data();
  rows.weights = data.weights.data();
  rows.size = 83;
  rows.columns[0] = data.times.data();
  const vec<double, 2> p{2.5, 0.7};
  const auto got = on_serial_group::run<decay_curve::rows, double>(rows, [&](const auto& points, const auto& summary) {
    const likelihood<decay_curve, std::decay_t<decltype(points)>> alone{points, summary};
    const posterior<std::decay_t<decltype(alone)>, curve_with_prior::weak> both{alone, {}};
    return std::vector<double>{alone.weight() * (both.template at<2>(p).value - alone.template at<2>(p).value)};
  });
  EXPECT_TRUE(near(got[0], -0.5 * 1.5 * 1.5 - 0.5 * std::log(0.7) * std::log(0.7), 1e-12)) << got[0];
}

TEST(unconstrained, integrates_to_the_same_with_its_jacobian) {
  // ∫ L(p) dp over (0, ∞) and ∫ L(p(u)) |dp/du| du over the real line are one number.
  const plain_data data(0.05, 0.95, false);
  const sample<double> rows{data.values.data(), nullptr, 9};
  const auto got = on_serial_group::run<family_rows<weibull>, double>(rows, [&](const auto& points, const auto& s) {
    const likelihood<weibull, std::decay_t<decltype(points)>> over(points, s);
    const unconstrained<std::decay_t<decltype(over)>, true> free{over};
    double natural = 0, line = 0;  // over the scale, at shape 1.5
    const double step = 1e-3, shape = std::log(1.5);
    for (double scale = step; scale < 40; scale += step)
      natural += step * std::exp(9 * over.template at<1>({1.5, scale}).value);
    for (double u = -8; u < 8; u += step) line += step * std::exp(9 * free.template at<1>({shape, u}).value - shape);
    return std::vector<double>{natural, line};
  });
  EXPECT_TRUE(near(got[1] / got[0], 1, 1e-6)) << got[0] << " " << got[1];
}

}  // namespace
}  // namespace manyfit
