// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Maximum a posteriori for ONE fit: the mode of Σ w log f(x; θ) + Σ log prior_i(θ_i), the priors normalised and on the
// parameters' own scale, no Jacobian. The climb is Newton's, stepped from outside: it says where it wants the
// likelihood with its derivatives, is given them, and goes on, so that one build serves all families on CPU and GPU,
// where a pass serves many climbs. It starts from the fit by maximum likelihood, and deals with what that has no answer
// for: samples of equal values, fewer values than parameters, answers at the edge of the parameter space or of a
// prior's support.
#pragma once

#include <coroutine>
#include <span>
#include <utility>

#include "kernels/contracts/family_traits.hpp"
#include "kernels/contracts/wide_objective.hpp"
#include "kernels/registry.hpp"
#include "kernels/views.hpp"

namespace manyfit {

/// The prior of one parameter, a continuous distribution.
struct parameter_prior {
  int parameter = 0;                            ///< of the fitted family
  const family_traits* distribution = nullptr;  ///< lives as long as the prior
  double values[max_parameters] = {};           ///< its parameters, in its order
  double lowest = 0, highest = 0;               ///< between which its density is not 0
  double center = 0;                            ///< a point where it is not: near its median
};

/// The prior of parameter number `parameter` that `distribution`, a continuous registered family, is at `values`.
parameter_prior make_prior(int parameter, const family_info& distribution, std::span<const double> values);

/// What holds for every climb of a call; lives as long as they do.
struct posterior_problem {
  const family_traits* family;
  fit_settings settings;
  std::span<const parameter_prior> priors;  ///< by their parameters' numbers
  double noise;                             ///< relative rounding error of the likelihood's terms
};

/// One climb, and at its end the fit's results.
class posterior_climb {
 public:
  /// Where the mean log-likelihood is wanted, in the sample's frame: [family's count]. Null when the climb has ended.
  const double* wanted() const { return handle_.done() ? nullptr : handle_.promise().point; }
  /// It: value, gradient, Hessian (packed lower triangle) of the family's parameters, as a jet stores them.
  void answer(const double* numbers) {
    handle_.promise().numbers = numbers;
    handle_.resume();
  }

  struct promise_type {
    const double* point = nullptr;
    const double* numbers = nullptr;
    posterior_climb get_return_object() { return posterior_climb(handle::from_promise(*this)); }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  using handle = std::coroutine_handle<promise_type>;

  posterior_climb(posterior_climb&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  posterior_climb& operator=(posterior_climb&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~posterior_climb() {
    if (handle_) handle_.destroy();
  }

 private:
  explicit posterior_climb(handle h) : handle_(h) {}
  handle handle_;
};

/// Begins a climb. `results`: those of the fit by maximum likelihood; number `fit` of them is overwritten with the
/// answer.
posterior_climb climb_posterior(const posterior_problem& problem, loaded_sample loaded, fit_results_view results,
                                std::int64_t fit);

/// Climbs the posterior of a fit whose likelihood is at hand to its end.
void climb_at_once(const posterior_problem& problem, const loaded_sample& loaded, const any_objective& likelihood,
                   const fit_results_view& results, std::int64_t fit);

}  // namespace manyfit
