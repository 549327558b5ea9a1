// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The comparison's work in Armadillo: gmm_diag and gmm_full, threads inside one fit by its own OpenMP code, or over
// fits where there are many. Armadillo floors variances; the floor here is far below any that the data lead to.
#include <armadillo>

#include "mixture_work.hpp"

namespace {

arma::gmm_diag start_of(const mixture_work& work, long fit, arma::gmm_diag*) {
  arma::gmm_diag model;
  const auto D = static_cast<arma::uword>(work.dimensions), K = static_cast<arma::uword>(work.components);
  model.set_params(arma::mat(work.means(fit), D, K), arma::mat(work.variances(fit), D, K),
                   arma::rowvec(work.weights(fit), K));
  return model;
}

arma::gmm_full start_of(const mixture_work& work, long fit, arma::gmm_full*) {
  arma::gmm_full model;
  const auto D = static_cast<arma::uword>(work.dimensions), K = static_cast<arma::uword>(work.components);
  arma::cube covariances(D, D, K, arma::fill::zeros);
  for (arma::uword k = 0; k < K; ++k) covariances.slice(k).diag() = arma::vec(work.variances(fit) + k * D, D);
  model.set_params(arma::mat(work.means(fit), D, K), covariances, arma::rowvec(work.weights(fit), K));
  return model;
}

template <class Model>
void run(mixture_work& work) {
  const long each = work.rows * work.dimensions;
  std::vector<double> log_likelihood(static_cast<std::size_t>(work.fits));
  const auto sample = [&](long fit) {
    return arma::mat(work.values.data() + fit * each, static_cast<arma::uword>(work.dimensions),
                     static_cast<arma::uword>(work.rows), false, true);
  };
  std::vector<Model> models(static_cast<std::size_t>(work.fits));
  const auto learn = [&](long fit, long iterations) {
    Model& model = models[static_cast<std::size_t>(fit)];
    model = start_of(work, fit, static_cast<Model*>(nullptr));
    model.learn(sample(fit), static_cast<arma::uword>(work.components), arma::maha_dist, arma::keep_existing, 0,
                static_cast<arma::uword>(iterations), 1e-30, false);
  };
  const auto fit_all = [&](long iterations) {
    if (work.fits == 1) return learn(0, iterations);
#pragma omp parallel for schedule(dynamic, 4)
    for (long fit = 0; fit < work.fits; ++fit) learn(fit, iterations);
  };
  fit_all(1);  // warm
  const time_taken first = time_of([&] { fit_all(1); });
  const time_taken all = time_of([&] { fit_all(1 + work.iterations); });
  for (long fit = 0; fit < work.fits; ++fit)
    log_likelihood[static_cast<std::size_t>(fit)] =
        models[static_cast<std::size_t>(fit)].avg_log_p(sample(fit)) * static_cast<double>(work.rows);
  answer("Armadillo " + arma::arma_version::as_string().substr(0, arma::arma_version::as_string().find(' ')), first,
         all, log_likelihood);
}

}  // namespace

int main(int argc, char** argv) {
  mixture_work work(argc, argv);
  work.structure == "full" ? run<arma::gmm_full>(work) : run<arma::gmm_diag>(work);
}
