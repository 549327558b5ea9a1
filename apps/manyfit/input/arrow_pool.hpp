// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Included only where MF_WITH_ARROW is defined.

#pragma once

#include <arrow/memory_pool.h>
#include <arrow/status.h>

#include <cstddef>
#include <cstdint>

namespace manyfit::app {

/// Memory for what a file holds. An allocation larger than any file of that size can hold is refused as the file's
/// fault, so that what fails otherwise is known to be the machine's: the tightest of Parquet's and Feather's
/// compressions, zstd of equal bytes, packs 32768 into one.
class plausible_pool : public arrow::ProxyMemoryPool {
 public:
  explicit plausible_pool(std::size_t file_bytes)
      : ProxyMemoryPool(arrow::default_memory_pool()), most_(most_for(file_bytes)) {}

  /// The largest allocation that a file of so many bytes may ask for.
  static std::int64_t most_for(std::size_t file_bytes) {
    return (std::int64_t{1} << 30) + (static_cast<std::int64_t>(file_bytes) << 16);
  }

  using MemoryPool::Allocate;
  using MemoryPool::Reallocate;
  arrow::Status Allocate(std::int64_t size, std::int64_t alignment, std::uint8_t** out) override {
    ARROW_RETURN_NOT_OK(plausible(size));
    return ProxyMemoryPool::Allocate(size, alignment, out);
  }
  arrow::Status Reallocate(std::int64_t old_size, std::int64_t new_size, std::int64_t alignment,
                           std::uint8_t** at) override {
    ARROW_RETURN_NOT_OK(plausible(new_size));
    return ProxyMemoryPool::Reallocate(old_size, new_size, alignment, at);
  }

 private:
  arrow::Status plausible(std::int64_t size) const {
    if (size >= 0 && size <= most_) return arrow::Status::OK();
    return arrow::Status::Invalid("a column claims ", size, " bytes, more than the file can hold");
  }

  std::int64_t most_;
};

}  // namespace manyfit::app
