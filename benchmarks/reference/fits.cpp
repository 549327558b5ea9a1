// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <numbers>

#include "reference/reference.hpp"

namespace reference {
namespace {

using boost::math::digamma;
using boost::math::trigamma;

constexpr double tolerance = 1e-10;  // of a relative step, which Newton squares
constexpr int most_iterations = 100;

}  // namespace

fitted fit_normal(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  double sum = 0;
  for (const double v : x) sum += v;
  const double mean = sum / n;
  double squares = 0;
  for (const double v : x) squares += (v - mean) * (v - mean);
  const double variance = squares / n;
  return {{mean, std::sqrt(variance)}, -0.5 * n * (std::log(2 * std::numbers::pi * variance) + 1)};
}

fitted fit_gamma(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  double sum = 0, logs = 0;
  for (const double v : x) {
    sum += v;
    logs += std::log(v);
  }
  const double mean = sum / n, mean_log = logs / n, s = std::log(mean) - mean_log;
  if (!(s > 0)) return {{NAN, NAN}, NAN};  // all values alike
  double shape = (3 - s + std::sqrt((s - 3) * (s - 3) + 24 * s)) / (12 * s);
  for (int i = 0; i < most_iterations; ++i) {
    const double step = (std::log(shape) - digamma(shape) - s) / (1 / shape - trigamma(shape));
    shape -= step;
    if (std::abs(step) < tolerance * shape) break;
  }
  const double rate = shape / mean;
  return {{shape, rate}, n * (shape * std::log(rate) - std::lgamma(shape) + (shape - 1) * mean_log - shape)};
}

fitted fit_beta(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  double sum = 0, squares = 0, logs = 0, other_logs = 0;
  for (const double v : x) {
    sum += v;
    squares += v * v;
    logs += std::log(v);
    other_logs += std::log1p(-v);
  }
  const double mean = sum / n, variance = squares / n - mean * mean, a_log = logs / n, b_log = other_logs / n;
  const double total = mean * (1 - mean) / variance - 1;
  double a = mean * total, b = (1 - mean) * total;
  for (int i = 0; i < most_iterations; ++i) {
    const double both = digamma(a + b), spread = trigamma(a + b);
    const double ga = a_log - digamma(a) + both, gb = b_log - digamma(b) + both;
    const double haa = spread - trigamma(a), hbb = spread - trigamma(b), det = haa * hbb - spread * spread;
    double da = (hbb * ga - spread * gb) / det, db = (haa * gb - spread * ga) / det, step_size = 1;
    while (a - step_size * da <= 0 || b - step_size * db <= 0) step_size /= 2;
    a -= step_size * da;
    b -= step_size * db;
    if (std::abs(da) < tolerance * a && std::abs(db) < tolerance * b) break;
  }
  const double log_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  return {{a, b}, n * ((a - 1) * a_log + (b - 1) * b_log - log_beta)};
}

fitted fit_weibull(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  std::vector<double> logs(x.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    logs[i] = std::log(x[i]);
    sum += logs[i];
    squares += logs[i] * logs[i];
  }
  const double mean_log = sum / n;
  const double sd_log = std::sqrt(squares / n - mean_log * mean_log);
  if (!(sd_log > 0)) return {{NAN, NAN}, NAN};  // all values alike
  double shape = std::numbers::pi / (std::sqrt(6.0) * sd_log), powers = 0;
  for (int i = 0; i < most_iterations; ++i) {
    double s0 = 0, s1 = 0, s2 = 0;
    for (const double l : logs) {
      const double centred = l - mean_log, power = std::exp(shape * centred);
      s0 += power;
      s1 += power * centred;
      s2 += power * centred * centred;
    }
    const double step = (s1 / s0 - 1 / shape) / (s2 / s0 - s1 / s0 * (s1 / s0) + 1 / (shape * shape));
    shape -= step;
    powers = s0 - step * s1;                   // at the new shape, to first order
    if (std::abs(step) < 1e-8 * shape) break;  // the step's square is left over
  }
  const double scale = std::exp(mean_log) * std::pow(powers / n, 1 / shape);
  return {{shape, scale}, n * (std::log(shape) - shape * std::log(scale) + (shape - 1) * mean_log - 1)};
}

fitted fit_student_t(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  std::vector<double> sorted(x.begin(), x.end());
  const auto quantile = [&](double p) {
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(p * (n - 1));
    std::nth_element(sorted.begin(), at, sorted.end());
    return *at;
  };
  double location = quantile(0.5), scale = (quantile(0.75) - quantile(0.25)) / 1.5, df = 4;

  struct state {
    double likelihood, location, log_scale, df;  // and the gradient in them
  };
  const auto evaluate = [&](double mu, double sigma, double nu) {
    state g{0, 0, 0, 0};
    double logs = 0, w_squares = 0;
    for (const double v : x) {
      const double z = (v - mu) / sigma, w = (nu + 1) / (nu + z * z);
      logs += std::log1p(z * z / nu);
      g.location += w * z;
      w_squares += w * z * z;
    }
    g.location /= sigma;
    g.log_scale = w_squares - n;
    g.df = 0.5 * (n * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu) - logs + w_squares / nu);
    g.likelihood = n * (std::lgamma((nu + 1) / 2) - std::lgamma(nu / 2) - 0.5 * std::log(nu * std::numbers::pi) -
                        std::log(sigma)) -
                   0.5 * (nu + 1) * logs;
    return g;
  };

