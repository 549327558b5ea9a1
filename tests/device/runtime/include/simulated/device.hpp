// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What tests ask of the simulated device: other devices than the usual one, failures, and counts of what was asked of
// it. Everything here is for one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace simulated {

/// What a device has. The defaults are small enough for a CPU and make every regime of the kernels reachable.
struct device_settings {
  int devices = 1;                            ///< MF_DEVICE_COUNT
  int multiprocessors = 3;                    ///< MF_DEVICE_MULTIPROCESSORS
  int blocks = 2;                             ///< MF_DEVICE_BLOCKS: most on a multiprocessor; a GPU has 32
  int shared = 232448;                        ///< MF_DEVICE_SHARED: bytes that a block can have at most, as on an H100
  std::size_t memory = std::size_t{2} << 30;  ///< MF_DEVICE_MEMORY_MB
  std::uint64_t seed = 1;                     ///< MF_DEVICE_SEED: of all that is left to chance
  bool in_order = false;  ///< MF_DEVICE_IN_ORDER: streams do everything at once, in the order of the calls
};

/// Waits for all work and takes the settings; memory that is in use stays. What the library keeps of a device, such as
/// the number of its multiprocessors, must not have been asked for yet.
void set_device(const device_settings& settings);
const device_settings& settings();

/// The next allocation but `count` (0: the next) of device or pinned memory fails, once; −1: none does.
void fail_allocation_after(std::int64_t count);

/// Calls of an API function, by its name, since the last reset; "" for all of them.
std::int64_t calls(const std::string& function);
void reset_calls();

/// Bytes of device memory and of pinned memory in use, and how many allocations of both.
std::size_t memory_in_use();
std::size_t pinned_in_use();
std::int64_t allocations_in_use();
/// The most device memory that was in use at once since the last reset_calls().
std::size_t memory_peak();

/// Whether anything was ever asked of this device that makes a context on it.
bool has_context(int device);

}  // namespace simulated
