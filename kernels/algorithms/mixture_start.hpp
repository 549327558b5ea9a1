// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Where EM for a Gaussian mixture starts. k-means++ (Arthur & Vassilvitskii, SODA 2007) seeds among rows drawn at
// random, then rounds of k-means, which is EM for spherical components of equal weight whose variance goes to 0: the
// same pass over the points with steep factors. A Group is as em.hpp says, and also gives
//   std::int64_t rows()              how many rows the fit has
//   double row(i, double* y)         row i in the group's coordinates; its weight, 0 where it is left out
#pragma once

#include "kernels/algorithms/em.hpp"

MF_NAMESPACE_BEGIN

inline constexpr int kmeans_rounds = 10;
/// Steepness of k-means' factors: rows whose squared distances to two means differ by 0.002 of a variance are no longer
/// shared.
inline constexpr double kmeans_steepness = 1e3;
/// Added to a start's variances, in units of the data's own, so that a cluster of equal rows is no start's end.
inline constexpr double start_ridge = 1e-3;

/// Candidates that one lane looks after at a time.
inline constexpr int candidate_run = 64;

/// Rows among which a start chooses.
MF_FN std::int64_t start_candidates(std::int64_t rows, int K) {
  const std::int64_t most = K > 16 ? std::int64_t{32} * K : 512;
  return rows < most ? rows : most;
}
/// Doubles of memory that a start needs beside the model's.
MF_FN std::int64_t start_memory(std::int64_t rows, int K, int D) {
  const std::int64_t room = start_candidates(rows, K);
  return room * (D + 2) + (room + candidate_run - 1) / candidate_run + 1;
}

MF_FN void set_round_covariance(const mixture_model& m, int k, double variance) {
  double* const covariance = m.covariance(k);
  switch (m.structure) {
    case covariance_structure::full:
    case covariance_structure::tied:
      for (int i = 0; i < m.D; ++i)
        for (int j = 0; j <= i; ++j) covariance[packed(i, j)] = i == j ? variance : 0.0;
      break;
    case covariance_structure::diagonal:
      for (int d = 0; d < m.D; ++d) covariance[d] = variance;
      break;
    default:
      covariance[0] = variance;
  }
}

MF_FN void widen_covariance(const mixture_model& m, int k, double amount) {
  double* const covariance = m.covariance(k);
  switch (m.structure) {
    case covariance_structure::full:
    case covariance_structure::tied:
      for (int d = 0; d < m.D; ++d) covariance[packed(d, d)] += amount;
      break;
    case covariance_structure::diagonal:
      for (int d = 0; d < m.D; ++d) covariance[d] += amount;
      break;
    default:
      covariance[0] += amount;
  }
}

/// Means by k-means++ among random rows; with `spread` false, rows with probability by weight alone, none twice. A
/// row's share of the next choice is its weight times its squared distance to the nearest mean so far.
template <class Group, class Random>
MF_FN_CALL void seed_means(Group& group, const mixture_model& m, Random& random, bool spread, double* memory) {
  const std::int64_t rows = group.rows(), room = start_candidates(rows, m.K);
  const int runs = static_cast<int>((room + candidate_run - 1) / candidate_run);
  double* const candidate = memory;
  double* const weight = candidate + room * m.D;
  double* const distance = weight + room;
  double* const total = distance + room;  // by run of candidates
  double* const chosen = total + runs;
  const auto each = [&](int run, auto f) {
    double sum = 0;
    for (std::int64_t i = std::int64_t{run} * candidate_run; i < room && i < (run + std::int64_t{1}) * candidate_run;
         ++i) {
      f(i);
      sum += weight[i] * distance[i];
    }
    total[run] = sum;
  };
  group.leader([&] {
    for (std::int64_t i = 0; i < room; ++i)
      weight[i] = rows == room ? static_cast<double>(i)
                               : floor((static_cast<double>(i) + random.uniform()) *
                                       (static_cast<double>(rows) / static_cast<double>(room)));
  });
  group.for_each(runs, [&](int run) {
    each(run, [&](std::int64_t i) {
      const auto row = static_cast<std::int64_t>(weight[i]);
      weight[i] = group.row(row < rows ? row : rows - 1, candidate + i * m.D);
      distance[i] = 1;
    });
  });
  for (int k = 0; k < m.K; ++k) {
    group.leader([&] {
      double all = 0;
      for (int run = 0; run < runs; ++run) all += total[run];
      double target = random.uniform() * all;
      int run = 0;
      while (run + 1 < runs && !(total[run] > target)) target -= total[run++];
      std::int64_t i = std::int64_t{run} * candidate_run;
      std::int64_t last = i;
      for (; i < room && i < (run + std::int64_t{1}) * candidate_run; ++i) {
        const double share = weight[i] * distance[i];
        if (!(share > 0)) continue;
        last = i;
        if (share > target) break;
        target -= share;
      }
      for (int d = 0; d < m.D; ++d) m.mean(k)[d] = candidate[last * m.D + d];
      *chosen = static_cast<double>(last);
    });
    group.for_each(runs, [&](int run) {
      const auto taken = static_cast<std::int64_t>(*chosen);
      const double* const mean = m.mean(k);
      each(run, [&](std::int64_t i) {
        if (!spread) {
          if (i == taken) distance[i] = 0;
          return;
        }
        double apart = 0;
        for (int d = 0; d < m.D; ++d) apart += square(candidate[i * m.D + d] - mean[d]);
        if (k == 0 || apart < distance[i]) distance[i] = apart;
      });
    });
  }
}

