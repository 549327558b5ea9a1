// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A batch of samples in device memory, with memory for its results there: what a kernel's own time is measured on, by
// CUDA events around plan and launch, without copies of results and without the host's part of a call.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cuda/functions.hpp"
#include "kernels/operations.hpp"
#include "manyfit/manyfit.hpp"

inline void check_cuda(int e, const char* what) {
  if (e != cudaSuccess)
    throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(static_cast<cudaError_t>(e)));
}

/// An array in device memory, filled from the host's or not at all.
template <class T>
class device_array {
 public:
  explicit device_array(std::size_t size) : size_(size) {
    check_cuda(cudaMalloc(&data_, (size > 0 ? size : 1) * sizeof(T)), "take device memory");
  }
  explicit device_array(const std::vector<T>& host) : device_array(host, host.size()) {}
  /// `size` numbers: the host's pool over and over. Repeated on the device, since a billion draws take a host longer
  /// than a GPU is lent for.
  device_array(const std::vector<T>& pool, std::size_t size) : device_array(size) {
    std::size_t there = std::min(pool.size(), size);
    if (there == 0) return;
    check_cuda(cudaMemcpy(data_, pool.data(), there * sizeof(T), cudaMemcpyHostToDevice), "copy to the device");
    while (there < size) {
      const std::size_t more = std::min(there, size - there);
      check_cuda(cudaMemcpy(get() + there, data_, more * sizeof(T), cudaMemcpyDeviceToDevice), "copy on the device");
      there += more;
    }
  }
  ~device_array() { cudaFree(data_); }
  device_array(const device_array&) = delete;
  device_array& operator=(const device_array&) = delete;
  T* get() const { return static_cast<T*>(data_); }
  std::span<const T> span() const { return {get(), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_;
};

template <class T>
class device_fits {
 public:
  /// values: `size` of them, all samples end to end, the pool repeated; offsets: [fits + 1], or empty for samples of
  /// equal size.
  device_fits(const manyfit::family_info& family, const std::vector<T>& pool, std::size_t size,
              const std::vector<std::int64_t>& offsets, std::int64_t fits)
      : family_(family),
        fits_(fits),
        values_(pool, size),
        offsets_(offsets),
        ragged_(!offsets.empty()),
        workspace_(manyfit::plan_workspace_bytes(fits)),
        slots_(manyfit::grid_slot_count()),
        arrived_(1),
        numbers_((2 * static_cast<std::size_t>(family.parameter_count) + 1) * static_cast<std::size_t>(fits)),
        counts_(2 * static_cast<std::size_t>(fits)),
        iterations_(static_cast<std::size_t>(fits)),
        status_(static_cast<std::size_t>(fits)) {
    check_cuda(cudaEventCreate(&begin_), "make an event");
    check_cuda(cudaEventCreate(&end_), "make an event");
  }
  ~device_fits() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  device_fits(const device_fits&) = delete;
  device_fits& operator=(const device_fits&) = delete;

  /// The same data as a call of fit() takes them.
  manyfit::batch<T> batch() const {
    using manyfit::memory_space;
    return ragged_ ? manyfit::ragged(values_.span(), offsets_.span(), memory_space::device)
                   : manyfit::dense(values_.span(), fits_, memory_space::device);
  }

  /// Seconds on the device of planning the launch and fitting all samples.
  double kernel_seconds() {
    const auto n = static_cast<std::size_t>(fits_), p = static_cast<std::size_t>(family_.parameter_count);
    double* const numbers = numbers_.get();
    const manyfit::fit_results_view results{numbers,       numbers + p * n, numbers + 2 * p * n, iterations_.get(),
                                            status_.get(), counts_.get(),   counts_.get() + n,   fits_};
    const manyfit::batch<T> data = batch();
    manyfit::launch_plan plan;
    check_cuda(cudaEventRecord(begin_), "record an event");
    check_cuda(manyfit::plan_batch(data.view.offsets, data.view.size, fits_, workspace_.get(), plan, nullptr), "plan");
    plan.grid_slots = slots_.get();
    plan.grid_arrived = arrived_.get();
    if (!ragged_) {
      plan.used[manyfit::grid_tier] = manyfit::tier_of(data.view.size) == manyfit::grid_tier;
      plan.used[manyfit::block_tier] = manyfit::tier_of(data.view.size) != manyfit::warp_tier;
    }
    check_cuda(family_.cuda.of<T>()->fit(data.view, {}, results, plan, nullptr), "launch the fits");
    check_cuda(cudaEventRecord(end_), "record an event");
    check_cuda(cudaEventSynchronize(end_), "fit");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin_, end_), "read the events");
    return milliseconds * 1e-3;
  }

  std::int64_t fits() const { return fits_; }
  std::int64_t value_count() const { return static_cast<std::int64_t>(values_.span().size()); }
  bool ragged() const { return ragged_; }

  /// Fraction of the fits that the last kernel_seconds() ended as converged, and their mean number of iterations.
  double converged_fraction() const {
    const auto status = copied(status_);
    return static_cast<double>(std::count(status.begin(), status.end(), manyfit::fit_status::converged)) /
           static_cast<double>(fits_);
  }
  double mean_iterations() const {
    double sum = 0;
    for (const std::int32_t i : copied(iterations_)) sum += i;
    return sum / static_cast<double>(fits_);
  }

 private:
  template <class U>
  std::vector<U> copied(const device_array<U>& from) const {
    std::vector<U> to(static_cast<std::size_t>(fits_));
    check_cuda(cudaMemcpy(to.data(), from.get(), to.size() * sizeof(U), cudaMemcpyDeviceToHost), "copy to the host");
    return to;
  }

  const manyfit::family_info& family_;
  std::int64_t fits_;
  device_array<T> values_;
  device_array<std::int64_t> offsets_;
  bool ragged_;
  device_array<char> workspace_;
  device_array<double> slots_;
  device_array<unsigned long long> arrived_;
  device_array<double> numbers_;
  device_array<std::int64_t> counts_;
  device_array<std::int32_t> iterations_;
  device_array<manyfit::fit_status> status_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};