  state now = evaluate(location, scale, df);
  for (int i = 0; i < most_iterations; ++i) {
    const double mm = n * (df + 1) / ((df + 3) * scale * scale), ss = n * 2 * df / (df + 3);
    const double dd =
        n * (0.25 * (trigamma(df / 2) - trigamma((df + 1) / 2)) - (df + 5) / (2 * df * (df + 1) * (df + 3)));
    const double sd = -n * 2 / ((df + 1) * (df + 3)), det = ss * dd - sd * sd;
    const double by_location = now.location / mm;
    const double by_scale = (dd * now.log_scale - sd * now.df) / det, by_df = (ss * now.df - sd * now.log_scale) / det;
    double step_size = 1;
    state next{};
    for (;; step_size /= 2) {
      const double nu = df * std::exp(step_size * by_df / df);  // on the logarithm's scale, so that it stays positive
      next = evaluate(location + step_size * by_location, scale * std::exp(step_size * by_scale), nu);
      if (next.likelihood >= now.likelihood - 1e-12 * std::abs(now.likelihood) || step_size < 1e-6) break;
    }
    location += step_size * by_location;
    scale *= std::exp(step_size * by_scale);
    df *= std::exp(step_size * by_df / df);
    now = next;
    if (std::abs(by_df) < 1e-8 * df && std::abs(by_scale) < 1e-8 && std::abs(by_location) < 1e-8 * scale) break;
  }
  return {{df, location, scale}, now.likelihood};
}

fitted fit_negative_binomial(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  double sum = 0, squares = 0, largest = 0, log_factorials = 0;
  for (const double v : x) {
    sum += v;
    squares += v * v;
    largest = std::max(largest, v);
  }
  std::vector<double> above(static_cast<std::size_t>(largest) + 1);  // counts greater than j
  for (const double v : x) above[static_cast<std::size_t>(v)] += 1;
  for (std::size_t j = 0; j < above.size(); ++j) log_factorials += above[j] * std::lgamma(static_cast<double>(j) + 1);
  double left = 0;
  for (std::size_t j = above.size(); j-- > 0;) {
    const double here = above[j];
    above[j] = left;
    left += here;
  }
  const double mean = sum / n, variance = squares / n - mean * mean;
  double size = mean * mean / std::max(variance - mean, 1e-3 * mean);
  for (int i = 0; i < most_iterations; ++i) {
    double score = n * std::log(size / (size + mean)), slope = n * mean / (size * (size + mean));
    for (std::size_t j = 0; j + 1 < above.size(); ++j) {
      const double term = 1 / (size + static_cast<double>(j));
      score += above[j] * term;
      slope -= above[j] * term * term;
    }
    const double by_log = -score / (slope * size + score);  // Newton in log(size)
    const double step = by_log > 1 || by_log < -1 || slope * size + score >= 0 ? (score > 0 ? 0.5 : -0.5) : by_log;
    size *= std::exp(step);
    if (std::abs(step) < tolerance) break;
  }
  double likelihood = n * size * std::log(size / (size + mean)) + sum * std::log(mean / (size + mean)) - log_factorials;
  for (std::size_t j = 0; j + 1 < above.size(); ++j) likelihood += above[j] * std::log(size + static_cast<double>(j));
  return {{size, mean}, likelihood};
}

}  // namespace reference
