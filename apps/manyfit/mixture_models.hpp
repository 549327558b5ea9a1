// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Mixture documents as the library's results, and which fit of a document a sample belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "input/model_json.hpp"
#include "manyfit/family_mixture.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// "full", "diagonal", "tied" or "spherical".
const char* name_of(covariance_structure structure);

/// The family of a document. Throws input_error for one that this program does not know.
const family_info& known_family(const model& document, const std::string& path);

/// The Gaussian mixtures of a document; fits without parameters have status not_run. Throws input_error when it holds
/// something else.
mixture_results gaussian_mixtures(const model& document, const std::string& path);

/// The mixtures of a family of a document, as gaussian_mixtures; of products those of all fits over the same columns.
family_mixture_results family_mixtures(const model& document, const std::string& path);

/// The columns of a document's products; empty where it has none.
std::vector<std::string> product_columns(const model& document);

/// Mixtures of products over columns `from` as over `to`, the same ones in another order.
family_mixture_results with_columns(family_mixture_results all, const std::vector<std::string>& from,
                                    const std::vector<std::string>& to);

/// --by, which the model must have been fitted with; without it what the model was fitted with. Throws usage_error.
std::vector<std::string> match_columns(const std::string& by, const model& document, const std::string& path);

/// Which fit of the document each sample belongs to; -1 for a key without a fit.
std::vector<std::int64_t> fits_of_samples(const model& document, const std::vector<key_column>& keys,
                                          const std::string& path);

/// The mixtures at these places of others, in this order; NaN where the place is -1.
mixture_results mixtures_at(const mixture_results& all, const std::vector<std::int64_t>& places);
family_mixture_results mixtures_at(const family_mixture_results& all, const std::vector<std::int64_t>& places);

}  // namespace manyfit::app
