// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The documents that `fit` and `mixture` print, read back: MODEL.json of `score`, and `mixture --start`.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "input/input_error.hpp"

namespace manyfit::app {

/// Names and values in the order of the document; NaN where it says null.
using named_numbers = std::vector<std::pair<std::string, double>>;
using named_texts = std::vector<std::pair<std::string, std::string>>;

/// One fit of a document. For a fit that failed the numbers may be NaN, and the vectors of a mixture may be empty.
struct model_fit {
  named_texts key;           ///< empty without --by
  std::string status;        ///< empty where the document has none
  named_numbers parameters;  ///< command fit

  // Command mixture: K components, D dimensions.
  std::size_t components = 0;                       ///< K
  std::size_t dimensions = 0;                       ///< D; 0 for values of another family than gaussian
  std::vector<double> weights;                      ///< [K], none negative; the sum is not checked
  std::vector<double> means;                        ///< [K][D], family gaussian
  std::vector<double> covariances;                  ///< [K][D][D], family gaussian
  std::vector<std::string> columns;                 ///< [D], of products of another family
  std::vector<named_numbers> component_parameters;  ///< [K], another family; [K][D] of products
};

struct model {
  std::string command;  ///< "fit" or "mixture"
  std::string family;
  std::optional<std::string> covariance;  ///< full, diagonal, tied or spherical
  std::vector<model_fit> fits;            ///< at least one
};

/// Parses a document. Members it does not know are passed over. Throws input_error for a syntax error (with its byte),
/// and for a missing member, a wrong type, sizes that do not agree, a name that stands twice, a number that is not
/// finite (with its path, such as fits[3].parameters.shape).
model parse_model(std::string_view text, const std::string& source);

/// The same for a file, or stdin for "-".
model read_model(const std::string& path);

}  // namespace manyfit::app
