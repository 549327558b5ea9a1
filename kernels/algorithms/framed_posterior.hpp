// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A posterior in the frame of its sample, all but the likelihood itself: where its climb starts, between which ends,
// and where corners lie. Of a number of parameters that is known at run time.
#pragma once

#include <algorithm>

#include "kernels/algorithms/posterior_climb.hpp"
#include "kernels/objectives/framed_prior.hpp"
#include "kernels/objectives/posterior.hpp"

MF_NAMESPACE_BEGIN

namespace posteriors {

/// All families' climbs are of so many numbers, of which a family uses the first; Newton holds the rest as fixed.
inline constexpr int P = max_parameters;
using point = vec<double, P>;

struct run_time_space {
  static constexpr int dimension = P;
  /// Where the posterior only levels off, towards the edge of a parameter's range, steps stay long: such a climb goes
  /// on until that shows.
  static constexpr double longest_last_step = 1e-3;
  const family_traits* family;
  constraint constraint_of(int i) const { return i < family->count ? family->parameters[i].kind : constraint::real; }
};

/// The likelihood where it was evaluated last.
struct given_likelihood {
  static constexpr int dimension = P;
  run_time_space space;
  jet<double, P> value;
  double total;

  constraint constraint_of(int i) const { return space.constraint_of(i); }
  template <int Order>
  jet<double, P, Order> at(const point&) const {
    return of_order<Order>(value);
  }
  double weight() const { return total; }
};

inline bool inside(value_density density, const double* values, double x) {
  double out[3];
  density(values, x, out);
  return out[0] > -constants::infinity && out[0] == out[0];
}

/// Where a log-density with a corner at every value is highest in its parameter, by the sign of its slope: the ends of
/// an interval are moved outwards until the slopes point inwards, then it is halved.
class corner_search {
 public:
  corner_search(double low, double high, double width, double least, double most)
      : low_(std::max(low, least)), high_(std::min(high, most)), width_(width), least_(least), most_(most) {}

  double position() const { return phase_ == 0 ? low_ : phase_ == 1 ? high_ : middle(); }
  /// After the slope at the position; false when there is no further one.
  bool advance(double slope, double value) {
    if (phase_ == 0) {
      value_low_ = value;
      if (slope < 0 && low_ <= least_) high_ = low_;
      if (slope >= 0 || low_ <= least_) {
        phase_ = 1;
      } else {
        high_ = low_;
        low_ = std::max(least_, low_ - width_);
        width_ *= 2;
      }
      return true;
    }
    if (phase_ == 1) {
      value_high_ = value;
      if (slope > 0 && high_ >= most_) low_ = high_;  // the highest place is the end of the range
      if (slope <= 0 || high_ >= most_) {
        phase_ = 2;
        return low_ < high_ && middle() != low_ && middle() != high_;
      }
      low_ = high_;
      value_low_ = value;
      high_ = std::min(most_, high_ + width_);
      width_ *= 2;
      return true;
    }
    (slope >= 0 ? low_ : high_) = middle();
    (slope >= 0 ? value_low_ : value_high_) = value;
    return middle() != low_ && middle() != high_;
  }
  double best() const { return low_ == high_ || value_low_ >= value_high_ ? low_ : high_; }

 private:
  double middle() const { return 0.5 * low_ + 0.5 * high_; }
  double low_, high_, width_, least_, most_;
  double value_low_ = 0, value_high_ = 0;
  int phase_ = 0;
};

/// A fit's posterior in the frame of its sample: all but the likelihood itself.
struct framed_problem {
  const family_traits& family;
  const loaded_sample& loaded;
  run_time_space space;
  framed_priors<P> belief;
  fit_settings settings;  ///< fixed values in the frame; numbers that the family has not are fixed
  point least, most;      ///< beyond which there is no density, of priors or of the sample
  point data_end;         ///< such an end that the sample sets; NaN where there is none
  struct kink {
    double at = constants::nan;            ///< where a prior's log-density has a corner; NaN: nowhere
    double below = 0, own = 0, above = 0;  ///< its slopes there, per unit of the likelihood's weight
  } kinks[P];

  framed_problem(const posterior_problem& given, const loaded_sample& sample)
      : family(*given.family), loaded(sample), space{given.family}, belief{}, settings(given.settings) {
    belief.in = {sample.unit, sample.pivot, sample.stretch};
    for (int i = 0; i < P; ++i) {
      least[i] = -constants::infinity;
      most[i] = constants::infinity;
      data_end[i] = constants::nan;
      if (i >= family.count)
        settings.fixed |= 1u << i, settings.fixed_values[i] = 0;
      else if ((settings.fixed >> i) & 1u)
        settings.fixed_values[i] = into(i, settings.fixed_values[i]);
    }
    for (const parameter_prior& prior : given.priors) {
      belief.add(family, prior.parameter, *prior.distribution, prior.values);
      const int i = prior.parameter;
      const constraint kind = space.constraint_of(i);
      const bool has_least = kind == constraint::real ? prior.lowest > -1e150 : prior.lowest > 1e-150;
      const bool has_most = prior.highest < (kind == constraint::probability ? 1 - 0x1p-52 : 1e150);
      if (has_least) least[i] = into(i, prior.lowest);
      if (has_most) most[i] = into(i, prior.highest);
      if (prior.distribution->corner >= 0) kinks[i] = kink_at(into(i, prior.values[prior.distribution->corner]));
    }
    if (!family.ends_at) return;
    double lowest[P], highest[P];
    family.ends_at(sample.minimum, sample.maximum, lowest, highest);
    for (int i = 0; i < family.count; ++i) {
      if ((settings.fixed >> i) & 1u) continue;
      if (lowest[i] > least[i]) data_end[i] = lowest[i];
      if (highest[i] < most[i]) data_end[i] = highest[i];
      least[i] = std::max(least[i], lowest[i]);
      most[i] = std::min(most[i], highest[i]);
    }
  }

