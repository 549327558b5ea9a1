// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#ifdef MF_WITH_ARROW

#include "input/arrow_columns.hpp"

#include <arrow/array/array_decimal.h>
#include <arrow/array/array_dict.h>
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "input/input_error.hpp"

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
void append_plain(const arrow::Array& array, std::vector<double>& numbers) {
  visit<Array>(
      array, [&](const Array& typed, std::int64_t i) { numbers.push_back(static_cast<double>(typed.Value(i))); },
      [&] { numbers.push_back(missing); });
}

template <class Array, class Decimal>
void append_decimal(const arrow::Array& array, std::vector<double>& numbers) {
  const std::int32_t scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
  visit<Array>(
      array, [&](const Array& typed, std::int64_t i) { numbers.push_back(Decimal(typed.GetValue(i)).ToDouble(scale)); },
      [&] { numbers.push_back(missing); });
}

void append_dictionary_numbers(const arrow::Array& array, std::vector<double>& numbers) {
  std::vector<double> values;
  append_numbers(*static_cast<const arrow::DictionaryArray&>(array).dictionary(), values);
  visit<arrow::DictionaryArray>(
      array,
      [&](const arrow::DictionaryArray& typed, std::int64_t i) {
        numbers.push_back(values[static_cast<std::size_t>(typed.GetValueIndex(i))]);
      },
      [&] { numbers.push_back(missing); });
}

/// `text_of(array, i)` gives the text, empty where missing.
template <class Array, class TextOf>
void append_texts(const arrow::Array& array, text_dictionary& dictionary, std::vector<std::int32_t>& codes,
                  TextOf text_of) {
  visit<Array>(
      array,
      [&](const Array& typed, std::int64_t i) {
        const std::string_view text = text_of(typed, i);
        codes.push_back(text.empty() ? -1 : dictionary.code_of_copy(text));
      },
      [&] { codes.push_back(-1); });
}

template <class Array>
void append_strings(const arrow::Array& array, text_dictionary& dictionary, std::vector<std::int32_t>& codes) {
  append_texts<Array>(array, dictionary, codes, [](const Array& typed, std::int64_t i) { return typed.GetView(i); });
}

/// Integers and floats, in the shortest form that reads back the same.
template <class Array>
void append_number_texts(const arrow::Array& array, text_dictionary& dictionary, std::vector<std::int32_t>& codes) {
  char buffer[32];
  append_texts<Array>(array, dictionary, codes, [&](const Array& typed, std::int64_t i) -> std::string_view {
    const auto value = typed.Value(i);
    if (value != value) return {};
    const char* const end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
    return {buffer, static_cast<std::size_t>(end - buffer)};
  });
}

void append_dictionary_codes(const arrow::Array& array, text_dictionary& dictionary, std::vector<std::int32_t>& codes) {
  // Entries are looked up only when a row uses them, which keeps the order of first appearance.
  text_dictionary local;
  std::vector<std::int32_t> local_codes;
  append_codes(*static_cast<const arrow::DictionaryArray&>(array).dictionary(), local, local_codes);
  std::vector<std::int32_t> code_of(local.texts().size(), -1);
  visit<arrow::DictionaryArray>(
      array,
      [&](const arrow::DictionaryArray& typed, std::int64_t i) {
        const std::int32_t local_code = local_codes[static_cast<std::size_t>(typed.GetValueIndex(i))];
        if (local_code < 0) return codes.push_back(-1);
        auto& code = code_of[static_cast<std::size_t>(local_code)];
        if (code < 0) code = dictionary.code_of_copy(local.texts()[static_cast<std::size_t>(local_code)]);
        codes.push_back(code);
      },
      [&] { codes.push_back(-1); });
}

