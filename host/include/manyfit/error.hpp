// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace manyfit {

/// What a wrong call throws. Bad data never throws: each fit has a status. The message says what was given, what was
/// expected and what to do. What a callback of the caller's own throws (progress, a point_source, a score_receiver)
/// ends the call and comes out as it was thrown; std::bad_alloc anywhere comes out as kind::memory.
class error : public std::runtime_error {
 public:
  enum class kind {
    argument,  ///< a wrong shape, name or option
    device,    ///< no such device, or it cannot be used, or a call to it failed
    memory     ///< host or device memory does not suffice, or no more threads can be started
  };
  error(kind why, const std::string& message) : std::runtime_error(message), why_(why) {}
  kind why() const { return why_; }

 private:
  kind why_;
};

/// `at` as an index into an array of `size` elements. Throws error::kind::argument outside of it.
inline std::size_t checked_index(const char* array, std::int64_t at, std::size_t size) {
  if (at < 0 || static_cast<std::uint64_t>(at) >= size)
    throw error(error::kind::argument, std::string(array) + ": element " + std::to_string(at) +
                                           " asked for; there are " + std::to_string(size));
  return static_cast<std::size_t>(at);
}

}  // namespace manyfit
