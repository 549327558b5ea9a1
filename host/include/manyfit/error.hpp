// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace manyfit {

/// What a wrong call throws. Bad data never throws: each fit has a status. The message says what was given, what was
/// expected and what to do.
class error : public std::runtime_error {
 public:
  enum class kind {
    argument,  ///< a wrong shape, name or option
    device,    ///< no such device, or it cannot be used, or a call to it failed
    memory     ///< host or device memory does not suffice
  };
  error(kind why, const std::string& message) : std::runtime_error(message), why_(why) {}
  kind why() const { return why_; }

 private:
  kind why_;
};

}  // namespace manyfit
