// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "fiber.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(MF_DEVICE_TSAN)  // this file itself is not instrumented: see CMakeLists.txt
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__x86_64__)
// Saves what the calling convention says a function keeps, and goes on where `to` was saved.
asm(R"(
.text
.globl manyfit_switch_stacks
.type manyfit_switch_stacks, @function
manyfit_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size manyfit_switch_stacks, . - manyfit_switch_stacks
)");
extern "C" void manyfit_switch_stacks(void** from, void* to);
#else
#include <ucontext.h>
#endif

namespace simulated {

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t stack_bytes = std::size_t{256} << 10;  // only pages that are touched take memory

/// Below a stack lies a page that cannot be touched; not below all, since a process can have 65530 mappings.
constexpr int most_guarded = 8192;

/// Stacks are reused, the last one first.
std::vector<char*>& free_stacks() {
  static auto* const stacks = new std::vector<char*>;
  return *stacks;
}

char* take_stack() {
  std::vector<char*>& stacks = free_stacks();
  if (stacks.empty()) {
    void* const memory =
        mmap(nullptr, page + stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    static int count = 0;
    const bool guarded = ++count <= most_guarded;
    if (memory == MAP_FAILED || (guarded && mprotect(memory, page, PROT_NONE) != 0)) {
      std::fprintf(stderr, "simulated device: no memory for another lane's stack\n");
      std::abort();
    }
    return static_cast<char*>(memory) + page;
  }
  char* const stack = stacks.back();
  stacks.pop_back();
  return stack;
}

fiber* previous = nullptr;  ///< the one that was left last

}  // namespace

fiber::~fiber() {
  if (stack_) free_stacks().push_back(stack_);
#if defined(MF_DEVICE_TSAN)
  if (owns_thread_) __tsan_destroy_fiber(thread_);
#endif
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(top_);
#endif
}

void fiber::prepare(void (*entry)()) {
  stack_ = take_stack();
#if defined(__SANITIZE_ADDRESS__)  // a fiber that ended left its last calls' marks
  __asan_unpoison_memory_region(stack_, stack_bytes);
#endif
  bottom_ = stack_;
  bytes_ = stack_bytes;
#if defined(__x86_64__)
  // As after a call: the stack is 8 bytes off a multiple of 16 where `entry` begins. Six registers lie below.
  auto** top = reinterpret_cast<void**>(stack_ + stack_bytes) - 1;
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  top_ = top;
#else
  auto* const context = new ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = stack_;
  context->uc_stack.ss_size = stack_bytes;
  makecontext(context, entry, 0);
  top_ = context;
#endif
#if defined(MF_DEVICE_TSAN)
  thread_ = __tsan_create_fiber(0);
  owns_thread_ = true;
#endif
}

void fiber::adopt() {
#if !defined(__x86_64__)
  top_ = new ucontext_t;
#endif
#if defined(MF_DEVICE_TSAN)
  thread_ = __tsan_get_current_fiber();
#endif
}

void fiber::go(fiber& from, fiber& to, bool ends) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(ends ? nullptr : &from.fake_stack_, to.bottom_, to.bytes_);
#endif
  (void)ends;
#if defined(MF_DEVICE_TSAN)
  __tsan_switch_to_fiber(to.thread_, __tsan_switch_to_fiber_no_sync);
#endif
  previous = &from;
#if defined(__x86_64__)
  manyfit_switch_stacks(&from.top_, to.top_);
#else
  swapcontext(static_cast<ucontext_t*>(from.top_), static_cast<ucontext_t*>(to.top_));
#endif
  arrive(from);
}

void fiber::arrive(fiber& self) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(self.fake_stack_, &previous->bottom_, &previous->bytes_);
#endif
  (void)self;
}

void fiber::begin() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &previous->bottom_, &previous->bytes_);
#endif
}

void order_release(void* place) {
#if defined(MF_DEVICE_TSAN)
  __tsan_release(place);
#endif
  (void)place;
}
void order_acquire(void* place) {
#if defined(MF_DEVICE_TSAN)
  __tsan_acquire(place);
#endif
  (void)place;
}

}  // namespace simulated
