// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/support/messages.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace manyfit::app {

void put_on_stderr(std::string_view text) noexcept {
  const int before = errno;
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  errno = before;
}

void erase_line(int columns) noexcept {
  put_on_stderr("\r");
  for (int i = 0; i < columns; ++i) put_on_stderr(" ");
  put_on_stderr("\r");
}

void occupy_standard_descriptors() noexcept {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF)
      ::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);  // takes the lowest number that is free
}

}  // namespace manyfit::app
