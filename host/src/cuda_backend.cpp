// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The host's side of CUDA: batches in chunks through two slots, each with a stream, so that one chunk is copied while
// the other is fitted. Nothing is allocated inside the loop over chunks.
#include "cuda_backend.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "chunks.hpp"
#include "cpu_dispatch.hpp"
#include "cuda_host_copy.hpp"
#include "cuda_memory.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cuda/functions.hpp"
#include "kernels/operations.hpp"

namespace manyfit::cuda {

namespace {

/// Fits per chunk: their plan and results take at most 64 MB of device memory over both slots.
constexpr std::int64_t most_fits_per_chunk = 1 << 17;
/// Data and results of so many bytes fit on any device: what is free need not be asked for, which takes longer than a
/// small batch.
constexpr std::size_t small_bytes = std::size_t{1} << 20;
/// Bytes of values per chunk when memory allows: long enough for full bandwidth, short enough to overlap.
constexpr std::size_t chunk_bytes = std::size_t{256} << 20;

/// f(numbers for one fit, array...) of each array of results with so many parameters.
template <class F, class... Views>
void for_each_array(int parameters, F f, Views&... views) {
  f(parameters, views.parameters...);
  f(parameters, views.std_errors...);
  f(1, views.log_likelihood...);
  f(1, views.observations...);
  f(1, views.missing...);
  f(1, views.left_out...);
  f(1, views.outside...);
  f(1, views.iterations...);
  f(1, views.status...);
}

/// Results of a chunk as one block of bytes, on the device and in pinned host memory alike.
struct chunk_results : fit_results_view {
  std::size_t bytes = 0;
  chunk_results(char* base, std::int64_t fits, int parameters) {
    stride = fits;
    const auto place = [&]<class N>(int numbers, N*& array) {
      array = base ? reinterpret_cast<N*>(base + bytes) : nullptr;
      bytes += sizeof(N) * static_cast<std::size_t>(numbers * fits);
    };
    for_each_array(parameters, place, *this);
  }
};

/// Copies `fits` results from a chunk's arrays to the batch's, from fit `begin` on.
void copy_results(const fit_results_view& from, const fit_results_view& to, std::int64_t begin, std::int64_t fits,
                  int parameters) {
  const auto copy = [&]<class N>(int numbers, const N* source, N* goal) {
    for (std::int64_t i = 0; i < numbers && goal; ++i)
      std::copy_n(source + i * from.stride, fits, goal + i * to.stride + begin);
  };
  for_each_array(parameters, copy, from, to);
}

/// One chunk's place on the device.
template <class T>
struct slot {
  slot(cudaStream_t caller, std::int64_t most_values, std::int64_t most_fits, bool weights, bool ragged, bool copies,
       std::size_t out_bytes)
      : stream(caller),
        values(copies ? static_cast<std::size_t>(most_values) * sizeof(T) : 0),
        weight(copies && weights ? static_cast<std::size_t>(most_values) * sizeof(T) : 0),
        offsets(copies && ragged ? static_cast<std::size_t>(most_fits + 1) * 8 : 0),
        workspace(plan_workspace_bytes(most_fits)),
        grid(grid_slot_count() * sizeof(double) + 256),
        out(out_bytes),
        results(stream.get(), out_bytes) {}

  /// Brings a chunk here (or views it in place) and plans its launch.
  batch_view<T> enter(const batch<T>& data, const chunk& c, bool copies, launch_plan& plan) {
    batch_view<T> view = data.view;
    view.count = c.end - c.begin;
    if (copies) {
      const auto bytes = static_cast<std::size_t>(c.values) * sizeof(T);
      check(cudaMemcpyAsync(values.template as<T>(), data.view.values + c.first, bytes, cudaMemcpyHostToDevice,
                            stream.get()),
            "copy values to the device");
      // The chunk's first value stands at the start of the buffer; offsets keep counting from the batch's start.
      const std::int64_t shift = view.offsets ? c.first : 0;
      view.values = values.template as<T>() - shift;
      if (data.view.weights) {
        check(cudaMemcpyAsync(weight.template as<T>(), data.view.weights + c.first, bytes, cudaMemcpyHostToDevice,
                              stream.get()),
              "copy weights to the device");
        view.weights = weight.template as<T>() - shift;
      }
      if (view.offsets) {
        check(cudaMemcpyAsync(offsets.template as<std::int64_t>(), data.view.offsets + c.begin,
                              static_cast<std::size_t>(view.count + 1) * 8, cudaMemcpyHostToDevice, stream.get()),
              "copy offsets to the device");
        view.offsets = offsets.template as<std::int64_t>();
      }
    } else {
      if (view.offsets) view.offsets += c.begin;
      if (!view.offsets) view.values += c.first;
      if (!view.offsets && view.weights) view.weights += c.first;
    }
    check(plan_batch(view.offsets, view.size, view.count, workspace.template as<char>(), plan, stream.get()),
          "plan the launch");
    plan.grid_slots = grid.template as<double>();
    plan.grid_arrived = grid.template as<unsigned long long>(grid_slot_count() * sizeof(double));
    if (c.largest > 0) {  // known on the host: leave out tiers without fits
      for (int t = 0; t < tier_count; ++t)
        plan.used[t] = view.offsets ? t <= tier_of(c.largest) : t == tier_of(c.largest);
      plan.largest = c.largest;
    }
    return view;
  }

