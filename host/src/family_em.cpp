// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "family_em.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cpu_dispatch.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/data/rows.hpp"
#include "kernels/random/philox_cpu.hpp"

namespace manyfit {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
/// A component of a continuous family has collapsed when its share of the data has this much of their variance and of
/// its own mean's square (a component of small values beside large ones is none), or the square of this of the
/// variance.
constexpr double collapse = 1e-12;
/// Share of every value that a start gives to all components alike, so that no component starts on equal values.
constexpr double start_blend = 0.1;
/// A share of this much of a value and less is none to a component whose support has an end that EM moves: else no end
/// could ever pass the value. It leaves the log-likelihood at this much per value of where it was.
constexpr double no_share = 1e-14;
/// How often a run starts anew after a collapse, where it may.
constexpr int most_restarts = 20;
/// Where the best parameter is at an edge of its range the component takes the nearest value that has a density.
constexpr double nearly_zero = 1e-12, nearly_infinite = 1e8;

double inside_edges(constraint kind, double p) {
  if (kind == constraint::positive) return p == infinity ? nearly_infinite : p > 0 ? p : nearly_zero;
  if (kind == constraint::probability) return p >= 1 ? 1 - nearly_zero : p > 0 ? p : nearly_zero;
  return p;
}

bool same_fits(const em_part& a, const em_part& b) {
  if (a.family != b.family || a.settings.fixed != b.settings.fixed) return false;
  for (int p = 0; p < max_parameters; ++p)
    if (((a.settings.fixed >> p) & 1u) && a.settings.fixed_values[p] != b.settings.fixed_values[p]) return false;
  return true;
}

/// The state of a run: what the E step leaves for the M step.
struct em_work {
  const em_sample& sample;
  const em_request& request;
  em_run& run;
  const mixture_cpu_functions& functions;
  std::size_t n, stride, K;
  std::vector<double> share;  ///< [K × stride]: w times the responsibilities
  std::vector<double> log_weights;
  std::vector<component_sums> sums, piece_sums;
  std::vector<double> totals;
  std::vector<fit_status> statuses;
  double variance = 0;  ///< of the sample
  static constexpr std::size_t piece = 16384;

  em_work(const em_sample& s, const em_request& r, em_run& to)
      : sample(s),
        request(r),
        run(to),
        functions(cpu_mixture_functions()),
        n(static_cast<std::size_t>(s.observations)),
        stride(s.x.size()),
        K(r.parts.size()),
        share(stride * K),
        log_weights(K),
        sums(K) {
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += s.w[i] * s.x[i] / s.weight;
    for (std::size_t i = 0; i < n; ++i) variance += s.w[i] * (s.x[i] - mean) * (s.x[i] - mean) / s.weight;
  }
  double* share_of(std::size_t k) { return share.data() + k * stride; }
  double* parameters_of(std::size_t k) { return run.parameters.data() + k * static_cast<std::size_t>(request.room); }

  /// Fills `share` and `sums`; the log-likelihood, −∞ where a value is outside every component's support, NaN beyond
  /// repair. In pieces of one size whatever the threads, whose sums are added in order.
  double expect() {
    for (std::size_t k = 0; k < K; ++k) {
      log_weights[k] = std::log(run.weights[k]);
      sums[k] = {};
      sums[k].centre = std::isfinite(run.means[k]) ? run.means[k] : 0.0;
    }
    const std::size_t pieces = (stride + piece - 1) / piece;
    totals.resize(pieces);
    piece_sums.resize(pieces * K);
    parallel_for(request.threads, static_cast<std::int64_t>(pieces), 1, [&](std::int64_t at) {
      const auto i = static_cast<std::size_t>(at);
      const std::size_t first = i * piece, size = std::min(piece, stride - first), values = std::min(piece, n - first);
      for (std::size_t k = 0; k < K; ++k)
        component_log_density(request.parts[k], parameters_of(k), {sample.x.data() + first, values},
                              share_of(k) + first);
      component_sums* const own = piece_sums.data() + i * K;
      std::copy(sums.begin(), sums.end(), own);
      totals[i] = functions.share_out(static_cast<int>(K), static_cast<std::int64_t>(size),
                                      static_cast<std::int64_t>(stride), sample.x.data() + first,
                                      sample.w.data() + first, log_weights.data(), share.data() + first, own);
    });
    double total = 0;
    for (std::size_t i = 0; i < pieces; ++i) {
      total += totals[i];
      for (std::size_t k = 0; k < K; ++k) {
        const component_sums& each = piece_sums[i * K + k];
        sums[k].weight += each.weight;
        sums[k].first += each.first;
        sums[k].second += each.second;
        sums[k].log_density += each.log_density;
      }
    }
    return total;
  }

