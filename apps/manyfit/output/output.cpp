// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "output/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "failures.hpp"
#include "input/file_bytes.hpp"
#include "input/input_error.hpp"

namespace manyfit::app {

template <class Work>
void output::translating(Work work) {
  try {
    work();
  } catch (const std::system_error& failure) {
    if (failure.code().value() == EPIPE) throw broken_pipe{};
    throw input_error(fmt::format("cannot write {}: {}\ngive --out a path that can be written",
                                  path_.empty() ? "stdout" : excerpt(path_, 300), failure.code().message()));
  }
}

output::output(std::string path) : path_(std::move(path)) {
  if (!path_.empty()) translating([&] { file_.emplace(path_); });
}

void output::flush() {
  translating([&] { file_ ? file_->write(text_) : write_all(STDOUT_FILENO, text_); });
  text_.clear();
}

void output::finish() {
  check_mapped_files();
  flush();
  if (file_) translating([&] { file_->commit(); });
}

bool output::to_terminal() const {
  return !file_ && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace manyfit::app
