// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/executor.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

#include "cgroup.hpp"
#include "cuda_backend.hpp"
#include "kernels/registry.hpp"
#include "manyfit/error.hpp"

namespace manyfit {

namespace {
/// Read once: a call per fit may ask.
const process_limits& limits() {
  static const process_limits limits = cgroup_limits();
  return limits;
}

/// Threads that this process can keep busy on the cores that it may run on.
int available_cores() {
  cpu_set_t set;
  const long online = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
  return busy_threads(static_cast<int>(std::clamp<long>(online, 1, max_threads)), limits());
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "CPU";
}
}  // namespace

std::size_t host_memory() {
  const auto machine =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  return static_cast<std::size_t>(std::min(machine, limits().memory));
}

std::vector<device_info> devices() {
  static constexpr const char* sets[] = {"baseline instructions", "AVX2", "AVX-512"};
  device_info cpu{"cpu", processor_name(), 0, true, ""};
  cpu.memory = host_memory();
  cpu.note = std::to_string(available_cores()) + " threads, " + sets[static_cast<int>(best_instruction_set())];
  std::vector<device_info> result{cpu};
  for (device_info& device : cuda::devices()) result.push_back(std::move(device));
  return result;
}

executor executor::cpu(int threads) {
  if (threads < 0)
    throw error(error::kind::argument, "threads: " + std::to_string(threads) + " given; 0 (all) or more expected");
  if (threads > max_threads)
    throw error(error::kind::memory, "threads: " + std::to_string(threads) + " given; at most " +
                                         std::to_string(max_threads) + " can be started, and " +
                                         std::to_string(available_cores()) + " can be kept busy here");
  executor result;
  result.threads_ = threads > 0 ? threads : available_cores();
  return result;
}

executor executor::cuda(int device, void* stream) {
  const std::string why = cuda::why_unusable(device);
  if (!why.empty()) throw error(error::kind::device, "cuda:" + std::to_string(device) + " cannot be used: " + why);
  executor result = cpu();
  result.device_ = device;
  result.stream_ = stream;
  return result;
}

executor executor::best() {
  const int count = cuda::device_count();
  for (int device = 0; device < count; ++device)  // those behind the first that can be used are left alone
    if (cuda::why_unusable(device).empty()) return cuda(device);
  return cpu();
}

std::string executor::name() const {
  return is_cuda() ? "cuda:" + std::to_string(device_) : "cpu";
}

executor executor::with_memory_limit(std::size_t bytes) const {
  executor result = *this;
  result.memory_limit_ = bytes;
  return result;
}

}  // namespace manyfit
