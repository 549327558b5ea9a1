// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "family_em.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/random/philox_cpu.hpp"

namespace manyfit {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
/// A component of a continuous family whose share of the data has this much of their variance or less has collapsed.
constexpr double collapse = 1e-12;
/// Share of every value that a start gives to all components alike, so that no component starts on equal values.
constexpr double start_blend = 0.1;

/// The state of a run: what the E step leaves for the M step.
struct em_work {
  const em_sample& sample;
  const em_request& request;
  em_run& run;
  std::size_t n, K;
  std::vector<double> density;  ///< [K × n]
  std::vector<double> share;    ///< [K × n]: w times the responsibilities
  double variance = 0;          ///< of the sample

  em_work(const em_sample& s, const em_request& r, em_run& to)
      : sample(s), request(r), run(to), n(s.x.size()), K(r.parts.size()), density(n * K), share(n * K) {
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += s.w[i] * s.x[i] / s.weight;
    for (std::size_t i = 0; i < n; ++i) variance += s.w[i] * (s.x[i] - mean) * (s.x[i] - mean) / s.weight;
  }
  double* share_of(std::size_t k) { return share.data() + k * n; }
  double* parameters_of(std::size_t k) { return run.parameters.data() + k * static_cast<std::size_t>(request.room); }

  /// Fills `share`; the log-likelihood, −∞ where a value is outside every component's support, NaN beyond repair.
  double expect() {
    for (std::size_t k = 0; k < K; ++k) {
      double* const to = density.data() + k * n;
      component_log_density(request.parts[k], parameters_of(k), sample.x, to);
      const double log_weight = std::log(run.weights[k]);
      for (std::size_t i = 0; i < n; ++i) to[i] += log_weight;
    }
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double most = -infinity;
      for (std::size_t k = 0; k < K; ++k) most = std::max(most, density[k * n + i]);
      double sum = 0;
      for (std::size_t k = 0; k < K; ++k) sum += share[k * n + i] = std::exp(density[k * n + i] - most);
      for (std::size_t k = 0; k < K; ++k) share[k * n + i] *= sample.w[i] / sum;
      total += sample.w[i] * (most + std::log(sum));
      if (most == -infinity) return -infinity;
    }
    return total;
  }

