// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace manyfit {

/// Something that fits can run on, as `manyfit devices` lists it.
struct device_info {
  std::string id;          ///< "cpu", "cuda:0", ...; what --device takes
  std::string name;        ///< as the vendor names it
  std::size_t memory = 0;  ///< bytes in all; 0 when unknown
  bool usable = false;
  std::string note;  ///< instruction set and threads, or compute capability, or why it is not usable
};

/// The CPU first, then every CUDA device there is (also those that cannot be used, with the reason).
std::vector<device_info> devices();

/// Most CPU threads that an executor may be given.
inline constexpr int max_threads = 4096;

/// Bytes of memory that this process may use: the machine's, or what its control groups (cgroups, as of a container)
/// allow where that is less.
std::size_t host_memory();

/// Where work runs. A value: copying is free, nothing is allocated until work is given to it.
class executor {
 public:
  /// CPU threads; 0: one per core that this process may use (its affinity and its control groups' quota). Bits of a
  /// result do not depend on it. Throws error::kind::memory for more than max_threads; so does a call that cannot start
  /// the threads that it has work for.
  static executor cpu(int threads = 0);
  /// CUDA device `device`; `stream` is the caller's cudaStream_t (null: the default stream), on which all work is
  /// ordered. Throws error::kind::device when this build or machine has no such device.
  static executor cuda(int device = 0, void* stream = nullptr);
  /// The first usable CUDA device, else the CPU.
  static executor best();

  bool is_cuda() const { return device_ >= 0; }
  int threads() const { return threads_; }  ///< CPU threads, at least 1
  int device() const { return device_; }    ///< CUDA device number, or -1
  void* stream() const { return stream_; }  ///< cudaStream_t, or null
  /// "cpu" or "cuda:0": what results say they ran on.
  std::string name() const;

  /// The most device memory in bytes that a call may take for data; larger batches are streamed in chunks. 0: what is
  /// free.
  executor with_memory_limit(std::size_t bytes) const;
  std::size_t memory_limit() const { return memory_limit_; }

 private:
  int threads_ = 1;
  int device_ = -1;
  void* stream_ = nullptr;
  std::size_t memory_limit_ = 0;
};

}  // namespace manyfit
