// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "host/src/large_array.hpp"
#include "input/column_names.hpp"
#include "input/csv_chunk.hpp"
#include "input/parse_number.hpp"
#include "kernels/cpu/parallel.hpp"

namespace manyfit::app {

namespace {

[[noreturn]] void throw_input_error(const std::string& source, std::string_view text, const csv_fault& fault) {
  const auto line = 1 + std::count(text.data(), fault.at, '\n');
  const std::string byte = fault.with_byte ? fmt::format(", byte {}", fault.at - text.data()) : "";
  throw input_error(fmt::format("{}, line {}{}: {}\n{}", source, line, byte, fault.given, fault.expected));
}

void check_is_plain_text(const std::string& source, std::string_view text) {
  if (text.empty()) {
    throw input_error(fmt::format("{}: empty\na header line with the names of the columns was expected", source));
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    throw input_error(fmt::format("{}, byte 0: UTF-16 text\nsave it as UTF-8", source));
  }
  if (text.starts_with("\x1F\x8B") || text.starts_with("\x28\xB5\x2F\xFD")) {
    throw input_error(
        fmt::format("{}, byte 0: compressed with gzip or zstd\nuncompress it first, and pipe it in as -", source));
  }
}

/// A file without a header would lose its first row in silence. Names that are numbers are still possible, in quotes.
void check_names_are_no_numbers(const std::string& source, const csv_record& header) {
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const auto number = parse_number(header.fields[i]);
    if (header.quoted[i] || !number || std::isnan(*number)) return;
  }
  throw input_error(
      fmt::format("{}, line 1: a number, '{}', where the names of the columns were expected\n"
                  "put a header line on top (names that are numbers go in quotes)",
                  source, excerpt(header.fields.front())));
}

/// The separator that the header tells of: what stands in it most often, outside quotes.
char delimiter_of(std::string_view text, const csv_options& options) {
  constexpr std::string_view known = ",;\t|";
  std::array<std::size_t, known.size()> counts{};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == '\n' && !quoted) break;
    const auto which = known.find(c);
    if (which != known.npos && !quoted) ++counts[which];
  }
  if (const auto preferred = known.find(options.prefer); preferred != known.npos && counts[preferred] > 0)
    return options.prefer;
  const auto most = std::max_element(counts.begin(), counts.end());
  if (*most > 0) return known[static_cast<std::size_t>(most - counts.begin())];
  return options.format.decimal == ',' ? ';' : ',';  // one column, whose decimal commas separate nothing
}

/// Whether a column is only what a separator at the end of the header leaves.
bool header_is_empty(const csv_layout& layout, const column_names& columns, std::size_t column) {
  return columns.unnamed[column] && layout.plan[column].as_number != field_plan::numeric::required &&
         !layout.plan[column].as_key && layout.names[column].starts_with("column_");
}

/// Blank lines at the end hold no records.
std::string_view without_blank_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

unsigned threads_of(const csv_options& options) {
  return options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
}

/// Parses all chunks up to the first that has a fault, and perhaps some after it. Only the calling thread reports
/// progress.
std::vector<csv_chunk> parse_chunks(const std::vector<std::string_view>& chunk_texts, const csv_layout& layout,
                                    const csv_options& options, std::uint64_t total_bytes) {
  std::vector<csv_chunk> chunks(chunk_texts.size());
  std::atomic<std::uint64_t> done = 0;
  // The lowest index of a chunk with a fault so far. Every chunk before it is parsed still: a thread may have taken one
  // long ago and come to it only now, and the fault that is reported is the first in the file.
  std::atomic<std::int64_t> first_fault = std::ssize(chunk_texts);
  const auto caller = std::this_thread::get_id();
  const auto on_bytes = [&](std::size_t bytes) {
    const std::uint64_t now = done += bytes;
    if (options.progress && std::this_thread::get_id() == caller) options.progress(now, total_bytes);
  };
  parallel_for(static_cast<int>(threads_of(options)), std::ssize(chunk_texts), 1, [&](std::int64_t index) {
    std::int64_t lowest = first_fault;
    if (index > lowest) return;
    const auto i = static_cast<std::size_t>(index);
    chunks[i] = parse_chunk(chunk_texts[i], layout, on_bytes);
    if (!chunks[i].fault) return;
    while (index < lowest && !first_fault.compare_exchange_weak(lowest, index)) continue;
  });
  if (options.progress) options.progress(done, total_bytes);  // the last bytes may have been another thread's
  return chunks;
}

column join_numbers(std::vector<csv_chunk>& chunks, std::size_t place, std::size_t rows) {
  column joined{.kind = column_kind::numeric};
  reserve_large(joined.numbers, rows);
  for (csv_chunk& chunk : chunks) {
    auto& part = chunk.fields[place].numbers;
    joined.numbers.insert(joined.numbers.end(), part.begin(), part.end());
    part = {};
  }
  return joined;
}

column join_codes(std::vector<csv_chunk>& chunks, std::size_t place, unsigned threads) {
  std::vector<key_part> parts;
  parts.reserve(chunks.size());
  for (csv_chunk& chunk : chunks) parts.push_back(std::move(chunk.fields[place].keys));
  return join_keys(parts, threads);
}

