// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace manyfit::app {

/// A bar with rate and time left on stderr's current line, when stderr is a terminal and the user did not ask for
/// quiet. Nothing is drawn for work that ends at once. Erasing is done with spaces, not with escape sequences.
class progress_bar {
 public:
  /// `what` is done ("reading"), `unit` is counted ("fits", or "B" for bytes).
  progress_bar(std::string what, std::string unit, bool quiet);
  ~progress_bar() { clear(); }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  bool shown() const { return shown_; }
  /// update() as a function for whoever does the work, or none where nothing is drawn.
  std::function<void(std::uint64_t done, std::uint64_t total)> function() {
    if (!shown_) return {};
    return [this](std::uint64_t done, std::uint64_t total) { update(done, total); };
  }
  /// `note` is added to the line.
  void update(std::uint64_t done, std::uint64_t total, const std::string& note = {});
  void clear();

 private:
  using clock = std::chrono::steady_clock;
  std::string what_, unit_;
  bool shown_;
  int columns_ = 0;
  clock::time_point start_ = clock::now(), drawn_ = start_;
};

/// Seconds since it was made.
class stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// 12345678 -> "12.3 M": a count for people.
std::string short_count(double count);
/// Seconds for people: "0.12 s", "3 min 20 s", "2 h 5 min".
std::string short_time(double seconds);
/// Whether text on stderr may carry colours: a terminal, and NO_COLOR not set.
bool colours_on_stderr();

}  // namespace manyfit::app
