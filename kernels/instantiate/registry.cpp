// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The table of registered families, made from families.def.
#include "kernels/registry.hpp"

#include "kernels/families/all.hpp"
#include "kernels/gaussian_mixture/functions.hpp"

namespace manyfit {

#define MF_FAMILY(family)                             \
  extern const cpu_functions cpu_##family##_baseline; \
  extern const cpu_functions cpu_##family##_avx2;     \
  extern const cpu_functions cpu_##family##_avx512;   \
  extern const cpu_simulate simulate_##family;        \
  extern const cuda_functions cuda_##family;
#include "kernels/families/families.def"
#undef MF_FAMILY

#if defined(MF_HAVE_BASELINE)
#define MF_BASELINE(family) &cpu_##family##_baseline
#else
#define MF_BASELINE(family) nullptr
#endif
#if defined(MF_HAVE_AVX2)
#define MF_AVX2(family) &cpu_##family##_avx2
#else
#define MF_AVX2(family) nullptr
#endif
#if defined(MF_HAVE_AVX512)
#define MF_AVX512(family) &cpu_##family##_avx512
#else
#define MF_AVX512(family) nullptr
#endif
#if defined(MF_HAVE_CUDA)
#define MF_CUDA(family) &cuda_##family
#else
#define MF_CUDA(family) nullptr
#endif

const family_info* registered_families(int& count) {
#define MF_FAMILY(family)                                            \
  {.name = family::name,                                             \
   .parameters = family::parameters,                                 \
   .parameter_count = parameter_count<family>,                       \
   .support = family::support::text,                                 \
   .discrete = family::support::discrete,                            \
   .ends = ends_of<family>(),                                        \
   .closed_form = has_statistics<family>,                            \
   .cpu = {MF_BASELINE(family), MF_AVX2(family), MF_AVX512(family)}, \
   .simulate = simulate_##family,                                    \
   .cuda = MF_CUDA(family)},
  static const family_info table[] = {
#include "kernels/families/families.def"
  };
#undef MF_FAMILY
  count = static_cast<int>(std::size(table));
  return table;
}

extern const mixture_cpu_functions mixture_cpu_baseline, mixture_cpu_avx2, mixture_cpu_avx512;

const mixture_cpu_functions* mixture_functions(instruction_set set) {
  switch (set) {
#if defined(MF_HAVE_BASELINE)
    case instruction_set::baseline:
      return &mixture_cpu_baseline;
#endif
#if defined(MF_HAVE_AVX2)
    case instruction_set::avx2:
      return &mixture_cpu_avx2;
#endif
#if defined(MF_HAVE_AVX512)
    case instruction_set::avx512:
      return &mixture_cpu_avx512;
#endif
    default:
      return nullptr;
  }
}

instruction_set best_instruction_set() {
#if defined(MF_HAVE_AVX512) || defined(MF_HAVE_AVX2)
  __builtin_cpu_init();
#endif
#if defined(MF_HAVE_AVX512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    return instruction_set::avx512;
#endif
#if defined(MF_HAVE_AVX2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return instruction_set::avx2;
#endif
  return instruction_set::baseline;
}

}  // namespace manyfit
