// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The registered families, in the order of families.def, and which cells of the table of operations this build has:
// what models.def does not list is null.
#include "kernels/registry.hpp"

#include "kernels/contracts/family_traits.hpp"
#include "kernels/families/all.hpp"
#include "kernels/gaussian_mixture/functions.hpp"

namespace manyfit {
using namespace families;  // gamma too

namespace {

/// What models.def lists is found by a key: built(key<families::gamma, avx2, double>()).
template <class...>
struct key {};
constexpr std::nullptr_t built(...) {
  return nullptr;
}
struct baseline;
struct avx2;
struct avx512;
struct cuda;

}  // namespace

#define MF_MODEL(family, target, on, type)                      \
  extern const operations<on, type> family##_##target##_##type; \
  static constexpr auto built(key<family, target, type>) {      \
    return &family##_##target##_##type;                         \
  }
#define MF_DRAWS(family, target)                                \
  extern const target##_simulate family##_##target##_simulate;  \
  static constexpr auto built(key<family, target##_simulate>) { \
    return &family##_##target##_simulate;                       \
  }
#define MF_MIXTURES(target)                                \
  extern const mixture_cpu_functions mixture_cpu_##target; \
  static constexpr auto built(key<target>) {               \
    return &mixture_cpu_##target;                          \
  }
#define MF_VISITS(family, target)                                \
  extern const cpu_visits family##_##target##_visits;            \
  static constexpr auto built(key<family, target, cpu_visits>) { \
    return &family##_##target##_visits;                          \
  }
#define MF_PASSES(family)                                 \
  extern const cuda_passes family##_cuda_passes;          \
  static constexpr auto built(key<family, cuda_passes>) { \
    return &family##_cuda_passes;                         \
  }
#include "kernels/models.def"

template <class Family>
static constexpr family_traits traits_of_registered = traits_of<Family>();

template <class Family>
static constexpr family_info registered() {
  family_info info = description_of<Family>();
  info.cpu[0] = {built(key<Family, baseline, double>()), built(key<Family, baseline, float>())};
  info.cpu[1] = {built(key<Family, avx2, double>()), built(key<Family, avx2, float>())};
  info.cpu[2] = {built(key<Family, avx512, double>()), built(key<Family, avx512, float>())};
  info.cuda = {built(key<Family, cuda, double>()), built(key<Family, cuda, float>())};
  info.simulate = built(key<Family, cpu_simulate>());
  info.simulate_on_cuda = built(key<Family, cuda_simulate>());
  info.traits = &traits_of_registered<Family>;
  info.visits[0] = built(key<Family, baseline, cpu_visits>());
  info.visits[1] = built(key<Family, avx2, cpu_visits>());
  info.visits[2] = built(key<Family, avx512, cpu_visits>());
  info.passes = built(key<Family, cuda_passes>());
  return info;
}

const family_info* registered_families(int& count) {
#define MF_FAMILY(family) registered<family>(),
  static constexpr family_info table[] = {
#include "kernels/families/families.def"
  };
#undef MF_FAMILY
  count = static_cast<int>(std::size(table));
  return table;
}

const mixture_cpu_functions* mixture_functions(instruction_set set) {
  static constexpr const mixture_cpu_functions* all[] = {built(key<baseline>()), built(key<avx2>()),
                                                         built(key<avx512>())};
  static_assert(std::size(all) == instruction_set_count);
  return all[static_cast<int>(set)];
}

instruction_set best_instruction_set() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (mixture_functions(instruction_set::avx512) && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd"))
    return instruction_set::avx512;
  if (mixture_functions(instruction_set::avx2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2"))
    return instruction_set::avx2;
#endif
  return instruction_set::baseline;
}

}  // namespace manyfit
