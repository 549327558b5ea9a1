// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// One launch of a kernel: blocks of warps of lanes, each lane a fiber. One lane runs at a time, until it waits; who
// goes on then is left to chance, within what the model of execution allows. A lane that waits for ever ends the
// program with a report of who waits where.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fiber.hpp"
#include "simulated/lanes.hpp"

namespace simulated {

constexpr int warp_lanes = 32;
struct warp;
struct block;

struct lane {
  fiber thread;
  place where;
  warp* of = nullptr;
  int index = 0;
  collective_call at;        ///< what it waits for with others of its warp, or did last
  std::uint64_t result = 0;  ///< of that
  bool fenced = false;       ///< a fence since its last atomic operation: see atomics
};

/// Sets of lanes as bits. A live lane is runnable, at a collective or at the block's barrier.
struct warp {
  block* of = nullptr;
  int number = 0;
  std::uint32_t runnable = 0, at_collective = 0, at_barrier = 0, ended = 0, sleeping = 0;
  int first = 0;
  bool backward = false;  ///< the order in which its lanes run: from `first` on
  bool is_ready = false;  ///< in the scheduler's list
  unsigned rank = 0;      ///< of two that may run the higher one usually does
  /// Of the part of the warp whose lowest lane it is, since parts with a mask each do not wait for each other.
  struct {
    int generation = 0;
    char sync[2] = {};
  } parts[warp_lanes];
  lane lanes[warp_lanes];
};

struct block {
  int number = 0, threads = 0, arrived = 0, ended = 0, generation = 0;
  std::vector<std::unique_ptr<warp>> warps;
  char* shared = nullptr;
  char sync[2] = {};
};

/// What a launch asks for.
struct grid_shape {
  int blocks = 1, threads = 1;
  std::size_t shared = 0;
  int at_once = 1;  ///< blocks that are on the device together; a cooperative launch has all of them there
};

/// Runs a whole launch; returns when its last lane has ended.
void run_grid(const grid_shape& shape, const std::string& kernel, const std::function<void()>& body);

/// Whether the caller is a lane.
bool in_a_kernel();

}  // namespace simulated