  /// What expect() leaves in `sums`, from the shares of a start, which have no log-densities yet.
  void sum_start() {
    for (std::size_t k = 0; k < K; ++k) {
      component_sums& s = sums[k] = {};
      const double* const r = share_of(k);
      for (std::size_t i = 0; i < n; ++i) {
        s.weight += r[i];
        s.first += r[i] * sample.x[i];
      }
      s.centre = s.weight > 0 ? s.first / s.weight : 0.0;
      s.first = 0;
      for (std::size_t i = 0; i < n; ++i) s.second += r[i] * (sample.x[i] - s.centre) * (sample.x[i] - s.centre);
      s.log_density = -infinity;  // whatever is found is better
    }
  }

  bool has_collapsed(const em_part& part, const component_sums& s) const {
    if (!(s.weight > 1e-8)) return true;
    if (part.family->discrete || part.family->parameter_count == 1) return false;
    const double shift = s.first / s.weight, own = s.second / s.weight - shift * shift, mean = s.centre + shift;
    return !(own > collapse * collapse * variance) || !(own > collapse * variance || own > collapse * mean * mean);
  }

  void give_up_small_shares(double* own) const {
    for (std::size_t i = 0; i < n; ++i)
      if (!(own[i] > no_share * sample.w[i])) own[i] = 0;
  }

  /// Parameters from shares; not converged: what the family said when a component collapsed or could not be fitted.
  fit_status maximise() {
    for (std::size_t k = 0; k < K; ++k) {
      const component_sums& s = sums[k];
      run.weights[k] = s.weight / sample.weight;
      if (s.weight > 0) run.means[k] = s.centre + s.first / s.weight;
      if (K > 1 && request.parts[k].family && has_collapsed(request.parts[k], s))
        return fit_status::collapsed_component;
    }
    for (std::size_t k = 0; k < K && K > 1; ++k)
      if (moves_ends(request.parts[k])) give_up_small_shares(share_of(k));
    statuses.assign(K, fit_status::converged);
    parallel_for(request.threads, static_cast<std::int64_t>(K), 1, [&](std::int64_t at) {
      const auto k = static_cast<std::size_t>(at);
      if (request.parts[k].family)
        statuses[k] = fit_component(request.parts[k], share_of(k), sums[k].log_density, parameters_of(k));
    });
    for (const fit_status status : statuses)
      if (status != fit_status::converged) return status;
    return fit_status::converged;
  }

