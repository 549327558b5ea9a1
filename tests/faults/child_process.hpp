// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The program as a child process whose descriptors, limits and signals a test sets up itself.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace manyfit::test {

class child_process {
 public:
  /// Runs the program; `prepare` is called in the child before. stdin, stdout and stderr are /dev/null unless it says
  /// otherwise.
  child_process(const std::vector<std::string>& arguments, const std::function<void()>& prepare) {
    std::vector<std::string> words = {MF_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    id_ = ::fork();
    if (id_ != 0) return;
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, standard);
    if (nothing > STDERR_FILENO) ::close(nothing);
    prepare();
    ::execv(MF_PROGRAM, argv.data());
    ::_exit(127);
  }
  ~child_process() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t id() const { return id_; }
  bool ended() {
    if (id_ > 0 && ::waitpid(id_, &status_, WNOHANG) == id_) id_ = -1;
    return id_ < 0;
  }
  /// Until `condition` holds or the program has ended; false after a minute.
  template <class Condition>
  bool wait_until(Condition condition) {
    for (int i = 0; i < 30000; ++i) {
      if (condition() || ended()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }
  /// The exit code; 1000 + the signal's number when one ended it; −1 when it does not end.
  int code() {
    if (!wait_until([] { return false; })) return -1;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 1000 + WTERMSIG(status_);
  }

 private:
  pid_t id_ = -1;
  int status_ = 0;
};

/// In a child: `descriptor` goes to that file.
inline void redirect(int descriptor, const std::string& path, int flags = O_WRONLY | O_CREAT | O_TRUNC) {
  const int file = ::open(path.c_str(), flags, 0600);
  ::dup2(file, descriptor);
  ::close(file);
}

}  // namespace manyfit::test