/// Dates, times, decimals: rare as keys, so Arrow's own slow way of writing them is good enough.
void append_scalar_texts(const arrow::Array& array, text_dictionary& dictionary, std::vector<std::int32_t>& codes) {
  std::string text;
  append_texts<arrow::Array>(array, dictionary, codes, [&](const arrow::Array& typed, std::int64_t i) {
    const auto scalar = typed.GetScalar(i);
    text = scalar.ok() ? (*scalar)->ToString() : std::string();
    return std::string_view(text);
  });
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

void append_numbers(const arrow::Array& array, std::vector<double>& numbers) {
  switch (array.type_id()) {
    case arrow::Type::NA:
      return numbers.resize(numbers.size() + static_cast<std::size_t>(array.length()), missing);
    case arrow::Type::BOOL:
      return append_plain<arrow::BooleanArray>(array, numbers);
    case arrow::Type::INT8:
      return append_plain<arrow::Int8Array>(array, numbers);
    case arrow::Type::INT16:
      return append_plain<arrow::Int16Array>(array, numbers);
    case arrow::Type::INT32:
      return append_plain<arrow::Int32Array>(array, numbers);
    case arrow::Type::INT64:
      return append_plain<arrow::Int64Array>(array, numbers);
    case arrow::Type::UINT8:
      return append_plain<arrow::UInt8Array>(array, numbers);
    case arrow::Type::UINT16:
      return append_plain<arrow::UInt16Array>(array, numbers);
    case arrow::Type::UINT32:
      return append_plain<arrow::UInt32Array>(array, numbers);
    case arrow::Type::UINT64:
      return append_plain<arrow::UInt64Array>(array, numbers);
    case arrow::Type::FLOAT:
      return append_plain<arrow::FloatArray>(array, numbers);
    case arrow::Type::DOUBLE:
      return append_plain<arrow::DoubleArray>(array, numbers);
    case arrow::Type::HALF_FLOAT:
      return visit<arrow::HalfFloatArray>(
          array,
          [&](const arrow::HalfFloatArray& typed, std::int64_t i) {
            numbers.push_back(arrow::util::Float16::FromBits(typed.Value(i)).ToDouble());
          },
          [&] { numbers.push_back(missing); });
    case arrow::Type::DECIMAL32:
      return append_decimal<arrow::Decimal32Array, arrow::Decimal32>(array, numbers);
    case arrow::Type::DECIMAL64:
      return append_decimal<arrow::Decimal64Array, arrow::Decimal64>(array, numbers);
    case arrow::Type::DECIMAL128:
      return append_decimal<arrow::Decimal128Array, arrow::Decimal128>(array, numbers);
    case arrow::Type::DECIMAL256:
      return append_decimal<arrow::Decimal256Array, arrow::Decimal256>(array, numbers);
    case arrow::Type::DICTIONARY:
      return append_dictionary_numbers(array, numbers);
    default:
      throw std::logic_error("append_numbers: not a numeric type");
  }
}

void append_codes(const arrow::Array& array, text_dictionary& dictionary, std::vector<std::int32_t>& codes) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return append_strings<arrow::BinaryArray>(array, dictionary, codes);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return append_strings<arrow::LargeBinaryArray>(array, dictionary, codes);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return append_strings<arrow::BinaryViewArray>(array, dictionary, codes);
    case arrow::Type::INT8:
      return append_number_texts<arrow::Int8Array>(array, dictionary, codes);
    case arrow::Type::INT16:
      return append_number_texts<arrow::Int16Array>(array, dictionary, codes);
    case arrow::Type::INT32:
      return append_number_texts<arrow::Int32Array>(array, dictionary, codes);
    case arrow::Type::INT64:
      return append_number_texts<arrow::Int64Array>(array, dictionary, codes);
    case arrow::Type::UINT8:
      return append_number_texts<arrow::UInt8Array>(array, dictionary, codes);
    case arrow::Type::UINT16:
      return append_number_texts<arrow::UInt16Array>(array, dictionary, codes);
    case arrow::Type::UINT32:
      return append_number_texts<arrow::UInt32Array>(array, dictionary, codes);
    case arrow::Type::UINT64:
      return append_number_texts<arrow::UInt64Array>(array, dictionary, codes);
    case arrow::Type::FLOAT:
      return append_number_texts<arrow::FloatArray>(array, dictionary, codes);
    case arrow::Type::DOUBLE:
      return append_number_texts<arrow::DoubleArray>(array, dictionary, codes);
    case arrow::Type::DICTIONARY:
      return append_dictionary_codes(array, dictionary, codes);
    default:
      return append_scalar_texts(array, dictionary, codes);
  }
}

}  // namespace manyfit::app

#endif
