// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The ZIP format: PKWARE's APPNOTE.TXT 6.3, of which 4.3 describes the records and 4.5.3 the 64-bit sizes that numpy
// writes.

#include "input/npz_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "input/table.hpp"

namespace manyfit::app {

namespace {

class archive {
 public:
  struct member {
    std::string name;
    std::uint64_t packed, size, local_header;
    std::uint32_t checksum, method;
    bool encrypted;
  };

  archive(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) { read_directory(); }
  const std::vector<member>& members() const { return members_; }

  /// The member as it was before it was packed.
  std::string unpacked(const member& each) const {
    if (each.encrypted) throw_input_error(each.local_header, "an encrypted array", "save it without a password");
    if (each.method != 0 && each.method != 8)
      throw_input_error(each.local_header, fmt::format("an array packed by method {}", each.method),
                        "numpy.savez or numpy.savez_compressed was expected to have written it");
    if (number(each.local_header, 4) != 0x04034b50) damaged(each.local_header);
    const std::uint64_t begin =
        each.local_header + 30 + number(each.local_header + 26, 2) + number(each.local_header + 28, 2);
    const std::string_view packed = part(begin, each.packed);
    std::string data;
    if (each.method == 0) {
      if (each.packed != each.size) damaged(begin);
      data = packed;
    } else {
      inflate_into(data, packed, each.size, begin);
    }
    if (data.size() != each.size || checksum_of(data) != each.checksum) damaged(begin);
    return data;
  }

 private:
  [[noreturn]] void throw_input_error(std::uint64_t at, const std::string& given, const std::string& expected) const {
    throw input_error(fmt::format("{}, byte {}: {}\n{}", source_, at, given, expected));
  }
  [[noreturn]] void damaged(std::uint64_t at) const {
    throw_input_error(at, "a damaged .npz file", "copy it again, or save it again with numpy.savez");
  }

  std::string_view part(std::uint64_t begin, std::uint64_t size) const {
    if (begin > bytes_.size() || size > bytes_.size() - begin) damaged(std::min<std::uint64_t>(begin, bytes_.size()));
    return bytes_.substr(begin, size);
  }
  /// Little-endian.
  std::uint64_t number(std::uint64_t at, int size) const {
    const std::string_view of = part(at, static_cast<std::uint64_t>(size));
    std::uint64_t value = 0;
    for (int i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(of[static_cast<std::size_t>(i)]);
    return value;
  }

  void read_directory() {
    // Its end is found from behind: 22 bytes, and a comment of at most 65535.
    constexpr std::string_view end_magic("PK\5\6", 4);
    const std::string_view tail = bytes_.substr(bytes_.size() - std::min<std::size_t>(bytes_.size(), 22 + 65535));
    const auto found = tail.rfind(end_magic);
    if (found == tail.npos) damaged(bytes_.size());
    const std::uint64_t end = bytes_.size() - tail.size() + found;
    if (end + 22 + number(end + 20, 2) != bytes_.size()) damaged(end);
    std::uint64_t entries = number(end + 10, 2), at = number(end + 16, 4);
    if ((entries == 0xFFFF || at == 0xFFFFFFFF) && end >= 20 && number(end - 20, 4) == 0x07064b50) {
      const std::uint64_t wide = number(end - 12, 8);
      if (number(wide, 4) != 0x06064b50) damaged(wide);
      entries = number(wide + 32, 8);
      at = number(wide + 48, 8);
    }
    for (std::uint64_t i = 0; i < entries; ++i) {
      if (number(at, 4) != 0x02014b50) damaged(at);
      const std::uint64_t name = number(at + 28, 2), extra = number(at + 30, 2), comment = number(at + 32, 2);
      member each{.name = std::string(part(at + 46, name)),
                  .packed = number(at + 20, 4),
                  .size = number(at + 24, 4),
                  .local_header = number(at + 42, 4),
                  .checksum = static_cast<std::uint32_t>(number(at + 16, 4)),
                  .method = static_cast<std::uint32_t>(number(at + 10, 2)),
                  .encrypted = (number(at + 8, 2) & 1) != 0};
      read_wide_sizes(each, at + 46 + name, extra);
      at += 46 + name + extra + comment;
      members_.push_back(std::move(each));
    }
  }

  /// What does not fit into 32 bits stands in an extra field, in this order.
  void read_wide_sizes(member& each, std::uint64_t at, std::uint64_t bytes) const {
    for (const std::uint64_t end = at + bytes; at + 4 <= end;) {
      const std::uint64_t kind = number(at, 2), size = number(at + 2, 2);
      std::uint64_t from = at + 4;
      if (kind == 1)
        for (std::uint64_t* value : {&each.size, &each.packed, &each.local_header}) {
          if (*value != 0xFFFFFFFF) continue;
          if (from + 8 > at + 4 + size) damaged(from);
          *value = number(from, 8);
          from += 8;
        }
      at += 4 + size;
    }
  }

  static std::uint32_t checksum_of(std::string_view data) {
    return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const unsigned char*>(data.data()), data.size()));
  }

  /// Grows with what comes out, since the size that the archive states may be made up.
  void inflate_into(std::string& data, std::string_view packed, std::uint64_t size, std::uint64_t begin) const {
    constexpr std::uint64_t step = std::uint64_t{1} << 24;  // zlib counts in 32 bits
    z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
    const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, ::inflateEnd);
    int state = Z_OK;
    std::size_t used = 0;
    while (state == Z_OK) {
      const auto given = std::min<std::uint64_t>(step, packed.size());
      stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(packed.data()));
      stream.avail_in = static_cast<uInt>(given);
      data.resize(std::min<std::uint64_t>(size + 1, std::max<std::uint64_t>(used + step, 2 * used)));
      stream.next_out = reinterpret_cast<unsigned char*>(data.data() + used);
      const auto capacity = std::min<std::uint64_t>(step, data.size() - used);
      stream.avail_out = static_cast<uInt>(capacity);
      state = ::inflate(&stream, Z_NO_FLUSH);
      packed.remove_prefix(given - stream.avail_in);
      used += capacity - stream.avail_out;
      if (state == Z_MEM_ERROR) throw std::bad_alloc();
      if (state == Z_BUF_ERROR || used > size) break;
    }
    if (state != Z_STREAM_END || used != size) damaged(begin);
    data.resize(used);
  }

  std::string_view bytes_;
  const std::string& source_;
  std::vector<member> members_;
};

}  // namespace

npy_array read_npz(std::string_view bytes, const std::string& source, const std::string& array) {
  const archive file(bytes, source);
  std::vector<std::string> names;
  const archive::member* found = nullptr;
  for (const archive::member& each : file.members()) {
    std::string_view name = each.name;
    if (name.ends_with(".npy")) name.remove_suffix(4);
    names.emplace_back(name);
    if (array.empty() || name == array) found = &each;
  }
  if (found == nullptr)
    throw input_error(
        names.empty() ? fmt::format("{}: an archive without an array\none was expected", source)
                      : fmt::format("{}: no array '{}'\nthe arrays are {}", source, excerpt(array), list_names(names)));
  if (array.empty() && names.size() > 1)
    throw input_error(fmt::format("{}: {} arrays; name one with --array\nthe arrays are {}", source, names.size(),
                                  list_names(names)));
  npy_array read = read_npy(file.unpacked(*found), source);
  return read;
}

}  // namespace manyfit::app