  own_stream stream;
  device_buffer values, weight, offsets, workspace, grid, out;
  host_copy results;
  std::optional<chunk> running;
};

/// Runs `work(slot, view, plan, chunk)` over a batch's chunks, two at a time, and `done(slot, chunk)` after each, which
/// waits for the results that `work` has begun to copy.
template <class T, class Work, class Done>
void for_each_chunk(const executor& where, const batch<T>& data, std::size_t out_bytes_per_fit,
                    std::size_t out_bytes_per_value, Work work, Done done) {
  const device_scope scope(where.device());
  const auto caller = static_cast<cudaStream_t>(where.stream());
  const bool copies = data.memory == memory_space::host, weights = data.view.weights != nullptr;
  const bool ragged = data.view.offsets != nullptr;
  const std::size_t per_value = (copies ? sizeof(T) * (weights ? 2 : 1) : 0) + out_bytes_per_value;
  const std::int64_t known_values = !ragged  ? data.view.size * data.count()
                                    : copies ? data.view.offsets[data.count()] - data.view.offsets[0]
                                             : INT64_MAX;
  auto most_values = std::int64_t{INT64_MAX};
  if (per_value > 0 &&
      (where.memory_limit() > 0 || known_values > static_cast<std::int64_t>(small_bytes / per_value))) {
    // Two slots; a tenth for what goes with the values.
    const std::size_t budget = std::min(static_cast<std::size_t>(allowance(where)) / 2 / 10 * 9, chunk_bytes);
    most_values = std::max<std::int64_t>(1, static_cast<std::int64_t>(budget / per_value));
  }
  // Results per fit are all in pinned memory at once.
  const std::int64_t most_fits =
      out_bytes_per_value > 0
          ? most_fits_per_chunk
          : std::min(most_fits_per_chunk, static_cast<std::int64_t>(host_copy::most_pinned / out_bytes_per_fit) - 1);
  std::vector<chunk> chunks;
  std::vector<std::int64_t> host_offsets;
  if (copies || !ragged) {
    chunks = plan_chunks(data.view.offsets, data.view.size, data.count(), most_fits, most_values);
  } else if (out_bytes_per_value > 0) {  // offsets in device memory, results per value: the host must see them
    host_offsets.resize(static_cast<std::size_t>(data.count()) + 1);
    check(cudaMemcpyAsync(host_offsets.data(), data.view.offsets, host_offsets.size() * 8, cudaMemcpyDeviceToHost,
                          caller),
          "copy offsets to the host");
    check(cudaStreamSynchronize(caller), "copy offsets to the host");
    chunks = plan_chunks(host_offsets.data(), 0, data.count(), most_fits, most_values);
  } else {
    for (std::int64_t begin = 0; begin < data.count(); begin += most_fits)
      chunks.push_back({begin, std::min(begin + most_fits, data.count()), 0, 0, 0});
  }
  std::int64_t values = 0, fits = 0;
  for (const chunk& c : chunks) {
    values = std::max(values, c.values);
    fits = std::max(fits, c.end - c.begin);
  }
  const std::size_t out_bytes =
      out_bytes_per_fit * static_cast<std::size_t>(fits) + out_bytes_per_value * static_cast<std::size_t>(values);
  std::vector<slot<T>> slots;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, chunks.size()); ++i)
    slots.emplace_back(caller, values, fits, weights, ragged, copies, out_bytes);
  const auto leave = [&](slot<T>& s) {
    if (!s.running) return;
    done(s, *s.running);
    s.running.reset();
  };
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    slot<T>& s = slots[i % 2];
    leave(s);
    launch_plan plan;
    const batch_view<T> view = s.enter(data, chunks[i], copies, plan);
    work(s, view, plan, chunks[i]);
    s.running = chunks[i];
  }
  for (std::size_t i = 0; i < slots.size(); ++i) leave(slots[(chunks.size() + i) % slots.size()]);
}

