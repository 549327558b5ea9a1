// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the passes of mixtures on CUDA responsibility: memory that steps go through, and plans of launches for attempts.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "cuda_memory.hpp"
#include "kernels/cuda/functions.hpp"
#include "kernels/models/mixture_of.hpp"

namespace manyfit::cuda {

/// Device memory for `size` elements.
template <class T>
class device_array {
 public:
  explicit device_array(std::size_t size) : size_(size), memory_(std::max<std::size_t>(size, 1) * sizeof(T)) {}
  T* data() const { return memory_.template as<T>(); }
  void copy_from(const T* from, std::size_t begin, std::size_t count, cudaStream_t stream) const {
    check(cudaMemcpyAsync(data() + begin, from, count * sizeof(T), cudaMemcpyHostToDevice, stream),
          "copy to the device");
  }
  void copy_from(const std::vector<T>& from, cudaStream_t stream) const { copy_from(from.data(), 0, size_, stream); }
  void copy_to(std::vector<T>& to, cudaStream_t stream) const {
    check(cudaMemcpyAsync(to.data(), data(), size_ * sizeof(T), cudaMemcpyDeviceToHost, stream), "copy to the host");
  }

 private:
  std::size_t size_;
  device_buffer memory_;
};

/// Numbers that a step takes to the device, or back.
template <class T>
struct mirrored {
  std::vector<T> host;
  device_array<T> device;
  explicit mirrored(std::size_t size, T value = {}) : host(size, value), device(size) {}
  void send(cudaStream_t stream) const { device.copy_from(host, stream); }
  void fetch(cudaStream_t stream) { device.copy_to(host, stream); }
};

/// Attempts whose samples lie end to end, and plans of launches for some of them, with `copies` fits for each: fit
/// c × attempts + a is of attempt a.
class attempt_plans {
 public:
  attempt_plans(std::span<const mixture_attempt> attempts, std::size_t copies, cudaStream_t stream)
      : stream_(stream),
        A_(attempts.size()),
        copies_(copies),
        offsets_{0},
        by_size_(A_),
        order_(copies * A_),
        bounds_(2 * tier_count),
        next_(tier_count),
        grid_(grid_slot_count() + 32) {
    for (const mixture_attempt& a : attempts) offsets_.push_back(offsets_.back() + a.sample->observations);
    std::iota(by_size_.begin(), by_size_.end(), 0);
    std::stable_sort(by_size_.begin(), by_size_.end(), [&](int a, int b) { return size_of(a) > size_of(b); });
  }

  const std::vector<std::int64_t>& offsets() const { return offsets_; }  ///< [attempts + 1], of each attempt's values
  std::size_t begin_of(int attempt) const {
    return static_cast<std::size_t>(offsets_[static_cast<std::size_t>(attempt)]);
  }
  std::size_t size_of(int attempt) const { return begin_of(attempt + 1) - begin_of(attempt); }
  std::int64_t values() const { return offsets_.back(); }

  /// The plan of a launch for the attempts that want it, largest first; without an order where none does.
  template <class Wants>
  launch_plan plan_for(std::span<const em_pass> passes, Wants wants) {
    std::vector<char> wanted(A_);
    for (const em_pass& pass : passes) wanted[static_cast<std::size_t>(pass.attempt)] = wants(pass);
    std::size_t listed = 0;
    launch_plan plan;
    for (int t = 0; t < tier_count; ++t) plan.used[t] = false;
    std::fill(bounds_.host.begin(), bounds_.host.end(), 0);
    for (const int a : by_size_) {
      if (!wanted[static_cast<std::size_t>(a)]) continue;
      const auto size = static_cast<std::int64_t>(size_of(a));
      const tier_index t = tier_of(size);
      if (!plan.used[t]) bounds_.host[2 * t] = static_cast<std::int64_t>(listed);
      plan.used[t] = true;
      if (listed == 0) plan.largest = size;
      for (std::size_t c = 0; c < copies_; ++c) order_.host[listed++] = static_cast<std::int32_t>(c * A_) + a;
      bounds_.host[2 * t + 1] = static_cast<std::int64_t>(listed);
    }
    if (listed == 0) return plan;
    order_.send(stream_);
    bounds_.send(stream_);
    plan.order = order_.device.data();
    plan.bounds = bounds_.device.data();
    plan.next = next_.data();
    plan.grid_slots = grid_.data();
    plan.grid_arrived = reinterpret_cast<unsigned long long*>(grid_.data() + grid_slot_count());
    return plan;
  }

 private:
  cudaStream_t stream_;
  std::size_t A_, copies_;
  std::vector<std::int64_t> offsets_;
  std::vector<int> by_size_;
  mirrored<std::int32_t> order_;
  mirrored<std::int64_t> bounds_;
  device_array<std::int64_t> next_;
  device_array<double> grid_;
};

/// Attempts that are worth a thread in what is done once for each.
inline constexpr int attempts_at_a_time = 256;

}  // namespace manyfit::cuda
