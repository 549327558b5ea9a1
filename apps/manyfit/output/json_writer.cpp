// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <nlohmann/json.hpp>

#include "manyfit/manyfit.hpp"
#include "output/result_writer.hpp"
#include "output/text.hpp"

namespace manyfit::app {

namespace {

/// `"name": `
std::string member_name(const std::string& name) {
  std::string text;
  append_json_text(text, name);
  text += ": ";
  return text;
}

/// A field with the texts that are the same in every row.
struct member {
  const field* of;
  std::string name;
  std::vector<std::vector<std::string>> labels;  ///< [axes][size] of those that are objects
};

class writer : public result_writer {
 public:
  writer(const schema& what, output& to) : what_(what), to_(to), text_(to.text()) {
    for (const field& each : what.fields) {
      if (each.json.empty()) continue;
      member& added = members_.emplace_back(member{&each, member_name(each.json), {}});
      for (const auto& along : each.along) {
        added.labels.emplace_back();
        for (const std::string& label : along->labels)
          if (!along->list) added.labels.back().push_back(member_name(label));
      }
    }
    text_ += "{";
    say("manyfit", version(), "");
    say("command", what.command, ", ");
    for (const auto& [name, value] : what.about) say(name, value, ", ");
    if (what.layout == json_layout::columns) return;
    (text_ += ",\n ") += member_name(what.name);
    if (!lone_list()) text_ += '[';
  }

  void write(std::int64_t first, std::int64_t last) override {
    if (what_.layout == json_layout::columns) return write_columns(first, last);
    for (std::int64_t row = first; row < last; ++row) {
      position where{.row = row};
      if (row > 0) text_ += what_.layout == json_layout::objects ? ",\n          " : ",\n  ";
      if (what_.layout == json_layout::objects)
        append_object(where);
      else
        append(members_.front(), where, 0);
      flush();
    }
  }

  void finish() override {
    text_ += what_.layout == json_layout::columns || lone_list() ? "}\n" : "]}\n";
    if (what_.indented)
      text_ = nlohmann::ordered_json::parse(text_).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }

 private:
  bool lone_list() const { return what_.layout == json_layout::values && what_.rows == 1; }
  void say(const std::string& name, std::string_view value, const char* before) {
    (text_ += before) += member_name(name);
    append_json_text(text_, value);
  }
  void flush() {
    if (!what_.indented) to_.flush_when_full();
  }

  void append_object(position& where) {
    const char* before = "{";
    for (const member& each : members_) {
      if (each.of->present && !each.of->present(where.row)) continue;
      text_ += before;
      text_ += each.name;
      append(each, where, 0);
      before = ", ";
    }
    text_ += '}';
  }

  /// The value, or the list or object of values along its axes from `depth` on.
  void append(const member& each, position& where, std::size_t depth) {
    if (depth == each.of->along.size()) return append_value(*each.of, where);
    const axis& along = *each.of->along[depth];
    const std::int64_t size = along.size_at(where);
    if (size < 0) {
      text_ += "null";
      return;
    }
    text_ += along.list ? '[' : '{';
    for (std::int64_t i = 0; i < size; ++i) {
      if (i > 0) text_ += ", ";
      if (!along.list) text_ += each.labels[depth][static_cast<std::size_t>(i)];
      where.at[depth] = i;
      append(each, where, depth + 1);
      if (depth == 0) flush();
    }
    where.at[depth] = 0;
    text_ += along.list ? ']' : '}';
  }

  void append_value(const field& each, const position& where) {
    if (const auto* const number = std::get_if<0>(&each.value)) {
      const double value = (*number)(where);
      each.single&& std::isfinite(value) ? append_number(text_, static_cast<float>(value))
                                         : append_json_number(text_, value);
    } else if (const auto* const whole = std::get_if<1>(&each.value)) {
      append_number(text_, (*whole)(where));
    } else {
      const std::string_view value = std::get<2>(each.value)(where);
      each.literal ? (void)text_.append(value) : append_json_text(text_, value);
    }
  }

  void write_columns(std::int64_t first, std::int64_t last) {
    for (flat_column& each : flat_columns(what_, table_form::columns, {})) {
      ((text_ += ",\n ") += member_name(each.name)) += '[';
      for (std::int64_t row = first; row < last; ++row) {
        if (row > first) text_ += ", ";
        append_value(*each.of, each.go_to({.row = row}));
        flush();
      }
      text_ += ']';
    }
  }

  const schema& what_;
  output& to_;
  std::string& text_;
  std::vector<member> members_;
};

}  // namespace

std::unique_ptr<result_writer> json_writer(const schema& what, output& to) {
  return std::make_unique<writer>(what, to);
}

}  // namespace manyfit::app