/// Parameters of a batch's fits in device memory, [P × fits] or one shared set; lives as long as the call. They come on
/// the caller's stream, which every stream of the call follows.
class device_parameters {
 public:
  device_parameters(const family_info& family, const parameters_view& parameters, std::int64_t count,
                    cudaStream_t stream)
      : shared_(parameters.stride == 0), rows_(family.parameter_count), fits_(shared_ ? 1 : count) {
    std::vector<double> packed(static_cast<std::size_t>(rows_ * fits_));
    for (std::int64_t p = 0; p < rows_; ++p)
      for (std::int64_t i = 0; i < fits_; ++i)
        packed[static_cast<std::size_t>(p * fits_ + i)] = parameters.values[p * parameters.row + i * parameters.stride];
    memory_ = device_buffer(packed.size() * 8);
    check(cudaMemcpyAsync(memory_.as<double>(), packed.data(), packed.size() * 8, cudaMemcpyHostToDevice, stream),
          "copy parameters to the device");
  }
  parameters_view from(std::int64_t begin) const {
    return {memory_.as<double>() + (shared_ ? 0 : begin), shared_ ? 0 : 1, fits_};
  }

 private:
  bool shared_;
  std::int64_t rows_, fits_;
  device_buffer memory_;
};

}  // namespace

/// Why a device that is there cannot be used.
static std::string why_device_unusable(int device) {
  try {
    const device_scope scope(device);
    // Asks whether this build holds code for the device: planning is a kernel of its own.
    return plan_is_launchable() ? "" : "this build has no code for its architecture";
  } catch (const error& e) {
    return e.what();
  }
}

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();
    return 0;
  }
  return count;
}

std::vector<device_info> devices() {
  std::vector<device_info> result;
  const int count = device_count();
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) {
      cudaGetLastError();
      continue;
    }
    const std::string why = why_unusable(i);
    const std::string capability =
        "compute capability " + std::to_string(properties.major) + "." + std::to_string(properties.minor);
    result.push_back({"cuda:" + std::to_string(i), properties.name, properties.totalGlobalMem, why.empty(),
                      why.empty() ? capability : why});
  }
  return result;
}

std::string why_unusable(int device) {
  const int count = device_count();
  if (count == 0) return "there is no NVIDIA GPU with a driver for CUDA 13 on this machine";
  if (device < 0 || device >= count) return "there are " + std::to_string(count) + " CUDA devices, numbered from 0";
  static std::mutex mutex;
  static std::map<int, std::string> answers;  // each device is asked once: it costs a context there
  const std::lock_guard lock(mutex);
  const auto [answer, is_new] = answers.emplace(device, "");
  if (is_new) answer->second = why_device_unusable(device);
  return answer->second;
}

template <class T>
const operations<on_cuda, T>& table_of(const family_info& family) {
  if (!family.cuda.of<T>())
    throw error(error::kind::device,
                std::string(family.name) + " was not compiled for CUDA and data of this type; use executor::cpu()");
  return *family.cuda.of<T>();
}

template <class T>
void fit(const executor& where, const family_info& family, const batch<T>& data, const fit_settings& settings,
         const fit_results_view& results, const progress_function& progress) {
  const auto launch = cell_of(table_of<T>(family).fit, family, "fit");
  const int p = family.parameter_count;
  const std::size_t per_fit = chunk_results(nullptr, 1, p).bytes;
  std::int64_t completed = 0;
  for_each_chunk(
      where, data, per_fit, 0,
      [&](slot<T>& s, const batch_view<T>& view, const launch_plan& plan, const chunk&) {
        const chunk_results out(s.out.template as<char>(), view.count, p);
        check(launch(view, settings, out, plan, s.stream.get()), "launch the fits");
        s.results.begin(s.out.template as<char>(), out.bytes);
      },
      [&](slot<T>& s, const chunk& c) {
        const std::int64_t fits = c.end - c.begin;
        copy_results(chunk_results(s.results.in_pinned_memory(), fits, p), results, c.begin, fits, p);
        completed += fits;
        if (progress) progress(completed, data.count());
      });
}

