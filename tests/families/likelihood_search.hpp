// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The highest likelihood that chance finds: parameters drawn over a box, the best of them moved at random. It knows
// nothing of the fits but the log-likelihood, so that what a fit says of a maximum, or of there being none, can be
// compared with it.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include "family_tests.hpp"

namespace manyfit::tests {

struct search_end {
  double log_likelihood = -infinity;
  std::vector<double> parameters;
};

/// Over positive parameters from e^−reach to e^reach, odds likewise, real ones within `reach` of the sample, of which
/// half lie at one of its values or at e^−reach and more from it. What `options` fixes stays.
class likelihood_search {
 public:
  likelihood_search(const family_info& family, const std::vector<double>& x, const fit_options& options, double reach,
                    std::uint64_t seed)
      : family_(family), x_(x), options_(options), reach_(reach), random_(seed) {}

  search_end run(int draws = 1024, int rounds = 24) {
    std::vector<std::vector<double>> some;
    for (int i = 0; i < draws; ++i) some.push_back(drawn());
    std::vector<search_end> best = evaluated(some);
    for (int round = 0; round < rounds; ++round) {
      std::sort(best.begin(), best.end(), [](const auto& a, const auto& b) {
        return a.log_likelihood > b.log_likelihood;  // none is NaN
      });
      best.resize(8);
      some.clear();
      for (const search_end& each : best)
        for (int i = 0; i < 32; ++i) {
          const auto any = [&]() -> const auto& {
            return best[static_cast<std::size_t>(8 * uniform())].parameters;
          };
          some.push_back(i % 2 ? moved(each.parameters, std::pow(0.5, round % 12))
                               : along(each.parameters, any(), any(), std::exp(4 * uniform() - 2)));
        }
      for (search_end& each : evaluated(some)) best.push_back(std::move(each));
    }
    return *std::max_element(best.begin(), best.end(),
                             [](const auto& a, const auto& b) { return a.log_likelihood < b.log_likelihood; });
  }

  /// The best within `width` of `from`, in logarithms of positive parameters and in real ones.
  search_end run_near(const std::vector<double>& from, double width, int draws = 1024) {
    std::vector<std::vector<double>> some;
    for (int i = 0; i < draws; ++i) some.push_back(moved(from, width * std::pow(10.0, -8 * uniform())));
    const auto all = evaluated(some);
    return *std::max_element(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.log_likelihood < b.log_likelihood; });
  }

 private:
  double uniform() { return std::uniform_real_distribution<double>()(random_); }
  double in_box() { return reach_ * (2 * uniform() - 1); }
  bool is_fixed(int i) const { return options_.fixed.contains(family_.parameters[i].name); }

  std::vector<double> drawn() {
    std::vector<double> p;
    for (int i = 0; i < family_.parameter_count; ++i) {
      const parameter& each = family_.parameters[i];
      if (is_fixed(i)) {
        p.push_back(options_.fixed.at(each.name));
        continue;
      }
      const double u = in_box(), at = x_[static_cast<std::size_t>(uniform() * static_cast<double>(x_.size()))];
      switch (each.kind) {
        case constraint::positive:
          p.push_back(std::exp(u));
          break;
        case constraint::probability:
          p.push_back(1 / (1 + std::exp(-u)));
          break;
        default: {
          const double choice = uniform(), side = uniform() < 0.5 ? -1 : 1;
          const double value = std::string(family_.name) == "lognormal" ? std::log(at) : at;
          p.push_back(each.tracks != tracking::location && each.tracks != tracking::log_scale ? u
                      : choice < 0.3                                                          ? value
                      : choice < 0.6 ? value + side * std::exp(-reach_ * uniform())
                                     : value + 2 * side * uniform());
        }
      }
    }
    move_end(p);
    return p;
  }

  std::vector<double> moved(std::vector<double> p, double by) {
    std::normal_distribution<double> normal;
    for (int i = 0; i < family_.parameter_count; ++i) {
      if (is_fixed(i) || uniform() < 0.25) continue;
      const double step = by * normal(random_);
      const auto inside = [&](double u) { return std::clamp(u, -reach_, reach_); };
      switch (family_.parameters[i].kind) {
        case constraint::positive:
          p[i] = std::exp(inside(std::log(p[i]) + step));
          break;
        case constraint::probability:
          p[i] = 1 / (1 + std::exp(-inside(std::log(p[i] / (1 - p[i])) + step)));
          break;
        default:
          p[i] += step * (uniform() < 0.5 ? 1 : std::exp(-reach_ * uniform()));
          if (family_.parameters[i].tracks == tracking::nothing) p[i] = inside(p[i]);
      }
    }
    if (uniform() < 0.3) move_end(p);
    return p;
  }

