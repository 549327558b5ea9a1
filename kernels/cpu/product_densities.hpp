// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Log-densities of rows of several columns under K products of one distribution per column, by the families' own tables
// of functions: a missing cell contributes nothing. Coded columns (models/coded_columns.hpp) cost a family's
// log-density once for each of their values, and then an addition for each group of them and row; any other column a
// log-density for each cell.
#pragma once

#include "kernels/cpu/mixture_of_passes.hpp"

MF_NAMESPACE_BEGIN

/// to[c × to_stride + r] = from[r × from_stride + c] for r < rows, c < columns, in tiles.
inline void transpose(const double* from, std::size_t rows, std::size_t columns, std::size_t from_stride, double* to,
                      std::size_t to_stride) {
  constexpr std::size_t tile = 8;
  for (std::size_t r0 = 0; r0 < rows; r0 += tile)
    for (std::size_t c0 = 0; c0 < columns; c0 += tile)
      for (std::size_t c = c0; c < std::min(columns, c0 + tile); ++c)
        for (std::size_t r = r0; r < std::min(rows, r0 + tile); ++r) to[c * to_stride + r] = from[r * from_stride + c];
}

class product_densities {
 public:
  /// Workspace of one thread.
  struct worker {
    std::vector<double> rows;   ///< [tile_rows × width]
    std::vector<double> cells;  ///< [tile_rows]
  };

  /// `parts`: K components of one family. All outlive this.
  product_densities(const mixture_sample& sample, std::span<const mixture_part> parts, int parameter_stride,
                    const mixture_cpu_functions& functions)
      : sample_(sample),
        codes_(sample.codes),
        parts_(parts),
        parameter_stride_(static_cast<std::size_t>(parameter_stride)),
        functions_(functions),
        width_((parts.size() + 7) / 8 * 8),
        tile_rows_(std::clamp<std::size_t>(most_bytes / 8 / width_ / 8 * 8, 64, 1024)) {
    if (width_ % 64 == 0) width_ += 8;  // rows at a power of two would all fall into the same few sets of L1
    if (!codes_.empty()) {
      const std::size_t K = parts_.size();
      parameters_of_coded_.resize(K * codes_.columns().size() * parameter_stride_);
      logs_.resize(K * values());
      log_of_value_.resize(values() * width_);
      table_.resize(codes_.patterns() * width_);
    }
  }

  std::size_t width() const { return width_; }  ///< of a row of K numbers, whole packs; what is beyond K stays 0
  std::size_t tile_rows() const { return tile_rows_; }  ///< rows at a time, a multiple of 8: a cache holds them
  std::size_t values() const { return codes_.values().size(); }
  const double* log_of_value() const { return log_of_value_.data(); }  ///< [values × width]
  worker make_worker() const {
    return {std::vector<double>(codes_.empty() ? 0 : tile_rows_ * width_), std::vector<double>(tile_rows_)};
  }
  bool is_coded(std::size_t d) const { return sample_.columns[d].x.empty(); }

  /// parameters [K × D × parameter_stride], which must stay.
  void set(const double* parameters, int threads) {
    parameters_ = parameters;
    if (codes_.empty()) return;
    const std::size_t K = parts_.size(), D = sample_.columns.size(), C = codes_.columns().size(), S = values();
    parallel_for(threads, static_cast<std::int64_t>(K), 1, [&](std::int64_t at) {
      const auto k = static_cast<std::size_t>(at);
      double* const own = parameters_of_coded_.data() + k * C * parameter_stride_;
      for (std::size_t c = 0; c < C; ++c)
        std::copy_n(parameters + (k * D + codes_.columns()[c].number) * parameter_stride_, parameter_stride_,
                    own + c * parameter_stride_);
      double* const logs = logs_.data() + k * S;
      parts_[k].functions->log_density(
          {codes_.values().data(), nullptr, codes_.value_offsets().data(), 0, static_cast<std::int64_t>(C)},
          {own, static_cast<std::int64_t>(parameter_stride_), 1}, {logs}, 1, nullptr);
      for (std::size_t s = 0; s < S; ++s) log_of_value_[s * width_ + k] = logs[s];
    });
    std::fill(table_.begin(), table_.end(), 0.0);
    for (const coded_columns::column& column : codes_.columns()) {
      std::size_t value;
      for (std::size_t c = 0; c < codes_.patterns_of(column.group); ++c) {
        if (!column.tells(c, value)) continue;
        double* const to = table_.data() + (codes_.first_pattern(column.group) + c) * width_;
        const double* const from = log_of_value_.data() + (column.first_value + value) * width_;
        for (std::size_t k = 0; k < width_; ++k) to[k] += from[k];
      }
    }
  }

  /// log f_k of rows [first, first + count), tile_rows at most, into table [K × stride].
  void of_rows(std::size_t first, std::size_t count, worker& own, double* table, std::size_t stride) const {
    const std::size_t K = parts_.size();
    if (codes_.empty()) {
      for (std::size_t k = 0; k < K; ++k) std::fill_n(table + k * stride, count, 0.0);
    } else {
      std::fill_n(own.rows.data(), count * width_, 0.0);
      functions_.add_patterns(codes_.rows(first, count), table_.data(), static_cast<int>(width_), own.rows.data());
      transpose(own.rows.data(), count, K, width_, table, stride);
    }
    for (std::size_t d = 0; d < sample_.columns.size(); ++d) {
      if (is_coded(d)) continue;
      const double* const x = sample_.columns[d].x.data() + first;
      for (std::size_t k = 0; k < K; ++k) {
        of_column(d, k, first, count, own);
        for (std::size_t i = 0; i < count; ++i) table[k * stride + i] += x[i] == x[i] ? own.cells[i] : 0;
      }
    }
  }
  /// log f_k of the cells of column d, which is not coded, into own.cells.
  void of_column(std::size_t d, std::size_t k, std::size_t first, std::size_t count, worker& own) const {
    component_log_density(parts_[k], parameters_ + (k * sample_.columns.size() + d) * parameter_stride_,
                          {sample_.columns[d].x.data() + first, count}, own.cells.data());
  }

 private:
  static constexpr std::size_t most_bytes = 512 << 10;  ///< of a tile's numbers: half of an L2

  const mixture_sample& sample_;
  const coded_columns& codes_;
  std::span<const mixture_part> parts_;
  std::size_t parameter_stride_;
  const mixture_cpu_functions& functions_;
  std::size_t width_, tile_rows_;
  const double* parameters_ = nullptr;
  std::vector<double> parameters_of_coded_;  ///< [K × coded columns × parameter_stride]
  std::vector<double> logs_;                 ///< [K × values]
  std::vector<double> log_of_value_;         ///< [values × width]
  std::vector<double> table_;                ///< [patterns × width]: log f_k of a pattern
};

MF_NAMESPACE_END
