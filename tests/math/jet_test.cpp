// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Jets against derivatives written by hand. Two parameters enter through a(u, v) = u v + u², whose derivatives are
// plain, so that every test checks the chain rule with a gradient and a Hessian of its own; for doubles and for packs.
#include "kernels/math/jet.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/math/pack.hpp"
#include "kernels/math/special.hpp"

namespace manyfit {
namespace {

std::vector<double> lanes_of(double x) {
  return {x};
}
std::vector<double> lanes_of(const pack& x) {
  std::vector<double> all(pack::lanes);
  x.store(all.data());
  return all;
}

template <class S>
void near(const S& actual, double expected, double tolerance, const char* what) {
  for (const double lane : lanes_of(actual))
    EXPECT_FALSE(!(std::abs(lane - expected) <= tolerance * (1 + std::abs(expected))))
        << what << ": " << lane << " against " << expected;
}

template <class S>
jet<S, 2> inner(double u, double v) {
  const auto ju = jet<S, 2>::variable(S(u), 0), jv = jet<S, 2>::variable(S(v), 1);
  return ju * jv + ju * ju;
}

/// f(a(u, v)) has gradient f' ∇a and Hessian f' ∇²a + f'' ∇a ∇aᵀ, with ∇a = (v + 2u, u), ∇²a = (2, 1; 1, 0).
template <class S, class Function>
void follows_chain_rule(const char* what, Function f, double u, double v, double value, double f1, double f2,
                        double tolerance = 1e-14) {
  const jet<S, 2> y = f(inner<S>(u, v));
  const double du = v + 2 * u, dv = u;
  near(y.value, value, tolerance, what);
  near(y.gradient[0], f1 * du, tolerance, what);
  near(y.gradient[1], f1 * dv, tolerance, what);
  near(y.hessian[packed(0, 0)], 2 * f1 + f2 * du * du, tolerance, what);
  near(y.hessian[packed(1, 0)], f1 + f2 * du * dv, tolerance, what);
  near(y.hessian[packed(1, 1)], f2 * dv * dv, tolerance, what);
}

template <class S>
struct jets : testing::Test {};
using scalars = testing::Types<double, pack>;
TYPED_TEST_SUITE(jets, scalars);

TYPED_TEST(jets, follow_the_chain_rule_through_elementary_functions) {
  using S = TypeParam;
  for (const auto& [u, v] : {std::pair{0.7, 0.4}, std::pair{0.3, -0.1}, std::pair{1.3, 0.9}}) {
    const double a = u * v + u * u;
    follows_chain_rule<S>(
        "exp", [](auto x) { return exp(x); }, u, v, std::exp(a), std::exp(a), std::exp(a));
    follows_chain_rule<S>(
        "expm1", [](auto x) { return expm1(x); }, u, v, std::expm1(a), std::exp(a), std::exp(a));
    follows_chain_rule<S>(
        "log", [](auto x) { return log(x); }, u, v, std::log(a), 1 / a, -1 / (a * a));
    follows_chain_rule<S>(
        "log1p", [](auto x) { return log1p(x); }, u, v, std::log1p(a), 1 / (1 + a), -1 / ((1 + a) * (1 + a)));
    follows_chain_rule<S>(
        "sqrt", [](auto x) { return sqrt(x); }, u, v, std::sqrt(a), 0.5 / std::sqrt(a), -0.25 / (a * std::sqrt(a)));
    follows_chain_rule<S>(
        "sin", [](auto x) { return sin(x); }, u, v, std::sin(a), std::cos(a), -std::sin(a));
    follows_chain_rule<S>(
        "cos", [](auto x) { return cos(x); }, u, v, std::cos(a), -std::sin(a), -std::cos(a));
    follows_chain_rule<S>(
        "atan", [](auto x) { return atan(x); }, u, v, std::atan(a), 1 / (1 + a * a),
        -2 * a / ((1 + a * a) * (1 + a * a)));
    follows_chain_rule<S>(
        "abs", [](auto x) { return abs(x); }, u, v, a, 1, 0);
    follows_chain_rule<S>(
        "abs of negative", [](auto x) { return abs(-x); }, u, v, a, 1, 0);
    follows_chain_rule<S>(
        "reciprocal", [](auto x) { return reciprocal(x); }, u, v, 1 / a, -1 / (a * a), 2 / (a * a * a));
    follows_chain_rule<S>(
        "square", [](auto x) { return square(x); }, u, v, a * a, 2 * a, 2);
  }
}

TYPED_TEST(jets, follow_the_chain_rule_through_operators_with_plain_scalars) {
  using S = TypeParam;
  const double u = 0.7, v = 0.4, a = u * v + u * u;
  follows_chain_rule<S>(
      "x + b", [](auto x) { return x + S(3); }, u, v, a + 3, 1, 0);
  follows_chain_rule<S>(
      "b - x", [](auto x) { return S(3) - x; }, u, v, 3 - a, -1, 0);
  follows_chain_rule<S>(
      "b x", [](auto x) { return S(3) * x; }, u, v, 3 * a, 3, 0);
  follows_chain_rule<S>(
      "x / b", [](auto x) { return x / S(4); }, u, v, a / 4, 0.25, 0);
  follows_chain_rule<S>(
      "b / x", [](auto x) { return S(3) / x; }, u, v, 3 / a, -3 / (a * a), 6 / (a * a * a));
  follows_chain_rule<S>(
      "x / (1 + x)", [](auto x) { return x / (S(1) + x); }, u, v, a / (1 + a), 1 / ((1 + a) * (1 + a)),
      -2 / std::pow(1 + a, 3));
  follows_chain_rule<S>(
      "x x - x", [](auto x) { return x * x - x; }, u, v, a * a - a, 2 * a - 1, 2);
}

TYPED_TEST(jets, take_values_and_derivatives_from_the_chosen_side_of_a_select) {
  using S = TypeParam;
  const auto choose = [](auto x) { return select(x < jet<S, 2>(S(1)), x * x, S(5) * x); };
  follows_chain_rule<S>("left", choose, 0.5, 0.5, 0.25, 1.0, 2.0);
  follows_chain_rule<S>("right", choose, 1.0, 0.5, 7.5, 5.0, 0.0);
}

/// Special functions: the derivatives against central differences of the value (step 1e-5: error about 1e-10 and, for
/// the second from the first, the same), which would show a wrong formula though not the last digits.
template <class S, class Function>
void differentiates(const char* what, Function f, std::initializer_list<double> points) {
  for (const double x : points) {
    const double h = 1e-5 * (1 + std::abs(x)) * (std::abs(x) < 0.01 ? 0.01 : 1);
    const auto at = [&](double t) { return f(jet<S, 1>::variable(S(t), 0)); };
    const jet<S, 1> low = at(x - h), high = at(x + h), middle = at(x);
    near(middle.gradient[0], lanes_of((high.value - low.value) / S(2 * h))[0], 3e-8, what);
    near(middle.hessian[0], lanes_of((high.gradient[0] - low.gradient[0]) / S(2 * h))[0], 3e-8, what);
    near(middle.value, lanes_of(f(S(x)))[0], 1e-15, what);
  }
}

TYPED_TEST(jets, differentiate_special_functions) {
  using S = TypeParam;
  differentiates<S>("log_gamma", [](auto x) { return log_gamma(x); }, {0.2, 0.99, 1.0, 2.3, 5.9, 6.1, 40.0, 1e4});
  differentiates<S>("log_bessel_i0", [](auto x) { return log_bessel_i0(x); }, {0.1, 1.0, 7.0, 15.9, 16.1, 300.0});
  differentiates<S>("log1p_minus", [](auto x) { return log1p_minus(x); }, {-0.6, -0.1, 1e-3, 0.3, 0.41, 9.0});
  for (const double count : {0.0, 1.0, 7.0, 300.0})
    differentiates<S>("log_gamma_ratio", [count](auto r) { return log_gamma_ratio(r, S(count)); },
                      {0.3, 2.0, 5.99, 7.9, 8.1, 30.0, 1e4});
}

TYPED_TEST(jets, of_first_order_have_the_value_and_gradient_of_those_of_second_order) {
  using S = TypeParam;
  const auto formula = [](const auto& a, const auto& b) {
    const auto product = a * b + log(a) / (S(2) + exp(-b)) - log1p(a * S(0.5)) * sqrt(b);
    return select(a < b, product + log_gamma(a) - log1p_ratio(a, b), atan(product) - log_bessel_i0(b));
  };
  for (const double u : {0.4, 1.7, 3.0}) {
    const auto first = formula(jet<S, 2, 1>::variable(S(u), 0), jet<S, 2, 1>::variable(S(2), 1));
    const auto second = formula(jet<S, 2>::variable(S(u), 0), jet<S, 2>::variable(S(2), 1));
    static_assert(sizeof first == 3 * sizeof(S) && sizeof second == 6 * sizeof(S));
    near(first.value, lanes_of(second.value)[0], 1e-15, "value");
    for (int i = 0; i < 2; ++i) near(first.gradient[i], lanes_of(second.gradient[i])[0], 1e-14, "gradient");
  }
}

TYPED_TEST(jets, agree_on_log_gamma_ratio_and_the_difference_of_log_gammas) {
  using S = TypeParam;
  const auto r = jet<S, 1>::variable(S(3.5), 0);
  const jet<S, 1> ratio = log_gamma_ratio(r, S(4.0)), difference = log_gamma(r + S(4.0)) - log_gamma(r);
  near(ratio.value, lanes_of(difference.value)[0], 1e-14, "value");
  near(ratio.gradient[0], lanes_of(difference.gradient[0])[0], 1e-14, "gradient");
  near(ratio.hessian[0], lanes_of(difference.hessian[0])[0], 1e-14, "hessian");
}

TEST(jet, packed_indices_fill_the_lower_triangle_in_rows) {
  int next = 0;
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j <= i; ++j, ++next) {
      EXPECT_EQ(packed(i, j), next);
      EXPECT_EQ(packed(j, i), next);
    }
  EXPECT_EQ(packed_size(5), next);
}

}  // namespace
}  // namespace manyfit
