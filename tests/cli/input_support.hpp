// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "input/input_error.hpp"

namespace manyfit::app {

/// A file that goes away with its scope.
class scratch_file {
 public:
  explicit scratch_file(const std::string& extension, std::string_view content = {}) {
    static int count = 0;
    path_ = (std::filesystem::temp_directory_path() /
             ("manyfit_input_" + std::to_string(::getpid()) + "_" + std::to_string(count++) + extension))
                .string();
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~scratch_file() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The message of the input_error that `call` throws, or "nothing thrown".
template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const input_error& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace manyfit::app