  /// The family's own weighted fit. A family may have several local maxima, and one found from the data alone may be
  /// worse than where the component is (`known`: Σ share log f there): then the component stays, and the likelihood
  /// does not fall.
  fit_status fit_component(const em_part& part, const double* weights, double known, double* parameters) {
    double unused_errors[max_parameters], log_likelihood;
    double found[max_parameters];
    std::int32_t iterations;
    fit_status status;
    std::int64_t observations, missing;
    const batch_view<double> all{sample.x.data(), weights, nullptr, static_cast<std::int64_t>(n), 1};
    part.functions->fit_f64(all, part.settings,
                            {found, unused_errors, &log_likelihood, &iterations, &status, &observations, &missing, 1},
                            1, nullptr);
    const bool first = known == -infinity;
    if (!usable(status) && status != fit_status::max_iterations) {
      const bool at_fault = status == fit_status::nonfinite || status == fit_status::out_of_support;
      return !first && at_fault ? fit_status::converged : status;
    }
    bool moved = false;
    for (int p = 0; p < part.family->parameter_count; ++p) {
      if ((part.settings.fixed >> p) & 1u) continue;
      const double inside = inside_edges(part.family->parameters[p].kind, found[p]);
      moved = moved || inside != found[p];
      found[p] = inside;
    }
    if (moved) part.functions->log_likelihood_f64(all, {found, 0, 1}, &log_likelihood, 1);
    if (!std::isfinite(log_likelihood)) return first ? fit_status::collapsed_component : fit_status::converged;
    if (log_likelihood >= known - 1e-13 * (1 + std::abs(known)))
      std::copy_n(found, part.family->parameter_count, parameters);
    return fit_status::converged;
  }

  fit_status status_of_fit(const em_part& part, std::int64_t size, std::int64_t count, fit_status* status) const {
    const int P = part.family->parameter_count;
    const auto fits = static_cast<std::size_t>(count);
    std::vector<double> numbers(fits * static_cast<std::size_t>(2 * P + 1));
    std::vector<std::int32_t> iterations(fits);
    std::vector<std::int64_t> counts(2 * fits);
    double* const errors = numbers.data() + fits * static_cast<std::size_t>(P);
    fit_settings settings = part.settings;
    settings.max_iterations = 0;
    part.functions->fit_f64({sample.x.data(), nullptr, nullptr, size, count}, settings,
                            {numbers.data(), errors, errors + fits * static_cast<std::size_t>(P), iterations.data(),
                             status, counts.data(), counts.data() + fits, count},
                            1, nullptr);
    return status[0];
  }

  /// Whether each value is in the support of a component: what a fit to that value alone would say, asked only where a
  /// fit to all of them says that one is not.
  std::vector<bool> supported(const em_part& part) const {
    fit_status all;
    if (status_of_fit(part, static_cast<std::int64_t>(n), 1, &all) != fit_status::out_of_support)
      return std::vector<bool>(n, true);
    std::vector<fit_status> status(n);
    status_of_fit(part, 1, static_cast<std::int64_t>(n), status.data());
    std::vector<bool> inside(n);
    for (std::size_t i = 0; i < n; ++i) inside[i] = status[i] != fit_status::out_of_support;
    return inside;
  }

  /// Takes shares away where a component cannot have them; false when a value is in no component's support.
  bool leave_supports() {
    std::vector<bool> somewhere(n, false), inside;
    for (std::size_t k = 0; k < K; ++k) {
      const em_part& part = request.parts[k];
      if (!part.family) {
        for (std::size_t i = 0; i < n; ++i)
          if (sample.x[i] == part.at) somewhere[i] = true;
        continue;
      }
      if (k == 0 || !request.parts[k - 1].family || !same_fits(part, request.parts[k - 1])) inside = supported(part);
      for (std::size_t i = 0; i < n; ++i) {
        if (inside[i]) somewhere[i] = true;
        if (!inside[i]) share_of(k)[i] = 0;
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < K; ++k) sum += share_of(k)[i];
      for (std::size_t k = 0; k < K && sum > 0; ++k) share_of(k)[i] *= sample.w[i] / sum;
    }
    return std::find(somewhere.begin(), somewhere.end(), false) == somewhere.end();
  }

