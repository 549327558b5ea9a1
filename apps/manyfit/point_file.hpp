// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Files of points that are used where they lie, so that they may be larger than memory.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "point_samples.hpp"

namespace manyfit::app {

/// An array's name, shape and coordinates' names as one sample, its values still to come. Throws input_error.
template <class T>
point_set<T> array_points(const std::string& source, const std::vector<std::size_t>& shape);

/// A .npy file, mapped: its numbers must be of type T, in C order and this machine's byte order. Nothing for any other
/// file, which is to be read. Throws input_error for a broken .npy file.
template <class T>
std::optional<point_set<T>> map_points(const std::string& path);

}  // namespace manyfit::app
