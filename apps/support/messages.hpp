// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The one place that writes to stderr. A stderr that is closed, full or a broken pipe loses the message and changes
// nothing else: what a program has done does not depend on who listens.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace manyfit::app {

/// Writes a text to stderr, as far as that is possible. Allocates nothing, and may be called in a signal handler.
void put_on_stderr(std::string_view text) noexcept;

/// Runs what only says something. Once results are written, a lack of memory for words about them changes nothing.
template <class Work>
void attempt(Work work) noexcept {
  try {
    work();
  } catch (...) {
  }
}

/// put_on_stderr() of a text that is yet to be put together, as fmt::format does; without memory for it nothing is
/// said.
template <class... Values>
void tell(fmt::format_string<Values...> format, Values&&... values) noexcept {
  attempt([&] { put_on_stderr(fmt::format(format, std::forward<Values>(values)...)); });
}

/// Covers the first columns of the terminal's line with spaces, and goes back to its beginning. As put_on_stderr().
void erase_line(int columns) noexcept;

/// Opens what the caller has left closed of stdin, stdout and stderr, so that no file of ours takes its number and is
/// written to, or read, by mistake: reading gives the end of the file, writing to stdout is an error, to stderr lost.
void occupy_standard_descriptors() noexcept;

}  // namespace manyfit::app
