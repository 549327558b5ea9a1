// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#ifdef MF_WITH_ARROW

#include "input/arrow_columns.hpp"

#include <arrow/array/array_decimal.h>
#include <arrow/array/array_dict.h>
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "input/input_error.hpp"
#include "manyfit/group_by.hpp"

namespace manyfit::app {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// Calls `each(value)` or `none()` for every element.
template <class Array, class Each, class None>
void visit(const arrow::Array& array, Each each, None none) {
  const auto& typed = static_cast<const Array&>(array);
  for (std::int64_t i = 0; i < typed.length(); ++i) {
    if (typed.IsNull(i)) {
      none();
    } else {
      each(typed, i);
    }
  }
}

template <class Array>
void write_plain(const arrow::Array& array, double* numbers) {
  if constexpr (std::is_same_v<Array, arrow::DoubleArray>) {
    if (array.null_count() == 0) {
      std::copy_n(static_cast<const arrow::DoubleArray&>(array).raw_values(), array.length(), numbers);
      return;
    }
  }
  visit<Array>(
      array, [&](const Array& typed, std::int64_t i) { *numbers++ = static_cast<double>(typed.Value(i)); },
      [&] { *numbers++ = missing; });
}

template <class Array, class Decimal>
void write_decimal(const arrow::Array& array, double* numbers) {
  const std::int32_t scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
  visit<Array>(
      array, [&](const Array& typed, std::int64_t i) { *numbers++ = Decimal(typed.GetValue(i)).ToDouble(scale); },
      [&] { *numbers++ = missing; });
}

void write_dictionary_numbers(const arrow::DictionaryArray& array, double* numbers) {
  std::vector<double> values(static_cast<std::size_t>(array.dictionary()->length()));
  write_numbers(*array.dictionary(), values.data());
  visit<arrow::DictionaryArray>(
      array,
      [&](const arrow::DictionaryArray& typed, std::int64_t i) {
        *numbers++ = values[static_cast<std::size_t>(typed.GetValueIndex(i))];
      },
      [&] { *numbers++ = missing; });
}

template <class Array>
key_part string_keys(const arrow::Array& array) {
  key_collector cells;
  cells.reserve(static_cast<std::size_t>(array.length()));
  visit<Array>(
      array,
      [&](const Array& typed, std::int64_t i) {
        const std::string_view text = typed.GetView(i);
        cells.add(text.empty() ? std::string_view() : text);
      },
      [&] { cells.add({}); });
  key_part part = cells.finish();
  if (2 * part.texts.size() > part.codes.size())
    part.owned = array.data();
  else
    part.own_texts();
  return part;
}

/// Integers, floats and truth values, as the shortest text that reads back the same; -0 is 0.
template <class Array>
key_part number_keys(const arrow::Array& array) {
  using value_type = decltype(std::declval<const Array&>().Value(0));
  std::vector<std::uint64_t> words;  // of the rows that have a key
  std::vector<value_type> values;
  key_part part;
  part.codes.reserve(static_cast<std::size_t>(array.length()));
  visit<Array>(
      array,
      [&](const Array& typed, std::int64_t i) {
        value_type value = typed.Value(i);
        if (value != value) return part.codes.push_back(-1);
        if (value == value_type{}) value = value_type{};
        std::uint64_t word = 0;
        std::memcpy(&word, &value, sizeof value);
        words.push_back(word);
        values.push_back(value);
        part.codes.push_back(0);
      },
      [&] { part.codes.push_back(-1); });
  const row_groups groups = group_by(words, {.threads = 1});
  auto next = groups.group_of_row.begin();
  for (std::int32_t& code : part.codes)
    if (code == 0) code = *next++;

  std::string all;
  std::vector<std::size_t> ends;
  char buffer[32];
  for (const std::int64_t first : groups.first_row) {
    const value_type value = values[static_cast<std::size_t>(first)];
    if constexpr (std::is_same_v<value_type, bool>)
      all += value ? "true" : "false";
    else
      all.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
    ends.push_back(all.size());
  }
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    part.texts.push_back(std::string_view(all).substr(begin, end - begin));
    begin = end;
  }
  part.own_texts();
  return part;
}

