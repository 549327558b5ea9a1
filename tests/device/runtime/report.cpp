// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <cstdio>
#include <cstdlib>

#include "chance.hpp"
#include "grid.hpp"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace simulated {

namespace {

const char* name_of(collective_kind kind) {
  switch (kind) {
    case collective_kind::shuffle_xor:
      return "__shfl_xor_sync";
    case collective_kind::shuffle:
      return "__shfl_sync";
    case collective_kind::shuffle_down:
      return "__shfl_down_sync";
    case collective_kind::shuffle_up:
      return "__shfl_up_sync";
    case collective_kind::any:
      return "__any_sync";
    case collective_kind::all:
      return "__all_sync";
    case collective_kind::ballot:
      return "__ballot_sync";
    case collective_kind::sync:
      return "__syncwarp";
    default:
      return "nothing";
  }
}

std::string state_of(const warp& w, int i) {
  const std::uint32_t bit = std::uint32_t{1} << i;
  if (w.ended & bit) return "have ended";
  if (w.at_barrier & bit) return "wait at __syncthreads";
  if (w.at_collective & bit) {
    const collective_call& at = w.lanes[i].at;
    char text[96];
    std::snprintf(text, sizeof text, "wait at %s(mask %08x, argument %d)", name_of(at.kind), at.mask, at.argument);
    return text;
  }
  if (w.sleeping & bit) return "sleep and look at memory again";
  return "run";
}

}  // namespace

void die(const std::string& why) {
  std::fprintf(stderr, "simulated device: %s\n", why.c_str());
  std::fflush(stderr);
  std::abort();
}

void die_with_lanes(const std::string& why, const std::string& kernel,
                    const std::vector<std::unique_ptr<block>>& blocks, const lane* at_fault) {
  std::string text = why + "\n  kernel " + kernel;
  if (at_fault)
    text += ", found by thread " + std::to_string(at_fault->where.thread.x) + " of block " +
            std::to_string(at_fault->where.block.x);
  constexpr int most = 40;
  int lines = 0;
  for (const auto& b : blocks)
    for (const auto& w : b->warps)
      for (int first = 0, last = 0; first < warp_lanes; first = last) {  // runs of lanes in the same place
        const std::string state = state_of(*w, first);
        for (last = first; last < warp_lanes && state_of(*w, last) == state;) ++last;
        if (lines++ >= most) continue;
        text += "\n  block " + std::to_string(b->number) + ", warp " + std::to_string(w->number) + ": lanes " +
                std::to_string(first) + " to " + std::to_string(last - 1) + " " + state;
      }
  if (lines > most) text += "\n  and " + std::to_string(lines - most) + " more";
  die(text);
}

void forbid(void* memory, std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(memory, bytes);
#endif
  (void)memory, (void)bytes;
}
void permit(void* memory, std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(memory, bytes);
#endif
  (void)memory, (void)bytes;
}

namespace chance {

namespace {
std::uint64_t state = 1;
}

void seed(std::uint64_t value) {
  state = value * 0x9e3779b97f4a7c15u + 1;
}

unsigned draw() {  // splitmix64
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<unsigned>((z ^ (z >> 31)) >> 32);
}

}  // namespace chance

}  // namespace simulated
