// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "progress_bar.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "apps/support/messages.hpp"
#include "interrupt.hpp"

namespace manyfit::app {

namespace {

constexpr int bar_width = 24;

int terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

progress_bar::progress_bar(std::string what, std::string unit, bool quiet)
    : what_(std::move(what)), unit_(std::move(unit)), shown_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

void progress_bar::update(std::uint64_t done, std::uint64_t total, const std::string& note) {
  if (!shown_ || total == 0) return;
  const auto now = clock::now();
  if (seconds(now - start_) < 0.2 || (done < total && seconds(now - drawn_) < 0.08)) return;
  drawn_ = now;

  const double fraction = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const double rate = static_cast<double>(done) / seconds(now - start_);
  const int full = static_cast<int>(fraction * bar_width);
  std::string line =
      fmt::format("{} [{}{}] {:3.0f}%  {}{}/s", what_, std::string(full, '#'), std::string(bar_width - full, '.'),
                  100 * fraction, short_count(rate), unit_ == "B" ? unit_ : " " + unit_);
  if (done > 0) line += fmt::format("  {} left", short_time(static_cast<double>(total - std::min(done, total)) / rate));
  if (!note.empty()) line += "  " + note;
  line.resize(std::min<std::size_t>(line.size(), static_cast<std::size_t>(terminal_columns() - 1)));
  const int columns = static_cast<int>(line.size());
  if (columns < columns_) line.append(static_cast<std::size_t>(columns_ - columns), ' ');
  columns_ = columns;
  set_bar_columns(columns_);
  tell("\r{}", line);
}

void progress_bar::clear() {
  if (columns_ == 0) return;
  erase_line(columns_);
  columns_ = 0;
  set_bar_columns(0);
}

std::string short_count(double count) {
  static constexpr std::pair<double, const char*> scales[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& [scale, suffix] : scales)
    if (count >= scale) return fmt::format("{:.3g}{}", count / scale, suffix);
  return fmt::format("{:.3g}", count);
}

std::string short_time(double seconds) {
  if (!(seconds < 1e8)) return "?";
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  const auto whole = static_cast<long>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

bool colours_on_stderr() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return !(no_colour && *no_colour) && !(terminal && std::string_view(terminal) == "dumb") &&
         ::isatty(STDERR_FILENO) == 1;
}

}  // namespace manyfit::app
