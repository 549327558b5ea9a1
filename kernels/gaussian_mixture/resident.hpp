// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The shared-memory layout of a resident pass (resident_pass.hpp): a pass over the points whose inputs and sums all
// stay in the block's own memory, shared memory on a GPU. The layout is computed once per mixture, from the mixture's
// own size and the size of shared memory.
//
// The lanes of a warp form a grid of octets (8 values) by quartets (4 values), whose bits alternate in the lane's
// number: lanes that read the same 16 bytes are then close to each other, so that such a read is one transaction.
// clang-format off
//   E step, a lane's fragment of a tile   8 points by 8 components; with triangular factors 8 points by 2 components
//   M step                                8 components by 8 features, at all points of a slice (an eighth of a tile)
// clang-format on
#pragma once

#include "kernels/gaussian_mixture/registers.hpp"

MF_NAMESPACE_BEGIN

inline constexpr int resident_slices = 8;       ///< of a tile, for the M step
inline constexpr int resident_sums = 64;        ///< of a lane: 8 components by 8 features
inline constexpr int resident_additions = 512;  ///< to one number in T, before it is added to one in double
inline constexpr int resident_row_padding = 4;  ///< of a row of points: neighbouring rows start in different banks
inline constexpr int resident_least_components = 25;
inline constexpr int resident_least_features = 16;

MF_FN constexpr std::int64_t round_up(std::int64_t n, int step) {
  return (n + step - 1) / step * step;
}

/// Components of a warp's fragment of the E step, which covers 64 points.
MF_FN constexpr int resident_components(bool triangular) {
  return triangular ? 8 : 32;
}
/// Numbers of one triangular factor: for every four rows their offsets and columns, the last four columns first. An odd
/// multiple of 4, so that neighbouring factors begin in other banks.
MF_FN constexpr int triangle_numbers(int D) {
  const int blocks = (D + 3) / 4;
  return (4 * blocks + 8 * blocks * (blocks + 1)) | 4;
}

/// Offsets in numbers of the points' type, all multiples of 4. Features do not count Σ r, which is summed apart.
struct resident_layout {
  int points = 0;                  ///< of a tile; 0: no resident pass
  std::int64_t place = 0;          ///< bytes into the block's shared memory
  int components = 0;              ///< of the mixture
  std::int64_t features = 0;       ///< [features rounded up to 32] rows: first the D coordinates
  std::int64_t moved = 0;          ///< [D] rows: tied only, whitened coordinates
  std::int64_t table = 0;          ///< [K rounded up to 64] rows: log-densities, then densities over the largest
  std::int64_t most = 0, sum = 0;  ///< [parts of K × points]: largest log-density, and sum of a part
  std::int64_t weight = 0, normaliser = 0;  ///< [points]: of every point; weight over the sum of its densities
  std::int64_t factors = 0, constant = 0;   ///< in the order in which the E step reads them; [K rounded up to 32]
  std::int64_t transform = 0;               ///< [packed_size(D)]; tied only
  std::int64_t map = 0;                     ///< [3 × D]: centre, rest, scale
  std::int64_t parked = 0;                  ///< [partials × 16 × 32 × 4]: lanes' sums of the M step between tiles
  std::int64_t parked_weight = 0;           ///< [parts × K]: Σ r
  std::int64_t marks = 0;                   ///< int [points + 1]: points that do not count, and whether there are any
  std::int64_t pairs = 0;                   ///< int [features]: the two coordinates of a product, 65536 i + j
  std::int64_t partials = 0;                ///< int [tiles of outputs + 1]: the first partial of each
  std::int64_t numbers = 0;                 ///< in all

  MF_FN int stride() const { return points + resident_row_padding; }
};

/// How often Σ r of one component is distributed over the points of a tile.
MF_FN constexpr int resident_weight_parts(int K, int points, int lanes) {
  int parts = 1;
  while (2 * parts * K <= lanes && 8 * parts <= points) parts *= 2;
  return parts;
}