/// A pass that gives every row to its nearest mean: statistics as `structure` wants them.
template <class Group>
MF_FN_CALL void assign_to_nearest(Group& group, const mixture_model& m, covariance_structure structure) {
  mixture_model nearest = m;
  nearest.structure = structure;
  nearest.triangular = false;
  nearest.transform = nullptr;
  group.for_each(m.K, [&](int k) {
    nearest.constant[k] = 0;
    for (int d = 0; d < m.D; ++d) {
      nearest.factor[k * m.D + d] = kmeans_steepness;
      nearest.offset[k * m.D + d] = kmeans_steepness * m.mean(k)[d];
    }
  });
  group.accumulate(nearest);
}

/// Sets the model's state to a start.
template <class Group, class Random>
MF_FN_CALL void start_mixture(Group& group, const mixture_model& m, mixture_start how, Random& random, double* memory) {
  seed_means(group, m, random, how == mixture_start::kmeans_plus_plus, memory);
  if (how == mixture_start::random) {
    group.for_each(m.K, [&](int k) {
      m.weights()[k] = 1.0 / m.K;
      if (k == 0 || m.structure != covariance_structure::tied) set_round_covariance(m, k, 1);
    });
    return;
  }
  for (int round = 0; round < kmeans_rounds; ++round) {
    assign_to_nearest(group, m, covariance_structure::tied);
    group.for_each(m.K, [&](int k) {
      const double* const s = m.statistics + std::int64_t{k} * (1 + m.D);
      for (int d = 0; d < m.D && s[0] > 0; ++d) m.mean(k)[d] = s[1 + d] / s[0];
    });
  }
  assign_to_nearest(group, m, m.structure);
  group.for_each(m.K, [&](int k) {
    if (m.statistics_of(k)[0] > 0) {
      maximise_component(m, k);
      if (m.structure != covariance_structure::tied) widen_covariance(m, k, start_ridge);
    } else {
      m.weights()[k] = 1 / m.total_weight;
      if (m.structure != covariance_structure::tied) set_round_covariance(m, k, 1);
    }
  });
  group.leader([&] { normalise_weights(m); });
  if (m.structure == covariance_structure::tied) {
    pool_covariance(group, m);
    group.leader([&] { widen_covariance(m, 0, start_ridge); });
  }
}

/// Sets every component that has collapsed anew: at a random row, as wide as the data, with an equal share.
template <class Group, class Random>
MF_FN_CALL void restart_collapsed(Group& group, const mixture_model& m, Random& random) {
  group.leader([&] {
    double kept = 0;
    int collapsed = 0;
    for (int k = 0; k < m.K; ++k) {
      if (m.good[k] > 0)
        kept += m.weights()[k];
      else
        ++collapsed;
    }
    const double share = 1.0 / m.K, rest = 1 - collapsed * share;
    for (int k = 0; k < m.K; ++k) {
      if (m.good[k] > 0) {
        m.weights()[k] *= rest / kept;
        continue;
      }
      double weight = 0;
      for (int attempt = 0; attempt < 64 && !(weight > 0); ++attempt)
        weight = group.row(static_cast<std::int64_t>(random.uniform() * static_cast<double>(group.rows())), m.mean(k));
      m.weights()[k] = share;
      set_round_covariance(m, k, 1);
    }
  });
}

MF_NAMESPACE_END
