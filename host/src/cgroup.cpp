// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "cgroup.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

namespace manyfit {

namespace {

void limit_cores(process_limits& limits, double quota, double period) {
  if (quota > 0 && period > 0) limits.cores = std::min(limits.cores, quota / period);
}

void read_group(const std::string& folder, process_limits& limits) {
  std::uint64_t bytes = 0;
  for (const char* name : {"/memory.max", "/memory.limit_in_bytes"})  // "max" is no number
    if (std::ifstream(folder + name) >> bytes) limits.memory = std::min(limits.memory, bytes);
  double quota = 0, period = 0;
  if (std::ifstream file(folder + "/cpu.max"); file >> quota >> period) limit_cores(limits, quota, period);
  // −1: no quota.
  if (std::ifstream(folder + "/cpu.cfs_quota_us") >> quota && std::ifstream(folder + "/cpu.cfs_period_us") >> period)
    limit_cores(limits, quota, period);
}

}  // namespace

process_limits cgroup_limits(const std::string& groups, const std::string& root) {
  process_limits limits;
  std::ifstream file(groups);
  for (std::string line; std::getline(file, line);) {  // NUMBER:CONTROLLERS:PATH
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    std::vector<std::string> mounts = {root + "/" + controllers};
    if (controllers.empty()) mounts = {root, root + "/unified"};
    if (controllers == "cpu,cpuacct") mounts = {root + "/cpu,cpuacct", root + "/cpu"};
    for (const std::string& mount : mounts)
      for (std::string group = path == "/" ? "" : path;; group.resize(group.rfind('/'))) {
        read_group(mount + group, limits);  // a container may see its own group as the root
        if (group.empty() || group.rfind('/') == group.npos) break;
      }
  }
  return limits;
}

int busy_threads(int cores, const process_limits& limits) {
  return limits.cores < cores ? std::max(1, static_cast<int>(std::ceil(limits.cores))) : cores;
}

}  // namespace manyfit
