// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every registered family, through its types: what is written by hand (statistics, objective, derivatives) against jets
// of its density, jets against central differences, and the score at the estimate against zero.
#include "family_tests.hpp"
#include "kernels/algorithms/mle.hpp"
#include "kernels/groups/serial_group.hpp"

namespace manyfit::tests {
namespace {

template <class Family>
struct drawn_sample {
  static constexpr int P = parameter_count<Family>;
  const family_info& info = find_family(Family::name);
  std::vector<double> values;
  vec<double, P> example;

  explicit drawn_sample(std::int64_t size) {
    const auto p = example_parameters(info);
    for (int i = 0; i < P; ++i) example[i] = p[i];
    values = draw(info, p, size, 7);
  }
};

template <class Family, int P = parameter_count<Family>>
bool is_free(int i) {
  return constraint_of<Family>(i) != constraint::count;
}

/// log f of one value with derivatives, by jets of the density as it is written.
template <class Family, int P = parameter_count<Family>>
jet<double, P> log_density_jet(const vec<double, P>& p, double x) {
  const auto seeds = seeded<Family, double>(p);
  return log_kernel_of<Family>(seeds, coordinate_of<Family>(x)) + log_constant_of<Family, jet<double, P>>(seeds);
}

template <class Family, int P = parameter_count<Family>>
jet<double, P> mean_by_jets(const vec<double, P>& p, const std::vector<double>& values) {
  jet<double, P> total(0.0);
  for (const double x : values) total = total + log_density_jet<Family>(p, x);
  return total / static_cast<double>(values.size());
}

/// Parameters near the example values at which every value of the sample has a density.
template <class Family, int P = parameter_count<Family>>
std::vector<vec<double, P>> parameters_nearby(const drawn_sample<Family>& sample) {
  std::vector<vec<double, P>> found;
  for (const double step : {0.0, 0.2, -0.3}) {
    vec<double, P> p = sample.example;
    for (int i = 0; i < P; ++i)
      if (is_free<Family>(i)) p[i] = stepped(constraint_of<Family>(i), p[i], i % 2 == 0 ? step : -step);
    if (is_finite(mean_by_jets<Family>(p, sample.values).value)) found.push_back(p);
  }
  return found;
}

template <class Family, int P = parameter_count<Family>>
void expect_equal_jets(const jet<double, P>& a, const jet<double, P>& b, double tolerance, const char* what) {
  const auto close = [&](double x, double y) { return std::abs(x - y) <= tolerance * (1 + std::abs(y)); };
  EXPECT_TRUE(close(a.value, b.value)) << what << " value " << a.value << " " << b.value;
  for (int i = 0; i < P; ++i) {
    if (!is_free<Family>(i)) continue;
    EXPECT_TRUE(close(a.gradient[i], b.gradient[i]))
        << what << " gradient " << i << " " << a.gradient[i] << " " << b.gradient[i];
    for (int j = 0; j <= i; ++j)
      EXPECT_TRUE(!is_free<Family>(j) || close(a.hessian[packed(i, j)], b.hessian[packed(i, j)]))
          << what << " hessian " << i << j << " " << a.hessian[packed(i, j)] << " " << b.hessian[packed(i, j)];
  }
}

/// An objective (kernels/contracts/objective.hpp), whose first order is what its second order says.
template <class Objective, int P = Objective::dimension>
void expect_objective(const Objective& over, const vec<double, P>& p, const jet<double, P>& expected,
                      const char* what) {
  static_assert(objective<Objective>);
  const auto second = over.template at<2>(p);
  expect_equal_jets<typename Objective::model_type>(second, expected, 1e-11, what);
  const auto first = over.template at<1>(p);
  const auto close = [](double a, double b) { return std::abs(a - b) <= 1e-12 * (1 + std::abs(b)); };
  EXPECT_TRUE(close(first.value, second.value)) << what;
  for (int i = 0; i < P; ++i) EXPECT_TRUE(close(first.gradient[i], second.gradient[i])) << what << " order 1, " << i;
}

/// What the algorithms use of a family equals jets of its density.
template <class Family>
void hand_written_equals_jets() {
  static_assert(family<Family> && model<family_model<Family>> && row_rule<family_rows<Family>>);
  const drawn_sample<Family> sample(100);
  const auto parameters = parameters_nearby(sample);
  ASSERT_FALSE(parameters.empty());
  serial_scratch scratch;
  serial_group<family_rows<Family>> points(scratch);
  const manyfit::sample<double> raw{sample.values.data(), nullptr, static_cast<std::int64_t>(sample.values.size())};
  const auto summary = points.load(raw);
  for (const auto& p : parameters) {
    const auto expected = mean_by_jets<Family>(p, sample.values);
    if constexpr (has_statistics<Family>) {
      const auto g = gather<Family>(points, summary);
      expect_objective(likelihood<Family, gathered<Family>>(g), p, expected, "statistics");
    } else {
      expect_objective(likelihood<Family, serial_group<family_rows<Family>>>(points, summary), p, expected,
                       "objective");
    }
    if constexpr (has_derivatives<Family>) {
      for (const double x : sample.values) {
        const double y = coordinate_of<Family>(x);
        const auto by_hand = Family::derivatives(params_from<Family>(p), y);
        expect_equal_jets<Family>(by_hand, log_kernel_of<Family>(seeded<Family, double>(p), y), 1e-11, "derivatives");
      }
    }
  }
}

/// Jets equal central differences, of values for the gradient and of gradients for the Hessian.
template <class Family>
void jets_equal_differences() {
  constexpr int P = parameter_count<Family>;
  const drawn_sample<Family> sample(40);
  const auto at = mean_by_jets<Family>(sample.example, sample.values);
  for (int i = 0; i < P; ++i) {
    if (!is_free<Family>(i)) continue;
    const double h = 1e-5 * std::max(std::abs(sample.example[i]), 0.1);
    auto below = sample.example, above = sample.example;
    below[i] -= h;
    above[i] += h;
    const auto low = mean_by_jets<Family>(below, sample.values), high = mean_by_jets<Family>(above, sample.values);
    const double slope = (high.value - low.value) / (2 * h);
    EXPECT_TRUE(std::abs(at.gradient[i] - slope) <= 1e-7 * (1 + std::abs(slope))) << at.gradient[i] << " " << slope;
    for (int j = 0; j < P; ++j) {
      if (!is_free<Family>(j)) continue;
      const double bend = (high.gradient[j] - low.gradient[j]) / (2 * h);
      EXPECT_TRUE(std::abs(at.hessian[packed(i, j)] - bend) <= 1e-6 * (1 + std::abs(bend)))
          << i << j << " " << at.hessian[packed(i, j)] << " " << bend;
    }
  }
}

/// At the estimate the mean score is at most 1e-8 of one observation's standard deviation of it.
template <class Family>
void score_vanishes_at_the_estimate() {
  constexpr int P = parameter_count<Family>;
  const drawn_sample<Family> sample(1000);
  const auto r = fit_sample(sample.info, sample.values, {}, required_options(sample.info));
  ASSERT_EQ(r.status[0], fit_status::converged) << to_string(r.status[0]);
  vec<double, P> p;
  for (int i = 0; i < P; ++i) p[i] = r.parameter(i, 0);
  double sum[P] = {}, squares[P] = {};
  for (const double x : sample.values) {
    const auto term = log_density_jet<Family>(p, x);
    for (int i = 0; i < P; ++i) {
      sum[i] += term.gradient[i];
      squares[i] += square(term.gradient[i]);
    }
  }
  for (int i = 0; i < P; ++i) {
    if (std::isnan(r.std_error(i, 0))) continue;  // fixed, or an end of the support, where no derivative is zero
    const double scaled = std::abs(sum[i]) / std::sqrt(squares[i] * static_cast<double>(sample.values.size()));
    EXPECT_TRUE(scaled <= 1e-8) << Family::parameters[i].name << " scaled score " << scaled;
  }
}

#define MF_FAMILY(family)                                    \
  TEST(family_sums, written_by_hand_equal_jets_##family) {   \
    hand_written_equals_jets<families::family>();            \
  }                                                          \
  TEST(family_jets, equal_central_differences_##family) {    \
    jets_equal_differences<families::family>();              \
  }                                                          \
  TEST(family_fit, ends_where_the_score_vanishes_##family) { \
    score_vanishes_at_the_estimate<families::family>();      \
  }
#include "kernels/families/families.def"
#undef MF_FAMILY

}  // namespace
}  // namespace manyfit::tests
