// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "apps/support/messages.hpp"
#include "apps/support/whole_file.hpp"
#include "failures.hpp"
#include "input/file_bytes.hpp"

namespace manyfit::app {

namespace {

std::atomic<int> bar_columns{0};

// Below are only calls that POSIX allows in a signal handler.

void leave_nothing_behind() {
  remove_unfinished_files();
  if (const int columns = bar_columns.load(); columns > 0) erase_line(columns);
}

void stop(int signal) {
  leave_nothing_behind();
  put_on_stderr(signal == SIGXFSZ   ? "manyfit: error: the output is larger than a file may be here (ulimit -f)\n"
                : signal == SIGXCPU ? "manyfit: error: the limit of processor time was reached (ulimit -t)\n"
                : signal == SIGINT  ? "manyfit: interrupted\n"
                                    : "manyfit: terminated by a signal\n");
  ::_exit(128 + signal);
}

constexpr std::string_view out_of_memory =
    "manyfit: error: out of memory: split the input, or use --precision single\n";

/// A fault of ours, unless a file was cut whose bytes we were reading, or an allocation has failed just before in other
/// people's code, which goes on without looking (fontconfig does).
void stop_at_fault(int signal, siginfo_t* what, void*) {
  const bool without_memory = errno == ENOMEM && (signal == SIGSEGV || signal == SIGABRT);
  leave_nothing_behind();
  if (without_memory) {
    put_on_stderr(out_of_memory);
    ::_exit(exit_device);
  }
  const char* cut = signal == SIGBUS ? cut_file_at(what->si_addr) : nullptr;
  if (cut != nullptr) {
    put_on_stderr("manyfit: error: ");
    put_on_stderr({cut, std::strlen(cut)});
    put_on_stderr(": became shorter while it was read\na file that stays as it is was expected\n");
    ::_exit(exit_input);
  }
  ::raise(signal);  // SA_RESETHAND: this time the system's way
}

/// What came out where nothing may: other people's destructors and threads allocate too (nlohmann's, Arrow's).
[[noreturn]] void stop_at_terminate() {
  leave_nothing_behind();
  try {
    if (const auto failure = std::current_exception()) std::rethrow_exception(failure);
  } catch (const std::bad_alloc&) {
    put_on_stderr(out_of_memory);
    ::_exit(exit_device);
  } catch (const std::system_error&) {
    put_on_stderr("manyfit: error: no more threads can be started: give --threads a smaller number\n");
    ::_exit(exit_device);
  } catch (...) {
  }
  put_on_stderr("manyfit: error: internal error\nplease report it with the command line\n");
  ::_exit(exit_internal);
}

void handle(int signal, struct sigaction& action) {
  struct sigaction before {};
  if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) return;
  ::sigfillset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = stop;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXFSZ, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1,
                           SIGUSR2, SIGIO, SIGPWR, SIGSTKFLT})
    handle(signal, action);
  struct sigaction fault {};
  fault.sa_sigaction = stop_at_fault;
  fault.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER;
  for (const int signal : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP}) handle(signal, fault);
  ::signal(SIGPIPE, SIG_IGN);
  std::set_terminate(stop_at_terminate);
}

void set_bar_columns(int columns) {
  bar_columns.store(columns);
}

}  // namespace manyfit::app
