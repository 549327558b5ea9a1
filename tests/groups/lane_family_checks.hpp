// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What holds for every family when lanes run its fits.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/groups/serial_group.hpp"
#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cpu.hpp"
#include "kernels/random/transforms.hpp"
#include "lane_harness.hpp"

namespace manyfit {

template <class Family>
vec<double, parameter_count<Family>> example_parameters() {
  vec<double, parameter_count<Family>> p;
  for (int i = 0; i < parameter_count<Family>; ++i) p[i] = example_of<Family>(i);
  return p;
}

/// Parameters that must be fixed, fixed at their examples.
template <class Family>
fit_settings settings_for() {
  fit_settings settings;
  for (int i = 0; i < parameter_count<Family>; ++i)
    if (constraint_of<Family>(i) == constraint::count) {
      settings.fixed |= 1u << i;
      settings.fixed_values[i] = example_of<Family>(i);
    }
  return settings;
}

/// Draws at the example parameters, sample by sample; every value is one that float holds.
template <class Family>
ragged_sample draws(const std::vector<int>& sizes, bool weighted) {
  ragged_sample batch;
  const auto p = params_from<Family>(example_parameters<Family>());
  for (std::size_t fit = 0; fit < sizes.size(); ++fit) {
    for (int i = 0; i < sizes[fit]; ++i) {
      philox_stream random(7, fit, static_cast<std::uint32_t>(i));
      batch.values.push_back(static_cast<double>(static_cast<float>(Family::sample(p, random))));
      if (weighted) batch.weights.push_back(0.5 + i % 3);
    }
    batch.offsets.push_back(static_cast<std::int64_t>(batch.values.size()));
  }
  return batch;
}

template <class Family>
lane_results serial_fits(const ragged_sample& data) {
  lane_results results(data.count(), parameter_count<Family>);
  static serial_scratch scratch;
  serial_group<family_rows<Family>> points(scratch);
  const batch_view<double> batch{data.values.data(), data.weights.empty() ? nullptr : data.weights.data(),
                                 data.offsets.data(), 0, data.count()};
  for (std::int64_t fit = 0; fit < data.count(); ++fit)
    store(fit_operation::of<Family>(points, sample_of(batch, fit), settings_for<Family>(), fit, 0x1p-52),
          results.view(), fit);
  return results;
}

/// |a − b| ≤ tolerance · (1 + |b|), or both NaN or the same infinity.
inline bool agrees(double a, double b, double tolerance) {
  return (std::isnan(a) && std::isnan(b)) || a == b || std::fabs(a - b) <= tolerance * (1 + std::fabs(b));
}

inline void expect_agreement(const lane_results& lanes, const lane_results& serial, double tolerance,
                             const char* what) {
  for (std::int64_t i = 0; i < lanes.count; ++i) {
    EXPECT_EQ(lanes.status[i], serial.status[i]) << what << " fit " << i;
    EXPECT_EQ(lanes.observations[i], serial.observations[i]) << what << " fit " << i;
    EXPECT_EQ(lanes.missing[i], serial.missing[i]) << what << " fit " << i;
    EXPECT_EQ(lanes.left_out[i], serial.left_out[i]) << what << " fit " << i;
    EXPECT_EQ(lanes.outside[i], serial.outside[i]) << what << " fit " << i;
    EXPECT_TRUE(agrees(lanes.log_likelihood[i], serial.log_likelihood[i], tolerance))
        << what << " fit " << i << ": " << lanes.log_likelihood[i] << " and " << serial.log_likelihood[i];
    for (int p = 0; p < lanes.parameter_count; ++p) {
      const double a = lanes.parameters[p * lanes.count + i], b = serial.parameters[p * lanes.count + i];
      EXPECT_TRUE(agrees(a, b, tolerance)) << what << " fit " << i << " parameter " << p << ": " << a << " and " << b;
      const double c = lanes.std_errors[p * lanes.count + i], d = serial.std_errors[p * lanes.count + i];
      EXPECT_TRUE(agrees(c, d, 10 * tolerance)) << what << " fit " << i << " error " << p << ": " << c << " and " << d;
    }
  }
}

template <class Family>
void expect_serial_agreement() {
  const std::vector<int> sizes{0, 1, 40, 65, 150};
  for (const bool weighted : {false, true}) {
    const ragged_sample data = draws<Family>(sizes, weighted);
    const lane_results serial = serial_fits<Family>(data);
    const fit_settings settings = settings_for<Family>();
    expect_agreement(run_fits<Family, reach::warp>(data, 1, 2, 64, nullptr, settings), serial, 1e-7, "warp");
    expect_agreement(run_fits<Family, reach::part>(data, 1, 1, 64, nullptr, settings), serial, 1e-7, "part");
    expect_agreement(run_fits<Family, reach::block>(data, 1, 2, 256, nullptr, settings), serial, 1e-7, "block");
    if (!weighted)
      expect_agreement(run_fits<Family, reach::grid>(data, 2, 1, 0, nullptr, settings), serial, 1e-7, "grid");
  }
}

/// Samples that are read in a frame: far from 0 for their spread, or in an extreme unit.
template <class Family>
void expect_serial_agreement_in_frames() {
  if constexpr (has_frame<Family>) {
    const std::vector<int> sizes{40, 65, 150};
    int framed = 0;
    for (const double unit : {1.0, 0x1p-500, 0x1p500})
      for (const double origin : {0.0, 0x1p34}) {
        if (origin != 0 && !can_shift<Family> && !has_log_coordinate<Family>) continue;
        ragged_sample data = draws<Family>(sizes, false);
        for (double& x : data.values) x = (x + origin) * unit;
        ++framed;
        const lane_results serial = serial_fits<Family>(data);
        const fit_settings settings = settings_for<Family>();
        expect_agreement(run_fits<Family, reach::warp>(data, 1, 2, 64, nullptr, settings), serial, 1e-7, "warp");
        expect_agreement(run_fits<Family, reach::block>(data, 1, 2, 256, nullptr, settings), serial, 1e-7, "block");
      }
    EXPECT_GE(framed, 3);
  }
}

template <class Family>
void expect_bits_among_poisoned() {
  ragged_sample data = draws<Family>({50, 33, 40, 45, 64, 35, 40}, false);
  const ragged_sample clean = data;
  const double poison[] = {constants::nan, constants::infinity, -constants::infinity, -1e300};
  for (int k = 0; k < 4; ++k) {  // every second fit gets something bad
    const std::int64_t fit = k % 3 * 2;
    data.values[data.offsets[fit] + 3 + k] = poison[k];
  }
  const fit_settings settings = settings_for<Family>();
  const auto check = [&]<reach Reach>(std::integral_constant<reach, Reach>) {
    const auto mixed = run_fits<Family, Reach>(data, 1, 2, 48, nullptr, settings);
    for (const std::size_t good : {1u, 3u, 5u, 6u}) {
      const auto alone = run_fits<Family, Reach>(clean.only(good), 1, 1, 48, nullptr, settings);
      EXPECT_TRUE(mixed.same_fit(good, alone, 0)) << "fit " << good;
    }
  };
  check(std::integral_constant<reach, reach::part>());
  check(std::integral_constant<reach, reach::warp>());
}

template <class Family>
void expect_float_agreement() {
  const ragged_sample data = draws<Family>({300}, false);
  const lane_results serial = serial_fits<Family>(data);
  const lane_results lanes = run_fits<Family, reach::warp, float>(data, 1, 1, 300, nullptr, settings_for<Family>());
  ASSERT_EQ(serial.status[0], fit_status::converged);
  ASSERT_EQ(lanes.status[0], fit_status::converged);
  EXPECT_TRUE(agrees(lanes.log_likelihood[0], serial.log_likelihood[0], 1e-4));
  for (int p = 0; p < lanes.parameter_count; ++p)
    EXPECT_TRUE(agrees(lanes.parameters[p], serial.parameters[p], 1e-4)) << p;
}

}  // namespace manyfit
