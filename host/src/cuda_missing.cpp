// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The answers of a build without CUDA.
#include "cuda_backend.hpp"

namespace manyfit::cuda {

namespace {
const char* const why = "this build of manyfit has no CUDA back end; build it where nvcc is on the PATH";
[[noreturn]] void throw_no_cuda() {
  throw error(error::kind::device, why);
}
}  // namespace

int device_count() {
  return 0;
}
std::vector<device_info> devices() {
  return {};
}
std::string why_unusable(int) {
  return why;
}

template <class T>
void fit(const executor&, const family_info&, const batch<T>&, const fit_settings&, const fit_results_view&,
         const progress_function&) {
  throw_no_cuda();
}
template <class T>
void fit_posterior(const executor&, const family_info&, const batch<T>&, const fit_settings&, const posterior_problem&,
                   const fit_results_view&, const progress_function&) {
  throw_no_cuda();
}
template <class T>
void numbers(const executor&, const family_info&, const batch<T>&, const parameters_view&, bool, double*,
             const numbers_launch<T>&) {
  throw_no_cuda();
}
template <class T>
void run_mixtures(const executor&, const point_batch<T>&, const mixture_settings&, mixture_task*, std::int64_t,
                  std::atomic<std::int64_t>*, std::atomic<double>*) {
  throw_no_cuda();
}
template <class T>
void score_mixtures(const executor&, const point_batch<T>&, const mixture_results&, mixture_scores&) {
  throw_no_cuda();
}
void run_family_mixtures(const executor&, std::span<const mixture_part>, int, std::span<mixture_attempt>,
                         std::span<em_climb>, bool, const em_settings&) {
  throw_no_cuda();
}
std::int64_t family_mixture_values(const executor&, std::size_t, std::size_t) {
  throw_no_cuda();
}
template <class T>
const operations<on_cuda, T>& table_of(const family_info&) {
  throw_no_cuda();
}
template <class T>
host_batch<T> copy_of(const executor&, const batch<T>&) {
  throw_no_cuda();
}
template <class T>
host_points<T> copy_of(const executor&, const point_batch<T>&) {
  throw_no_cuda();
}
void copy_to_host(const executor&, const float*, std::int64_t, float*) {
  throw_no_cuda();
}
void simulate(const executor&, const family_info&, const parameters_view&, std::int64_t, std::int64_t, std::uint64_t,
              const std::uint64_t*, double*) {
  throw_no_cuda();
}

#define MF_INSTANTIATE(T)                                                                                            \
  template void fit(const executor&, const family_info&, const batch<T>&, const fit_settings&,                       \
                    const fit_results_view&, const progress_function&);                                              \
  template void fit_posterior(const executor&, const family_info&, const batch<T>&, const fit_settings&,             \
                              const posterior_problem&, const fit_results_view&, const progress_function&);          \
  template void numbers(const executor&, const family_info&, const batch<T>&, const parameters_view&, bool, double*, \
                        const numbers_launch<T>&);                                                                   \
  template const operations<on_cuda, T>& table_of(const family_info&);                                               \
  template void run_mixtures(const executor&, const point_batch<T>&, const mixture_settings&, mixture_task*,         \
                             std::int64_t, std::atomic<std::int64_t>*, std::atomic<double>*);                        \
  template void score_mixtures(const executor&, const point_batch<T>&, const mixture_results&, mixture_scores&);     \
  template host_batch<T> copy_of(const executor&, const batch<T>&);                                                  \
  template host_points<T> copy_of(const executor&, const point_batch<T>&);
MF_INSTANTIATE(double)
MF_INSTANTIATE(float)

}  // namespace manyfit::cuda