key_part dictionary_keys(const arrow::DictionaryArray& array, const std::string& column, const cell_rules& rules) {
  // Entries are numbered when a row uses them, which keeps the order of first appearance.
  key_part entries = keys_of(*array.dictionary(), column, rules), part;
  const auto rows = static_cast<std::size_t>(array.length());
  part.codes.reserve(rows);
  constexpr std::int32_t unused = -2;
  std::vector<std::int32_t> code_of_entry(entries.texts.size(), unused), code_of(entries.codes.size(), unused);
  const auto number = [&](std::size_t value) {  // two values may have one text
    const std::int32_t entry = entries.codes[value];
    if (entry < 0) return -1;
    std::int32_t& code = code_of_entry[static_cast<std::size_t>(entry)];
    if (code == unused) {
      code = static_cast<std::int32_t>(part.texts.size());
      part.texts.push_back(entries.texts[static_cast<std::size_t>(entry)]);
    }
    return code;
  };
  const auto number_rows = [&](auto value_of) {
    const bool any_null = array.null_count() > 0;
    for (std::size_t row = 0; row < rows; ++row) {
      if (any_null && array.IsNull(static_cast<std::int64_t>(row))) {
        part.codes.push_back(-1);
        continue;
      }
      const auto value = static_cast<std::size_t>(value_of(row));
      if (code_of[value] == unused) code_of[value] = number(value);
      part.codes.push_back(code_of[value]);
    }
  };
  if (array.indices()->type_id() == arrow::Type::INT32)  // as Parquet's are read
    number_rows(
        [of = static_cast<const arrow::Int32Array&>(*array.indices()).raw_values()](auto row) { return of[row]; });
  else
    number_rows([&](auto row) { return array.GetValueIndex(static_cast<std::int64_t>(row)); });
  part.owned = std::move(entries.owned);
  return part;
}

/// Dates, times, decimals: rare as keys, so Arrow's own slow way of writing them is good enough.
key_part scalar_keys(const arrow::Array& array) {
  std::vector<std::string> written;
  written.reserve(static_cast<std::size_t>(array.length()));
  key_collector cells;
  visit<arrow::Array>(
      array,
      [&](const arrow::Array& typed, std::int64_t i) {
        const auto scalar = typed.GetScalar(i);
        written.push_back(scalar.ok() ? (*scalar)->ToString() : std::string());
        cells.add(written.back().empty() ? std::string_view() : std::string_view(written.back()));
      },
      [&] { cells.add({}); });
  key_part part = cells.finish();
  part.own_texts();
  return part;
}

key_part typed_keys(const arrow::Array& array, const std::string& column, const cell_rules& rules) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return string_keys<arrow::BinaryArray>(array);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return string_keys<arrow::LargeBinaryArray>(array);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return string_keys<arrow::BinaryViewArray>(array);
    case arrow::Type::INT8:
      return number_keys<arrow::Int8Array>(array);
    case arrow::Type::INT16:
      return number_keys<arrow::Int16Array>(array);
    case arrow::Type::INT32:
      return number_keys<arrow::Int32Array>(array);
    case arrow::Type::INT64:
      return number_keys<arrow::Int64Array>(array);
    case arrow::Type::UINT8:
      return number_keys<arrow::UInt8Array>(array);
    case arrow::Type::UINT16:
      return number_keys<arrow::UInt16Array>(array);
    case arrow::Type::UINT32:
      return number_keys<arrow::UInt32Array>(array);
    case arrow::Type::UINT64:
      return number_keys<arrow::UInt64Array>(array);
    case arrow::Type::FLOAT:
      return number_keys<arrow::FloatArray>(array);
    case arrow::Type::DOUBLE:
      return number_keys<arrow::DoubleArray>(array);
    case arrow::Type::BOOL:
      return number_keys<arrow::BooleanArray>(array);
    case arrow::Type::DICTIONARY:
      return dictionary_keys(static_cast<const arrow::DictionaryArray&>(array), column, rules);
    default:
      return scalar_keys(array);
  }
}

}  // namespace

