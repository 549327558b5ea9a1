// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// To be loaded before a program (LD_PRELOAD): from main() on, the allocation whose number is in FAIL_AT fails; with
// FAIL_ALL all after it too. COUNT_TO names a file that gets the number of allocations at the end. What is allocated
// before main(), by the initialisers of libraries, is left alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

using main_function = int (*)(int, char**, char**);
std::atomic<bool> counting;
std::atomic<long> count;
long fail_at = -1;
bool fail_all = false;
main_function real_main;

bool fails() {
  if (!counting) return false;
  const long number = count++;
  if (fail_at < 0 || number < fail_at || (number > fail_at && !fail_all)) return false;
  errno = ENOMEM;
  return true;
}

int counted_main(int argc, char** argv, char** environment) {
  counting = true;
  const int code = real_main(argc, argv, environment);
  counting = false;
  if (const char* to = std::getenv("COUNT_TO")) {
    const int file = ::open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file >= 0) ::dprintf(file, "%ld\n", count.load());
  }
  return code;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept {
  return fails() ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) noexcept {
  return fails() ? nullptr : __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  return fails() ? nullptr : __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t size) noexcept {
  if (fails()) return ENOMEM;
  *to = __libc_memalign(alignment, size);
  return *to ? 0 : ENOMEM;
}

int __libc_start_main(main_function program, int argc, char** argv, void (*init)(), void (*fini)(), void (*rtld_fini)(),
                      void* stack_end) {
  using starter = int (*)(main_function, int, char**, void (*)(), void (*)(), void (*)(), void*);
  const auto next = reinterpret_cast<starter>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  real_main = program;
  if (const char* at = std::getenv("FAIL_AT")) fail_at = std::atol(at);
  fail_all = std::getenv("FAIL_ALL") != nullptr;
  return next(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
}
