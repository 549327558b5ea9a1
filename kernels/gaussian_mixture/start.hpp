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
/// Steepness of k-means' factors: rows whose squared distances to two means differ by 0.002 of a variance are no longer
/// shared.
inline constexpr double kmeans_steepness = 1e3;
/// Added to a start's variances, in units of the data's own, so that a cluster of equal rows does not collapse at once.
inline constexpr double start_ridge = 1e-3;

/// Candidates whose distances one lane updates and sums at a time.
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

/// The rows that a start chooses among, in start_memory(...) doubles.
struct start_rows {
  std::int64_t room;  ///< how many
  int runs;           ///< of candidate_run of them
  double* row;        ///< [room × D], in the group's coordinates
  double* weight;     ///< [room]
  double* distance;   ///< [room]: squared, to the nearest mean so far
  double* total;      ///< [runs]: Σ weight · distance of each run
  double* chosen;     ///< [1]: the last one that became a mean

  template <class Run>
  static MF_FN start_rows of(const Run& run) {
    start_rows r;
    r.room = start_candidates(run.group.rows(), run.m.K);
    r.runs = static_cast<int>((r.room + candidate_run - 1) / candidate_run);
    r.row = run.memory;
    r.weight = r.row + r.room * run.m.D;
    r.distance = r.weight + r.room;
    r.total = r.distance + r.room;
    r.chosen = r.total + r.runs;
    return r;
  }
  MF_FN std::int64_t end_of(int run) const {
    const std::int64_t end = (run + std::int64_t{1}) * candidate_run;
    return end < room ? end : room;
  }
  MF_FN void add_up(int run) const {
    double sum = 0;
    for (std::int64_t i = std::int64_t{run} * candidate_run; i < end_of(run); ++i) sum += weight[i] * distance[i];
    total[run] = sum;
  }
};

/// Draws the candidates, spread over all rows, and reads them.
template <class Run>
MF_FN_CALL void draw_candidates(Run& run) {
  const start_rows from = start_rows::of(run);
  const std::int64_t rows = run.group.rows();
  run.group.leader([&] {
    for (std::int64_t i = 0; i < from.room; ++i)
      from.weight[i] = rows == from.room ? static_cast<double>(i)
                                         : floor((static_cast<double>(i) + run.random.uniform()) *
                                                 (static_cast<double>(rows) / static_cast<double>(from.room)));
  });
  run.group.for_each(from.runs, [&](int piece) {
    for (std::int64_t i = std::int64_t{piece} * candidate_run; i < from.end_of(piece); ++i) {
      const auto row = static_cast<std::int64_t>(from.weight[i]);
      from.weight[i] = run.group.row(row < rows ? row : rows - 1, from.row + i * run.m.D);
      from.distance[i] = 1;
    }
    from.add_up(piece);
  });
}

/// Chooses the mean of component k, each candidate with probability by its weight times its distance.
template <class Run>
MF_FN_CALL void choose_mean(Run& run, int k) {
  run.group.leader([&] {
    const start_rows from = start_rows::of(run);
    double all = 0;
    for (int piece = 0; piece < from.runs; ++piece) all += from.total[piece];
    double target = run.random.uniform() * all;
    int piece = 0;
    while (piece + 1 < from.runs && !(from.total[piece] > target)) target -= from.total[piece++];
    std::int64_t last = std::int64_t{piece} * candidate_run;
    for (std::int64_t i = last; i < from.end_of(piece); ++i) {
      const double share = from.weight[i] * from.distance[i];
      if (!(share > 0)) continue;
      last = i;
      if (share > target) break;
      target -= share;
    }
    for (int d = 0; d < run.m.D; ++d) run.m.mean(k)[d] = from.row[last * run.m.D + d];
    *from.chosen = static_cast<double>(last);
  });
}

/// Distances after component k has its mean; with `spread` false the chosen row's is 0, and no other's changes.
template <class Run>
MF_FN_CALL void update_distances(Run& run, int k, bool spread) {
  const start_rows from = start_rows::of(run);
  run.group.for_each(from.runs, [&](int piece) {
    const int D = run.m.D;
    const auto taken = static_cast<std::int64_t>(*from.chosen);
    const double* const mean = run.m.mean(k);
    for (std::int64_t i = std::int64_t{piece} * candidate_run; i < from.end_of(piece); ++i) {
      double apart = 0;
      for (int d = 0; spread && d < D; ++d) apart += square(from.row[i * D + d] - mean[d]);
      if (spread ? k == 0 || apart < from.distance[i] : i == taken) from.distance[i] = apart;
    }
    from.add_up(piece);
  });
}

/// Means by k-means++ among random rows; with `spread` false, rows with probability by weight alone, none twice. A
/// row's share of the next choice is its weight times its squared distance to the nearest mean so far.
template <class Run>
MF_FN_CALL void seed_means(Run& run, bool spread) {
  draw_candidates(run);
  for (int k = 0; k < run.m.K; ++k) {
    choose_mean(run, k);
    update_distances(run, k, spread);
  }
}

/// Sets `nearest` up as a model whose pass assigns every row to its nearest mean, with the statistics of `structure`.
template <class Group>
MF_FN_CALL void aim_at_nearest(Group& group, const mixture_model& m, covariance_structure structure,
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

/// Chooses means and the number of rounds of k-means. A Run is as em.hpp says, and also gives `random`, its stream, and
/// `memory` for the candidates. k-means splits a narrow component in the middle of a wide one together with it, and EM
/// does not undo that. `automatic` therefore omits k-means in every other run, where components start as wide as the
/// data, and in every fourth it takes random rows as means. Wide components separate sooner from k-means++ seeds than
/// from random rows.
template <class Run>
MF_FN_CALL void choose_start(Run& run) {
  const bool automatic = run.settings.start == mixture_start::automatic,
             any = run.settings.start == mixture_start::random;
  const int turn = static_cast<int>(run.task.stream % 4);
  seed_means(run, !(any || (automatic && turn == 3)));
  if (run.group.agree(any || (automatic && turn % 2 == 1)))
    set_wide(run.group, run.m);
  else
    run.place.rounds = kmeans_rounds + 1;
}

/// A round of k-means; the last one sets the whole state.
template <class Run>
MF_FN_CALL void kmeans_round(Run& run) {
  mixture_model nearest;
  const bool last = --run.place.rounds == 0;
  aim_at_nearest(run.group, run.m, last ? run.m.structure : covariance_structure::tied, nearest);
  run.group.accumulate(nearest);
  if (run.group.agree(run.place.rounds > 0))
    set_nearest_means(run.group, run.m);
  else
    set_from_nearest(run.group, run.m);
}

/// Re-initialises every collapsed component: at a random row, as wide as the data, with an equal share.
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
