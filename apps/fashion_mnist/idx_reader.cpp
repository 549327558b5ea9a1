// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/fashion_mnist/idx_reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace manyfit::app {

namespace {

constexpr std::uint64_t most_values = 1u << 30;  // a header that claims more is damaged

using gz_file = std::unique_ptr<gzFile_s, int (*)(gzFile)>;

/// Up to `wanted` bytes; fewer at the end of the file. Throws when the compressed data are damaged or cut off.
std::size_t read_bytes(const gz_file& file, const std::string& path, void* to, std::size_t wanted) {
  std::size_t got = 0;
  while (got < wanted) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(wanted - got, 1u << 24));
    const int n = gzread(file.get(), static_cast<char*>(to) + got, part);
    int code = Z_OK;
    const char* message = gzerror(file.get(), &code);
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
      throw data_error("'" + path + "': the compressed data are damaged or cut off (" + message +
                       "); get the file again");
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

}  // namespace

std::vector<std::uint8_t> read_idx(const std::string& path, int dimensions, std::vector<int>& sizes) {
  const gz_file file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw data_error("'" + path + "' cannot be opened: " + std::strerror(errno));
  std::array<std::uint8_t, 4> magic{};
  const bool whole = read_bytes(file, path, magic.data(), magic.size()) == magic.size();
  if (!whole || magic[0] != 0 || magic[1] != 0)
    throw data_error("'" + path +
                     "' is not an IDX file: it must start with two zero bytes, a type and a number of dimensions");
  if (magic[2] != 8 || magic[3] != dimensions)
    throw data_error("'" + path + "' holds type " + std::to_string(magic[2]) + " with " + std::to_string(magic[3]) +
                     " dimensions; expected type 8 (unsigned bytes) with " + std::to_string(dimensions));
  std::uint64_t total = 1;
  sizes.clear();
  for (int i = 0; i < dimensions; ++i) {
    std::array<std::uint8_t, 4> b{};
    if (read_bytes(file, path, b.data(), b.size()) != b.size())
      throw data_error("'" + path + "' ends inside its header");
    const std::uint32_t size =
        (std::uint32_t{b[0]} << 24) | (std::uint32_t{b[1]} << 16) | (std::uint32_t{b[2]} << 8) | b[3];
    if (size == 0 || (total *= size) > most_values)
      throw data_error("'" + path + "': its header claims a size of " + std::to_string(size) + " in dimension " +
                       std::to_string(i + 1) + "; expected at least 1, and at most 2^30 values in all");
    sizes.push_back(static_cast<int>(size));
  }
  std::vector<std::uint8_t> values(total);
  const std::size_t got = read_bytes(file, path, values.data(), values.size());
  if (got < values.size())
    throw data_error("'" + path + "' ends after " + std::to_string(got) + " of the " + std::to_string(total) +
                     " values that its header promises");
  std::uint8_t more;
  if (read_bytes(file, path, &more, 1) != 0)
    throw data_error("'" + path + "' goes on after the " + std::to_string(total) + " values that its header promises");
  return values;
}

labelled_images read_labelled_images(const std::string& folder, const std::string& part, int classes) {
  // Debian's package has the files compressed; the plain ones are as good.
  const auto path_of = [&](const std::string& name) {
    const std::string plain = (std::filesystem::path(folder) / (part + name)).string(), compressed = plain + ".gz";
    if (std::filesystem::exists(compressed)) return compressed;
    if (std::filesystem::exists(plain)) return plain;
    throw data_error("'" + compressed + "' is missing. The data set is Debian's package dataset-fashion-mnist; " +
                     "elsewhere, name the folder that has its four files with --data");
  };
  labelled_images data;
  std::vector<int> sizes;
  const std::string images = path_of("-images-idx3-ubyte"), labels = path_of("-labels-idx1-ubyte");
  data.pixels = read_idx(images, 3, sizes);
  data.count = sizes[0];
  data.rows = sizes[1];
  data.columns = sizes[2];
  data.labels = read_idx(labels, 1, sizes);
  if (sizes[0] != data.count)
    throw data_error("'" + labels + "' has " + std::to_string(sizes[0]) + " labels, '" + images + "' has " +
                     std::to_string(data.count) + " images; expected as many");
  for (const std::uint8_t label : data.labels)
    if (label >= classes)
      throw data_error("'" + labels + "' has the label " + std::to_string(label) + "; expected 0 to " +
                       std::to_string(classes - 1));
  return data;
}

}  // namespace manyfit::app
