// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory that cannot be had, at every allocation that a call makes: error::kind::memory comes out, and what comes
// after is as it was. The k-th operator new of a call fails, alone or with all that follow it.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "manyfit/manyfit.hpp"

namespace {

std::atomic<long> until_failure{-1};  // −1: not armed
std::atomic<bool> all_after{false}, failed{false};

bool fails() {
  if (until_failure.load(std::memory_order_relaxed) < 0) return false;
  const bool now = until_failure.fetch_sub(1) <= 0;
  if (!now) return false;
  until_failure.store(all_after ? 0 : -1);
  failed = true;
  return true;
}

void* take(std::size_t size, std::size_t alignment) {
  if (fails()) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
}
void* take_or_throw(std::size_t size, std::size_t alignment = 16) {
  if (void* const memory = take(size, alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return take_or_throw(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return take_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return take(size, 16);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace manyfit {
namespace {

/// Every allocation of `call` fails once, and once with all after it. Where one does no harm the answer must be right.
template <class Call>
void sweep(const std::string& what, Call call) {
  const auto right = call();
  const auto same = [](const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return x == y || (x != x && y != y); });
  };
  int errors = 0;
  for (const bool all : {false, true}) {
    bool reached = true;
    // Each of the first, then fewer and fewer: an attempt of EM makes thousands alike.
    for (long k = 0; reached; k += 1 + k / 64) {
      failed = false;
      all_after = all;
      until_failure = k;
      bool right_here = true;
      std::string thrown = "nothing";
      try {
        const auto given = call();
        until_failure = -1;
        right_here = same(given, right);
      } catch (const error& e) {
        until_failure = -1;
        ++errors;
        thrown = e.why() == error::kind::memory ? "memory" : e.what();
      } catch (const std::bad_alloc&) {
        until_failure = -1;
        thrown = "std::bad_alloc";
      } catch (...) {
        until_failure = -1;
        thrown = "something else";
      }
      reached = failed;
      ASSERT_TRUE(thrown == "memory" || (thrown == "nothing" && right_here))
          << what << ", allocation " << k << ": " << thrown;
    }
  }
  EXPECT_GE(errors, 2) << what;
  EXPECT_TRUE(same(call(), right)) << what;
}

std::vector<double> sample_of(const char* family, std::vector<double> parameters, std::int64_t fits,
                              std::int64_t size) {
  return simulate(executor::cpu(1), find_family(family), {parameters.data(), 0, 1}, fits, size, {.seed = 5});
}

TEST(failing_allocations, of_a_batch_of_fits) {
  const auto x = sample_of("gamma", {2, 0.5}, 40, 30);
  const auto data = dense<double>(x, 40);
  for (const int threads : {1, 2}) {
    sweep("fit", [&] { return fit<weibull>(executor::cpu(threads), data).parameters; });
    sweep("fit with progress", [&] {
      return fit<families::gamma>(executor::cpu(threads), data, {.progress = [](std::int64_t, std::int64_t) {}})
          .std_errors;
    });
  }
  const fit_options fixed{.fixed = {{"shape", 2.0}}};
  sweep("fixed", [&] { return fit<families::gamma>(executor::cpu(1), data, fixed).log_likelihood; });
}

TEST(failing_allocations, of_gaussian_mixtures) {
  const auto x = sample_of("normal", {0, 1}, 1, 1200);
  for (const int threads : {1, 2}) {
    const executor cpu = executor::cpu(threads);
    sweep("many small",
          [&] { return fit_mixture(cpu, dense_points<double>(x, 2, 6), {.restarts = 2, .max_iterations = 5}).means; });
    sweep("several numbers of components, with a trace and progress", [&] {
      return fit_mixture(cpu, points<double>(x, 2),
                         {.components = {1, 3},
                          .restarts = 2,
                          .max_iterations = 5,
                          .trace = true,
                          .progress = [](std::int64_t, std::int64_t, double) {}})
          .covariances;
    });
  }
  const std::vector<double> many = sample_of("gamma", {2, 1}, 1, 140000);  // two partitions: threads inside
  sweep("one large", [&] {
    return fit_mixture(executor::cpu(2), points<double>(many, 2), {.restarts = 1, .max_iterations = 2}).means;
  });
}

TEST(failing_allocations, of_mixtures_of_families) {
  const auto x = sample_of("poisson", {6}, 4, 60);
  for (const int threads : {1, 2})
    sweep("poisson", [&] {
      return fit_mixture(executor::cpu(threads), find_family("poisson"), dense<double>(x, 4),
                         {.components = 2, .restarts = 2, .max_iterations = 5})
          .parameters;
    });
  const std::vector<mixture_component> parts{point_mass(0), {&find_family("poisson")}};
  sweep("zero inflated, one sample", [&] {
    return fit_mixture(executor::cpu(2), parts, dense<double>(x, 1), {.restarts = 2, .max_iterations = 5}).weights;
  });
}

TEST(failing_allocations, of_scores_and_draws) {
  const auto x = sample_of("gamma", {2, 0.5}, 8, 300);
  const executor cpu = executor::cpu(2);
  const auto data = dense<double>(x, 8);
  const std::vector<double> p{2, 0.5};
  const family_info& family = find_family("gamma");
  sweep("log_density", [&] { return log_density(cpu, family, data, {p.data(), 0, 1}); });
  sweep("log_likelihood", [&] { return log_likelihood(cpu, family, data, {p.data(), 0, 1}); });
  sweep("simulate", [&] { return simulate(cpu, family, {p.data(), 0, 1}, 8, 9000); });
  const auto rows = dense_points<double>(x, 2, 8);
  const auto mixtures = fit_mixture(cpu, rows, {.restarts = 1});
  sweep("score_mixture", [&] {
    return score_mixture(cpu, rows, mixtures, {.responsibilities = true, .labels = true}).responsibilities;
  });
  sweep("simulate_mixture", [&] { return simulate_mixture(cpu, mixtures, 3000); });
  const auto of_family = fit_mixture(cpu, family, data, {.components = 2, .restarts = 1});
  sweep("score of families", [&] { return score_mixture(cpu, data, of_family).log_density; });
  sweep("draws of families", [&] { return simulate_mixture(cpu, of_family, 50); });
}

}  // namespace
}  // namespace manyfit