  /// Shares of a start: equal parts of the ordered sample, or each value to the nearest of K seeds; a little to all,
  /// but where EM moves ends of supports in every other run only, since there it may not find out of what it was given.
  /// `anew`: after a collapse, at random.
  void start(philox_stream& random, bool anew) {
    const bool moves = std::any_of(request.parts.begin(), request.parts.end(), moves_ends);
    const double blend = moves && request.stream % 2 == 0 ? 0 : start_blend;
    std::vector<std::size_t> free;  // components that take part in the split
    for (std::size_t k = 0; k < K; ++k)
      if (request.parts[k].family) free.push_back(k);
    const bool spread = request.start != mixture_start::random;
    const bool first = !anew && request.stream == 0 && spread;
    std::vector<double> seeds;
    const std::size_t F = free.size();
    if (first) {
      std::vector<std::size_t> order(n);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return sample.x[a] != sample.x[b] ? sample.x[a] < sample.x[b] : a < b;
      });
      double passed = 0;
      std::size_t next = 0;
      for (const std::size_t i : order) {  // the greatest value of each of F equal parts
        passed += sample.w[i];
        while (next < F && passed >= sample.weight * (static_cast<double>(next) + 1) / static_cast<double>(F)) {
          seeds.push_back(sample.x[i]);
          ++next;
        }
      }
      while (seeds.size() < F) seeds.push_back(sample.x[order.back()]);
    } else {
      std::vector<double> distance(n, 1.0);
      for (std::size_t f = 0; f < F; ++f) {
        double total = 0;
        for (std::size_t i = 0; i < n; ++i) total += sample.w[i] * distance[i];
        double target = random.uniform() * total;
        std::size_t chosen = 0;
        for (std::size_t i = 0; i < n; ++i) {
          const double part = sample.w[i] * distance[i];
          if (!(part > 0)) continue;
          chosen = i;
          if (part > target) break;
          target -= part;
        }
        seeds.push_back(sample.x[chosen]);
        for (std::size_t i = 0; i < n; ++i) {
          const double apart = (sample.x[i] - seeds.back()) * (sample.x[i] - seeds.back());
          distance[i] = !spread ? (i == chosen ? 0 : distance[i]) : f == 0 ? apart : std::min(distance[i], apart);
        }
      }
      for (std::size_t f = F; f > 1; --f)  // which component gets which seed matters between families
        std::swap(free[f - 1], free[static_cast<std::size_t>(random.uniform() * static_cast<double>(f))]);
    }
    std::fill(share.begin(), share.end(), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      double left = sample.w[i];
      for (std::size_t k = 0; k < K; ++k)
        if (!request.parts[k].family && sample.x[i] == request.parts[k].at) {
          share_of(k)[i] = 0.5 * left;
          left *= 0.5;
        }
      std::size_t nearest = 0;
      for (std::size_t f = 1; f < F; ++f)
        if (first ? sample.x[i] > seeds[f - 1]
                  : std::abs(sample.x[i] - seeds[f]) < std::abs(sample.x[i] - seeds[nearest]))
          nearest = f;
      for (std::size_t f = 0; f < F; ++f)
        share_of(free[f])[i] = left * ((f == nearest ? 1 - blend : 0.0) + blend / static_cast<double>(F));
    }
  }
};

}  // namespace

template <class T>
em_sample sample_for_em(const batch_view<T>& batch, std::int64_t fit) {
  const std::int64_t first = batch.offsets ? batch.offsets[fit] : fit * batch.size;
  const std::int64_t size = batch.offsets ? batch.offsets[fit + 1] - first : batch.size;
  em_sample s;
  for (std::int64_t i = first; i < first + size; ++i) {
    const auto x = static_cast<double>(batch.values[i]);
    const double w = batch.weights ? static_cast<double>(batch.weights[i]) : 1.0;
    const row_class row = classify<supports::reals>(x, w);
    s.missing += row == row_class::missing;
    s.left_out += row == row_class::left_out;
    s.nonfinite += row == row_class::nonfinite;
    if (row != row_class::used) continue;
    ++s.observations;
    s.x.push_back(x);
    s.w.push_back(w);
    s.weight += w;
  }
  const std::size_t padded = (s.x.size() + 7) / 8 * 8;
  s.x.resize(padded, 0.0);
  s.w.resize(padded, 0.0);
  return s;
}
template em_sample sample_for_em(const batch_view<double>&, std::int64_t);
template em_sample sample_for_em(const batch_view<float>&, std::int64_t);

