// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace manyfit::app {

/// The bytes of a file, mapped where that is possible, or of stdin (path "-") or a pipe, read to the end.
/// Throws input_error for a missing file, a directory, an unreadable file. A mapped file that someone cuts while it is
/// read has bytes that are not there: touching them is SIGBUS, which cut_file_at() explains, and up to the end of a
/// page they read as zeros, which check_whole() finds.
class file_bytes {
 public:
  explicit file_bytes(const std::string& path);
  ~file_bytes();
  file_bytes(const file_bytes&) = delete;
  file_bytes& operator=(const file_bytes&) = delete;

  std::string_view view() const { return {data_, size_}; }
  /// Throws input_error when the file is shorter now than it was when it was opened. To be called after the last byte
  /// was read, and before anything is made of them.
  void check_whole() const;
  /// The name for messages: the path, or "stdin".
  const std::string& name() const { return name_; }

 private:
  void read_to_end(int descriptor);

  std::string name_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapping_ = nullptr;
  int descriptor_ = -1;  ///< of the mapped file
  std::vector<char> owned_;
};

/// check_whole() of every file that is mapped.
void check_mapped_files();

/// The name of the mapped file whose bytes lie at that address, or null. May be called in a signal handler.
const char* cut_file_at(const void* address) noexcept;

}  // namespace manyfit::app
