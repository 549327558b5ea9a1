// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The one way in which reading can fail. The program turns it into exit code 3.

#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace manyfit::app {

/// Thrown for any input that cannot be read as asked. what() is one or two lines: what was given (with the name of the
/// source and the line or byte offset at fault), what was expected, what to do.
class input_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Text from a file, fit to stand in a one-line message: at most `limit` bytes, and no control characters, so that a
/// hostile file cannot write to the reader's terminal.
inline std::string excerpt(std::string_view text, std::size_t limit = 40) {
  std::string shown;
  for (const char c : text.substr(0, limit)) {
    shown += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '?' : c;
  }
  if (text.size() > limit) {
    // A cut inside a UTF-8 sequence would leave an invalid byte behind.
    if ((static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) {
      while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0) == 0x80) shown.pop_back();
      if (!shown.empty()) shown.pop_back();
    }
    shown += "...";
  }
  return shown;
}

}  // namespace manyfit::app