  /// Parameters from shares; false when a component has collapsed.
  bool maximise() {
    for (std::size_t k = 0; k < K; ++k) {
      const double* const r = share_of(k);
      double sum = 0, mean = 0, spread = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += r[i];
        mean += r[i] * sample.x[i];
      }
      mean /= sum;
      run.weights[k] = sum / sample.weight;
      run.means[k] = mean;
      const em_part& part = request.parts[k];
      if (!part.family) continue;
      for (std::size_t i = 0; i < n; ++i) spread += r[i] * (sample.x[i] - mean) * (sample.x[i] - mean) / sum;
      if (!(sum > 1e-8) || (!part.family->discrete && !(spread > collapse * variance))) return false;
      if (!fit_component(part, r, parameters_of(k))) return false;
    }
    return true;
  }

  bool fit_component(const em_part& part, const double* weights, double* parameters) {
    double unused_errors[max_parameters], log_likelihood;
    double found[max_parameters];
    std::int32_t iterations;
    fit_status status;
    std::int64_t observations, missing;
    const batch_view<double> all{sample.x.data(), weights, nullptr, static_cast<std::int64_t>(n), 1};
    part.functions->fit_f64(all, part.settings,
                            {found, unused_errors, &log_likelihood, &iterations, &status, &observations, &missing, 1},
                            1, nullptr);
    if (!usable(status) && status != fit_status::max_iterations) return false;
    for (int p = 0; p < part.family->parameter_count; ++p) {
      if (!std::isfinite(found[p])) return false;
      parameters[p] = found[p];
    }
    return true;
  }

  /// Whether each value is in the support of a component: what a fit to that value alone would say.
  std::vector<bool> supported(const em_part& part) const {
    const int P = part.family->parameter_count;
    std::vector<double> numbers(n * static_cast<std::size_t>(2 * P + 1));
    std::vector<std::int32_t> iterations(n);
    std::vector<fit_status> status(n);
    std::vector<std::int64_t> counts(2 * n);
    double* const errors = numbers.data() + n * static_cast<std::size_t>(P);
    part.functions->fit_f64({sample.x.data(), nullptr, nullptr, 1, static_cast<std::int64_t>(n)}, part.settings,
                            {numbers.data(), errors, errors + n * static_cast<std::size_t>(P), iterations.data(),
                             status.data(), counts.data(), counts.data() + n, static_cast<std::int64_t>(n)},
                            1, nullptr);
    std::vector<bool> inside(n);
    for (std::size_t i = 0; i < n; ++i) inside[i] = status[i] != fit_status::out_of_support;
    return inside;
  }

  /// Takes shares away where a component cannot have them; false when a value is in no component's support.
  bool leave_supports() {
    std::vector<bool> somewhere(n, false);
    for (std::size_t k = 0; k < K; ++k) {
      const em_part& part = request.parts[k];
      if (!part.family) {
        for (std::size_t i = 0; i < n; ++i)
          if (sample.x[i] == part.at) somewhere[i] = true;
        continue;
      }
      const std::vector<bool> inside = supported(part);
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

  /// Shares of a start: each value to the nearest of K seeds, a little of it to all.
  void start(philox_stream& random) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return sample.x[a] != sample.x[b] ? sample.x[a] < sample.x[b] : a < b;
    });
    std::vector<std::size_t> free;  // components that take part in the split
    for (std::size_t k = 0; k < K; ++k)
      if (request.parts[k].family) free.push_back(k);
    const bool first = request.stream == 0 && request.start == mixture_start::kmeans_plus_plus;
    std::vector<double> seeds;
    const std::size_t F = free.size();
    if (first) {
      double passed = 0;
      std::size_t next = 0;
      for (const std::size_t i : order) {  // the middle of each of F equal parts
        passed += sample.w[i];
        while (next < F && passed >= sample.weight * (static_cast<double>(next) + 0.5) / static_cast<double>(F)) {
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
        const bool spread = request.start == mixture_start::kmeans_plus_plus;
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
        if (std::abs(sample.x[i] - seeds[f]) < std::abs(sample.x[i] - seeds[nearest])) nearest = f;
      for (std::size_t f = 0; f < F; ++f)
        share_of(free[f])[i] = left * ((f == nearest ? 1 - start_blend : 0.0) + start_blend / static_cast<double>(F));
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
    if (std::isnan(x) || std::isnan(w)) {
      ++s.missing;
    } else if (std::isinf(x) || std::isinf(w) || w < 0) {
      ++s.nonfinite;
    } else if (w > 0) {
      ++s.observations;
      s.x.push_back(x);
      s.w.push_back(w);
      s.weight += w;
    }
  }
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
  if (request.start != mixture_start::given) {
    run.weights.assign(K, 0);
    run.parameters.assign(K * static_cast<std::size_t>(request.room), nan);
    philox_stream random(request.seed, request.stream, static_cast<std::uint32_t>(K));
    work.start(random);
    if (!work.leave_supports()) {
      run.status = fit_status::out_of_support;
      return;
    }
    if (!work.maximise()) {
      const bool constant = std::all_of(sample.x.begin(), sample.x.end(), [&](double x) { return x == sample.x[0]; });
      run.status = constant ? fit_status::constant_sample : fit_status::collapsed_component;
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
  while (run.iterations < request.max_iterations) {
    const std::vector<double> weights = run.weights, parameters = run.parameters, means = run.means;
    if (!work.maximise()) {
      run.status = fit_status::collapsed_component;
      return;
    }
    const double next = work.expect();
    if (!std::isfinite(next)) {
      run.status = fit_status::collapsed_component;
      return;
    }
    const double gain = (next - reached) / sample.weight;
    if (gain < 0 && request.tolerance > 0) {  // the families' fits are as exact as rounding lets them be
      run.weights = weights;
      run.parameters = parameters;
      run.means = means;
      run.status = fit_status::converged;
      break;
    }
    reached = next;
    run.trace.push_back(reached);
    ++run.iterations;
    if (request.tolerance > 0 ? gain <= request.tolerance : gain == 0) {
      run.status = fit_status::converged;
      if (request.tolerance > 0) break;
    } else {
      run.status = fit_status::max_iterations;
    }
  }
  run.log_likelihood = reached;
}

}  // namespace manyfit
