// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What every public function does about its arguments and about memory. Sizes that a caller hands in are compared with
// what they are used for before anything is read: a call that does not fit throws error::kind::argument and reads
// nothing. Pointers without a length (parameters_view, points_view) can only be told from null.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <stdexcept>

#include "manyfit/family_mixture.hpp"
#include "manyfit/mixture.hpp"

namespace manyfit {

/// The product of sizes, none negative. Throws error::kind::argument, naming `what`, where one is negative or the
/// product is more than any memory: 2^60.
std::int64_t product_of(const char* what, std::initializer_list<std::int64_t> sizes);

template <class T>
void check(const batch<T>& data);
template <class T>
void check(const point_batch<T>& data);
/// Of `count` fits, or of one for all.
void check(const parameters_view& parameters, std::int64_t count);
/// Arrays of the sizes that the members say, components within their capacity.
void check(const mixture_results& mixtures, const char* what);
void check(const family_mixture_results& mixtures, const char* what);
/// `value` is one of the enumeration's values 0 ... count − 1.
template <class Enumeration>
void check_choice(const char* what, Enumeration value, int count);

/// Throws the error that says so. Nothing is allocated for it.
[[noreturn]] void throw_out_of_memory();

/// work(), with memory that cannot be had as error::kind::memory.
template <class Work>
auto guarded(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw_out_of_memory();
  } catch (const std::length_error&) {  // a vector of more elements than there are addresses
    throw_out_of_memory();
  }
}

}  // namespace manyfit
