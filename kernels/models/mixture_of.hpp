// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A mixture of families as a latent model (contracts/latent.hpp): components of one family or of several, and point
// masses; of a sample of D columns a component is the product of one distribution of its family per column. A family's
// own weighted fit is a component's M step, so whatever a family's file says serves it here too.
// What is done to every value lies behind `Passes`, on one CPU thread or several (cpu/mixture_of_passes.hpp) and on
// many lanes (cuda/responsibility_work.hpp); what is done once for a component is here, in one build for all of them.
// Passes P gives, for entries as in latent.hpp,
//   p.for_each(passes, at_a_time, f)  f(entry) for every entry, in any order
//   p.start_responsibilities(attempt)           where a start writes its responsibilities
//   p.take_starts(passes)             once all have: an attempt's sums, as sums_of_start() has them
//   p.drop_small_responsibilities(passes, k)  responsibility_that_counts() of component k, before its M step
//   p.fit(passes, found)              M step: every component's fit to them, into found [attempts × K × D]
//   p.log_likelihoods(moved, found)   Σ r log f at the parameters of found[i], for every i that is listed
//   p.expect(passes)                  E step: an attempt's log_weights and the sums' centres in, its sums,
//   responsibilities and
//                                     the entry's log_likelihood out
#pragma once

#include "kernels/contracts/latent.hpp"
#include "kernels/models/mixture_start.hpp"

MF_NAMESPACE_BEGIN

/// One attempt at a sample, from a start to its outcome.
struct mixture_attempt {
  const mixture_sample* sample;
  std::uint64_t stream;  ///< number of the attempt among those at this sample
  philox_stream random;
  std::vector<double> weights = {};     ///< [K]; in: a start that is given
  std::vector<double> parameters = {};  ///< [K × D × parameter_stride]
  std::vector<double> means = {};       ///< [K × D], of the data by responsibility
  std::vector<double> log_weights = {};
  std::vector<component_sums> sums = {};  ///< [K × D], over the rows that have a number in the column
  std::vector<double> totals = {};        ///< of several columns: [K], responsibilities of all rows
  std::vector<double> kept = {};          ///< weights, parameters and means before a step
};

/// What a family's fit to a component's responsibilities found.
struct part_fit {
  double parameters[max_parameters];
  double log_likelihood;
  fit_status status;
};

template <class Passes>
class mixture_of {
 public:
  /// Every attempt has `parts` as components, each with places for `parameter_stride` parameters, and a sample of as
  /// many columns as the others'. All three outlive the model.
  mixture_of(Passes& passes, std::span<const mixture_part> parts, int parameter_stride,
             std::span<mixture_attempt> attempts, bool spread)
      : passes_(passes),
        parts_(parts),
        parameter_stride_(static_cast<std::size_t>(parameter_stride)),
        D_(attempts.empty() ? 1 : attempts[0].sample->column_count()),
        attempts_(attempts),
        spread_(spread),
        found_(attempts.size() * parts.size() * D_) {
    for (mixture_attempt& a : attempts_) {
      a.means.assign(K() * D_, constants::nan);
      a.log_weights.resize(K());
      a.sums.resize(K() * D_);
      a.totals.resize(D_ > 1 ? K() : 0);
      a.kept.resize(K() * (1 + D_ * (parameter_stride_ + 1)));
      a.weights.resize(K());
      a.parameters.resize(K() * D_ * parameter_stride_, constants::nan);
      for (std::size_t i = 0; i < K() * D_; ++i)  // of a start that is given
        for (int p = 0; p < part(i).parameter_count(); ++p)
          if (part(i).holds(p)) parameters(a, i)[p] = part(i).settings.fixed_values[p];
    }
  }

