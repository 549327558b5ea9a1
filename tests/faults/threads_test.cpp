// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Threads: what is thrown on them comes out, what stops a call stops all of it, a fork() leaves a child that can fit,
// and threads that cannot be had are an error that says so.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "cgroup.hpp"
#include "kernels/cpu/parallel.hpp"
#include "manyfit/custom.hpp"
#include "manyfit/manyfit.hpp"

namespace manyfit {
namespace {

struct our_own {
  std::int64_t index;
};

TEST(parallel_for, visits_every_index_once_and_numbers_its_threads) {
  for (const int threads : {1, 2, 3, 8})
    for (const std::int64_t grain : {1, 3, 64}) {
      std::vector<std::atomic<int>> visits(1000);
      std::atomic<int> wrong{0};
      parallel_for(
          threads, 1000, grain, [](int worker) { return worker; },
          [&](int worker, std::int64_t i) {
            ++visits[static_cast<std::size_t>(i)];
            if (worker < 0 || worker >= threads) ++wrong;
          });
      for (const auto& each : visits) ASSERT_EQ(each, 1);
      EXPECT_EQ(wrong, 0);
    }
}

TEST(parallel_for, throws_the_exception_of_the_smallest_index) {
  for (int run = 0; run < 200; ++run)
    for (const int threads : {1, 2, 5}) {
      std::int64_t thrown = -1;
      try {
        parallel_for(threads, 400, 1 + run % 3, [&](std::int64_t i) {
          if (i >= 37 && i % 5 == 2) throw our_own{i};
        });
      } catch (const our_own& failure) {
        thrown = failure.index;
      }
      ASSERT_EQ(thrown, 37);
    }
}

TEST(parallel_for, works_inside_itself_and_from_several_threads_at_once) {
  std::atomic<std::int64_t> sum{0};
  const auto nested = [&] {
    parallel_for(3, 20, 1, [&](std::int64_t) { parallel_for(3, 50, 1, [&](std::int64_t i) { sum += i; }); });
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(nested);
  for (std::thread& each : callers) each.join();
  EXPECT_EQ(sum, 4 * 20 * (49 * 50 / 2));
}

std::vector<double> many_values(std::int64_t fits, std::int64_t size) {
  const std::vector<double> p{2.0, 0.5};
  return simulate(executor::cpu(1), find_family("gamma"), {p.data(), 0, 1}, fits, size, {.seed = 3});
}

TEST(progress, that_throws_ends_the_call_with_its_own_exception) {
  const auto x = many_values(20000, 200);
  for (const int threads : {1, 2}) {
    const auto start = std::chrono::steady_clock::now();
    const auto call = [&] {
      fit<weibull>(executor::cpu(threads), dense<double>(x, 20000),
                   {.progress = [](std::int64_t done, std::int64_t) { throw our_own{done}; }});
    };
    EXPECT_THROW(call(), our_own);
    // A call that goes on to its end would hold the caller up for as long as it takes.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  }
  const auto endless = [&] {
    fit_mixture(executor::cpu(2), points<double>(x, 4),
                {.components = 8,
                 .restarts = 1,
                 .max_iterations = 1000000,
                 .tolerance = 0,
                 .progress = [](std::int64_t, std::int64_t, double) { throw std::runtime_error("enough"); }});
  };
  EXPECT_THROW(endless(), std::runtime_error);
  const auto of_families = [&] {
    fit_mixture(
        executor::cpu(2), find_family("gamma"), dense<double>(std::span(x).first(40000), 1),
        {.restarts = 1, .max_iterations = 1000000, .tolerance = 0, .progress = [](std::int64_t, std::int64_t, double) {
           throw std::runtime_error("enough");
         }});
  };
  EXPECT_THROW(of_families(), std::runtime_error);
  EXPECT_EQ(fit<weibull>(executor::cpu(2), dense<double>(std::span(x).first(400), 2)).status[1], fit_status::converged);
}

struct broken_source : point_source<double> {
  std::int64_t rows() const override { return 200000; }
  int dimensions() const override { return 2; }
  void read(std::int64_t first, std::int64_t count, double* values, double*) const override {
    if (first > 100000) throw our_own{first};
    for (std::int64_t i = 0; i < 2 * count; ++i) values[i] = static_cast<double>((first + i) % 97);
  }
};

TEST(point_source, that_throws_ends_the_call_with_its_own_exception) {
  for (const int threads : {1, 2}) {
    EXPECT_THROW(fit_mixture(executor::cpu(threads), broken_source(), {.components = 2}), our_own);
    const auto mixture = fit_mixture(executor::cpu(threads), points<double>(many_values(1, 400), 2), {.components = 2});
    const auto receive = [](std::int64_t, const mixture_scores&) { throw our_own{0}; };
    EXPECT_THROW(score_mixture(executor::cpu(threads), broken_source(), mixture, receive), our_own);
  }
}

/// Normal in one parameter, whose density throws (at a value that no sample of the others has).
struct throwing_density {
  static constexpr const char* name = "throwing";
  static constexpr parameter parameters[] = {{"mean", constraint::real, 0.0, "mean"}};
  using support = supports::reals;
  template <class T>
  struct params {
    T mean;
  };
  template <class T, class S>
  static T log_density(const params<T>& p, const S& x) {
    if (throws) throw our_own{1};
    return -0.5 * square(x - p.mean);
  }
  static inline std::atomic<bool> throws{false};
};

TEST(custom_density, that_throws_ends_the_call_with_its_own_exception) {
  const auto x = many_values(200, 20);
  throwing_density::throws = true;
  for (const int threads : {1, 2})
    EXPECT_THROW(fit<throwing_density>(executor::cpu(threads), dense<double>(x, 200)), our_own);
  throwing_density::throws = false;
  EXPECT_EQ(fit<throwing_density>(executor::cpu(2), dense<double>(x, 200)).count_of(fit_status::converged), 200);
}

/// The exit code of a child process that runs `work`, 1000 when it hangs, 2000 + the signal that ended it.
template <class Work>
int code_of_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 99;
    try {
      code = work();
    } catch (const error& e) {
      code = e.why() == error::kind::memory ? 50 : e.why() == error::kind::device ? 51 : 52;
    } catch (...) {
    }
    ::_exit(code);
  }
  int status = 0;
  for (int tenths = 0; tenths < 600; ++tenths) {
    if (::waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) ? WEXITSTATUS(status) : 2000 + WTERMSIG(status);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return 1000;
}

TEST(fork, after_a_fit_leaves_a_child_that_fits_with_the_same_bits) {
  const auto x = many_values(300, 40);
  const auto rows = points<double>(x, 2);
  const executor cpu = executor::cpu(3);
  const auto here = fit<families::gamma>(cpu, dense<double>(x, 300)).parameters;
  const auto mixture = fit_mixture(cpu, rows, {.components = 2, .restarts = 4}).means;
  const auto work = [&] {
    int reports = 0;
    const auto there =
        fit<families::gamma>(cpu, dense<double>(x, 300), {.progress = [&](auto, auto) { ++reports; }}).parameters;
    return there == here && reports > 0 && fit_mixture(cpu, rows, {.components = 2, .restarts = 4}).means == mixture
               ? 0
               : 1;
  };
  EXPECT_EQ(code_of_child(work), 0);
  EXPECT_EQ(code_of_child([&] { return code_of_child(work); }), 0);  // and its child
  EXPECT_EQ(fit<families::gamma>(cpu, dense<double>(x, 300)).parameters, here);
}

TEST(fork, while_another_thread_fits_leaves_a_child_that_fits) {
  const auto x = many_values(300, 40);
  const auto here = fit<families::gamma>(executor::cpu(2), dense<double>(x, 300)).parameters;
  std::atomic<bool> enough{false};
  std::thread other([&] {
    while (!enough) fit<families::gamma>(executor::cpu(2), dense<double>(x, 300));
  });
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(code_of_child([&] {
                return fit<families::gamma>(executor::cpu(2), dense<double>(x, 300)).parameters == here ? 0 : 1;
              }),
              0);
  enough = true;
  other.join();
}

TEST(fork, inside_a_callback_is_an_error_in_the_child_and_nothing_in_the_parent) {
  constexpr std::int64_t fits = 100000;  // a callback comes every tenth of a second
  const auto x = many_values(fits, 20);
  int code = -1;
  pid_t child = -1;
  const auto call = [&] {
    return fit<student_t>(executor::cpu(2), dense<double>(x, fits),
                          {.progress =
                               [&](std::int64_t done, std::int64_t total) {
                                 if (child < 0 && done < total) child = ::fork();
                               }})
        .count;
  };
  std::int64_t ended = 0;
  try {
    ended = call();
  } catch (const error& e) {
    if (child == 0) ::_exit(e.why() == error::kind::device ? 51 : 1);
    throw;
  }
  if (child == 0) ::_exit(2);
  EXPECT_EQ(ended, fits);
  ASSERT_GT(child, 0) << "no callback while there was work to do";
  ASSERT_EQ(::waitpid(child, &code, 0), child);
  ASSERT_TRUE(WIFEXITED(code));
  EXPECT_EQ(WEXITSTATUS(code), 51);
}

TEST(threads, that_cannot_be_started_are_an_error_of_memory) {
  EXPECT_THROW(executor::cpu(max_threads + 1), error);
  const auto x = many_values(4000, 10);
  const auto too_many = [&] {
    rlimit none{};
    ::getrlimit(RLIMIT_AS, &none);
    none.rlim_cur = rlim_t{3} << 30;  // address space for some hundred stacks
    ::setrlimit(RLIMIT_AS, &none);
    return fit<families::gamma>(executor::cpu(max_threads), dense<double>(x, 4000)).count == 4000 ? 0 : 1;
  };
#if !defined(__SANITIZE_ADDRESS__)  // which has terabytes of address space in use
  EXPECT_EQ(code_of_child(too_many), 50);
#endif
  EXPECT_EQ(code_of_child(
                [&] { return fit<families::gamma>(executor::cpu(100), dense<double>(x, 4000)).count == 4000 ? 0 : 1; }),
            0);
}

class control_groups : public testing::Test {
 protected:
  control_groups() {
    std::string name = (std::filesystem::temp_directory_path() / "manyfit_cgroup_XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  ~control_groups() override { std::filesystem::remove_all(root_); }
  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  process_limits limits(const std::string& groups) {
    file("groups", groups);
    return cgroup_limits((root_ / "groups").string(), root_.string());
  }
  std::filesystem::path root_;
};

TEST_F(control_groups, of_version_2_limit_by_the_least_of_a_group_and_those_above_it) {
  file("a/cpu.max", "150000 100000\n");
  file("a/b/cpu.max", "max 100000\n");
  file("a/memory.max", "max\n");
  file("a/b/memory.max", "1073741824\n");
  const process_limits found = limits("0::/a/b\n");
  EXPECT_EQ(found.cores, 1.5);
  EXPECT_EQ(found.memory, std::uint64_t{1} << 30);
}

TEST_F(control_groups, of_version_1_limit_by_their_controllers) {
  file("cpu,cpuacct/x/cpu.cfs_quota_us", "50000\n");
  file("cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  file("memory/memory.limit_in_bytes", "9223372036854771712\n");
  file("memory/y/memory.limit_in_bytes", "536870912\n");
  const process_limits found = limits("4:memory:/y\n3:cpu,cpuacct:/x\n2:cpuset:/\n");
  EXPECT_EQ(found.cores, 0.5);
  EXPECT_EQ(found.memory, std::uint64_t{512} << 20);
}

TEST_F(control_groups, leave_as_many_threads_as_their_quota_keeps_busy) {
  for (const auto& [quota, threads] : {std::pair{0.01, 1}, {0.5, 1}, {1.0, 1}, {1.5, 2}, {7.9, 8}, {8.0, 8}, {64.0, 8}})
    EXPECT_EQ(busy_threads(8, {.cores = quota}), threads) << quota;
  EXPECT_EQ(busy_threads(8, {}), 8);
}

TEST_F(control_groups, that_are_not_there_limit_nothing) {
  file("cpu/cpu.cfs_quota_us", "-1\n");
  file("cpu/cpu.cfs_period_us", "100000\n");
  for (const char* groups : {"", "nonsense\n", "0::/none/such\n", "1:cpu:/\n", "::\n"}) {
    EXPECT_EQ(limits(groups).cores, process_limits{}.cores);
    EXPECT_EQ(limits(groups).memory, process_limits{}.memory);
  }
  EXPECT_GT(host_memory(), 0u);
}

}  // namespace
}  // namespace manyfit
