// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "threads.hpp"

#include <pthread.h>

#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>

#include "kernels/cpu/parallel.hpp"
#include "manyfit/error.hpp"
#include "manyfit/executor.hpp"

namespace manyfit {

/// Threads that wait together. Never freed: they wait on its memory until the process ends.
struct crew {
  /// Its change starts the threads below the number in its low half; the high half makes each start differ.
  std::atomic<std::uint32_t> ticket{0};
  std::atomic<int> running{0};  ///< threads that have not yet returned
  void (*work)(void*, int) = nullptr;
  void* context = nullptr;
  const std::atomic<bool>* stop = nullptr;
  int size = 0;  ///< threads that were started
  crew* next = nullptr;
};

namespace {

constexpr std::uint32_t low_half = 0xffff;
static_assert(max_threads <= static_cast<int>(low_half));

/// Looks at a number before a thread goes to sleep over it: about 20 µs, which is less than waking costs, and little
/// enough where other threads want the core. A loop's end and the next one's start lie closer than that in EM.
constexpr int looks = 400;

thread_local const std::atomic<bool>* current_stop = nullptr;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

template <class Number>
Number wait_for_change(const std::atomic<Number>& number, Number known) {
  for (int i = 0; i < looks; ++i, pause())
    if (const Number now = number.load(std::memory_order_acquire); now != known) return now;
  number.wait(known, std::memory_order_acquire);
  return number.load(std::memory_order_acquire);
}

void serve(crew& mine, int worker, std::uint32_t known) {
  for (;;) {
    known = wait_for_change(mine.ticket, known);
    if (worker > static_cast<int>(known & low_half)) continue;  // not needed this time
    current_stop = mine.stop;
    mine.work(mine.context, worker);
    current_stop = nullptr;
    if (mine.running.fetch_sub(1, std::memory_order_acq_rel) == 1) mine.running.notify_one();
  }
}

/// The crews that wait, and how to come through a fork(): the child begins with none, since only the thread that called
/// fork() lives on in it.
class crew_pool {
 public:
  static crew_pool& instance() {
    static crew_pool& pool = *new crew_pool;  // outlives every static object that might still fit something
    return pool;
  }

  /// A crew of at least `threads`: the smallest that there is, else the largest, which is made larger.
  crew* borrow(int threads) {
    crew* found = nullptr;
    {
      const std::lock_guard lock(mutex_);
      crew** best = nullptr;
      for (crew** at = &idle_; *at; at = &(*at)->next) {
        const int size = (*at)->size, known = best ? (*best)->size : -1;
        const bool better = known >= threads ? size >= threads && size < known : size > known;
        if (better) best = at;
      }
      if (best) {
        found = *best;
        *best = found->next;
      }
    }
    if (!found) found = new crew;
    try {
      while (found->size < threads) add_thread(*found, threads);
    } catch (...) {
      give_back(found);
      throw;
    }
    return found;
  }

  void give_back(crew* each) {
    const std::lock_guard lock(mutex_);
    each->next = idle_;
    idle_ = each;
  }

  unsigned forks() const { return forks_.load(std::memory_order_relaxed); }

 private:
  crew_pool() {
    if (pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                       [] { instance().begin_anew(); }) != 0)
      throw std::bad_alloc();
  }

  void begin_anew() {
    while (crew* const lost = idle_) {  // still pointed to, so that a search for leaks finds none
      idle_ = lost->next;
      lost->next = lost_;
      lost_ = lost;
    }
    forks_.fetch_add(1, std::memory_order_relaxed);
    mutex_.unlock();
  }

  static void add_thread(crew& to, int wanted) {
    try {
      std::thread(serve, std::ref(to), to.size + 1, to.ticket.load(std::memory_order_relaxed)).detach();
    } catch (const std::system_error& failure) {
      throw error(error::kind::memory, "thread " + std::to_string(to.size + 2) + " of " + std::to_string(wanted + 1) +
                                           " cannot be started (" + std::strerror(failure.code().value()) +
                                           "); ask for fewer threads, or raise the limits on threads and memory");
    }
    ++to.size;
  }

  std::mutex mutex_;
  crew* idle_ = nullptr;
  crew* lost_ = nullptr;
  std::atomic<unsigned> forks_{0};
};

}  // namespace

thread_team::thread_team(int threads) : threads_(threads), forks_(crew_pool::instance().forks()) {
  if (threads > 0) crew_ = crew_pool::instance().borrow(threads);
}

thread_team::~thread_team() {
  if (crew_ && !lost()) crew_pool::instance().give_back(crew_);
}

void thread_team::start(void (*work)(void*, int), void* context, const std::atomic<bool>* stop) {
  if (!crew_) return;
  crew_->work = work;
  crew_->context = context;
  crew_->stop = stop;
  crew_->running.store(threads_, std::memory_order_relaxed);
  const std::uint32_t before = crew_->ticket.load(std::memory_order_relaxed);
  const std::uint32_t next = ((before & ~low_half) + low_half + 1) | static_cast<std::uint32_t>(threads_);
  crew_->ticket.store(next, std::memory_order_release);
  crew_->ticket.notify_all();
}

void thread_team::wait() {
  if (!crew_) return;
  while (const int left = crew_->running.load(std::memory_order_acquire)) wait_for_change(crew_->running, left);
}

bool thread_team::lost() const {
  return crew_pool::instance().forks() != forks_;
}

void run_team(int workers, void (*work)(void*, int), void* context) {
  thread_team others(workers - 1);
  others.start(work, context, current_stop);
  work(context, 0);
  others.wait();
}

// --- of kernels/cpu/parallel.hpp ---

index_queue::index_queue(std::int64_t count, std::int64_t grain) : count_(count), grain_(grain), stop_(current_stop) {}
index_queue::~index_queue() = default;

void index_queue::fail(std::int64_t index) noexcept {
  const std::lock_guard lock(mutex_);
  if (!failure_ || index < failed_) {
    failure_ = std::current_exception();
    failed_ = index;
  }
  next_.store(count_, std::memory_order_relaxed);
}

void index_queue::rethrow() {
  if (failure_) std::rethrow_exception(failure_);
}

void index_queue::throw_stopped() {
  throw stopped{};
}

}  // namespace manyfit
