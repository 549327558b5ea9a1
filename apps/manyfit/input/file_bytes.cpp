// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/file_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

#include "input/input_error.hpp"

namespace manyfit::app {

namespace {

struct descriptor_closer {
  int descriptor;
  ~descriptor_closer() {
    if (descriptor > STDIN_FILENO) ::close(descriptor);
  }
};

/// The files that are mapped, where a signal handler finds them. A file for which there is no entry left is read.
std::atomic<const file_bytes*> mapped_files[16];

bool remember(const file_bytes* file) {
  return std::any_of(std::begin(mapped_files), std::end(mapped_files), [&](auto& slot) {
    const file_bytes* none = nullptr;
    return slot.compare_exchange_strong(none, file);
  });
}

[[noreturn]] void cannot_read(const std::string& name, int error) {
  throw input_error(
      fmt::format("cannot read {}: {}\na readable file was expected, or - for stdin", name, std::strerror(error)));
}

}  // namespace

file_bytes::file_bytes(const std::string& path) : name_(path == "-" ? "stdin" : excerpt(path, 300)) {
  const int descriptor = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) cannot_read(name_, errno);
  descriptor_closer closer{descriptor};

  struct stat status {};
  if (::fstat(descriptor, &status) != 0) cannot_read(name_, errno);
  if (S_ISDIR(status.st_mode)) cannot_read(name_, EISDIR);

  // Pipes, and the files of /proc that claim no size, cannot be mapped. Nor is a redirected stdin, whose position need
  // not be the beginning.
  if (S_ISREG(status.st_mode) && status.st_size > 0 && descriptor != STDIN_FILENO) {
    size_ = static_cast<std::size_t>(status.st_size);
    void* const mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping != MAP_FAILED) {
      data_ = static_cast<const char*>(mapping);
      if (remember(this)) {
        mapping_ = mapping;
        descriptor_ = std::exchange(closer.descriptor, -1);
        return;
      }
      ::munmap(mapping, size_);
    }
  }
  read_to_end(descriptor);
}

file_bytes::~file_bytes() {
  if (mapping_ == nullptr) return;
  for (auto& slot : mapped_files)
    if (slot.load() == this) slot.store(nullptr);
  ::munmap(mapping_, size_);
  ::close(descriptor_);
}

void file_bytes::check_whole() const {
  struct stat status {};
  if (mapping_ == nullptr || ::fstat(descriptor_, &status) != 0 || static_cast<std::size_t>(status.st_size) >= size_)
    return;
  throw input_error(
      fmt::format("{}: became shorter while it was read: {} bytes of {} are left\n"
                  "a file that stays as it is was expected",
                  name_, static_cast<std::size_t>(status.st_size), size_));
}

void check_mapped_files() {
  for (const auto& slot : mapped_files)
    if (const file_bytes* file = slot.load()) file->check_whole();
}

const char* cut_file_at(const void* address) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const auto& slot : mapped_files) {
    const file_bytes* file = slot.load();
    if (file == nullptr) continue;
    const auto first = reinterpret_cast<std::uintptr_t>(file->view().data());
    if (at >= first && at - first < file->view().size()) return file->name().c_str();
  }
  return nullptr;
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
