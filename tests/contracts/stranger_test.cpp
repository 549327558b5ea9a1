// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A model and an algorithm that manyfit does not have (stranger.hpp) run on every kind of group.
#include "stranger.hpp"

#include <cmath>
#include <memory>
#include <random>

#include "kernels/algorithms/newton.hpp"
#include "kernels/families/normal.hpp"
#include "kernels/objectives/posterior.hpp"
#include "kernels/objectives/statistics_likelihood.hpp"
#include "on_groups.hpp"

namespace manyfit {
namespace {

struct measured {
  std::vector<double> y, t;
  sample<double, 1> view() const {
    sample<double, 1> rows;
    rows.values = y.data();
    rows.weights = nullptr;
    rows.size = static_cast<std::int64_t>(y.size());
    rows.columns[0] = t.data();
    return rows;
  }
};
measured decaying(int size) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> error(0, decay_curve::noise);
  measured m;
  for (int i = 0; i < size; ++i) {
    m.t.push_back(4.0 * i / size);
    m.y.push_back(3 * std::exp(-0.8 * m.t.back()) + error(random));
  }
  m.y[7] = std::nan("");
  return m;
}

template <class Where>
struct stranger : testing::Test {};
TYPED_TEST_SUITE(stranger, all_groups);

TYPED_TEST(stranger, fits_a_curve_by_newton_and_by_gradient_ascent) {
  const measured m = decaying(300);
  const auto got = TypeParam::template run<decay_curve::rows, double>(
      m.view(), [](const auto& points, const sample_summary& summary) {
        const likelihood<decay_curve, std::decay_t<decltype(points)>> over{points, summary};
        static_assert(objective<decltype(likelihood<decay_curve, std::decay_t<decltype(points)>>(over))>);
        const auto end = maximise_by_newton(over, {1, 1}, fit_settings{}, 0x1p-52);
        // Threads take their time over a barrier.
        const bool serial = std::is_same_v<TypeParam, on_serial_group>;
        const auto slow = climb_by_gradient(over, {1, 1}, 1e-8, serial ? 2000 : 10);
        const auto height = [&](const vec<double, 2>& p) { return over.template at<1>(p).value; };
        return std::vector<double>{static_cast<double>(end.status == fit_status::converged),
                                   end.parameters[0],
                                   end.parameters[1],
                                   slow[0],
                                   slow[1],
                                   static_cast<double>(summary.observations),
                                   height({1, 1}),
                                   height(slow),
                                   height(end.parameters)};
      });
  EXPECT_EQ(got[0], 1);
  EXPECT_EQ(got[5], 299);
  EXPECT_TRUE(std::abs(got[1] - 3) < 0.15 && std::abs(got[2] - 0.8) < 0.08) << got[1] << " " << got[2];
  EXPECT_TRUE(got[7] > 0.9 * got[8] + 0.1 * got[6] && got[7] <= got[8] + 1e-12)
      << got[6] << " " << got[7] << " " << got[8];
  if (std::is_same_v<TypeParam, on_serial_group>) {
    EXPECT_TRUE(std::abs(got[3] - got[1]) < 1e-6 && std::abs(got[4] - got[2]) < 1e-6) << got[3] << " " << got[4];
  }
  // The least squares that it is: the residuals are orthogonal to both derivatives of the curve.
  double by_a = 0, by_b = 0;
  for (std::size_t i = 0; i < m.y.size(); ++i) {
    if (std::isnan(m.y[i])) continue;
    const double e = std::exp(-got[2] * m.t[i]), residual = m.y[i] - got[1] * e;
    by_a += residual * e;
    by_b += residual * e * m.t[i];
  }
  EXPECT_TRUE(std::abs(by_a) < 1e-6 && std::abs(by_b) < 1e-6) << by_a << " " << by_b;
}

struct near_one {
  template <class T>
  MF_FN T log_density(const vec<T, 2>& p) const {
    return -200.0 * (square(p[0] - 1.0) + square(log(p[1])));
  }
};

TYPED_TEST(stranger, finds_the_mode_of_a_posterior) {
  const measured m = decaying(60);
  const auto got = TypeParam::template run<decay_curve::rows, double>(
      m.view(), [](const auto& points, const sample_summary& summary) {
        using L = likelihood<decay_curve, std::decay_t<decltype(points)>>;
        const L data{points, summary};
        const posterior<L, near_one> both{data, {}};
        const auto alone = maximise_by_newton(data, {1, 1}, fit_settings{}, 0x1p-52);
        const auto mode = maximise_by_newton(both, {1, 1}, fit_settings{}, 0x1p-52);
        const auto slope = both.template at<1>(mode.parameters);
        return std::vector<double>{static_cast<double>(mode.status == fit_status::converged), alone.parameters[0],
                                   mode.parameters[0], slope.gradient[0], slope.gradient[1]};
      });
  EXPECT_EQ(got[0], 1);
  EXPECT_TRUE(got[2] > 1 && got[2] < got[1] - 0.1) << got[1] << " " << got[2];  // between the prior's and the data's
  EXPECT_TRUE(std::abs(got[3]) < 1e-8 && std::abs(got[4]) < 1e-8) << got[3] << " " << got[4];
}

TYPED_TEST(stranger, climbs_a_familys_likelihood_by_gradient_ascent) {
  const std::vector<double> values{1.5, 2.25, 0.5, 4, 3.75};
  sample<double> rows{values.data(), nullptr, 5};
  const auto got =
      TypeParam::template run<family_rows<normal>, double>(rows, [](const auto& points, const sample_summary& summary) {
        const auto statistics = gather<normal>(points, summary);
        const auto p = climb_by_gradient(likelihood<normal, gathered<normal>>(statistics), {0, 1}, 1e-10, 5000);
        return std::vector<double>{p[0], p[1]};
      });
  EXPECT_TRUE(std::abs(got[0] - 2.4) < 1e-7) << got[0];
  EXPECT_TRUE(std::abs(got[1] - 1.3285330255586423) < 1e-7) << got[1];
}

}  // namespace
}  // namespace manyfit
