// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/support/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace manyfit::app {

namespace {

/// Names of files that are not committed, where a signal handler finds them.
std::atomic<const char*> unfinished[16];

int remember(const char* path) {
  for (int slot = 0; slot < 16; ++slot) {
    const char* none = nullptr;
    if (unfinished[slot].compare_exchange_strong(none, path)) return slot;
  }
  return -1;
}

void forget(int& slot) {
  if (slot >= 0) unfinished[slot].store(nullptr);
  slot = -1;
}

[[noreturn]] void fail(int error) {
  throw std::system_error(error, std::generic_category());
}

/// Brings a file's contents, or a folder's names, to the disk; not every file system can.
void bring_to_disk(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno == EINTR) continue;
    if (errno == EINVAL || errno == ENOSYS || errno == EROFS || errno == ENOTSUP) return;
    fail(errno);
  }
}

}  // namespace

whole_file::whole_file(const std::string& path) : path_(path) {
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists && ::access(path_.c_str(), W_OK) != 0) fail(errno);
  if (!exists || S_ISREG(status.st_mode)) {
    std::error_code none;
    const auto real = exists ? std::filesystem::canonical(path_, none) : std::filesystem::path(path_);
    const auto place = none || real.empty() ? std::filesystem::path(path_) : real;
    std::string target = place.string();
    open_beside(place);
    if (descriptor_ >= 0) {
      if (exists) [[maybe_unused]]
        const int same_mode = ::fchmod(descriptor_, status.st_mode & 07777);
      path_ = std::move(target);
      return;
    }
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
}

void whole_file::open_beside(const std::filesystem::path& place) {
  constexpr std::size_t most = 200;                  // bytes of a name, so that with what is added it is none too long
  for (int attempt = 0; attempt < 100; ++attempt) {  // one may have been left by a process that was killed
    const std::string name = fmt::format(".{}.{}{}.part", place.filename().string().substr(0, most), ::getpid(),
                                         attempt == 0 ? "" : fmt::format(".{}", attempt));
    temporary_ = (place.parent_path() / name).string();
    slot_ = remember(temporary_.c_str());  // before it is there, so that no signal comes between
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) return;
    forget(slot_);
    if (errno != EEXIST) break;
  }
  temporary_.clear();
}

whole_file::~whole_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  forget(slot_);
}

void write_all(int descriptor, std::string_view data) {
  while (!data.empty()) {
    const auto written = ::write(descriptor, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    data.remove_prefix(static_cast<std::size_t>(written));
  }
}

void whole_file::write(std::string_view data) {
  write_all(descriptor_, data);
}

void whole_file::commit() {
  if (!temporary_.empty()) bring_to_disk(descriptor_);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
  if (temporary_.empty()) return;
  const auto folder = std::filesystem::path(path_).parent_path();  // what allocates comes before what cannot be undone
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  forget(slot_);
  temporary_.clear();
  // The file is whole and in its place; that its name outlives a loss of power is as much as can be tried for now.
  const int names = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (names < 0) return;
  ::fsync(names);
  ::close(names);
}

void remove_unfinished_files() noexcept {
  for (auto& each : unfinished)
    if (const char* path = each.load()) ::unlink(path);
}

}  // namespace manyfit::app
