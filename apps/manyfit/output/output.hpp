// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

namespace manyfit::app {

/// Where data go: stdout, or a file that appears whole or not at all. A file is written under a temporary name beside
/// its place and renamed at the end; where that cannot be (a pipe, a device, a folder closed to us) it is written in
/// place.
class output {
 public:
  /// `path` empty: stdout. Throws input_error when the file cannot be written, before any work is done.
  explicit output(std::string path);
  ~output();
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  /// What is written next: append to it, then call flush_when_full().
  std::string& text() { return text_; }
  /// Passes the text on once there is a good deal of it.
  void flush_when_full() {
    if (text_.size() >= full) flush();
  }
  void write(std::string_view data) {
    text_ += data;
    flush_when_full();
  }
  /// Passes everything on and puts the file in its place.
  void finish();

  bool to_terminal() const;
  /// The path that a library which opens files by name is to write to, before finish().
  const std::string& file_to_write() const { return temporary_.empty() ? path_ : temporary_; }

 private:
  static constexpr std::size_t full = std::size_t{1} << 20;
  void flush();
  [[noreturn]] void fail(int error) const;

  std::string path_, temporary_, text_;
  int descriptor_;
};

}  // namespace manyfit::app
