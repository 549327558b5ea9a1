// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/ticks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace manyfit::app {

namespace {

std::string printed(const char* format, int digits, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, digits, value);
  return text;
}

std::string with_real_minus(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '-')
      result += "−";
    else
      result += c;
  }
  return result;
}

/// "1.500e-07" becomes "1.5e-7".
std::string short_exponent(std::string text) {
  const auto e = text.find('e');
  if (e == std::string::npos) return text;
  std::string mantissa = text.substr(0, e);
  if (mantissa.find('.') != std::string::npos) {
    mantissa.erase(mantissa.find_last_not_of('0') + 1);
    if (mantissa.back() == '.') mantissa.pop_back();
  }
  return mantissa + "e" + std::to_string(std::stoi(text.substr(e + 1)));
}

}  // namespace

std::string readable(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  if (value == 0) return "0";
  // The exponent after rounding: 9.996 with three digits is 10.0.
  const std::string scientific = printed("%.*e", digits - 1, value);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent > 5) return with_real_minus(short_exponent(scientific));
  return with_real_minus(printed("%.*f", std::max(0, digits - 1 - exponent), value));
}

std::string grouped(std::int64_t number) {
  const std::string digits = std::to_string(number);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) result.push_back(',');
    result.push_back(digits[i]);
  }
  return result;
}

std::vector<tick> nice_ticks(double low, double high, int most, bool integers) {
  std::vector<tick> ticks;
  if (!(high > low) || !std::isfinite(high - low) || most < 1) return ticks;
  int power = static_cast<int>(std::floor(std::log10((high - low) / most))) - 1;
  double step = 0, first = 0;
  int count = 0;
  for (bool found = false; !found; ++power) {
    for (const int factor : {1, 2, 5}) {
      step = factor * std::pow(10.0, power);
      if (integers && step < 1) continue;
      first = std::ceil(low / step - 1e-6);
      count = static_cast<int>(std::floor(high / step + 1e-6) - first) + 1;
      found = count <= most;
      if (found) break;
    }
    if (found) break;
  }
  const int decimals = std::max(0, -power);
  std::vector<std::string> plain, scientific;
  std::size_t plain_length = 0, scientific_length = 0;
  for (int i = 0; i < count; ++i) {
    const double value = (first + i) * step + 0.0;  // + 0.0: no negative zero
    const int digits = value == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9)) - power;
    plain.push_back(value == 0 ? "0" : printed("%.*f", decimals, value));
    scientific.push_back(value == 0 ? "0" : short_exponent(printed("%.*e", std::clamp(digits, 0, 15), value)));
    plain_length = std::max(plain_length, plain.back().size());
    scientific_length = std::max(scientific_length, scientific.back().size());
    ticks.push_back({value, ""});
  }
  const auto& labels = plain_length <= std::max<std::size_t>(6, scientific_length) ? plain : scientific;
  for (std::size_t i = 0; i < ticks.size(); ++i) ticks[i].label = with_real_minus(labels[i]);
  return ticks;
}

}  // namespace manyfit::app
