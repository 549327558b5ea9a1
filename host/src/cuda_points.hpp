// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Points of many fits on their way to a CUDA device.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>
#include <vector>

#include "cuda_memory.hpp"
#include "kernels/cuda/mixture_functions.hpp"
#include "manyfit/mixture.hpp"

namespace manyfit::cuda {

template <class T>
const cuda_mixture_functions<T>& mixture_functions_of() {
  if constexpr (std::is_same_v<T, double>)
    return cuda_mixture_double;
  else
    return cuda_mixture_float;
}

/// Host memory that the device reads in place, for as long as this lives; memory that the caller has pinned stays so.
class mapped_memory {
 public:
  mapped_memory(const void* data, std::size_t bytes) : data_(const_cast<void*>(data)) {
    if (is_pinned(data_) && is_pinned(static_cast<char*>(data_) + bytes - 1)) return;
    check(cudaHostRegister(data_, bytes, cudaHostRegisterMapped | cudaHostRegisterReadOnly), "pin the points' memory");
    registered_ = true;
  }
  ~mapped_memory() {
    if (registered_) cudaHostUnregister(data_);
  }
  mapped_memory(const mapped_memory&) = delete;
  mapped_memory& operator=(const mapped_memory&) = delete;
  template <class T>
  const T* on_device() const {
    void* at = nullptr;
    check(cudaHostGetDevicePointer(&at, data_, 0), "map the points' memory");
    return static_cast<const T*>(at);
  }

 private:
  static bool is_pinned(const void* at) {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, at), "ask what memory the points are in");
    return attributes.type == cudaMemoryTypeHost;
  }
  void* data_;
  bool registered_ = false;
};

/// The points of a chunk of fits, in a place that the device reads.
template <class T>
class points_on_device {
 public:
  points_on_device(const point_batch<T>& data, std::int64_t begin, std::int64_t end, std::int64_t most_bytes,
                   cudaStream_t stream)
      : view_(data.view) {
    const points_view<T>& all = data.view;
    const std::int64_t D = all.dimensions, first = all.first_row(begin);
    const std::int64_t rows = all.offsets ? all.offsets[end] - first : (end - begin) * all.size;
    view_.count = end - begin;
    if (all.offsets) {
      offsets_host_.resize(static_cast<std::size_t>(view_.count) + 1);
      for (std::int64_t i = 0; i <= view_.count; ++i) offsets_host_[i] = all.offsets[begin + i] - first;
      offsets_ = device_buffer(offsets_host_.size() * 8);
      check(cudaMemcpyAsync(offsets_.template as<char>(), offsets_host_.data(), offsets_host_.size() * 8,
                            cudaMemcpyHostToDevice, stream),
            "copy offsets to the device");
      view_.offsets = offsets_.template as<std::int64_t>();
    }
    const auto bring = [&](const T* from, std::int64_t numbers, device_buffer& buffer) -> const T* {
      const auto bytes = static_cast<std::size_t>(numbers) * sizeof(T);
      if (data.memory == memory_space::device || bytes == 0) return from;
      if (static_cast<std::int64_t>(bytes) > most_bytes) {
        mapped_.push_back(std::make_unique<mapped_memory>(from, bytes));
        return mapped_.back()->template on_device<T>();
      }
      buffer = device_buffer(bytes);
      check(cudaMemcpyAsync(buffer.template as<T>(), from, bytes, cudaMemcpyHostToDevice, stream),
            "copy points to the device");
      return buffer.template as<T>();
    };
    view_.values = bring(all.values + first * D, rows * D, values_);
    if (all.weights) view_.weights = bring(all.weights + first, rows, weights_);
  }
  const points_view<T>& view() const { return view_; }

 private:
  points_view<T> view_;
  std::vector<std::int64_t> offsets_host_;
  device_buffer values_, weights_, offsets_;
  std::vector<std::unique_ptr<mapped_memory>> mapped_;
};

}  // namespace manyfit::cuda
