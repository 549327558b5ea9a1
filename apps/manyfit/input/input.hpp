// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The door through which all data come in.

#pragma once

#include <string>
#include <variant>

#include "input/input_format.hpp"
#include "input/npy_reader.hpp"
#include "input/table.hpp"

namespace manyfit::app {

struct input_options {
  unsigned threads = 0;  ///< 0: as many as the machine has cores
  progress_function progress = {};
  input_format format = {};
};

/// Named columns (CSV, TSV, Parquet, Feather), or an array without names (.npy, .npz).
using input_data = std::variant<table, npy_array>;

/// Reads a file, or stdin for "-". The format goes by the extension (.csv .tsv .tab .txt .parquet .pq .feather .arrow
/// .npy .npz, in any letter case); for stdin and for any other extension by the first bytes, and is CSV when they say
/// nothing. An array has no columns: a request that names some is refused, and so is a delimiter or a decimal sign for
/// what is no text, and an array's name for what is no .npz file. Throws input_error.
input_data read_input(const std::string& path, const read_request& request, const input_options& options = {});

/// The same for a command that takes tables alone.
table read_table(const std::string& path, const read_request& request, const input_options& options = {});

}  // namespace manyfit::app
