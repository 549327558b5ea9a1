// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace manyfit::app {

/// From here on a signal that would end the program also removes unfinished output files and clears the progress bar;
/// the exit code is 128 and the signal's number (130 for an interrupt, 143 for a request to terminate). SIGBUS from an
/// input that was cut while it is read ends with a message and exit_input; an exception in a destructor or a thread of
/// a library's, for want of memory or threads, with exit_device. A signal that the caller ignores stays ignored. A
/// closed pipe becomes a write error.
void install_signal_handlers();

/// How many columns of the terminal's current line the progress bar covers; 0: none.
void set_bar_columns(int columns);

}  // namespace manyfit::app
