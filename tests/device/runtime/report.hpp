// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How the simulated device ends a program that uses it wrongly.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace simulated {

struct block;
struct lane;

/// Writes "simulated device: WHY" to the error stream and aborts.
[[noreturn]] void die(const std::string& why);

/// The same, with where every lane of the launch is; `at_fault`: the lane that found out, or null.
[[noreturn]] void die_with_lanes(const std::string& why, const std::string& kernel,
                                 const std::vector<std::unique_ptr<block>>& blocks, const lane* at_fault);

/// Memory that nobody may touch, for AddressSanitizer.
void forbid(void* memory, std::size_t bytes);
void permit(void* memory, std::size_t bytes);

}  // namespace simulated