  void start(std::span<em_pass> passes) {
    if (std::none_of(passes.begin(), passes.end(), [](const em_pass& p) { return p.wants_start(); })) return;
    passes_.for_each(passes, 1, [&](em_pass& pass) {
      if (!pass.wants_start()) return;
      mixture_attempt& a = attempt(pass.attempt);
      a.weights.assign(K(), 0.0);
      a.parameters.assign(K() * D_ * parameter_stride_, constants::nan);
      const responsibility_table responsibilities = passes_.start_responsibilities(pass.attempt);
      const bool first = spread_ && a.stream == 0 && pass.step == em_step::start;
      set_responsibilities_by_seeds(*a.sample, parts_, {spread_, first, a.stream % 2 == 0}, a.random, responsibilities);
      if (!leave_supports(*a.sample, parts_, responsibilities)) pass.made = fit_status::out_of_support;
    });
    passes_.take_starts(passes);
  }

  void maximise(std::span<em_pass> passes) {
    passes_.for_each(passes, many, [&](em_pass& pass) {
      if (pass.wants_m_step()) pass.made = weigh(attempt(pass.attempt));
    });
    for (std::size_t k = 0; k < K() && K() > 1; ++k)
      if (moves_ends(parts_[k])) passes_.drop_small_responsibilities(passes, k);
    passes_.fit(passes, found_.data());
    moved_.clear();
    for (const em_pass& pass : passes)
      for (std::size_t i = 0; i < K() * D_ && pass.wants_m_step(); ++i) {
        part_fit& own = found(pass.attempt, i);
        if (part(i).family && has_parameters(own.status) && move_inside(part(i), own))
          moved_.push_back(static_cast<std::size_t>(&own - found_.data()));
      }
    if (!moved_.empty()) passes_.log_likelihoods(moved_, found_.data());
    passes_.for_each(passes, many, [&](em_pass& pass) {
      if (!pass.wants_m_step()) return;
      for (std::size_t i = K() * D_; i-- > 0;) {  // the first that fails is the one that is told
        if (!part(i).family) continue;
        const fit_status own = accept(attempt(pass.attempt), i, found(pass.attempt, i));
        if (own != fit_status::converged) pass.made = own;
      }
    });
  }

  void expect(std::span<em_pass> passes) {
    passes_.for_each(passes, many, [&](const em_pass& pass) {
      if (!pass.wants_e_step()) return;
      mixture_attempt& a = attempt(pass.attempt);
      for (std::size_t k = 0; k < K(); ++k) a.log_weights[k] = std::log(a.weights[k]);
      for (std::size_t i = 0; i < K() * D_; ++i) a.sums[i] = {.centre = std::isfinite(a.means[i]) ? a.means[i] : 0.0};
    });
    passes_.expect(passes);
  }

  void keep(int number) {
    mixture_attempt& a = attempt(number);
    double* to = a.kept.data();
    for (const std::vector<double>* each : {&a.weights, &a.parameters, &a.means})
      to = std::copy(each->begin(), each->end(), to);
  }
  void restore(int number) {
    mixture_attempt& a = attempt(number);
    const double* from = a.kept.data();
    for (std::vector<double>* each : {&a.weights, &a.parameters, &a.means})
      for (double& number_of : *each) number_of = *from++;
  }
  double weight(int number) const { return attempt(number).sample->weight; }

  fit_status why_no_start(int number, fit_status made) const {
    if (made == fit_status::out_of_support) return made;
    const mixture_sample& s = *attempt(number).sample;
    const auto is_constant = [](const sample_column& column) { return column.constant; };
    const bool constant = s.columns.empty()       ? std::all_of(s.x.begin(), s.x.begin() + s.observations,
                                                                [&](double x) { return x == s.x[0]; })
                          : has_spread(parts_[0]) ? std::any_of(s.columns.begin(), s.columns.end(), is_constant)
                                                  : std::all_of(s.columns.begin(), s.columns.end(), is_constant);
    return constant ? fit_status::constant_sample : K() > 1 ? fit_status::collapsed_component : made;
  }

 private:
  static constexpr int many = 256;  ///< attempts of which the work done once makes a thread worth waking

  std::size_t K() const { return parts_.size(); }
  mixture_attempt& attempt(int number) const { return attempts_[static_cast<std::size_t>(number)]; }
  /// Of distribution i of [K × D].
  const mixture_part& part(std::size_t i) const { return parts_[i / D_]; }
  double* parameters(mixture_attempt& a, std::size_t i) const { return a.parameters.data() + i * parameter_stride_; }
  part_fit& found(int number, std::size_t i) { return found_[static_cast<std::size_t>(number) * K() * D_ + i]; }

