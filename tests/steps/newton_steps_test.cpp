// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Newton stepped from outside is Newton: the same bits, also from a copy that was made between two passes, and the same
// answer to rounding where the passes are a sum over parts of the rows.
#include <cstring>
#include <memory>

#include "family_tests.hpp"
#include "kernels/algorithms/mle.hpp"
#include "kernels/families/gamma.hpp"
#include "kernels/families/student_t.hpp"
#include "kernels/families/weibull.hpp"
#include "kernels/groups/serial_group.hpp"

namespace manyfit::tests {
namespace {

constexpr double noise = 0x1p-52;

/// The likelihood of a family over rows of its own.
template <class Family>
struct loaded_rows {
  std::unique_ptr<serial_scratch> scratch = std::make_unique<serial_scratch>();
  serial_group<family_rows<Family>> points{*scratch};
  sample_summary summary;
  explicit loaded_rows(std::span<const double> x)
      : summary(points.load(sample<double>{x.data(), nullptr, static_cast<std::int64_t>(x.size())})) {}
  auto objective() const {
    if constexpr (has_coordinate<Family> || !has_statistics<Family>)
      return likelihood<Family, serial_group<family_rows<Family>>>(points, summary);
    else
      return likelihood<family_model<Family>, serial_group<family_rows<Family>>>{points, summary};
  }
};

template <int P>
bool same_bits(const newton_result<P>& a, const newton_result<P>& b) {
  return a.status == b.status && a.iterations == b.iterations &&
         std::memcmp(&a.parameters, &b.parameters, sizeof a.parameters) == 0 &&
         std::memcmp(&a.objective, &b.objective, sizeof a.objective) == 0;
}

/// One pass of a climb: begin at the start, advance from there on.
template <class Climb, class Objective>
bool pass(Climb& climb, bool first, const Objective& objective) {
  const fit_settings settings;
  return first ? climb.begin({}, objective, settings, noise)
               : climb.advance({}, objective, settings, noise,
                               no_verdict<std::decay_t<decltype(climb.wanted())>::size()>());
}

template <class Family>
struct newton_steps : testing::Test {
  static constexpr int P = parameter_count<Family>;
  std::vector<double> x = draw(find_family(Family::name), example_parameters(find_family(Family::name)), 700);
  vec<double, P> start() const {  // far enough for steps that are capped and steps that are halved
    vec<double, P> p;
    for (int i = 0; i < P; ++i) p[i] = example_of<Family>(i) * (i % 2 ? 4 : 0.2);
    return p;
  }
};
using families = testing::Types<families::gamma, weibull, student_t>;
TYPED_TEST_SUITE(newton_steps, families);

TYPED_TEST(newton_steps, from_outside_end_with_the_same_bits_also_from_a_copy) {
  constexpr int P = TestFixture::P;
  const loaded_rows<TypeParam> rows(this->x);
  const auto over = rows.objective();
  using O = std::decay_t<decltype(over)>;
  const fit_settings settings;
  const newton_result<P> whole = maximise_by_newton(over, this->start(), settings, noise);
  ASSERT_EQ(whole.status, fit_status::converged);
  ASSERT_GT(whole.iterations, 4);
  std::vector<newton_climb<space_of<O>>> checkpoints;
  newton_climb<space_of<O>> climb(this->start());
  do checkpoints.push_back(climb);
  while (pass(climb, checkpoints.size() == 1, over.template at<2>(climb.wanted())));
  EXPECT_TRUE(same_bits(climb.best, whole));
  EXPECT_GT(static_cast<int>(checkpoints.size()), whole.iterations);
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    auto& again = checkpoints[i];
    for (bool first = i == 0; pass(again, first, over.template at<2>(again.wanted())); first = false) {
    }
    EXPECT_TRUE(same_bits(again.best, whole));
  }
}

TYPED_TEST(newton_steps, over_parts_of_the_rows_lead_to_the_same_answer) {
  constexpr int P = TestFixture::P;
  const loaded_rows<TypeParam> all(this->x);
  const std::span<const double> x(this->x);
  const loaded_rows<TypeParam> ranks[] = {loaded_rows<TypeParam>(x.first(123)), loaded_rows<TypeParam>(x.subspan(123))};
  const auto whole_objective = all.objective();
  using O = std::decay_t<decltype(whole_objective)>;
  const newton_result<P> whole = maximise_by_newton(whole_objective, this->start(), {}, noise);
  newton_climb<space_of<O>> climb(this->start());
  for (bool goes_on = true, first = true; goes_on; first = false) {
    jet<double, P> mean(0.0);
    for (const auto& rank : ranks)
      mean = mean + rank.objective().template at<2>(climb.wanted()) * (rank.summary.weight / 700);
    goes_on = pass(climb, first, mean);
  }
  ASSERT_EQ(climb.best.status, fit_status::converged);
  for (int i = 0; i < P; ++i) EXPECT_TRUE(relative_error(climb.best.parameters[i], whole.parameters[i]) <= 1e-10) << i;
  EXPECT_TRUE(relative_error(climb.best.objective.value, whole.objective.value) <= 1e-13);
}

TYPED_TEST(newton_steps, show_how_far_they_are) {
  const loaded_rows<TypeParam> rows(this->x);
  const auto over = rows.objective();
  newton_climb<space_of<std::decay_t<decltype(over)>>> climb(this->start());
  double last = -infinity;
  bool goes_on = true;
  for (int pass_number = 0; goes_on; ++pass_number) {
    goes_on = pass(climb, pass_number == 0, over.template at<2>(climb.wanted()));
    EXPECT_GE(climb.best.objective.value, last - 1e-12);
    EXPECT_LE(climb.best.iterations, pass_number);
    last = climb.best.objective.value;
  }
}

}  // namespace
}  // namespace manyfit::tests
