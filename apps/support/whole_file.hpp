// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace manyfit::app {

/// A file that appears whole or not at all: it is written under a temporary name beside its place, brought to the disk
/// and renamed at the end. What is there already and is no plain file (a pipe, a device), or lies in a folder closed to
/// us, is written in place. Every member throws std::system_error with the reason that the system gave.
class whole_file {
 public:
  /// Opens it before there is anything to write. A link stays a link: what it points to is replaced, with its mode.
  explicit whole_file(const std::string& path);
  /// Removes what was not committed.
  ~whole_file();
  whole_file(const whole_file&) = delete;
  whole_file& operator=(const whole_file&) = delete;

  void write(std::string_view data);
  /// The path that a library which opens files by name is to write to, before commit().
  const std::string& path_to_write() const { return temporary_.empty() ? path_ : temporary_; }
  /// Puts the file in its place.
  void commit();

 private:
  /// Opens a file of its own beside `place`; without a descriptor where none can be made.
  void open_beside(const std::filesystem::path& place);

  std::string path_, temporary_;
  int descriptor_ = -1;
  int slot_ = -1;
};

/// Writes everything to a descriptor. Throws std::system_error.
void write_all(int descriptor, std::string_view data);

/// Removes every file that is not yet committed; for signal handlers.
void remove_unfinished_files() noexcept;

}  // namespace manyfit::app
