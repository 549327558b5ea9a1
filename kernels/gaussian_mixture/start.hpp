// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Starting values of EM for a Gaussian mixture: k-means++ seeds (Arthur & Vassilvitskii, SODA 2007) among rows drawn at
// random, then rounds of k-means. k-means is EM for spherical components of equal weight in the limit of variance 0:
// the same pass over the points with steep factors. A Group is as em.hpp says, and also gives
// clang-format off
//   std::int64_t rows()           number of rows of the fit
//   double row(i, double* y)      row i in the group's coordinates; returns its weight, 0 where it is left out
// clang-format on
#pragma once

#include "kernels/gaussian_mixture/em.hpp"

MF_NAMESPACE_BEGIN

inline constexpr int kmeans_rounds = 10;
/// Steepness of k-means' factors: rows whose squared distances to two means differ by 0.002 of a variance belong
/// to one.
inline constexpr double kmeans_steepness = 1e3;
/// Added to a start's variances, in units of the data's own, so that a cluster of equal rows does not collapse at once.
inline constexpr double start_ridge = 1e-3;

/// Candidates whose distances one lane updates and sums at a time.
inline constexpr int candidate_segment = 64;

/// Rows among which a start chooses.
MF_FN std::int64_t start_candidates(std::int64_t rows, int K) {
  const std::int64_t most = K > 16 ? std::int64_t{32} * K : 512;
  return rows < most ? rows : most;
}
/// Doubles of memory that a start needs beside the model's.
MF_FN std::int64_t start_memory(std::int64_t rows, int K, int D) {
  const std::int64_t capacity = start_candidates(rows, K);
  return capacity * (D + 2) + (capacity + candidate_segment - 1) / candidate_segment + 1;
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

/// The rows that a start chooses among, in start_memory(...) doubles.
struct start_rows {
  std::int64_t capacity;  ///< how many
  int segments;           ///< of candidate_segment of them
  double* row;            ///< [capacity × D], in the group's coordinates
  double* weight;         ///< [capacity]
  double* distance;       ///< [capacity]: squared, to the nearest mean so far
  double* total;          ///< [segments]: Σ weight · distance of each
  double* chosen;         ///< [1]: the last one that became a mean

  template <class Attempt>
  static MF_FN start_rows of(const Attempt& attempt) {
    start_rows r;
    r.capacity = start_candidates(attempt.group.rows(), attempt.m.K);
    r.segments = static_cast<int>((r.capacity + candidate_segment - 1) / candidate_segment);
    r.row = attempt.memory;
    r.weight = r.row + r.capacity * attempt.m.D;
    r.distance = r.weight + r.capacity;
    r.total = r.distance + r.capacity;
    r.chosen = r.total + r.segments;
    return r;
  }
  MF_FN std::int64_t end_of(int segment) const {
    const std::int64_t end = (segment + std::int64_t{1}) * candidate_segment;
    return end < capacity ? end : capacity;
  }
  MF_FN void add_up(int segment) const {
    double sum = 0;
    for (std::int64_t i = std::int64_t{segment} * candidate_segment; i < end_of(segment); ++i)
      sum += weight[i] * distance[i];
    total[segment] = sum;
  }
};

/// Draws the candidates, spread over all rows, and reads them.
template <class Attempt>
MF_FN_CALL void draw_candidates(Attempt& attempt) {
  const start_rows from = start_rows::of(attempt);
  const std::int64_t rows = attempt.group.rows();
  attempt.group.leader([&] {
    for (std::int64_t i = 0; i < from.capacity; ++i)
      from.weight[i] = rows == from.capacity ? static_cast<double>(i)
                                             : floor((static_cast<double>(i) + attempt.random.uniform()) *
                                                     (static_cast<double>(rows) / static_cast<double>(from.capacity)));
  });
  attempt.group.for_each(from.segments, [&](int segment) {
    for (std::int64_t i = std::int64_t{segment} * candidate_segment; i < from.end_of(segment); ++i) {
      const auto row = static_cast<std::int64_t>(from.weight[i]);
      from.weight[i] = attempt.group.row(row < rows ? row : rows - 1, from.row + i * attempt.m.D);
      from.distance[i] = 1;
    }
    from.add_up(segment);
  });
}

/// Chooses the mean of component k, each candidate with probability by its weight times its distance.
template <class Attempt>
MF_FN_CALL void choose_mean(Attempt& attempt, int k) {
  attempt.group.leader([&] {
    const start_rows from = start_rows::of(attempt);
    double all = 0;
    for (int segment = 0; segment < from.segments; ++segment) all += from.total[segment];
    double target = attempt.random.uniform() * all;
    int segment = 0;
    while (segment + 1 < from.segments && !(from.total[segment] > target)) target -= from.total[segment++];
    std::int64_t last = std::int64_t{segment} * candidate_segment;
    for (std::int64_t i = last; i < from.end_of(segment); ++i) {
      const double cost = from.weight[i] * from.distance[i];
      if (!(cost > 0)) continue;
      last = i;
      if (cost > target) break;
      target -= cost;
    }
    for (int d = 0; d < attempt.m.D; ++d) attempt.m.mean(k)[d] = from.row[last * attempt.m.D + d];
    *from.chosen = static_cast<double>(last);
  });
}

/// Distances after component k has its mean; with `spread` false the chosen row's is 0, and no other's changes.
template <class Attempt>
MF_FN_CALL void update_distances(Attempt& attempt, int k, bool spread) {
  const start_rows from = start_rows::of(attempt);
  attempt.group.for_each(from.segments, [&](int segment) {
    const int D = attempt.m.D;
    const auto taken = static_cast<std::int64_t>(*from.chosen);
    const double* const mean = attempt.m.mean(k);
    for (std::int64_t i = std::int64_t{segment} * candidate_segment; i < from.end_of(segment); ++i) {
      double apart = 0;
      for (int d = 0; spread && d < D; ++d) apart += square(from.row[i * D + d] - mean[d]);
      if (spread ? k == 0 || apart < from.distance[i] : i == taken) from.distance[i] = apart;
    }
    from.add_up(segment);
  });
}

/// Means by k-means++ among random rows; with `spread` false, rows with probability by weight alone, none twice. A
/// row's probability of being chosen next goes as its weight times its squared distance to the nearest mean so far.
template <class Attempt>
MF_FN_CALL void seed_means(Attempt& attempt, bool spread) {
  draw_candidates(attempt);
  for (int k = 0; k < attempt.m.K; ++k) {
    choose_mean(attempt, k);
    update_distances(attempt, k, spread);
  }
}

/// Sets `nearest` up as a model whose pass assigns every row to its nearest mean, with the statistics of `structure`.
template <class Group>
MF_FN_CALL void set_up_nearest_pass(Group& group, const mixture_model& m, covariance_structure structure,
                                    mixture_model& nearest) {
  nearest = m;
  nearest.structure = structure;
  nearest.triangular = false;
  nearest.transform = nullptr;
  group.for_each(m.K, [&](int k) {
    m.constant[k] = 0;
    for (int d = 0; d < m.D; ++d) {
      m.factor[k * m.D + d] = kmeans_steepness;
      m.offset[k * m.D + d] = kmeans_steepness * m.mean(k)[d];
    }
  });
}

/// Equal weights, and every component as wide as the data.
template <class Group>
MF_FN_CALL void set_wide(Group& group, const mixture_model& m) {
  group.for_each(m.K, [&](int k) {
    m.weights()[k] = 1.0 / m.K;
    if (k == 0 || m.structure != covariance_structure::tied) set_round_covariance(m, k, 1);
  });
}

/// Means of the rows that are nearest to each.
template <class Group>
MF_FN_CALL void set_nearest_means(Group& group, const mixture_model& m) {
  group.for_each(m.K, [&](int k) {
    const double* const s = m.statistics + std::int64_t{k} * (1 + m.D);
    for (int d = 0; d < m.D && s[0] > 0; ++d) m.mean(k)[d] = s[1 + d] / s[0];
  });
}

/// The whole state from the rows that are nearest to each mean.
template <class Group>
MF_FN_CALL void set_from_nearest(Group& group, const mixture_model& m) {
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

/// Chooses means and the number of rounds of k-means. An Attempt is as em.hpp says, and also gives `random`, its
/// stream, and `memory` for the candidates. k-means splits a narrow component in the middle of a wide one together with
/// it, and EM does not undo that. `automatic` therefore omits k-means in every other attempt, where components start as
/// wide as the data, and in every fourth it takes random rows as means. Wide components separate sooner from k-means++
/// seeds than from random rows.
template <class Attempt>
MF_FN_CALL void choose_start(Attempt& attempt) {
  const bool automatic = attempt.settings.start == mixture_start::automatic,
             any = attempt.settings.start == mixture_start::random;
  const int turn = static_cast<int>(attempt.task.stream % 4);
  seed_means(attempt, !(any || (automatic && turn == 3)));
  if (attempt.group.uniform(any || (automatic && turn % 2 == 1)))
    set_wide(attempt.group, attempt.m);
  else
    attempt.place.rounds = kmeans_rounds + 1;
}

/// A round of k-means; the last one sets the whole state.
template <class Attempt>
MF_FN_CALL void kmeans_round(Attempt& attempt) {
  mixture_model nearest;
  const bool last = --attempt.place.rounds == 0;
  set_up_nearest_pass(attempt.group, attempt.m, last ? attempt.m.structure : covariance_structure::tied, nearest);
  attempt.group.accumulate(nearest);
  if (attempt.group.uniform(attempt.place.rounds > 0))
    set_nearest_means(attempt.group, attempt.m);
  else
    set_from_nearest(attempt.group, attempt.m);
}

/// Re-initialises every collapsed component: at a random row, as wide as the data, with an equal weight.
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
    const double equal_weight = 1.0 / m.K, rest = 1 - collapsed * equal_weight;
    for (int k = 0; k < m.K; ++k) {
      if (m.good[k] > 0) {
        m.weights()[k] *= rest / kept;
        continue;
      }
      double weight = 0;
      for (int draw = 0; draw < 64 && !(weight > 0); ++draw)
        weight = group.row(static_cast<std::int64_t>(random.uniform() * static_cast<double>(group.rows())), m.mean(k));
      m.weights()[k] = equal_weight;
      set_round_covariance(m, k, 1);
    }
  });
}

MF_NAMESPACE_END
