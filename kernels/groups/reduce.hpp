// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Reductions over a team: a butterfly within each warp (or the part of a warp that a group is), then over the warps'
// partial results in shared memory, then over the blocks' in global memory, always in the order of their numbers.
// Addition commutes, so both sides of a butterfly's exchange hold the same bits, and every lane ends with the same
// result.
//
// A Context is a team (contracts/team.hpp). Exchanges alternate between two buffers, so that one barrier per exchange
// is enough: a lane writes into a buffer again only after a barrier that every reader of its old content has reached.
#pragma once

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

/// Most values that one exchange carries: what memory for exchanges has capacity for. Wider reductions take several.
inline constexpr int reduction_width = 1 + 4 + packed_size(4);

struct add_values {
  template <class T>
  MF_FN T operator()(T a, T b) const {
    return a + b;
  }
};
struct least_value {
  MF_FN double operator()(double a, double b) const { return b < a ? b : a; }
  MF_FN float operator()(float a, float b) const { return ::fminf(a, b); }
};

/// The reduction of v over the lanes of each block (or warp), the same bits on every lane of it.
template <class Operation, class Context, class T, int K>
MF_FN vec<T, K> block_reduce(Context& context, vec<T, K> v) {
  static_assert(K <= reduction_width);
  const Operation combine;
  for (int mask = Context::width / 2; mask > 0; mask /= 2)
    for (int k = 0; k < K; ++k) v[k] = combine(v[k], context.shuffle_xor(v[k], mask));
  if (context.warps() > 1) {
    double* slots = context.block_slots();
    if (context.lane() % 32 == 0)
      for (int k = 0; k < K; ++k) slots[context.warp() * K + k] = v[k];
    context.block_barrier();
    for (int k = 0; k < K; ++k) v[k] = static_cast<T>(slots[k]);
    for (int w = 1; w < context.warps(); ++w)
      for (int k = 0; k < K; ++k) v[k] = combine(v[k], static_cast<T>(slots[w * K + k]));
  }
  return v;
}

/// The reduction of v over all lanes of the group, the same bits on every lane. Called by all lanes together.
template <class Operation, class Context, class T, int K>
MF_FN vec<T, K> all_reduce(Context& context, vec<T, K> v) {
  const Operation combine;
  v = block_reduce<Operation>(context, v);
  if (context.blocks() > 1) {
    double* slots = context.grid_slots();
    if (context.lane() % (32 * context.warps()) == 0)
      for (int k = 0; k < K; ++k) slots[context.block() * K + k] = v[k];
    context.grid_barrier();
    for (int k = 0; k < K; ++k) v[k] = static_cast<T>(slots[k]);
    for (int b = 1; b < context.blocks(); ++b)
      for (int k = 0; k < K; ++k) v[k] = combine(v[k], static_cast<T>(slots[b * K + k]));
  }
  return v;
}

/// The same of any width: part by part, each no wider than an exchange.
template <class Operation, class Context, class T, int K>
requires(K > reduction_width) MF_FN vec<T, K> all_reduce(Context& context, vec<T, K> v) {
  MF_ROLLED
  for (int begin = 0; begin < K; begin += reduction_width) {
    vec<T, reduction_width> part{};
    for (int k = 0; k < reduction_width && begin + k < K; ++k) part[k] = v[begin + k];
    part = all_reduce<Operation>(context, part);
    for (int k = 0; k < reduction_width && begin + k < K; ++k) v[begin + k] = part[k];
  }
  return v;
}

/// The same, out of line, where inlined loops of a reduction would make the code too large.
template <class Operation, class Context, class T, int K>
MF_FN_CALL void reduce_in_place(Context& context, vec<T, K>& v) {
  v = all_reduce<Operation>(context, v);
}

MF_NAMESPACE_END
