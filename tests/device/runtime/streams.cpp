// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Streams are queues; whose front runs next is left to chance, within what events and the legacy stream's rules allow.
// Nothing runs before it has to, or before chance says so: work that nobody waits for arrives late.
#include <algorithm>

#include "chance.hpp"
#include "grid.hpp"
#include "report.hpp"
#include "state.hpp"

namespace simulated {

namespace {

/// Every stream there is, each device's legacy stream first; never freed, so that use after destruction is found.
struct all_streams {
  std::map<int, std::unique_ptr<stream>> legacy;
  std::vector<std::unique_ptr<stream>> others;
};
all_streams& streams() {
  static auto* const all = new all_streams;
  return *all;
}

stream& legacy_of(int device) {
  auto& legacy = streams().legacy[device];
  if (!legacy) {
    legacy = std::make_unique<stream>();
    legacy->device = device;
  }
  return *legacy;
}

bool may_run(const stream& s) {
  return !s.queue.empty() &&
         std::all_of(s.queue.front().after.begin(), s.queue.front().after.end(), [](const auto& t) { return t->done; });
}

std::vector<stream*> ready_streams() {
  std::vector<stream*> ready;
  for (const auto& [device, s] : streams().legacy)
    if (may_run(*s)) ready.push_back(s.get());
  for (const auto& s : streams().others)
    if (may_run(*s)) ready.push_back(s.get());
  return ready;
}

/// Runs one operation of one stream; false when none can.
bool step() {
  const std::vector<stream*> ready = ready_streams();
  if (ready.empty()) return false;
  stream& s = *ready[settings().in_order ? 0 : chance::below(ready.size())];
  operation next = std::move(s.queue.front());
  s.queue.pop_front();
  open_device_memory();
  next.run();
  close_device_memory();
  next.done->done = true;
  return true;
}

void step_or_die() {
  if (!step()) die("deadlock: streams wait for each other, or for an event that is never reached");
}

}  // namespace

stream& stream_of(cudaStream_t handle, const char* function) {
  if (!handle) return legacy_of(current_device());
  const auto& others = streams().others;
  if (std::none_of(others.begin(), others.end(), [&](const auto& s) { return s.get() == handle; }))
    die(std::string(function) + ": this stream was never created");
  if (handle->destroyed) die(std::string(function) + ": this stream has been destroyed");
  return *handle;
}

std::shared_ptr<ticket> enqueue(stream& on, std::string what, std::function<void()> run,
                                std::vector<std::shared_ptr<ticket>> after) {
  const auto wait_for_last = [&](const stream& other) {
    if (!other.queue.empty()) after.push_back(other.queue.back().done);
  };
  stream& legacy = legacy_of(on.device);
  if (&on == &legacy) {
    for (const auto& other : streams().others)
      if (other->blocking && other->device == on.device) wait_for_last(*other);
  } else if (on.blocking) {
    wait_for_last(legacy);
  }
  auto done = std::make_shared<ticket>();
  on.queue.push_back({std::move(run), std::move(after), done, std::move(what)});
  if (settings().in_order)
    drain(on);
  else
    while (chance::one_in(4) && step()) {
    }
  return done;
}

void drain(stream& on) {
  while (!on.queue.empty()) step_or_die();
}
void drain_until(const std::shared_ptr<ticket>& done) {
  while (!done->done) step_or_die();
}
void drain_device(int device) {
  drain(legacy_of(device));
  for (std::size_t i = 0; i < streams().others.size(); ++i)
    if (streams().others[i]->device == device) drain(*streams().others[i]);
}

}  // namespace simulated

using namespace simulated;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned flags) {
  const api_call call(__func__);
  auto s = std::make_unique<stream>();
  s->device = current_device();
  s->blocking = !(flags & cudaStreamNonBlocking);
  *handle = s.get();
  streams().others.push_back(std::move(s));
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* handle) {
  return cudaStreamCreateWithFlags(handle, cudaStreamDefault);
}
cudaError_t cudaStreamDestroy(cudaStream_t handle) {  // what is on it is still done
  const api_call call(__func__);
  stream_of(handle, __func__).destroyed = true;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const api_call call(__func__);
  drain(stream_of(handle, __func__));
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const api_call call(__func__);
  drain_device(current_device());
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t e, unsigned) {
  const api_call call(__func__);
  stream& s = stream_of(handle, __func__);
  if (e->recorded && !e->recorded->done) enqueue(s, "wait for an event", [] {}, {e->recorded});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  const api_call call(__func__);
  current_device();
  *e = new event;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* e) {
  return cudaEventCreateWithFlags(e, cudaEventDefault);
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {  // who waits for it holds its ticket
  const api_call call(__func__);
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t handle) {
  const api_call call(__func__);
  e->recorded = enqueue(stream_of(handle, __func__), "record an event", [] {});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  const api_call call(__func__);
  if (e->recorded) drain_until(e->recorded);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t e) {
  const api_call call(__func__);
  if (!settings().in_order && chance::one_in(2)) step();
  return !e->recorded || e->recorded->done ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {  // it measures nothing
  *milliseconds = 1;
  return cudaSuccess;
}
