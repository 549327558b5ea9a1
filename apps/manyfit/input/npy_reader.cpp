// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. The header is a Python dict
// literal; what is accepted of that language is what numpy writes, spaces and order of the keys aside.

#include "input/npy_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

namespace manyfit::app {

namespace {

struct npy_header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

/// Reads {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
class header_parser {
 public:
  header_parser(std::string_view text, std::size_t offset, const std::string& source)
      : whole_(text), rest_(text), offset_(offset), source_(source) {}

  npy_header parse() {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::size_t>> shape;
    expect('{');
    while (!accept('}')) {
      skip_spaces();
      const std::string_view at_key = rest_;
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !descr) {
        if (peek() == '[') throw_input_error("a structured type", "an array of plain numbers was expected");
        descr = quoted();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = truth();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        rest_ = at_key;
        throw_input_error(fmt::format("key '{}'", excerpt(key)),
                          "'descr', 'fortran_order' and 'shape' were expected, once each");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty()) throw_input_error("text after the header's dict", "spaces and a line feed were expected");
    if (!descr || !fortran_order || !shape) {
      throw_input_error("an incomplete header", "'descr', 'fortran_order' and 'shape' were expected");
    }
    return {std::move(*descr), *fortran_order, std::move(*shape)};
  }

 private:
  [[noreturn]] void throw_input_error(const std::string& given, const std::string& expected) const {
    throw input_error(fmt::format("{}, byte {}: {} in the .npy header\n{}", source_,
                                  offset_ + (whole_.size() - rest_.size()), given, expected));
  }

  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }

  char peek() {
    skip_spaces();
    return rest_.empty() ? '\0' : rest_.front();
  }

  bool accept(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (peek() == c && accept(c)) return;
    throw_input_error(rest_.empty() ? "the end" : fmt::format("'{}'", excerpt(rest_.substr(0, 1))),
                      fmt::format("'{}' was expected", c));
  }

  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') expect('\'');
    const auto end = rest_.find(quote, 1);
    if (end == rest_.npos) throw_input_error("an open quote", "a closing quote was expected");
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool truth() {
    skip_spaces();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    }
    throw_input_error("no truth value", "True or False was expected");
  }

  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> numbers;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      std::size_t number = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (error == std::errc::result_out_of_range)
        throw_input_error("a length beyond 64 bits", "a length was expected");
      if (error != std::errc()) throw_input_error("no length", "lengths that are not negative were expected");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      numbers.push_back(number);
      if (numbers.size() > 32) throw_input_error("more than 32 dimensions", "1 or 2 dimensions were expected");
      if (!accept(',')) {
        if (numbers.size() == 1) expect(',');  // (3) is a number in Python, (3,) the tuple
        expect(')');
        break;
      }
    }
    return numbers;
  }

  std::string_view whole_, rest_;
  std::size_t offset_;
  const std::string& source_;
};

template <class Value>
Value load(const char* from, bool swapped) {
  std::array<char, sizeof(Value)> bytes;
  std::memcpy(bytes.data(), from, sizeof(Value));
  if (swapped) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Value>(bytes);
}

/// IEEE 754 binary16.
struct half {
  std::uint16_t bits;
  explicit operator float() const {
    const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16, exponent = bits >> 10 & 0x1Fu,
                        fraction = bits & 0x3FFu;
    if (exponent == 0) {  // zero, or a multiple of the smallest number
      const float size = static_cast<float>(fraction) * 0x1p-24f;
      return sign ? -size : size;
    }
    const std::uint32_t wide = exponent == 0x1F ? 0xFFu : exponent + 112;
    return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
  }
};

/// Value as stored, Result as kept.
template <class Value, class Result>
void load_all(const char* data, const npy_header& header, bool swapped, npy_array& array) {
  std::size_t size = 1;
  for (const std::size_t length : header.shape) size *= length;
  std::vector<Result> values(size);
  if (header.fortran_order && header.shape.size() == 2) {
    const std::size_t rows = header.shape[0], columns = header.shape[1];
    // Squares, so that neither side is walked with a stride larger than the cache can follow.
    constexpr std::size_t tile = 32;
    for (std::size_t r0 = 0; r0 < rows; r0 += tile) {
      for (std::size_t c0 = 0; c0 < columns; c0 += tile) {
        for (std::size_t r = r0; r < std::min(rows, r0 + tile); ++r) {
          for (std::size_t c = c0; c < std::min(columns, c0 + tile); ++c) {
            values[r * columns + c] = static_cast<Result>(load<Value>(data + (c * rows + r) * sizeof(Value), swapped));
          }
        }
      }
    }
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      values[i] = static_cast<Result>(load<Value>(data + i * sizeof(Value), swapped));
    }
  }
  array.values = std::move(values);
}

struct npy_type {
  std::string_view name;  // kind and bytes
  std::size_t bytes;
  void (*load_all)(const char*, const npy_header&, bool, npy_array&);
};

