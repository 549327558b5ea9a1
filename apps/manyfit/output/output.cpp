// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "failures.hpp"
#include "input/input_error.hpp"
#include "interrupt.hpp"

namespace manyfit::app {

output::output(std::string path) : path_(std::move(path)), descriptor_(STDOUT_FILENO) {
  if (path_.empty()) return;
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists && ::access(path_.c_str(), W_OK) != 0) fail(errno);
  if (!exists || S_ISREG(status.st_mode)) {
    // A link stays a link: what it points to is replaced.
    std::error_code none;
    const auto real = exists ? std::filesystem::canonical(path_, none) : std::filesystem::path(path_);
    const auto place = none || real.empty() ? std::filesystem::path(path_) : real;
    const auto beside = place.parent_path() / fmt::format(".{}.{}.part", place.filename().string(), ::getpid());
    descriptor_ = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) {
      if (exists) [[maybe_unused]]
        const int same_mode = ::fchmod(descriptor_, status.st_mode & 07777);
      path_ = place.string();
      temporary_ = beside.string();
      set_unfinished_file(temporary_.c_str());
      return;
    }
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
}

output::~output() {
  if (descriptor_ > STDOUT_FILENO) ::close(descriptor_);
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  set_unfinished_file(nullptr);
}

void output::flush() {
  const char* at = text_.data();
  for (std::size_t left = text_.size(); left > 0;) {
    const auto written = ::write(descriptor_, at, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      text_.clear();
      if (error == EPIPE) throw broken_pipe{};
      fail(error);
    }
    at += written;
    left -= static_cast<std::size_t>(written);
  }
  text_.clear();
}

void output::finish() {
  flush();
  if (descriptor_ == STDOUT_FILENO) return;
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
  set_unfinished_file(nullptr);
}

bool output::to_terminal() const {
  return descriptor_ == STDOUT_FILENO && ::isatty(STDOUT_FILENO) == 1;
}

void output::fail(int error) const {
  throw input_error(fmt::format("cannot write {}: {}\ngive --out a path that can be written",
                                path_.empty() ? "stdout" : excerpt(path_, 300), std::strerror(error)));
}

}  // namespace manyfit::app