namespace {

/// What climbs of a chunk need, as one block of bytes: results of its fits and its samples as they were read, which are
/// copied to the host once, then where likelihoods are wanted, and those.
struct chunk_passes {
  chunk_results fits;
  loaded_sample* loaded = nullptr;
  double *points = nullptr, *answers = nullptr;
  std::size_t once, before_answers, answer_bytes, bytes;

  chunk_passes(char* base, std::int64_t count, int parameters) : fits(base, count, parameters) {
    const auto n = static_cast<std::size_t>(count), p = static_cast<std::size_t>(parameters);
    once = fits.bytes + sizeof(loaded_sample) * n;
    before_answers = once + 8 * n * p;
    answer_bytes = 8 * n * (1 + p + p * (p + 1) / 2);
    bytes = before_answers + answer_bytes;
    if (!base) return;
    loaded = reinterpret_cast<loaded_sample*>(base + fits.bytes);
    points = reinterpret_cast<double*>(base + once);
    answers = reinterpret_cast<double*>(base + before_answers);
  }
};

template <class T>
void launch_pass(const family_info& family, const batch_view<T>& view, const pass_view& pass, const launch_plan& plan,
                 cudaStream_t stream) {
  check(family.passes->template of<T>()(view, pass, plan, stream), "launch a pass");
}

/// Takes the climbs of a chunk, of which the samples and the fits by maximum likelihood are on the device, to their
/// ends. `results`: those fits, on the host.
template <class T>
void climb_chunk(const executor& where, const family_info& family, slot<T>& s, const batch_view<T>& view,
                 const launch_plan& plan, const posterior_problem& problem, const fit_results_view& results,
                 const loaded_sample* loaded) {
  const auto P = static_cast<std::size_t>(family.parameter_count), numbers = 1 + P + P * (P + 1) / 2;
  const auto fits = static_cast<std::size_t>(view.count);
  const chunk_passes device(s.out.template as<char>(), view.count, family.parameter_count);
  std::vector<posterior_climb> climbs;
  climbs.reserve(fits);
  for (std::size_t i = 0; i < fits; ++i)
    climbs.push_back(climb_posterior(problem, loaded[i], results, static_cast<std::int64_t>(i)));
  std::vector<double> points(fits * P), answers(fits * numbers);
  for (;;) {
    bool any = false;
    for (std::size_t i = 0; i < fits; ++i) {
      const double* const wanted = climbs[i].wanted();
      any = any || wanted;
      if (wanted)
        std::copy_n(wanted, P, points.data() + i * P);
      else
        points[i * P] = std::numeric_limits<double>::quiet_NaN();
    }
    if (!any) return;
    check(cudaMemcpyAsync(device.points, points.data(), points.size() * 8, cudaMemcpyHostToDevice, s.stream.get()),
          "copy parameters to the device");
    launch_pass(family, view, {device.points, device.answers, nullptr}, plan, s.stream.get());
    s.results.begin(device.answers, device.answer_bytes);
    s.results.finish(answers.data());
    parallel_for(where.threads(), view.count, fits_at_a_time(view.count, where.threads()), [&](std::int64_t i) {
      posterior_climb& climb = climbs[static_cast<std::size_t>(i)];
      if (climb.wanted()) climb.answer(answers.data() + static_cast<std::size_t>(i) * numbers);
    });
  }
}

}  // namespace

template <class T>
void fit_posterior(const executor& where, const family_info& family, const batch<T>& data, const fit_settings& start,
                   const posterior_problem& problem, const fit_results_view& results,
                   const progress_function& progress) {
  const auto launch = cell_of(table_of<T>(family).fit, family, "fit");
  cell_of(family.passes, family, "fit with priors");
  posterior_problem in_chunks = problem;
  in_chunks.noise = sizeof(T) == 4 ? 0x1p-23 : 0x1p-52;
  const int p = family.parameter_count;
  std::map<const slot<T>*, std::pair<batch_view<T>, launch_plan>> launched;
  std::int64_t completed = 0;
  for_each_chunk(
      where, data, chunk_passes(nullptr, 1, p).bytes, 0,
      [&](slot<T>& s, const batch_view<T>& view, const launch_plan& plan, const chunk&) {
        launched[&s] = {view, plan};
        const chunk_passes device(s.out.template as<char>(), view.count, p);
        check(launch(view, start, device.fits, plan, s.stream.get()), "launch the fits");
        launch_pass(family, view, {nullptr, nullptr, device.loaded}, plan, s.stream.get());
        s.results.begin(s.out.template as<char>(), device.once);
      },
      [&](slot<T>& s, const chunk& c) {
        const std::int64_t fits = c.end - c.begin;
        std::vector<char> bytes(chunk_passes(nullptr, fits, p).once);
        s.results.finish(bytes.data());
        const chunk_passes here(bytes.data(), fits, p);
        std::vector<double> log_posterior(static_cast<std::size_t>(fits));
        fit_results_view own = here.fits;
        own.log_posterior = log_posterior.data();
        const auto& [view, plan] = launched[&s];
        climb_chunk(where, family, s, view, plan, in_chunks, own, here.loaded);
        copy_results(own, results, c.begin, fits, p);
        std::copy(log_posterior.begin(), log_posterior.end(), results.log_posterior + c.begin);
        completed += fits;
        if (progress) progress(completed, data.count());
      });
}

