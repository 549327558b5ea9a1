// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

namespace manyfit::app {

namespace {

std::atomic<const char*> unfinished_file{nullptr};
std::atomic<int> bar_columns{0};

void say(const char* text, std::size_t size) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, size);
}

// Only calls that POSIX allows in a signal handler.
void stop(int signal) {
  if (const char* path = unfinished_file.load()) ::unlink(path);
  if (const int columns = bar_columns.load(); columns > 0) {
    say("\r", 1);
    for (int i = 0; i < columns; ++i) say(" ", 1);
    say("\r", 1);
  }
  static constexpr char message[] = "manyfit: interrupted\n";
  say(message, sizeof message - 1);
  ::_exit(128 + signal);
}

void handle(int signal) {
  struct sigaction before {};
  if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = stop;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void install_signal_handlers() {
  handle(SIGINT);
  handle(SIGTERM);
  ::signal(SIGPIPE, SIG_IGN);
}

void set_unfinished_file(const char* path) {
  unfinished_file.store(path);
}

void set_bar_columns(int columns) {
  bar_columns.store(columns);
}

}  // namespace manyfit::app
