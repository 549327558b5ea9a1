// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input_options.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "failures.hpp"
#include "input/input_error.hpp"
#include "input/parse_number.hpp"

namespace manyfit::app {

const char* const input_help =
    "Empty, NA and NaN values are missing: left out and counted; --missing adds others. A column whose cells are "
    "mostly\n"
    "numbers is a number column, and anything else in it is an error. A column without a name that counts the rows "
    "(an\n"
    "index) is none. For example, of a spreadsheet with semicolons and decimal commas:\n"
    "  ... wetter.csv --column niederschlag --decimal , --missing N/A,-,-9999";

namespace {

/// One character, or "tab" or "\t" for that. Letters, digits and what numbers and quotes are made of separate nothing.
char delimiter_of(const std::string& text) {
  if (text == "tab" || text == "\\t") return '\t';
  const bool usable = text.size() == 1 && (text[0] == '\t' || (text[0] >= ' ' && text[0] <= '~')) &&
                      std::string_view("\"+-.").find(text[0]) == std::string_view::npos &&
                      !std::isalnum(static_cast<unsigned char>(text[0]));
  if (!usable)
    throw usage_error(
        fmt::format("--delimiter: '{}' given\none character that separates columns was expected, such as "
                    "',' ';' '|' or tab",
                    excerpt(text)));
  return text[0];
}

struct file_id {
  dev_t device;
  ino_t inode;
  bool operator==(const file_id&) const = default;
};

/// Of a regular file; nothing for what is not there, and for pipes and devices, which have no content to lose.
std::optional<file_id> id_of(const std::string& path) {
  struct stat status {};
  const int failed = path == "-" ? ::fstat(STDIN_FILENO, &status) : ::stat(path.c_str(), &status);
  if (failed != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return file_id{status.st_dev, status.st_ino};
}

bool same_file(const std::string& a, const std::string& b) {
  const auto first = id_of(a), second = id_of(b);
  if (first || second) return first == second;
  std::error_code failed;
  const auto of = [&](const std::string& path) { return std::filesystem::weakly_canonical(path, failed); };
  return a != "-" && b != "-" && of(a) == of(b) && !failed && !std::filesystem::exists(a, failed);
}

}  // namespace

std::vector<option> reading_options(input_format& format) {
  return {
      {"--missing", [&format](const std::string& text) { format.missing = split_list(text, "--missing"); },
       "Texts or numbers that mean \"missing\" too, as in N/A,null,-9999", "TEXT,..."},
      {"--delimiter", [&format](const std::string& text) { format.delimiter = delimiter_of(text); },
       "What separates columns (default: told from the header, among , ; tab |)", "C"},
      {"--decimal",
       [&format](const std::string& text) {
         if (text != "." && text != ",")
           throw usage_error(fmt::format("--decimal: '{}' given\n. or , was expected", excerpt(text)));
         format.decimal = text[0];
       },
       "Decimal sign of numbers in text: . or , (default .)", "C"},
      {"--array", &format.array, "Which array of a .npz file (default: the only one)", "NAME"},
  };
}

void check_files(const std::vector<std::string>& inputs, const common_options& options, const std::string& plot) {
  for (const auto& [name, path] :
       {std::pair<const char*, const std::string&>{"--out", options.out}, {"--plot", plot}}) {
    if (path.empty()) continue;
    for (const std::string& input : inputs) {
      if (input.empty() || !same_file(path, input)) continue;
      throw usage_error(fmt::format("{} {} would overwrite the input {}\ngive {} another path", name,
                                    excerpt(path, 300), input == "-" ? "on stdin" : excerpt(input, 300), name));
    }
  }
  if (!plot.empty() && !options.out.empty() && same_file(plot, options.out))
    throw usage_error(
        fmt::format("--plot and --out are both {}\ngive each a path of its own", excerpt(options.out, 300)));
}

}  // namespace manyfit::app