/// A wanted column over all chunks.
struct field_totals {
  std::int64_t number_cells = 0, other_cells = 0;
  const csv_chunk::cell* first_other = nullptr;

  bool numeric() const { return first_other == nullptr; }
  bool mostly_numbers() const { return number_cells > other_cells; }
};

field_totals totals_of(const std::vector<csv_chunk>& chunks, std::size_t place) {
  field_totals totals;
  for (const csv_chunk& chunk : chunks) {
    const csv_chunk::field& field = chunk.fields[place];
    totals.number_cells += field.number_cells;
    totals.other_cells += field.other_cells;
    if (!field.numeric() && totals.numeric()) totals.first_other = &field.first_other;
  }
  return totals;
}

void throw_first_fault(const std::string& source, std::string_view text, const std::vector<csv_chunk>& chunks) {
  for (const csv_chunk& chunk : chunks) {
    if (chunk.fault) throw_input_error(source, text, *chunk.fault);
  }
}

/// Only a request for everything wants the columns that turned out to be text. Whether they are is known only once all
/// chunks have been read, so these are read again.
void read_texts(const std::string& source, std::string_view text, const std::vector<std::string_view>& chunk_texts,
                csv_layout& layout, const csv_options& options, std::size_t bytes, std::vector<csv_chunk>& chunks) {
  std::vector<field_plan> plan(layout.plan.size());
  bool any = false;
  for (std::size_t place = 0; place < layout.column_of_place.size(); ++place) {
    const std::size_t column = layout.column_of_place[place];
    plan[column].as_key = !totals_of(chunks, place).numeric();
    any = any || plan[column].as_key;
  }
  if (!any) return;
  csv_layout texts = layout;
  texts.set_plan(std::move(plan));
  std::vector<csv_chunk> again = parse_chunks(chunk_texts, texts, options, bytes);
  throw_first_fault(source, text, again);  // of keys; after a fault there may be chunks without fields
  for (std::size_t place = 0; place < texts.column_of_place.size(); ++place) {
    const std::size_t column = texts.column_of_place[place];
    layout.plan[column] = {.as_key = true};
    for (std::size_t c = 0; c < chunks.size(); ++c)
      chunks[c].fields[static_cast<std::size_t>(layout.place_of_column[column])] = std::move(again[c].fields[place]);
  }
  for (std::size_t c = 0; c < chunks.size(); ++c) chunks[c].copies = std::move(again[c].copies);
}

}  // namespace

table read_csv(std::string_view text, const std::string& source, const read_request& request,
               const csv_options& options) {
  check_is_plain_text(source, text);
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);

  csv_layout layout{.delimiter = options.format.delimiter, .rules = cell_rules(options.format)};
  if (layout.delimiter == 0) layout.delimiter = delimiter_of(rest, options);
  csv_record header = parse_record(rest, layout.delimiter);
  if (header.fault) throw_input_error(source, text, *header.fault);
  if (header.fields.size() == 1 && header.fields[0].empty()) {
    throw input_error(
        fmt::format("{}, line 1: blank\na header line with the names of the columns was expected", source));
  }
  check_names_are_no_numbers(source, header);
  rest = without_blank_end(rest.substr(header.bytes));
  column_names columns = name_columns(std::move(header.fields));
  layout.names = std::move(columns.names);
  layout.set_plan(plan_fields(source, layout.names, request));
  layout.least_fields = layout.names.size();
  while (layout.least_fields > 1 && header_is_empty(layout, columns, layout.least_fields - 1)) --layout.least_fields;

  const auto chunk_texts = split_records(rest, options.chunk_bytes);
  auto chunks = parse_chunks(chunk_texts, layout, options, rest.size());
  throw_first_fault(source, text, chunks);
  if (request.everything()) read_texts(source, text, chunk_texts, layout, options, rest.size(), chunks);

  table result{.source = source};
  for (const csv_chunk& chunk : chunks) result.rows += chunk.rows;
  std::vector<std::size_t> column_of_field;
  std::optional<csv_fault> first_bad;
  for (std::size_t place = 0; place < layout.column_of_place.size(); ++place) {
    const std::size_t column_index = layout.column_of_place[place];
    const field_plan& plan = layout.plan[column_index];
    const auto add = [&](column&& each) {
      each.name = layout.names[column_index];
      result.columns.push_back(std::move(each));
      column_of_field.push_back(column_index);
    };
    if (plan.as_number != field_plan::numeric::no) {
      const field_totals totals = totals_of(chunks, place);
      if (totals.numeric())
        add(join_numbers(chunks, place, result.rows));
      else if (totals.mostly_numbers() && (!first_bad || totals.first_other->at < first_bad->at))
        first_bad = not_a_number(layout, column_index, *totals.first_other);
    }
    if (plan.as_key) add(join_codes(chunks, place, threads_of(options)));
  }
  if (first_bad) throw_input_error(source, text, *first_bad);
  result.source_names = std::move(layout.names);
  settle_defaults(result, columns.unnamed, column_of_field, request);
  return result;
}

}  // namespace manyfit::app