void component_log_density(const em_part& part, const double* parameters, std::span<const double> x, double* out) {
  if (!part.family) {
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] == part.at ? 0 : -infinity;
    return;
  }
  part.functions->log_density_f64({x.data(), nullptr, nullptr, static_cast<std::int64_t>(x.size()), 1},
                                  {parameters, 0, 1}, out, 1);
}

void run_family_em(const em_sample& sample, const em_request& request, em_run& run) {
  const std::size_t K = request.parts.size();
  run.log_likelihood = nan;
  if (sample.nonfinite > 0) {
    run.status = fit_status::nonfinite;
    return;
  }
  int free = static_cast<int>(K) - 1;
  for (const em_part& part : request.parts)
    for (int p = 0; part.family && p < part.family->parameter_count; ++p) free += !((part.settings.fixed >> p) & 1u);
  if (sample.observations < std::max<std::int64_t>(static_cast<std::int64_t>(K), std::min(free, 2)) ||
      sample.observations == 0) {
    run.status = fit_status::too_few;
    return;
  }
  em_work work(sample, request, run);
  run.means.assign(K, nan);
  philox_stream random(request.seed, request.stream, static_cast<std::uint32_t>(K));
  const auto begin = [&](bool anew) {
    run.weights.assign(K, 0);
    run.parameters.assign(K * static_cast<std::size_t>(request.room), nan);
    work.start(random, anew);
    if (!work.leave_supports()) return fit_status::out_of_support;
    work.sum_start();
    return work.maximise();
  };
  int restarts_left = request.restart_collapsed ? most_restarts : 0;
  if (request.start == mixture_start::given) {
    for (std::size_t k = 0; k < K; ++k)
      for (int p = 0; request.parts[k].family && p < request.parts[k].family->parameter_count; ++p)
        if ((request.parts[k].settings.fixed >> p) & 1u)
          work.parameters_of(k)[p] = request.parts[k].settings.fixed_values[p];
  } else {
    const fit_status started = begin(false);
    if (started != fit_status::converged) {
      const bool constant = std::all_of(sample.x.begin(), sample.x.begin() + sample.observations,
                                        [&](double x) { return x == sample.x[0]; });
      run.status = constant && started != fit_status::out_of_support ? fit_status::constant_sample
                   : K > 1 && started != fit_status::out_of_support  ? fit_status::collapsed_component
                                                                     : started;
      return;
    }
  }
  double reached = work.expect();
  if (!std::isfinite(reached)) {
    run.status = reached == -infinity ? fit_status::out_of_support : fit_status::collapsed_component;
    return;
  }
  run.trace.push_back(reached);
  run.status = fit_status::max_iterations;
  std::vector<double> weights, parameters, means;
  while (run.iterations < request.max_iterations) {
    weights = run.weights;
    parameters = run.parameters;
    means = run.means;
    bool anew = false;
    double next = work.maximise() == fit_status::converged ? work.expect() : nan;
    while (!std::isfinite(next) && restarts_left-- > 0) {
      anew = true;
      next = begin(true) == fit_status::converged ? work.expect() : nan;
    }
    if (!std::isfinite(next)) {
      run.status = fit_status::collapsed_component;
      return;
    }
    const double gain = (next - reached) / sample.weight;
    if (gain < 0 && request.tolerance > 0 && !anew) {  // rounding: no component's own sum has fallen
      run.weights = weights;
      run.parameters = parameters;
      run.means = means;
      run.status = fit_status::converged;
      break;
    }
    reached = next;
    run.trace.push_back(reached);
    ++run.iterations;
    if (!anew && request.tolerance > 0 && gain <= request.tolerance) {
      run.status = fit_status::converged;
      break;
    }
  }
  run.log_likelihood = reached;
}

}  // namespace manyfit
