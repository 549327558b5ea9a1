// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/executor.hpp"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "cuda_backend.hpp"
#include "kernels/registry.hpp"
#include "manyfit/error.hpp"

namespace manyfit {

namespace {
/// Cores that this process may run on.
int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, omp_get_num_procs());
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "CPU";
}
}  // namespace

std::vector<device_info> devices() {
  static constexpr const char* sets[] = {"baseline instructions", "AVX2", "AVX-512"};
  device_info cpu{"cpu", processor_name(), 0, true, ""};
  cpu.memory = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGE_SIZE));
  cpu.note = std::to_string(available_cores()) + " threads, " + sets[static_cast<int>(best_instruction_set())];
  std::vector<device_info> result{cpu};
  for (device_info& device : cuda::devices()) result.push_back(std::move(device));
  return result;
}

executor executor::cpu(int threads) {
  if (threads < 0)
    throw error(error::kind::argument, "threads: " + std::to_string(threads) + " given; 0 (all) or more expected");
  executor result;
  result.threads_ = threads > 0 ? threads : available_cores();
  return result;
}

executor executor::cuda(int device, void* stream) {
  const std::string why = cuda::refusal(device);
  if (!why.empty()) throw error(error::kind::device, "cuda:" + std::to_string(device) + " cannot be used: " + why);
  executor result = cpu();
  result.device_ = device;
  result.stream_ = stream;
  return result;
}

executor executor::best() {
  const int count = cuda::device_count();
  for (int device = 0; device < count; ++device)  // those behind the first that can be used are left alone
    if (cuda::refusal(device).empty()) return cuda(device);
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
