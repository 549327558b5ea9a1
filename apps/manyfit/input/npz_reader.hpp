// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "input/npy_reader.hpp"

namespace manyfit::app {

/// The bytes every ZIP archive with something in it begins with, and so every .npz file.
inline constexpr std::string_view npz_magic = "PK\x03\x04";

/// Reads one array of a .npz file, as numpy.savez and numpy.savez_compressed write them: a ZIP archive of .npy files,
/// stored or deflated. `array` is its name without ".npy"; empty: the only one. Checksums are verified. Throws
/// input_error that lists the arrays for a name that is not there or is needed, and for a broken or encrypted archive.
npy_array read_npz(std::string_view bytes, const std::string& source, const std::string& array);

}  // namespace manyfit::app
