// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/support/whole_file.hpp"

namespace manyfit::app {

enum class output_format { table, csv, json, parquet, npy };

/// Where data go: stdout, or a file that appears whole or not at all.
class output {
 public:
  /// `path` empty: stdout. Throws input_error when the file cannot be written, before any work is done.
  explicit output(std::string path);

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
  /// Passes everything on and puts the file in its place. Throws input_error also when an input that is still in use
  /// has become shorter.
  void finish();

  bool to_terminal() const;
  /// The path that a library which opens files by name is to write to, before finish().
  const std::string& file_to_write() const { return file_ ? file_->path_to_write() : path_; }

 private:
  static constexpr std::size_t full = std::size_t{1} << 20;
  void flush();
  /// Runs what may throw std::system_error, and says it in our words.
  template <class Work>
  void translating(Work work);

  std::string path_, text_;
  std::optional<whole_file> file_;  ///< none: stdout
};

}  // namespace manyfit::app
