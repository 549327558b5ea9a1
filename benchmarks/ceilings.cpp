// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "ceilings.hpp"

#include <atomic>

#include "kernels/cpu/mixture_tile.hpp"

MF_NAMESPACE_BEGIN

namespace {

std::atomic<double> kept;  // what the loops computed goes here, so that they are not left out

template <class T>
double read(const T* values, std::size_t count) {
  const mixture_tag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, values + i));
    b = hn::Add(b, hn::LoadU(d, values + i + lanes));
    c = hn::Add(c, hn::LoadU(d, values + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, values + i + 3 * lanes));
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e)))));
}

template <class T>
std::size_t fma(std::size_t count) {
  const mixture_tag<T> d;
  constexpr int chains = 10;
  const std::size_t steps = count / (hn::Lanes(d) * chains) + 1;
  hn::Vec<mixture_tag<T>> sum[chains];
  for (int c = 0; c < chains; ++c) sum[c] = hn::Set(d, static_cast<T>(c + 1));
  const auto factor = hn::Set(d, T(0.999)), add = hn::Set(d, T(0.001));
  for (std::size_t i = 0; i < steps; ++i)
    for (int c = 0; c < chains; ++c) sum[c] = hn::MulAdd(sum[c], factor, add);
  auto total = sum[0];
  for (int c = 1; c < chains; ++c) total = hn::Add(total, sum[c]);
  kept = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, total)));
  return steps * hn::Lanes(d) * chains;
}

constexpr std::size_t block = 1024;

template <class T, class F>
std::size_t elementwise(std::size_t count, T from, T step, F function) {
  const mixture_tag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  alignas(64) T values[block];
  for (std::size_t i = 0; i < block; ++i) values[i] = from + step * static_cast<T>(i);
  auto a = hn::Zero(d), b = a;
  const std::size_t rounds = count / block + 1;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < block; i += 2 * lanes) {
      a = hn::Add(a, function(d, hn::Load(d, values + i)));
      b = hn::Add(b, function(d, hn::Load(d, values + i + lanes)));
    }
    kept = static_cast<double>(hn::GetLane(a));  // so that one round is not lifted out of the loop
  }
  kept = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b))));
  return rounds * block;
}

template <class T>
std::size_t exp_rate(std::size_t count) {
  return elementwise<T>(count, T(-30), T(0.03), [](auto d, auto x) { return exp_negative(d, x); });
}
std::size_t log_rate(std::size_t count) {
  return elementwise<double>(count, 1, 0.37, [](auto d, auto x) { return log_above_one(d, x); });
}

}  // namespace

extern const ceilings ceilings_here{read<double>,     read<float>,     fma<double>, fma<float>,
                                    exp_rate<double>, exp_rate<float>, log_rate};

MF_NAMESPACE_END