template <class T>
void numbers(const executor& where, const family_info& family, const batch<T>& data, const parameters_view& parameters,
             bool per_value, double* out, const numbers_launch<T>& launch) {
  const device_scope scope(where.device());
  const device_parameters on_device(family, parameters, data.count(), static_cast<cudaStream_t>(where.stream()));
  std::int64_t written = 0;
  for_each_chunk(
      where, data, sizeof(double), per_value ? sizeof(double) : 0,
      [&](slot<T>& s, const batch_view<T>& view, const launch_plan& plan, const chunk& c) {
        auto* values = s.out.template as<double>();
        const std::int64_t size = per_value ? c.values : view.count;
        check(launch(view, on_device.from(c.begin), {values, size, values + size}, plan, s.stream.get()),
              "launch an operation");
        s.results.begin(values, static_cast<std::size_t>(size) * 8);
      },
      [&](slot<T>& s, const chunk& c) {
        s.results.finish(out + written);
        written += per_value ? c.values : c.end - c.begin;
      });
}

void simulate(const executor& where, const family_info& family, const parameters_view& parameters, std::int64_t count,
              std::int64_t size, std::uint64_t seed, const std::uint64_t* streams, double* out) {
  if (count == 0 || size == 0) return;
  const auto launch = *cell_of(family.simulate_on_cuda, family, "simulate");
  const device_scope scope(where.device());
  const auto stream = static_cast<cudaStream_t>(where.stream());
  const device_parameters on_device(family, parameters, count, stream);
  std::vector<std::uint64_t> ids(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    ids[static_cast<std::size_t>(i)] = streams ? streams[i] : static_cast<std::uint64_t>(i);
  const device_buffer device_ids(ids.size() * 8);
  check(cudaMemcpyAsync(device_ids.as<char>(), ids.data(), ids.size() * 8, cudaMemcpyHostToDevice, stream),
        "copy streams to the device");
  std::int64_t fits_at_once = count;
  if (where.memory_limit() > 0 || count > static_cast<std::int64_t>(small_bytes / 8) / size) {
    const std::int64_t most_bytes = std::min(allowance(where), static_cast<std::int64_t>(chunk_bytes));
    fits_at_once = std::clamp<std::int64_t>(most_bytes / 8 / size, 1, count);
  }
  const auto most_bytes = static_cast<std::size_t>(fits_at_once * size) * 8;
  const device_buffer draws(most_bytes);
  host_copy results(stream, most_bytes);
  for (std::int64_t begin = 0; begin < count; begin += fits_at_once) {
    const std::int64_t fits = std::min(fits_at_once, count - begin);
    check(launch(on_device.from(begin), fits, size, seed, device_ids.as<std::uint64_t>() + begin, draws.as<double>(),
                 stream),
          "launch the draws");
    results.begin(draws.as<double>(), static_cast<std::size_t>(fits * size) * 8);
    results.finish(out + begin * size);
  }
}

#define MF_INSTANTIATE(T)                                                                                            \
  template void fit(const executor&, const family_info&, const batch<T>&, const fit_settings&,                       \
                    const fit_results_view&, const progress_function&);                                              \
  template void fit_posterior(const executor&, const family_info&, const batch<T>&, const fit_settings&,             \
                              const posterior_problem&, const fit_results_view&, const progress_function&);          \
  template void numbers(const executor&, const family_info&, const batch<T>&, const parameters_view&, bool, double*, \
                        const numbers_launch<T>&);                                                                   \
  template const operations<on_cuda, T>& table_of(const family_info&);
MF_INSTANTIATE(double)
MF_INSTANTIATE(float)

}  // namespace manyfit::cuda