bool is_numeric_type(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) {
    return is_numeric_type(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) || arrow::is_decimal(type.id()) ||
         type.id() == arrow::Type::BOOL || type.id() == arrow::Type::NA;
}

bool is_key_type(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) {
    return is_key_type(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return is_numeric_type(type) || arrow::is_base_binary_like(type.id()) || arrow::is_binary_view_like(type.id()) ||
         arrow::is_temporal(type.id());
}

void write_numbers(const arrow::Array& array, double* numbers) {
  switch (array.type_id()) {
    case arrow::Type::NA:
      std::fill_n(numbers, array.length(), missing);
      return;
    case arrow::Type::BOOL:
      return write_plain<arrow::BooleanArray>(array, numbers);
    case arrow::Type::INT8:
      return write_plain<arrow::Int8Array>(array, numbers);
    case arrow::Type::INT16:
      return write_plain<arrow::Int16Array>(array, numbers);
    case arrow::Type::INT32:
      return write_plain<arrow::Int32Array>(array, numbers);
    case arrow::Type::INT64:
      return write_plain<arrow::Int64Array>(array, numbers);
    case arrow::Type::UINT8:
      return write_plain<arrow::UInt8Array>(array, numbers);
    case arrow::Type::UINT16:
      return write_plain<arrow::UInt16Array>(array, numbers);
    case arrow::Type::UINT32:
      return write_plain<arrow::UInt32Array>(array, numbers);
    case arrow::Type::UINT64:
      return write_plain<arrow::UInt64Array>(array, numbers);
    case arrow::Type::FLOAT:
      return write_plain<arrow::FloatArray>(array, numbers);
    case arrow::Type::DOUBLE:
      return write_plain<arrow::DoubleArray>(array, numbers);
    case arrow::Type::HALF_FLOAT:
      return visit<arrow::HalfFloatArray>(
          array,
          [&](const arrow::HalfFloatArray& typed, std::int64_t i) {
            *numbers++ = arrow::util::Float16::FromBits(typed.Value(i)).ToDouble();
          },
          [&] { *numbers++ = missing; });
    case arrow::Type::DECIMAL32:
      return write_decimal<arrow::Decimal32Array, arrow::Decimal32>(array, numbers);
    case arrow::Type::DECIMAL64:
      return write_decimal<arrow::Decimal64Array, arrow::Decimal64>(array, numbers);
    case arrow::Type::DECIMAL128:
      return write_decimal<arrow::Decimal128Array, arrow::Decimal128>(array, numbers);
    case arrow::Type::DECIMAL256:
      return write_decimal<arrow::Decimal256Array, arrow::Decimal256>(array, numbers);
    case arrow::Type::DICTIONARY:
      return write_dictionary_numbers(static_cast<const arrow::DictionaryArray&>(array), numbers);
    default:
      throw std::logic_error("write_numbers: not a numeric type");
  }
}

key_part keys_of(const arrow::Array& array, const std::string& column, const cell_rules& rules) {
  key_part part = typed_keys(array, column, rules);
  std::vector<bool> missing;
  for (std::size_t code = 0; code < part.texts.size(); ++code) {
    const std::string_view text = part.texts[code];
    if (find_invalid_utf8(text) != text.npos) {
      const auto row = std::find(part.codes.begin(), part.codes.end(), static_cast<std::int32_t>(code));
      throw input_error(
          fmt::format("column '{}' holds a key that is not UTF-8, in row {} of its part\n"
                      "write the column as UTF-8 text",
                      excerpt(column), 1 + (row - part.codes.begin())));
    }
    if (!rules.has_missing() || !rules.is_missing_key(text)) continue;
    missing.resize(part.texts.size());
    missing[code] = true;
  }
  if (missing.empty()) return part;
  for (std::int32_t& code : part.codes)
    if (code >= 0 && missing[static_cast<std::size_t>(code)]) code = -1;
  return part;
}

}  // namespace manyfit::app

#endif
