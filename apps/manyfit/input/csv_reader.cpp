// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "input/csv_chunk.hpp"
#include "input/parse_number.hpp"

namespace manyfit::app {

namespace {

[[noreturn]] void refuse(const std::string& source, std::string_view text, const csv_fault& fault) {
  const auto line = 1 + std::count(text.data(), fault.at, '\n');
  throw input_error(fmt::format("{}, line {}: {}\n{}", source, line, fault.given, fault.expected));
}

void refuse_other_formats(const std::string& source, std::string_view text) {
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
void refuse_numbers_for_names(const std::string& source, const csv_record& header) {
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const auto number = parse_number(header.fields[i]);
    if (header.quoted[i] || !number || std::isnan(*number)) return;
  }
  throw input_error(
      fmt::format("{}, line 1: a number, '{}', where the names of the columns were expected\n"
                  "put a header line on top (names that are numbers go in quotes)",
                  source, excerpt(header.fields.front())));
}

/// Blank lines at the end hold no records.
std::string_view without_blank_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// Parses all chunks. The calling thread is one of the workers and the only one that reports progress.
std::vector<csv_chunk> parse_chunks(const std::vector<std::string_view>& pieces, const csv_layout& layout,
                                    const csv_options& options, std::uint64_t total_bytes) {
  std::vector<csv_chunk> chunks(pieces.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<std::uint64_t> done = 0;
  std::exception_ptr failure;
  std::mutex failure_guard;

  const auto work = [&](bool reports) {
    try {
      const auto on_bytes = [&](std::size_t bytes) {
        const std::uint64_t now = done += bytes;
        if (reports && options.progress) options.progress(now, total_bytes);
      };
      for (std::size_t i; (i = next++) < pieces.size();) {
        chunks[i] = parse_chunk(pieces[i], layout, on_bytes);
        if (chunks[i].fault) next = pieces.size();  // all chunks before this one have been taken already
      }
    } catch (...) {
      const std::lock_guard lock(failure_guard);
      if (!failure) failure = std::current_exception();
      next = pieces.size();
    }
  };

  unsigned threads = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  threads = static_cast<unsigned>(std::min<std::size_t>(threads, pieces.size()));
  {
    std::vector<std::jthread> others;
    try {
      for (unsigned i = 1; i < threads; ++i) others.emplace_back(work, false);
    } catch (const std::system_error&) {  // no more threads: these do
    }
    work(true);
  }
  if (failure) std::rethrow_exception(failure);
  if (options.progress) options.progress(done, total_bytes);  // the last bytes may have been another thread's
  return chunks;
}

column join_numbers(std::vector<csv_chunk>& chunks, std::size_t field, std::size_t rows) {
  column joined{.kind = column_kind::numeric};
  joined.numbers.reserve(rows);
  for (csv_chunk& chunk : chunks) {
    auto& part = chunk.fields[field].numbers;
    joined.numbers.insert(joined.numbers.end(), part.begin(), part.end());
    part = {};
  }
  return joined;
}

column join_codes(std::vector<csv_chunk>& chunks, std::size_t field, std::size_t rows) {
  column joined{.kind = column_kind::text};
  joined.codes.reserve(rows);
  text_dictionary whole;
  std::vector<std::int32_t> whole_code;
  for (csv_chunk& chunk : chunks) {
    auto& part = chunk.fields[field];
    whole_code.clear();
    for (const auto text : part.dictionary.texts()) whole_code.push_back(whole.code_of(text));
    for (const std::int32_t code : part.codes) {
      joined.codes.push_back(code < 0 ? -1 : whole_code[static_cast<std::size_t>(code)]);
    }
    part.codes = {};
  }
  joined.dictionary.assign(whole.texts().begin(), whole.texts().end());
  return joined;
}

}  // namespace

table read_csv(std::string_view text, const std::string& source, const read_request& request,
               const csv_options& options) {
  refuse_other_formats(source, text);
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);

  csv_layout layout{.delimiter = options.delimiter};
  if (layout.delimiter == 0) {
    const auto first_line = rest.substr(0, rest.find('\n'));
    const bool tabs = first_line.find('\t') != first_line.npos && first_line.find(',') == first_line.npos;
    layout.delimiter = tabs ? '\t' : ',';
  }

  csv_record header = parse_record(rest, layout.delimiter);
  if (header.fault) refuse(source, text, *header.fault);
  if (header.fields.size() == 1 && header.fields[0].empty()) {
    throw input_error(
        fmt::format("{}, line 1: blank\na header line with the names of the columns was expected", source));
  }
  refuse_numbers_for_names(source, header);
  layout.plan = plan_fields(source, header.fields, request);
  rest = without_blank_end(rest.substr(header.bytes));

  layout.names = std::move(header.fields);
  const auto pieces = split_records(rest, options.chunk_bytes);
  auto chunks = parse_chunks(pieces, layout, options, rest.size());
  for (const csv_chunk& chunk : chunks) {
    if (chunk.fault) refuse(source, text, *chunk.fault);
  }

  const auto numeric = [&](std::size_t field) {
    return layout.plan[field].as_number != field_plan::numeric::no &&
           std::all_of(chunks.begin(), chunks.end(), [&](const csv_chunk& each) { return each.fields[field].numeric; });
  };

  // Only a request for everything wants the columns that turned out to be text. Whether they are is known only now.
  if (request.everything()) {
    csv_layout again = layout;
    bool any = false;
    for (std::size_t i = 0; i < again.plan.size(); ++i) {
      layout.plan[i].as_key = again.plan[i].as_key = !numeric(i);
      again.plan[i].as_number = field_plan::numeric::no;
      any = any || again.plan[i].as_key;
    }
    if (any) {
      auto text_chunks = parse_chunks(pieces, again, options, rest.size());
      for (std::size_t c = 0; c < chunks.size(); ++c) {
        for (std::size_t i = 0; i < again.plan.size(); ++i) {
          if (again.plan[i].as_key) std::swap(chunks[c].fields[i], text_chunks[c].fields[i]);
          if (again.plan[i].as_key) chunks[c].fields[i].numeric = false;
        }
      }
    }
  }

  table result{.source = source};
  for (const csv_chunk& chunk : chunks) result.rows += chunk.rows;
  for (std::size_t i = 0; i < layout.plan.size(); ++i) {
    if (numeric(i)) {
      result.columns.push_back(join_numbers(chunks, i, result.rows));
      result.columns.back().name = layout.names[i];
    }
    if (layout.plan[i].as_key) {
      result.columns.push_back(join_codes(chunks, i, result.rows));
      result.columns.back().name = layout.names[i];
    }
  }
  result.source_names = std::move(layout.names);
  return result;
}

}  // namespace manyfit::app
