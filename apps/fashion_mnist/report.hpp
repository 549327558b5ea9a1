// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the demonstration prints: plain text of about 100 columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/fashion_mnist/class_model.hpp"
#include "apps/fashion_mnist/evaluation.hpp"

namespace manyfit::app {

/// "12.3 million"; "4,560" below 100,000.
std::string in_millions(double number);

/// A line per batch of fits: family, fits, values, seconds, fits and values per second.
std::string speed_table(const timed_fit& ink, const timed_fit& intensity);
/// How many fits ended in which status, and what that means here.
std::string status_table(const fit_results& ink, const fit_results& intensity);
/// The families tried on held-out training images, the best marked.
std::string candidate_table(const std::vector<candidate>& candidates, const std::string& chosen);
/// Rows are the true classes, columns the classes found; with the fraction found of each true class.
std::string confusion_table(const evaluation& result);

}  // namespace manyfit::app
