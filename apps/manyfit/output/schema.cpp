// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/schema.hpp"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "input/input_error.hpp"

namespace manyfit::app {

namespace {

const std::string* pattern_of(const field& each, table_form form) {
  if (form == table_form::columns) return each.column.empty() ? nullptr : &each.column;
  const std::optional<std::string>& heading = form == table_form::many ? each.many : each.one;
  return heading ? &*heading : nullptr;
}

std::string label_of(const axis& along, std::int64_t index, table_form form) {
  if (along.labels.empty()) return fmt::format("{}", index);
  const std::string& label = along.labels[static_cast<std::size_t>(index)];
  return form == table_form::columns ? label : excerpt(label);
}

class flattening {
 public:
  flattening(table_form form, const axes& lines) : form_(form), lines_(lines) {}

  /// Fields that share their first `depth` axes, at the indices of `at`.
  void expand(std::span<const field* const> fields, std::size_t depth, flat_column& at) {
    for (std::size_t i = 0; i < fields.size();) {
      const field& first = *fields[i];
      if (first.along.size() == depth) {
        add(first, at);
        ++i;
        continue;
      }
      const axis* const along = first.along[depth].get();
      std::size_t end = i + 1;
      while (end < fields.size() && fields[end]->along.size() > depth && fields[end]->along[depth].get() == along)
        ++end;
      const auto together = fields.subspan(i, end - i);
      i = end;
      labels_.resize(depth + 1);
      if (at.lines == depth && depth < lines_.size() && lines_[depth].get() == along) {
        ++at.lines;
        expand(together, depth + 1, at);
        --at.lines;
        continue;
      }
      const std::int64_t size = form_ == table_form::columns ? along->size : std::min(along->size, along->shown);
      for (std::int64_t index = 0; index < size; ++index) {
        at.at.at[depth] = index;
        labels_.resize(depth + 1);
        labels_[depth] = label_of(*along, index, form_);
        expand(together, depth + 1, at);
      }
      at.at.at[depth] = 0;
    }
  }

  std::vector<flat_column> take() { return std::move(columns_); }

 private:
  void add(const field& each, const flat_column& at) {
    const std::size_t n = each.along.size();
    if (each.lower_triangle && form_ == table_form::columns && at.at.at[n - 1] > at.at.at[n - 2]) return;
    fmt::dynamic_format_arg_store<fmt::format_context> labels;
    for (std::size_t d = 0; d < n; ++d) labels.push_back(labels_[d]);
    flat_column& added = columns_.emplace_back(at);
    added.of = &each;
    for (std::size_t d = added.lines; d < n; ++d)
      added.ragged = added.ragged || (each.along[d]->own_size && !each.along[d]->nan_beyond);
    added.name = fmt::vformat(*pattern_of(each, form_), labels);
  }

  table_form form_;
  const axes& lines_;
  std::vector<std::string> labels_;
  std::vector<flat_column> columns_;
};

/// A key is called NAME, or key_NAME where that is taken: no two columns have one name.
void name_keys_apart(std::vector<flat_column>& columns) {
  std::map<std::string, int> taken;
  for (const flat_column& each : columns) ++taken[each.name];
  for (flat_column& each : columns) {
    if (!each.of->key || taken[each.name] == 1) continue;
    --taken[each.name];
    while (taken[each.name] > 0) each.name.insert(0, "key_");
    ++taken[each.name];
  }
}

}  // namespace

std::vector<flat_column> flat_columns(const schema& of, table_form form, const axes& lines) {
  std::vector<const field*> fields;
  for (const field& each : of.fields)
    if (pattern_of(each, form)) fields.push_back(&each);
  flattening flat(form, lines);
  flat_column start;
  flat.expand(fields, 0, start);
  std::vector<flat_column> columns = flat.take();
  std::stable_partition(columns.begin(), columns.end(), [](const flat_column& each) { return each.lines == 0; });
  name_keys_apart(columns);
  return columns;
}

bool next_line(position& line, const axes& lines) {
  for (std::size_t d = lines.size(); d-- > 0;) {
    if (++line.at[d] < lines[d]->size_at(line)) return true;
    line.at[d] = 0;
  }
  return false;
}

}  // namespace manyfit::app
