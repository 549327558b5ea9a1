// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace manyfit::app {

/// The bytes of a file, mapped where that is possible, or of stdin (path "-") or a pipe, read to the end.
/// Throws input_error for a missing file, a directory, an unreadable file.
class file_bytes {
 public:
  explicit file_bytes(const std::string& path);
  ~file_bytes();
  file_bytes(const file_bytes&) = delete;
  file_bytes& operator=(const file_bytes&) = delete;

  std::string_view view() const { return {data_, size_}; }
  /// The name for messages: the path, or "stdin".
  const std::string& name() const { return name_; }

 private:
  void read_to_end(int descriptor);

  std::string name_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapping_ = nullptr;
  std::vector<char> owned_;
};

}  // namespace manyfit::app
