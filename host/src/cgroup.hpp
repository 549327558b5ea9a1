// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace manyfit {

/// What Linux's control groups leave this process: a container's fraction of the machine.
struct process_limits {
  double cores = std::numeric_limits<double>::infinity();            ///< time on cores per time
  std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();  ///< bytes
};

/// The least of the limits of the process's groups and of all groups above them, of version 1 (cpu.cfs_quota_us,
/// memory.limit_in_bytes) and version 2 (cpu.max, memory.max). `groups` is in the format of /proc/self/cgroup, `root`
/// the folder in which the hierarchies are mounted; what cannot be read limits nothing. Source: Linux,
/// Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
process_limits cgroup_limits(const std::string& groups = "/proc/self/cgroup",
                             const std::string& root = "/sys/fs/cgroup");

/// Threads that a process with so many cores can keep busy within its limits: no more than its quota of time on them,
/// and at least one.
int busy_threads(int cores, const process_limits& limits);

}  // namespace manyfit
