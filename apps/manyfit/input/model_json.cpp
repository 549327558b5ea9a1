// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/model_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "input/file_bytes.hpp"

namespace manyfit::app {

namespace {

using json = nlohmann::ordered_json;

constexpr int deepest = 32;  // our documents need 6

/// A value and how it was reached, which is put into words only when something is wrong with it.
struct place {
  const json& value;
  const std::string& source;
  const place* parent = nullptr;
  std::string_view name = {};
  std::size_t index = 0;

  std::string path() const {
    if (parent == nullptr) return std::string(name);
    const std::string above = parent->path();
    if (name.empty()) return fmt::format("{}[{}]", above, index);
    return fmt::format("{}{}{}", above, above.empty() ? "" : ".", excerpt(name));
  }

  [[noreturn]] void refuse(const std::string& expected) const {
    throw input_error(fmt::format(
        "{}: {} is {}\n{} was expected", source, parent == nullptr ? "the document" : path(),
        value.is_number() || value.is_string() ? excerpt(value.dump(-1, ' ', true)) : value.type_name(), expected));
  }

  /// The member, or nothing.
  std::optional<place> find(std::string_view member) const {
    if (!value.is_object()) refuse("an object");
    const auto found = value.find(std::string(member));
    if (found == value.end()) return std::nullopt;
    return place{*found, source, this, member};
  }

  place at(std::string_view member) const {
    if (const auto found = find(member)) return *found;
    throw input_error(
        fmt::format("{}: {} has no member '{}'\na document printed by manyfit fit or manyfit mixture was "
                    "expected",
                    source, parent == nullptr ? "the document" : path(), member));
  }

  place element(std::size_t i) const { return {value[i], source, this, {}, i}; }

  const std::string& text() const {
    if (!value.is_string()) refuse("a string");
    return value.get_ref<const std::string&>();
  }

  double number() const {
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value.is_number() || !std::isfinite(value.get<double>())) refuse("a finite number or null");
    return value.get<double>();
  }

  void expect_array(std::size_t size) const {
    if (!value.is_array()) refuse(fmt::format("an array of {}", size));
    if (value.size() != size) {
      throw input_error(fmt::format("{}: {} has {} elements\n{} were expected", source, path(), value.size(), size));
    }
  }
};

named_numbers numbers_by_name(const place& from) {
  if (!from.value.is_object()) from.refuse("an object");
  named_numbers numbers;
  for (const auto& [name, value] : from.value.items()) {
    // An empty name would read as an index in a path; no parameter has one.
    if (name.empty()) from.refuse("an object without empty names");
    numbers.emplace_back(name, place{value, from.source, &from, name}.number());
  }
  if (numbers.empty()) from.refuse("an object with parameters");
  return numbers;
}

void append_numbers(const place& from, std::size_t size, std::vector<double>& numbers) {
  from.expect_array(size);
  for (std::size_t i = 0; i < size; ++i) numbers.push_back(from.element(i).number());
}

void convert_gaussian(const place& from, model_fit& fit) {
  const place means = from.at("means"), covariances = from.at("covariances");
  means.expect_array(fit.components);
  covariances.expect_array(fit.components);
  for (std::size_t k = 0; k < fit.components; ++k) {
    const place mean = means.element(k), covariance = covariances.element(k);
    if (k == 0) {
      if (!mean.value.is_array() || mean.value.empty()) mean.refuse("an array of coordinates");
      fit.dimensions = mean.value.size();
    }
    append_numbers(mean, fit.dimensions, fit.means);
    covariance.expect_array(fit.dimensions);
    for (std::size_t row = 0; row < fit.dimensions; ++row) {
      append_numbers(covariance.element(row), fit.dimensions, fit.covariances);
    }
  }
}

void convert_mixture(const place& from, const std::string& family, model_fit& fit) {
  const place components = from.at("components"), weights = from.at("weights");
  if (!components.value.is_number_unsigned() || components.value == 0u) components.refuse("a whole number above 0");
  fit.components = components.value.get<std::size_t>();

  const bool gaussian = family == "gaussian";
  if (weights.value.is_null()) {  // a fit that failed before it had any
    for (const auto* const name : {gaussian ? "means" : "parameters", gaussian ? "covariances" : "parameters"}) {
      const place rest = from.at(name);
      if (!rest.value.is_null()) rest.refuse("null, as for weights,");
    }
    return;
  }
  append_numbers(weights, fit.components, fit.weights);
  for (std::size_t k = 0; k < fit.components; ++k) {
    if (fit.weights[k] < 0) weights.element(k).refuse("a weight that is not negative");
  }
  if (gaussian) return convert_gaussian(from, fit);
  const place parameters = from.at("parameters");
  parameters.expect_array(fit.components);
  for (std::size_t k = 0; k < fit.components; ++k) {
    fit.component_parameters.push_back(numbers_by_name(parameters.element(k)));
  }
}

model_fit convert_fit(const place& from, const model& document) {
  model_fit fit;
  if (const auto key = from.find("key"); key && !key->value.is_null()) {
    if (!key->value.is_object()) key->refuse("an object");
    for (const auto& [name, value] : key->value.items()) {
      fit.key.emplace_back(name, place{value, from.source, &*key, name.empty() ? "''" : name}.text());
    }
  }
  if (const auto status = from.find("status")) fit.status = status->text();
  if (document.command == "mixture") {
    convert_mixture(from, document.family, fit);
  } else {
    fit.parameters = numbers_by_name(from.at("parameters"));
  }
  if (!document.fits.empty() && fit.dimensions != 0) {
    const auto known = std::find_if(document.fits.begin(), document.fits.end(),
                                    [](const model_fit& each) { return each.dimensions != 0; });
    if (known != document.fits.end() && known->dimensions != fit.dimensions) {
      throw input_error(fmt::format("{}: {} has {} dimensions\n{} were expected, as in fits[{}]", from.source,
                                    from.path(), fit.dimensions, known->dimensions, known - document.fits.begin()));
    }
  }
  return fit;
}

bool is_command(std::string_view name) {
  return name == "fit" || name == "mixture";
}

/// Listens to the parser: refuses depth and repeated names, and turns each fit into its struct as soon as it is whole,
/// so that a document of a million fits never stands in memory as JSON.
class listener {
 public:
  listener(model& document, const std::string& source) : document_(document), source_(source), names_(deepest + 2) {}

  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        if (depth > deepest) {
          throw input_error(
              fmt::format("{}: nested more than {} deep\na document printed by manyfit fit or manyfit "
                          "mixture was expected",
                          source_, deepest));
        }
        names_[static_cast<std::size_t>(depth) + 1].clear();
        break;
      case json::parse_event_t::key: {
        const auto& name = parsed.get_ref<const std::string&>();
        if (!names_[static_cast<std::size_t>(depth)].insert(name).second) {
          throw input_error(fmt::format("{}: the name '{}' stands twice in one object\nnames that differ were expected",
                                        source_, excerpt(name)));
        }
        if (depth == 1) member_ = name;
        break;
      }
      case json::parse_event_t::value:
        if (depth == 1 && parsed.is_string() && member_ == "command") document_.command = parsed;
        if (depth == 1 && parsed.is_string() && member_ == "family") document_.family = parsed;
        break;
      case json::parse_event_t::object_end:
        // Only our own order of members lets a fit be understood at once; in any other it waits for the end.
        if (depth == 2 && member_ == "fits" && kept_ == 0 && is_command(document_.command) &&
            !document_.family.empty()) {
          const place fits{parsed, source_, nullptr, "fits"};
          document_.fits.push_back(convert_fit({parsed, source_, &fits, {}, document_.fits.size()}, document_));
          return false;
        }
        if (depth == 2 && member_ == "fits") ++kept_;
        break;
      default:
        break;
    }
    return true;
  }

 private:
  model& document_;
  const std::string& source_;
  std::vector<std::set<std::string>> names_;  // of the objects that are open, by depth
  std::string member_;                        // of the document, that is being read
  std::size_t kept_ = 0;
};