/// The M step's outputs are cut into output tiles of 64 components by 32 features. An output tile at one slice of
/// points is a unit of work, and every warp has an equal range of units. A warp's sum over its units of one output tile
/// is a partial sum.
struct resident_units {
  int tiles, warps;
  MF_FN int begin(int warp) const { return warp * resident_slices * tiles / warps; }
  /// The number of the partial that holds a unit, and of partials before those of a tile of outputs.
  MF_FN int partial(int unit) const {
    int number = unit / resident_slices;
    for (int w = 1; w < warps; ++w) number += begin(w) <= unit && begin(w) % resident_slices != 0;
    return number;
  }
  MF_FN int partials() const { return partial(resident_slices * tiles - 1) + 1; }
  /// Most slices of a partial.
  MF_FN int longest() const {
    const int slices = (resident_slices * tiles + warps - 1) / warps;
    return slices < resident_slices ? slices : resident_slices;
  }
};
MF_FN constexpr int resident_tiles(int K, int products) {
  return static_cast<int>(round_up(K, 64) / 64 * (round_up(products, 32) / 32));
}

/// The layout with tiles of `points` points.
template <class T>
MF_FN_LARGE resident_layout lay_out_resident(covariance_structure structure, int D, int K, int points, int lanes) {
  const bool triangular = structure == covariance_structure::full, tied = structure == covariance_structure::tied;
  const int products = features(structure, D) - 1;
  // A round of k-means sums coordinates only, in other partials.
  const int tiles = resident_tiles(K, products), own = resident_units{tiles, lanes / 32}.partials(),
            rounds = resident_units{resident_tiles(K, D), lanes / 32}.partials();
  const std::int64_t triangles = triangular ? round_up(K, 8) * triangle_numbers(D) : 0,
                     scales = 2 * D * round_up(K, 32);
  resident_layout at;
  at.points = points;
  at.components = K;
  const auto take = [&at](std::int64_t count) {
    const std::int64_t place = at.numbers;
    at.numbers += round_up(count, 4);
    return place;
  };
  const std::int64_t parts = (K + resident_components(triangular) - 1) / resident_components(triangular);
  at.features = take(round_up(products, 32) * at.stride());
  at.moved = take(tied ? std::int64_t{D} * at.stride() : 0);
  at.table = take(round_up(K, 64) * at.stride());
  at.most = take(parts * points);
  at.sum = take(parts * points);
  at.weight = take(points);
  at.normaliser = take(points);
  at.factors = take(triangles > scales ? triangles : scales);
  at.constant = take(round_up(K, 32));
  at.transform = take(tied ? packed_size(D) : 0);
  at.map = take(3 * D);
  at.parked = take(std::int64_t{own > rounds ? own : rounds} * resident_sums * 32);
  at.parked_weight = take(std::int64_t{resident_weight_parts(K, points, lanes)} * K);
  at.marks = take(points + 1);
  at.pairs = take(products);
  at.partials = take(tiles + 1);
  return at;
}

/// The layout of a mixture's passes on a block of `lanes` lanes with `bytes` bytes; points = 0 where they do not fit or
/// would leave most lanes idle.
template <class T>
MF_FN_LARGE resident_layout plan_resident(covariance_structure structure, int D, int K, int lanes, std::int64_t bytes) {
  const int each = resident_components(structure == covariance_structure::full), warps = lanes / 32;
  if (K < resident_least_components || features(structure, D) <= resident_least_features) return {};
  for (int points = 256; points >= 64; points /= 2) {
    const resident_layout at = lay_out_resident<T>(structure, D, K, points, lanes);
    const std::int64_t fragments = std::int64_t{points} / 64 * ((K + each - 1) / each);
    if (at.numbers * static_cast<std::int64_t>(sizeof(T)) <= bytes && 2 * fragments >= warps) return at;
  }
  return {};
}

MF_NAMESPACE_END
