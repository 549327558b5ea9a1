// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A team for tests: one std::thread per lane and std::barrier as the barrier. The code of CUDA's warps, blocks and
// grids runs on it without a GPU, under ThreadSanitizer and AddressSanitizer.
#pragma once

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/groups/reduce.hpp"

MF_NAMESPACE_BEGIN

/// The memory and barriers that the lanes of one grid share: `block_count` blocks of `warp_count` warps. Where
/// `random_delays` is set, lanes sleep now and then after a barrier of the block or grid. A lane that writes too early
/// then does so before the sleeping lanes have read, a race that an idle machine would nearly always hide.
class lane_team {
 public:
  static constexpr int part_lanes = 8;  ///< of a group that shares its warp with others

  lane_team(int block_count, int warp_count, bool random_delays = false)
      : blocks(block_count),
        warps(warp_count),
        has_random_delays(random_delays),
        exchange(static_cast<std::size_t>(block_count) * warp_count * 32),
        block_memory(static_cast<std::size_t>(block_count) * 2 * warp_count * reduction_width),
        grid_memory(2 * static_cast<std::size_t>(block_count) * reduction_width),
        all(block_count * warp_count * 32) {
    for (int b = 0; b < block_count; ++b) {
      of_block.push_back(std::make_unique<std::barrier<>>(warp_count * 32));
      for (int w = 0; w < warp_count; ++w) of_warp.push_back(std::make_unique<std::barrier<>>(32));
      for (int p = 0; p < warp_count * 32 / part_lanes; ++p)
        of_part.push_back(std::make_unique<std::barrier<>>(part_lanes));
    }
    for (std::vector<char>& row : votes) row.resize(exchange.size());
  }

  const int blocks, warps;
  const bool has_random_delays;
  std::vector<double> exchange, block_memory, grid_memory;
  std::vector<char> votes[2];
  std::vector<std::unique_ptr<std::barrier<>>> of_block, of_warp, of_part;
  std::barrier<> all;
};

/// How far a group reaches within its team: part of a warp, one warp, one block, or all blocks.
enum class reach { part, warp, block, grid };

/// One lane. Groups of all reaches but `grid` see their own lanes only. Block and grid are one type, as on CUDA.
template <bool IsWarp, int Width = 32>
class lane_context {
 public:
  lane_context(lane_team& team, reach how_far, int thread)
      : team_(team), thread_(thread), whole_grid_(how_far == reach::grid), pace_(1u + thread) {}

  static constexpr bool is_warp = IsWarp, spans_blocks = !IsWarp, has_resident_passes = !IsWarp,
                        has_register_passes = true;
  static constexpr int width = Width;
  int lane() const { return thread_ % lanes(); }
  int lanes() const { return Width * warps() * blocks(); }
  int warps() const { return IsWarp ? 1 : team_.warps; }
  int warp() const { return IsWarp ? 0 : thread_ / 32 % team_.warps; }
  int blocks() const { return whole_grid_ ? team_.blocks : 1; }
  int block() const { return whole_grid_ ? thread_ / (32 * team_.warps) : 0; }

  template <class Value>
  Value shuffle_xor(Value value, int mask) {
    return exchanged(value, thread_ ^ mask);
  }
  /// value: one that double holds.
  std::int64_t broadcast(std::int64_t value, int from) { return exchanged(value, thread_ / Width * Width + from); }
  /// Aborts where the lanes of a warp do not have the same value: on a GPU they would diverge although the compiler was
  /// told that the branch is warp-uniform. Two alternating rows of votes make one barrier enough.
  bool uniform(bool value) {
    char* const votes = team_.votes[vote_turn_ ^= 1].data();
    votes[thread_] = value;
    own_barrier().arrive_and_wait();
    if (votes[thread_ / Width * Width] != votes[thread_]) std::abort();
    return value;
  }
  bool all(bool value) {
    for (int mask = Width / 2; mask > 0; mask /= 2) value = shuffle_xor(value ? 1.0 : 0.0, mask) > 0 && value;
    return value;
  }
  double* block_slots() {
    const int size = team_.warps * reduction_width, block = thread_ / (32 * team_.warps);
    block_turn_ ^= 1;
    return team_.block_memory.data() + (2 * block + block_turn_) * size;
  }
  double* grid_slots() {
    grid_turn_ ^= 1;
    return team_.grid_memory.data() + grid_turn_ * team_.blocks * reduction_width;
  }
  static std::int64_t place_in_shared_memory(const char*) { return 0; }
  template <class T>
  static T* in_shared_memory(T* own) {
    return own;
  }
  template <class T>
  static T* in_shared_memory(T* own, std::int64_t) {
    return own;
  }
  void warp_barrier() { wait_at(own_barrier()); }
  void block_barrier() { wait_at(*team_.of_block[thread_ / (32 * team_.warps)]); }
  void grid_barrier() { wait_at(team_.all); }

  std::int64_t fetch_add(std::int64_t* counter, std::int64_t amount) {
    return std::atomic_ref<std::int64_t>(*counter).fetch_add(amount, std::memory_order_relaxed);
  }

 private:
  template <class Value>
  Value exchanged(Value value, int from) {
    std::barrier<>& barrier = own_barrier();
    team_.exchange[thread_] = static_cast<double>(value);
    barrier.arrive_and_wait();
    const double other = team_.exchange[from];
    barrier.arrive_and_wait();
    return static_cast<Value>(other);
  }
  std::barrier<>& own_barrier() {
    if constexpr (Width == 32)
      return *team_.of_warp[thread_ / 32];
    else
      return *team_.of_part[thread_ / Width];
  }
  void wait_at(std::barrier<>& barrier) {
    barrier.arrive_and_wait();
    // One time in 64, by a linear congruential sequence of the lane's own: few enough for a whole warp to run ahead.
    pace_ = pace_ * 1664525u + 1013904223u;
    if (team_.has_random_delays && pace_ >> 26 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(4));
  }

  lane_team& team_;
  int thread_;
  bool whole_grid_;
  std::uint32_t pace_;
  int block_turn_ = 0, grid_turn_ = 0, vote_turn_ = 0;
};

/// Runs body(context, thread number) on every lane of the team, one thread each, and waits for all.
template <reach Reach, class Body>
void run_lanes(lane_team& team, Body body) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 32 * team.warps * team.blocks; ++t)
    threads.emplace_back([&team, &body, t] {
      constexpr int width = Reach == reach::part ? lane_team::part_lanes : 32;
      lane_context<Reach == reach::part || Reach == reach::warp, width> context(team, Reach, t);
      body(context, t);
    });
  for (std::thread& thread : threads) thread.join();
}

MF_NAMESPACE_END