/// nlohmann's messages begin with [json.exception. ...].
std::string plain_message(const std::exception& error) {
  const std::string_view message = error.what();
  const auto end = message.find("] ");
  return excerpt(end == message.npos ? message : message.substr(end + 2), 200);
}

}  // namespace

model parse_model(std::string_view text, const std::string& source) {
  model document;
  json root;
  try {
    root = json::parse(text.begin(), text.end(), listener(document, source));
  } catch (const json::parse_error& error) {
    throw input_error(
        fmt::format("{}, byte {}: {}\na JSON document printed by manyfit fit or manyfit mixture was "
                    "expected",
                    source, error.byte, plain_message(error)));
  } catch (const json::exception& error) {
    throw input_error(fmt::format("{}: {}\nfinite numbers were expected", source, plain_message(error)));
  }

  const place top{root, source};
  const place command = top.at("command"), family = top.at("family"), fits = top.at("fits");
  document.command = command.text();
  if (!is_command(document.command)) command.refuse("\"fit\" or \"mixture\"");
  document.family = family.text();
  if (document.family.empty()) family.refuse("the name of a family");
  if (const auto covariance = top.find("covariance"); covariance && !covariance->value.is_null()) {
    document.covariance = covariance->text();
    const auto known = {"full", "diagonal", "tied", "spherical"};
    if (std::find(known.begin(), known.end(), *document.covariance) == known.end()) {
      covariance->refuse("full, diagonal, tied or spherical");
    }
  }

  if (!fits.value.is_array()) fits.refuse("an array");
  // What is left are the fits that could not be understood at once, and what is not an object.
  for (std::size_t i = 0; i < fits.value.size(); ++i) {
    const place fit{fits.value[i], source, &fits, {}, document.fits.size()};
    document.fits.push_back(convert_fit(fit, document));
  }
  if (document.fits.empty()) {
    throw input_error(fmt::format("{}: fits is empty\nat least one fit was expected", source));
  }
  return document;
}

model read_model(const std::string& path) {
  const file_bytes file(path);
  model document = parse_model(file.view(), file.name());
  file.check_whole();
  return document;
}

}  // namespace manyfit::app
