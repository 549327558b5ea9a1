// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "manyfit/batch.hpp"
#include "manyfit/executor.hpp"
#include "manyfit/families.hpp"
#include "manyfit/status.hpp"

namespace manyfit {

/// The prior of one parameter: a continuous registered family and its parameters in its order, {"gamma", {2, 0.5}}.
struct prior_distribution {
  std::string family;
  std::vector<double> parameters;
};

/// How to fit. Every member has a default; set what differs: fit<weibull>(executor, batch, {.std_errors = false}).
struct fit_options {
  /// Newton iterations after which a fit ends as max_iterations. Regular fits take 3 to 15.
  int max_iterations = 200;
  /// Stop when the Newton decrement g'H⁻¹g of the mean log-likelihood falls to this: the squared distance to the
  /// maximum in units of one observation's standard error. 0: 1e-18 for double, 1e-12 for float arithmetic.
  double tolerance = 0;
  /// Standard errors from the observed information; costs one small solve per fit.
  bool std_errors = true;
  /// Parameters fixed at a value, by name, for every fit: {{"trials", 10}}.
  std::map<std::string, double> fixed = {};
  /// Priors of parameters, by name: {{"rate", {"gamma", {2, 0.5}}}}. With any, the estimate is the maximum a
  /// posteriori: the mode of Σ w log f(x; θ) + Σ log p_i(θ_i), each prior normalised (over its own support, which may
  /// reach beyond the parameter's range) and a density of the parameter as it is reported: no Jacobian of another
  /// scale enters. A parameter without a prior has none, as if it were flat. Standard errors are from the observed
  /// information of that sum. A fit needs one observation; that there are fewer than parameters, or that all are equal,
  /// does no harm where the posterior has a mode. A mode at the end of a prior's support or of a parameter's range is
  /// `boundary`; a posterior that grows without limit is `unbounded_likelihood`. Source: Gelman et al., Bayesian Data
  /// Analysis (2013), ch. 13.
  std::map<std::string, prior_distribution> priors = {};
  /// Called from the calling thread now and then with fits done and fits in all; may be empty.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

/// The results of a batch, in host memory: a struct of arrays over fits. NaN stands where a value does not exist.
struct fit_results {
  const family_info* family = nullptr;
  std::int64_t count = 0;
  std::uint32_t fixed = 0;               ///< bit i: parameter i was fixed
  std::string device;                    ///< "cpu", "cuda:0"
  std::vector<double> parameters;        ///< [P × count]: parameter p of fit i is parameters[p * count + i]
  std::vector<double> std_errors;        ///< [P × count], from the observed information at the maximum
  std::vector<double> log_likelihood;    ///< [count], nats, every constant included
  std::vector<double> log_posterior;     ///< [count], of fits with priors: log-likelihood + Σ log prior density, which
                                         ///< is the log-posterior up to the evidence; else empty
  std::vector<std::int32_t> iterations;  ///< [count]
  std::vector<fit_status> status;        ///< [count]
  std::vector<std::int64_t> observations;  ///< [count], values present with a weight other than 0
  std::vector<std::int64_t> missing;       ///< [count], NaN values or weights
  std::vector<std::int64_t> left_out;      ///< [count], values of weight 0: observations + missing + left_out is all
  std::vector<std::int64_t> outside;       ///< [count], of the observations, finite values outside the support; 0 where
                                           ///< what is fixed makes the support and the values have weights

  /// Members that take a parameter's or a fit's number throw error::kind::argument for one that there is not.
  int parameter_count() const { return family ? family->parameter_count : 0; }
  int free_parameters() const;
  double parameter(int p, std::int64_t fit) const {
    return parameters[checked_index("parameters", index_of(p, fit), parameters.size())];
  }
  double parameter(std::string_view name, std::int64_t fit) const {
    if (!family) throw error(error::kind::argument, "results without a family; give those of a fit");
    return parameter(find_parameter(*family, name), fit);
  }
  double std_error(int p, std::int64_t fit) const {
    return std_errors[checked_index("std_errors", index_of(p, fit), std_errors.size())];
  }
  /// AIC = 2p − 2 log-likelihood, p the number of free parameters; with priors at the mode of the posterior, where it
  /// is not less than at the maximum of the likelihood.
  double aic(std::int64_t fit) const;
  /// BIC = p ln(observations) − 2 log-likelihood. A weight is the exponent of its value's density; the count of
  /// observations takes no notice of it, so that BIC does not change with the weights' unit as such.
  double bic(std::int64_t fit) const;
  struct bounds {
    double lower, upper;
  };
  /// Wald interval at `level` on the parameter's own scale: through the logarithm for positive parameters, the log-odds
  /// for probabilities, so that bounds never leave the parameter's range. NaN without a standard error.
  bounds interval(int p, std::int64_t fit, double level = 0.95) const;
  /// How many fits ended in `status`.
  std::int64_t count_of(fit_status status) const;

 private:
  std::int64_t index_of(int p, std::int64_t fit) const {
    return static_cast<std::int64_t>(checked_index("parameters", p, static_cast<std::size_t>(parameter_count()))) *
               count +
           static_cast<std::int64_t>(checked_index("fits", fit, static_cast<std::size_t>(count)));
  }
};

/// Fits every sample of `data` by maximum likelihood, or with priors by maximum a posteriori. Throws `error` for a
/// wrong call only.
fit_results fit(const executor& where, const family_info& family, const batch<double>& data,
                const fit_options& options = {});
fit_results fit(const executor& where, const family_info& family, const batch<float>& data,
                const fit_options& options = {});

/// The same with the family as a type: fit<manyfit::families::gamma>(executor::best(), data). For a density of your own
/// include manyfit/custom.hpp.
template <class Family, class T>
requires is_registered<Family> fit_results fit(const executor& where, const batch<T>& data,
                                               const fit_options& options = {}) {
  return fit(where, find_family(Family::name), data, options);
}

}  // namespace manyfit
