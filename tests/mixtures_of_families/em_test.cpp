// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// EM by itself: when a climb ends and when it starts again, for models whose steps are written down.
#include "kernels/algorithms/em.hpp"

#include "family_mixture_tests.hpp"

namespace manyfit::tests {
namespace {

/// A model of one attempt whose steps lead to the log-likelihoods in a list; NaN: a collapse.
struct scripted_model {
  std::vector<double> values;
  std::size_t next = 0;
  int kept = 0, restored = 0, starts = 0;

  void start(std::span<em_pass> passes) { starts += passes[0].wants_start(); }
  void maximise(std::span<em_pass> passes) {
    if (passes[0].wants_m_step() && next < values.size() && std::isnan(values[next])) {
      passes[0].made = fit_status::collapsed_component;
      ++next;
    }
  }
  void expect(std::span<em_pass> passes) {
    if (passes[0].wants_e_step()) passes[0].log_likelihood = values.at(next++);
  }
  void keep(int) { ++kept; }
  void restore(int) { ++restored; }
  double weight(int) const { return 2; }
  fit_status why_no_start(int, fit_status) const { return fit_status::constant_sample; }
};
static_assert(latent<scripted_model>);

/// Two such attempts.
struct scripted_pair {
  scripted_model each[2];
  template <class F>
  void for_each(std::span<em_pass> passes, F f) {
    for (std::size_t i = 0; i < passes.size(); ++i) f(each[passes[i].attempt], passes.subspan(i, 1));
  }
  void start(std::span<em_pass> passes) {
    for_each(passes, [](scripted_model& m, std::span<em_pass> own) { m.start(own); });
  }
  void maximise(std::span<em_pass> passes) {
    for_each(passes, [](scripted_model& m, std::span<em_pass> own) { m.maximise(own); });
  }
  void expect(std::span<em_pass> passes) {
    for_each(passes, [](scripted_model& m, std::span<em_pass> own) { m.expect(own); });
  }
  void keep(int a) { each[a].keep(a); }
  void restore(int a) { each[a].restore(a); }
  double weight(int a) const { return each[a].weight(a); }
  fit_status why_no_start(int a, fit_status made) const { return each[a].why_no_start(a, made); }
};

em_climb climb_through(scripted_model& model, const em_settings& settings = {}, em_step first = em_step::start) {
  std::vector<em_climb> climbs(1);
  climbs[0].step = first;
  run_em(model, climbs, settings);
  return climbs[0];
}

TEST(em, ends_when_the_mean_gain_is_within_the_tolerance) {
  scripted_model model{{-10, -8, -7.5, -7.5 + 1.5e-8, 0}};
  const em_climb climb = climb_through(model);
  EXPECT_EQ(climb.status, fit_status::converged);
  EXPECT_EQ(climb.iterations, 3);
  EXPECT_EQ(climb.log_likelihood, -7.5 + 1.5e-8);
  EXPECT_EQ(climb.trace, (std::vector<double>{-10, -8, -7.5, -7.5 + 1.5e-8}));
  EXPECT_EQ(model.restored, 0);
}

TEST(em, goes_back_a_step_that_fell) {
  scripted_model model{{-10, -8, -8.001}};
  const em_climb climb = climb_through(model);
  EXPECT_EQ(climb.status, fit_status::converged);
  EXPECT_EQ(climb.iterations, 1);
  EXPECT_EQ(climb.log_likelihood, -8);
  EXPECT_EQ(model.restored, 1);
  EXPECT_EQ(model.kept, 2);
}

TEST(em, without_a_tolerance_takes_every_iteration) {
  scripted_model model{{-10, -8, -8.001, -8.001, -8.001}};
  const em_climb climb = climb_through(model, {.max_iterations = 4, .tolerance = 0});
  EXPECT_EQ(climb.status, fit_status::max_iterations);
  EXPECT_EQ(climb.iterations, 4);
  scripted_model none{{-10}};
  EXPECT_EQ(climb_through(none, {.max_iterations = 0}).iterations, 0);
}

TEST(em, begins_where_a_start_is_given) {
  scripted_model model{{-10, -10}};
  EXPECT_EQ(climb_through(model, {}, em_step::look).status, fit_status::converged);
  EXPECT_EQ(model.starts, 0);
}

TEST(em, says_why_it_could_not_start) {
  scripted_model no_start{{nan}};
  EXPECT_EQ(climb_through(no_start).status, fit_status::constant_sample);
  scripted_model outside{{-infinity}};
  const em_climb climb = climb_through(outside);
  EXPECT_EQ(climb.status, fit_status::out_of_support);
  EXPECT_TRUE(std::isnan(climb.log_likelihood));
}

TEST(em, starts_again_after_a_collapse_where_it_may_and_twenty_times_at_most) {
  scripted_model once{{-10, nan, -12, -9, -9}};
  EXPECT_EQ(climb_through(once).status, fit_status::collapsed_component);
  once.next = 0;
  const em_climb climb = climb_through(once, {.restart_collapsed = true});
  EXPECT_EQ(climb.status, fit_status::converged);
  EXPECT_EQ(climb.trace, (std::vector<double>{-10, -12, -9, -9}));
  scripted_model always{std::vector<double>(60, nan)};
  always.values[0] = -10;
  EXPECT_EQ(climb_through(always, {.restart_collapsed = true}).status, fit_status::collapsed_component);
  EXPECT_EQ(always.starts, 1 + em_climb::most_restarts);
}

TEST(em, takes_climbs_in_step_as_it_takes_them_alone) {
  const scripted_model a{{-10, -8, -8}}, b{{-3, nan, -4, -2, -1, -1}};
  const em_settings settings{.restart_collapsed = true};
  scripted_pair both{{a, b}};
  std::vector<em_climb> climbs(2);
  run_em(both, climbs, settings);
  scripted_model alone[2] = {a, b};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(climbs[i].trace, climb_through(alone[i], settings).trace);
}

}  // namespace
}  // namespace manyfit::tests