  static bool has_parameters(fit_status status) {
    return status == fit_status::converged || status == fit_status::boundary ||
           status == fit_status::singular_information || status == fit_status::max_iterations;
  }

  /// Weights and means from the sums of an E step, and whether a component has collapsed: in any column.
  fit_status weigh(mixture_attempt& a) const {
    for (std::size_t i = 0; i < K() * D_; ++i) {
      const component_sums& s = a.sums[i];
      if (i % D_ == 0) {
        const double total = D_ > 1 ? a.totals[i / D_] : s.weight;
        a.weights[i / D_] = total / a.sample->weight;
        if (D_ > 1 && K() > 1 && !(total > least_weight)) return fit_status::collapsed_component;
      }
      if (s.weight > 0) a.means[i] = s.centre + s.first / s.weight;
      if (K() > 1 && part(i).family && has_collapsed(part(i), s, a.sample->variance_of(i % D_)))
        return fit_status::collapsed_component;
    }
    return fit_status::converged;
  }

  /// A component of a continuous family has collapsed when its part of the data has `collapse` of their variance and
  /// of its own mean's square (a component of small values beside large ones is none), or the square of that of the
  /// variance.
  static constexpr double least_weight = 1e-8;
  static bool has_spread(const mixture_part& part) {
    return !part.family->discrete && part.family->parameter_count > 1;
  }
  static bool has_collapsed(const mixture_part& part, const component_sums& s, double variance) {
    constexpr double collapse = 1e-12;
    if (!(s.weight > least_weight)) return true;
    if (!has_spread(part)) return false;
    const double shift = s.first / s.weight, own = s.second / s.weight - shift * shift, mean = s.centre + shift;
    return !(own > collapse * collapse * variance) || !(own > collapse * variance || own > collapse * mean * mean);
  }

  /// Where the best parameter is at an edge of its range the component takes the nearest value that has a density;
  /// whether any is.
  static bool move_inside(const mixture_part& part, part_fit& found) {
    constexpr double nearly_zero = 1e-12, nearly_infinite = 1e8;
    bool moved = false;
    for (int p = 0; p < part.parameter_count(); ++p) {
      if (part.holds(p)) continue;
      const double q = found.parameters[p];
      double inside = q;
      if (part.family->parameters[p].kind == constraint::positive)
        inside = q == constants::infinity ? nearly_infinite : q > 0 ? q : nearly_zero;
      if (part.family->parameters[p].kind == constraint::probability)
        inside = q >= 1 ? 1 - nearly_zero : q > 0 ? q : nearly_zero;
      moved = moved || inside != q;
      found.parameters[p] = inside;
    }
    return moved;
  }

  /// Takes a component's fit over. A family may have several local maxima, and one found from the data alone may be
  /// worse than where the component is: then the component stays, and the likelihood does not fall.
  fit_status accept(mixture_attempt& a, std::size_t i, const part_fit& found) const {
    const double known = a.sums[i].log_density;
    const bool first = known == -constants::infinity;
    if (!has_parameters(found.status)) {
      const bool at_fault = found.status == fit_status::nonfinite || found.status == fit_status::out_of_support;
      return !first && at_fault ? fit_status::converged : found.status;
    }
    if (!std::isfinite(found.log_likelihood)) return first ? fit_status::collapsed_component : fit_status::converged;
    if (found.log_likelihood >= known - 1e-13 * (1 + std::abs(known)))
      std::copy_n(found.parameters, part(i).parameter_count(), parameters(a, i));
    return fit_status::converged;
  }

  Passes& passes_;
  std::span<const mixture_part> parts_;
  std::size_t parameter_stride_, D_;
  std::span<mixture_attempt> attempts_;
  bool spread_;
  std::vector<part_fit> found_;
  std::vector<std::size_t> moved_;
};

MF_NAMESPACE_END