  /// p moved by `times` what b lies from a: along a ridge, where both lie on it (differential evolution; Storn & Price,
  /// Journal of Global Optimization 11 (1997) 341–359).
  std::vector<double> along(std::vector<double> p, const std::vector<double>& a, const std::vector<double>& b,
                            double times) {
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (is_fixed(static_cast<int>(i))) continue;
      const auto moved_in = [&](double (*into)(double)) {
        return std::clamp(into(p[i]) + times * (into(b[i]) - into(a[i])), -reach_, reach_);
      };
      const parameter& each = family_.parameters[i];
      if (each.kind == constraint::positive)
        p[i] = std::exp(moved_in([](double x) { return std::log(x); }));
      else if (each.kind == constraint::probability)
        p[i] = 1 / (1 + std::exp(-moved_in([](double x) { return std::log(x / (1 - x)); })));
      else
        p[i] += times * (b[i] - a[i]);
      if (each.kind == constraint::real && each.tracks == tracking::nothing) p[i] = std::clamp(p[i], -reach_, reach_);
    }
    return p;
  }

  /// Extreme-value families: the end of the support close to the smallest or largest value, where it may move.
  void move_end(std::vector<double>& p) {
    const std::string name = family_.name;
    if ((name != "gev" && name != "generalized_pareto") || uniform() < 0.4) return;
    const int shape = name == "gev" ? 2 : 1, scale = shape - 1;
    const auto [least, most] = std::minmax_element(x_.begin(), x_.end());
    const double location = name == "gev" ? p[0] : 0, gap = std::exp(-reach_ * uniform());
    const double end = p[shape] > 0 ? *least - gap : *most + gap;  // location − scale / shape
    if (name == "gev" && !is_fixed(0))
      p[0] = end + p[scale] / p[shape];
    else if (!is_fixed(scale) && (location - end) * p[shape] > 0)
      p[scale] = std::clamp((location - end) * p[shape], std::exp(-reach_), std::exp(reach_));
    else if (!is_fixed(shape) && location != end)
      p[shape] = std::clamp(p[scale] / (location - end), -reach_, reach_);
  }

  /// Whether a location is closer to a value than e^−reach without being there, or so is an end of the support.
  bool too_fine(const std::vector<double>& p) const {
    const std::string name = family_.name;
    const double least = std::exp(-reach_);
    const auto fine = [&](double at) {
      for (const double x : x_)
        if (x != at && std::abs(x - at) < 0.99 * least) return true;
      return false;
    };
    for (int i = 0; i < family_.parameter_count; ++i)
      if (!is_fixed(i) && family_.parameters[i].tracks == tracking::location && fine(p[i])) return true;
    if (name == "uniform") return p[1] - p[0] < 0.99 * least;
    if (name == "gev") return fine(p[0] - p[1] / p[2]);
    return name == "generalized_pareto" && fine(-p[0] / p[1]);
  }

  std::vector<search_end> evaluated(const std::vector<std::vector<double>>& sets) const {
    const std::size_t P = static_cast<std::size_t>(family_.parameter_count);
    std::vector<double> values, parameters(P * sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      values.insert(values.end(), x_.begin(), x_.end());
      for (std::size_t p = 0; p < P; ++p) parameters[p * sets.size() + i] = sets[i][p];
    }
    const auto count = static_cast<std::int64_t>(sets.size());
    const auto found = log_likelihood(executor::cpu(1), family_, dense(std::span<const double>(values), count),
                                      {parameters.data(), 1, count});
    std::vector<search_end> all;
    for (std::size_t i = 0; i < sets.size(); ++i)
      all.push_back({!(found[i] < infinity) || too_fine(sets[i]) ? -infinity : found[i], sets[i]});
    return all;
  }

  const family_info& family_;
  const std::vector<double>& x_;
  const fit_options& options_;
  double reach_;
  std::mt19937_64 random_;
};

}  // namespace manyfit::tests