constexpr npy_type known_types[] = {
    {"f2", 2, load_all<half, float>},           {"f4", 4, load_all<float, float>},
    {"f8", 8, load_all<double, double>},        {"i1", 1, load_all<std::int8_t, double>},
    {"i2", 2, load_all<std::int16_t, double>},  {"i4", 4, load_all<std::int32_t, double>},
    {"i8", 8, load_all<std::int64_t, double>},  {"u1", 1, load_all<std::uint8_t, double>},
    {"u2", 2, load_all<std::uint16_t, double>}, {"u4", 4, load_all<std::uint32_t, double>},
    {"u8", 8, load_all<std::uint64_t, double>}, {"b1", 1, load_all<std::uint8_t, double>},
};

/// A file taken apart, its length checked.
struct npy_contents {
  npy_header header;
  const npy_type* type = nullptr;
  bool swapped = false;  ///< the bytes of a number are in the other order than this machine's
  std::string_view data;
};

npy_contents open_npy(std::string_view bytes, const std::string& source) {
  if (!bytes.starts_with(npy_magic) || bytes.size() < 10) {
    throw input_error(fmt::format("{}, byte 0: not a .npy file\na file written by numpy.save was expected", source));
  }
  const unsigned version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) {
    throw input_error(fmt::format("{}, byte 6: .npy version {}\nversion 1, 2 or 3 was expected", source, version));
  }
  const std::size_t header_begin = version == 1 ? 10 : 12;
  std::size_t header_bytes = 0;
  for (std::size_t i = header_begin; i-- > 8;) {
    header_bytes = header_bytes << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
  }
  if (bytes.size() < header_begin || header_bytes > bytes.size() - header_begin) {
    throw input_error(
        fmt::format("{}, byte 8: a header of {} bytes, but the file has {} bytes in all\n"
                    "the file is cut off; copy it again",
                    source, header_bytes, bytes.size()));
  }
  npy_header header = header_parser(bytes.substr(header_begin, header_bytes), header_begin, source).parse();
  const std::string_view data = bytes.substr(header_begin + header_bytes);

  const auto type = std::find_if(std::begin(known_types), std::end(known_types), [&](const npy_type& each) {
    return header.descr.size() == 3 && header.descr.substr(1) == each.name;
  });
  const char order = header.descr.empty() ? '\0' : header.descr[0];
  const bool order_known = order == '<' || order == '>' || order == '=' || order == '|';
  if (type == std::end(known_types) || !order_known || (order == '|' && type->bytes > 1)) {
    throw input_error(
        fmt::format("{}: elements of type '{}'\nfloat16, float32, float64, integers or booleans were expected; "
                    "convert with array.astype(numpy.float64)",
                    source, excerpt(header.descr)));
  }
  if (header.shape.empty() || header.shape.size() > 2) {
    throw input_error(fmt::format("{}: an array of {} dimensions\n1 or 2 dimensions were expected; reshape it first",
                                  source, header.shape.size()));
  }

  if (header.shape.size() == 2 && header.shape[0] > 0 && header.shape[1] == 0) {
    throw input_error(
        fmt::format("{}: {} rows of no values\nat least one value in each row was expected", source, header.shape[0]));
  }

  std::size_t needed = type->bytes;
  bool overflow = false;
  for (const std::size_t length : header.shape) overflow |= __builtin_mul_overflow(needed, length, &needed);
  if (overflow || needed != data.size()) {
    throw input_error(
        fmt::format("{}, byte {}: {} bytes of data, but shape ({}) of type '{}' takes {}\n"
                    "the file is cut off or damaged, or holds more than one array; save it again",
                    source, header_begin + header_bytes, data.size(), fmt::join(header.shape, ", "), header.descr,
                    overflow ? std::string("more than 2^64") : std::to_string(needed)));
  }

  const bool swapped = (order == '>' && std::endian::native == std::endian::little) ||
                       (order == '<' && std::endian::native == std::endian::big);
  return {std::move(header), type, swapped, data};
}

}  // namespace

npy_array read_npy(std::string_view bytes, const std::string& source) {
  const npy_contents file = open_npy(bytes, source);
  npy_array array{.source = source, .shape = file.header.shape, .values = {}};
  file.type->load_all(file.data.data(), file.header, file.swapped, array);
  return array;
}

template <class T>
std::optional<npy_view<T>> view_npy(std::string_view bytes, const std::string& source) {
  npy_contents file = open_npy(bytes, source);
  const bool in_place = file.type->name == (sizeof(T) == 4 ? "f4" : "f8") && !file.swapped &&
                        (!file.header.fortran_order || file.header.shape.size() == 1) &&
                        reinterpret_cast<std::uintptr_t>(file.data.data()) % alignof(T) == 0;
  if (!in_place) return std::nullopt;
  return npy_view<T>{.shape = std::move(file.header.shape),
                     .values = {reinterpret_cast<const T*>(file.data.data()), file.data.size() / sizeof(T)}};
}
template std::optional<npy_view<double>> view_npy(std::string_view, const std::string&);
template std::optional<npy_view<float>> view_npy(std::string_view, const std::string&);

}  // namespace manyfit::app
