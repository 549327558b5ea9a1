// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/status.hpp"

#include "manyfit/error.hpp"

namespace manyfit {

namespace {
struct status_text {
  const char* name;
  const char* meaning;
};
constexpr status_text texts[fit_status_count] = {
    {"not_run", "The fit was not attempted; nothing may be used."},
    {"converged", "A maximum was reached to tolerance; everything may be used."},
    {"max_iterations", "Stopped at the iteration cap; the values are the last iterate, an approximation only."},
    {"too_few",
     "Fewer observations than free parameters (in a mixture: than components, or than two); there are no parameters."},
    {"constant_sample", "All observations are equal, and the likelihood then has no maximum; there are no parameters."},
    {"out_of_support", "An observation lies outside the family's support; there are no parameters."},
    {"nonfinite", "An observation or weight is infinite, or a weight negative; there are no parameters."},
    {"unbounded_likelihood", "The likelihood grows without limit; there are no parameters."},
    {"boundary",
     "The maximum lies at the edge of the parameter space; parameters and log-likelihood may be used, "
     "standard errors do not exist."},
    {"singular_information",
     "A maximum, but the information is singular; parameters may be used, standard errors do "
     "not exist."},
    {"collapsed_component", "A mixture component collapsed onto too few points; there are no parameters."},
    {"regularized",
     "From every start a component collapses: a maximum with `regularization` added to the covariances' diagonals; "
     "parameters and log-likelihood may be used, and depend on what was added."},
};
}  // namespace

const char* to_string(fit_status status) {
  return texts[checked_index("fit_status", static_cast<std::int64_t>(status), fit_status_count)].name;
}

const char* describe(fit_status status) {
  return texts[checked_index("fit_status", static_cast<std::int64_t>(status), fit_status_count)].meaning;
}

bool usable(fit_status status) {
  return status == fit_status::converged || status == fit_status::boundary ||
         status == fit_status::singular_information || status == fit_status::regularized;
}

}  // namespace manyfit