  /// Of the prior that was added last.
  kink kink_at(double p) const {
    const auto slope = [&](double at) {
      const jet<double, 1> e = belief.of[belief.count - 1].at(jet<double, 1>::variable(at, 0), belief.in);
      return e.gradient[0] / loaded.weight;
    };
    const double near = 0x1p-50 * std::max(abs(p), 1e-280);
    return {p, slope(p - near), slope(p), slope(p + near)};
  }
  double into(int i, double value) const {
    return into_frame(family.parameters[i].tracks, family.logs, value, belief.in);
  }
  bool is_free(int i) const { return !((settings.fixed >> i) & 1u); }
  /// Whether a parameter has come so near to the edge of its range that a climb goes on no further.
  bool is_at_edge(int i, double p) const {
    const constraint kind = space.constraint_of(i);
    if (!is_free(i) || (kind != constraint::positive && kind != constraint::probability)) return false;
    return !(p > 1e-150 && (kind == constraint::positive ? p < 1e150 : 1 - p > 0x1p-44));
  }
  bool any_at_edge(const point& p) const {
    bool any = false;
    for (int i = 0; i < family.count; ++i) any = any || is_at_edge(i, p[i]);
    return any;
  }
  bool in_range(int i, double p) const {
    const constraint kind = space.constraint_of(i);
    return is_finite(p) && (kind == constraint::real || p > 0) && (kind != constraint::probability || p < 1) &&
           p >= least[i] && p <= most[i];
  }

  /// The estimate by maximum likelihood where the posterior may be climbed from there; else the middle of the prior;
  /// else what the extent of the sample suggests.
  double start_of(int i, double estimate, std::span<const parameter_prior> priors) const {
    const double p = into(i, estimate);
    const auto prior = std::find_if(priors.begin(), priors.end(), [&](const auto& q) { return q.parameter == i; });
    const bool believed = prior == priors.end() || inside(prior->distribution->density, prior->values, estimate);
    if (believed && in_range(i, p)) return p;
    const double range = loaded.maximum - loaded.minimum, extent = range > 0          ? range
                                                                   : loaded.mean != 0 ? abs(loaded.mean)
                                                                                      : 1;
    double from_sample;
    switch (family.parameters[i].tracks) {
      case tracking::location:
      case tracking::log_scale:
        from_sample = loaded.mean;
        break;
      case tracking::scale:
        from_sample = family.logs ? exp(loaded.mean) : extent;
        break;
      case tracking::rate:
        from_sample = 1 / extent;
        break;
      default:
        from_sample = into(i, family.parameters[i].example);
    }
    double start = prior != priors.end() ? into(i, prior->center) : from_sample;
    start = std::min(std::max(start, least[i]), most[i]);
    return in_range(i, start) ? start : into(i, family.parameters[i].example);
  }

  /// Of a parameter that a step would take over an end of its range, or over a corner of its prior, that; else NaN.
  double end_ahead(int i, const point& p, const jet<double, P>& e) const {
    const double slope = e.gradient[i], bend = e.hessian[packed(i, i)], corner = kinks[i].at;
    const double step = bend < 0 ? -slope / bend : slope * constants::infinity;
    if ((p[i] < corner && p[i] + step >= corner) || (p[i] > corner && p[i] + step <= corner)) return corner;
    const double end = slope > 0 ? most[i] : least[i];
    if (slope == 0 || abs(end) == constants::infinity) return constants::nan;
    return (slope > 0 ? p[i] + step >= end : p[i] + step <= end) ? end : constants::nan;
  }
  /// Bit i: there is one.
  std::uint32_t ends_ahead(const point& p, const jet<double, P>& e) const {
    std::uint32_t ahead = 0;
    for (int i = 0; i < family.count; ++i) ahead |= is_missing(end_ahead(i, p, e)) ? 0u : 1u << i;
    return ahead;
  }
  /// Bit i: parameter i is highest where it is, at an end of its range beyond which the posterior would rise or at a
  /// corner. Those in `flat` also where it would do neither.
  std::uint32_t at_ends(const point& p, const jet<double, P>& e, std::uint32_t flat) const {
    std::uint32_t ends = 0;
    for (int i = 0; i < family.count; ++i) {
      const double slope = e.gradient[i], rest = slope - kinks[i].own;
      const bool level = slope == 0 && (flat >> i & 1u), corner = p[i] == kinks[i].at;
      if (is_free(i) &&
          (corner ? rest + kinks[i].above <= 0 && rest + kinks[i].below >= 0
                  : (p[i] == most[i] && (slope > 0 || level)) || (p[i] == least[i] && (slope < 0 || level))))
        ends |= 1u << i;
    }
    return ends;
  }

  bool has_prior(int i) const {
    return std::any_of(belief.of.begin(), belief.of.begin() + belief.count,
                       [&](const framed_prior& q) { return q.parameter == i; });
  }
  /// For the family's corner; of no use where it has none.
  corner_search search_at(const point& p) const {
    const int i = std::max(family.corner, 0);
    const double range = std::max(loaded.maximum - loaded.minimum, 1e-3 * abs(p[i]));
    return {std::min(p[i], loaded.minimum), std::max(p[i], loaded.maximum), range > 0 ? range : 1.0, least[i], most[i]};
  }
};

}  // namespace posteriors

MF_NAMESPACE_END
