// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/file_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "input/input_error.hpp"

namespace manyfit::app {

namespace {

struct descriptor_closer {
  int descriptor;
  ~descriptor_closer() {
    if (descriptor > STDIN_FILENO) ::close(descriptor);
  }
};

[[noreturn]] void cannot_read(const std::string& name, int error) {
  throw input_error(
      fmt::format("cannot read {}: {}\na readable file was expected, or - for stdin", name, std::strerror(error)));
}

}  // namespace

file_bytes::file_bytes(const std::string& path) : name_(path == "-" ? "stdin" : excerpt(path, 300)) {
  const int descriptor = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) cannot_read(name_, errno);
  const descriptor_closer closer{descriptor};

  struct stat status {};
  if (::fstat(descriptor, &status) != 0) cannot_read(name_, errno);
  if (S_ISDIR(status.st_mode)) cannot_read(name_, EISDIR);

  // Pipes, and the files of /proc that claim no size, cannot be mapped. Nor is a redirected stdin, whose position need
  // not be the beginning.
  if (S_ISREG(status.st_mode) && status.st_size > 0 && descriptor != STDIN_FILENO) {
    size_ = static_cast<std::size_t>(status.st_size);
    void* const mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping != MAP_FAILED) {
      mapping_ = mapping;
      data_ = static_cast<const char*>(mapping);
      return;
    }
  }
  read_to_end(descriptor);
}

file_bytes::~file_bytes() {
  if (mapping_ != nullptr) ::munmap(mapping_, size_);
}

void file_bytes::read_to_end(int descriptor) {
  std::size_t used = 0;
  for (;;) {
    if (used == owned_.size()) owned_.resize(std::max<std::size_t>(1 << 20, 2 * owned_.size()));
    const auto got = ::read(descriptor, owned_.data() + used, owned_.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) cannot_read(name_, errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  data_ = owned_.data();
  size_ = used;
}

}  // namespace manyfit::app
