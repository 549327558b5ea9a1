// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

namespace manyfit::app {

/// From here on an interrupt or a request to terminate removes the unfinished output file, clears the progress bar and
/// ends the program with 130 (143). A signal that the caller ignores stays ignored. A closed pipe becomes a write
/// error.
void install_signal_handlers();

/// The file to remove on an interrupt; null: none. The text must live until the next call.
void set_unfinished_file(const char* path);

/// How many columns of the terminal's current line the progress bar covers; 0: none.
void set_bar_columns(int columns);

}  // namespace manyfit::app
