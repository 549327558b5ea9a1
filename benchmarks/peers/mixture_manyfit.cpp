// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The comparison's work in manyfit, from the same files as the others.
#include "mixture_work.hpp"

#include <sys/resource.h>

#include <chrono>
#include <optional>

#include "manyfit/manyfit.hpp"

#if defined(MF_HAVE_CUDA)
#include "../device_fits.hpp"
#endif

namespace {

using manyfit::covariance_structure;

manyfit::mixture_results start_of(const mixture_work& work) {
  const auto structure = work.structure == "full" ? covariance_structure::full : covariance_structure::diagonal;
  const auto D = static_cast<int>(work.dimensions), K = static_cast<int>(work.components);
  manyfit::mixture_results start = manyfit::empty_mixtures(work.fits, K, D, structure);
  for (long fit = 0; fit < work.fits; ++fit) {
    start.components[static_cast<std::size_t>(fit)] = K;
    std::copy_n(work.weights(fit), K, start.weights.begin() + fit * K);
    std::copy_n(work.means(fit), K * D, start.means.begin() + fit * K * D);
    double* const covariances = start.covariances.data() + fit * K * D * D;
    for (int i = 0; i < K * D; ++i)
      for (int d = 0; d < D; ++d) covariances[i * D + d] = i % D == d ? work.variances(fit)[i] : 0.0;
  }
  return start;
}

template <class T>
void run(const mixture_work& work) {
  const std::vector<T> values(work.values.begin(), work.values.end());
  const bool on_cuda = work.device != "cpu";
  const manyfit::executor where = on_cuda ? manyfit::executor::cuda() : manyfit::executor::cpu();
  auto data = manyfit::dense_points<T>(values, static_cast<int>(work.dimensions), work.fits);
#if defined(MF_HAVE_CUDA)
  std::optional<device_array<T>> on_device;  // nothing of CUDA is asked for on a machine that has no driver
  if (on_cuda) {                             // as the other programs on a GPU have it
    on_device.emplace(values);
    data = manyfit::dense_points<T>(on_device->span(), static_cast<int>(work.dimensions), work.fits,
                                    manyfit::memory_space::device);
  }
#endif
  const manyfit::mixture_results start = start_of(work);
  manyfit::mixture_options options;
  options.covariance = start.covariance;
  options.start = manyfit::mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.regularization = 0;
  options.max_iterations = 1;
  manyfit::mixture_results found;
  const auto fit = [&] { found = manyfit::fit_mixture(where, data, options); };
  fit();  // warm; and a GPU's clocks rise within a second of work
  using clock = std::chrono::steady_clock;
  for (const auto began = clock::now(); on_cuda && clock::now() - began < std::chrono::seconds(1);) fit();
  const time_taken first = time_of(fit);
  options.max_iterations = 1 + static_cast<int>(work.iterations);
  const time_taken all = time_of(fit);
  answer("manyfit " + std::string(manyfit::version()) + (on_cuda ? " on " + where.name() : ""), first, all,
         found.log_likelihood);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::fprintf(stderr, "peak memory %.1f MB, of which the input, twice where it was rounded, %.1f MB\n",
               static_cast<double>(usage.ru_maxrss) / 1024,
               static_cast<double>(work.values.size() * sizeof(double) + values.size() * sizeof(T)) / 1048576);
}

}  // namespace

int main(int argc, char** argv) {
  const mixture_work work(argc, argv);
  work.precision == "float" ? run<float>(work) : run<double>(work);
}
