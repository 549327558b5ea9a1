// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/picture_file.hpp"

#include <fcntl.h>
#include <fontconfig/fontconfig.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <new>
#include <system_error>

#include "apps/support/whole_file.hpp"
#include "manyfit/error.hpp"

namespace manyfit::app {

namespace {

/// The first byte that the drawing process sends; what follows is a picture or the text of an error.
enum class answer : char { picture = 'p', argument = 'a', memory = 'm' };

/// Fonts are read here: the first text would do it, and try again for ever where memory is missing.
void load_fonts() {
  FcConfig* fonts = FcInitLoadConfigAndFonts();
  if (fonts == nullptr || !FcConfigSetCurrent(fonts)) throw std::bad_alloc();
}

/// The drawing process, which the caller's signals, limits and exits are not to reach.
[[noreturn]] void draw_and_end(int to, picture_format format, const std::function<std::string(picture_format)>& draw) {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  rlimit processor{};
  constexpr rlim_t seconds = 120;  // far beyond any picture's
  if (::getrlimit(RLIMIT_CPU, &processor) == 0 && processor.rlim_cur > seconds) {
    processor.rlim_cur = seconds;
    ::setrlimit(RLIMIT_CPU, &processor);
  }
  if (const int nowhere = ::open("/dev/null", O_WRONLY); nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  std::set_terminate([] { ::_exit(1); });
  const auto send = [to](answer first, std::string_view rest) {
    const char byte = static_cast<char>(first);
    write_all(to, {&byte, 1});
    write_all(to, rest);
  };
  try {
    try {
      load_fonts();
      send(answer::picture, draw(format));
    } catch (const error& failure) {
      send(failure.why() == error::kind::memory ? answer::memory : answer::argument, failure.what());
    } catch (const std::bad_alloc&) {
      send(answer::memory, "");
    }
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

/// The drawing process as its parent sees it. Ends with it, in whatever way this scope is left.
class drawing_process {
 public:
  drawing_process(picture_format format, const std::function<std::string(picture_format)>& draw) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    from_ = ends[0];
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      draw_and_end(ends[1], format, draw);
    }
    ::close(ends[1]);
  }
  ~drawing_process() {
    if (from_ >= 0) ::close(from_);
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    wait();
  }
  drawing_process(const drawing_process&) = delete;
  drawing_process& operator=(const drawing_process&) = delete;

  /// All that it sends; empty unless it ends well.
  std::string result() {
    if (child_ < 0) return {};
    std::string all;
    char part[65536];
    for (;;) {
      const ssize_t got = ::read(from_, part, sizeof(part));
      if (got > 0) all.append(part, static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EINTR)) break;
    }
    return wait() ? all : std::string();
  }

 private:
  bool wait() {
    int status = 0;
    pid_t ended = -1;
    do ended = ::waitpid(child_, &status, 0);
    while (ended < 0 && errno == EINTR);
    child_ = -1;
    return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  int from_ = -1;
  pid_t child_ = -1;
};

}  // namespace

void write_picture(const std::string& path, const std::function<std::string(picture_format)>& draw) {
  std::string bytes = drawing_process(picture_format_of(path), draw).result();
  const auto first = bytes.empty() ? answer::memory : static_cast<answer>(bytes[0]);
  if (!bytes.empty()) bytes.erase(0, 1);
  if (first == answer::argument) throw error(error::kind::argument, bytes);
  if (first == answer::memory)
    throw error(error::kind::memory,
                "plot file '" + path + "': drawing failed: " + (bytes.empty() ? "out of memory" : bytes));
  try {
    whole_file file(path);
    file.write(bytes);
    file.commit();
  } catch (const std::system_error& failure) {
    throw error(error::kind::argument, "plot file '" + path + "' cannot be written: " + failure.code().message() +
                                           "; its folder must exist and be writable");
  }
}

}  // namespace manyfit::app
