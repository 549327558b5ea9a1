// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/model_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "input/file_bytes.hpp"

namespace manyfit::app {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t deepest = 32;  // our documents need 6

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

  [[noreturn]] void throw_input_error(const std::string& expected) const {
    throw input_error(fmt::format(
        "{}: {} is {}\n{} was expected", source, parent == nullptr ? "the document" : path(),
        value.is_number() || value.is_string() ? excerpt(value.dump(-1, ' ', true)) : value.type_name(), expected));
  }

  /// The member, or nothing.
  std::optional<place> find(std::string_view member) const {
    if (!value.is_object()) throw_input_error("an object");
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
    if (!value.is_string()) throw_input_error("a string");
    return value.get_ref<const std::string&>();
  }

  double number() const {
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value.is_number() || !std::isfinite(value.get<double>())) throw_input_error("a finite number or null");
    return value.get<double>();
  }

  void expect_array(std::size_t size) const {
    if (!value.is_array()) throw_input_error(fmt::format("an array of {}", size));
    if (value.size() != size) {
      throw input_error(fmt::format("{}: {} has {} elements\n{} were expected", source, path(), value.size(), size));
    }
  }
};

named_numbers numbers_by_name(const place& from) {
  if (!from.value.is_object()) from.throw_input_error("an object");
  named_numbers numbers;
  for (const auto& [name, value] : from.value.items()) {
    // An empty name would read as an index in a path; no parameter has one.
    if (name.empty()) from.throw_input_error("an object without empty names");
    numbers.emplace_back(name, place{value, from.source, &from, name}.number());
  }
  if (numbers.empty()) from.throw_input_error("an object with parameters");
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
      if (!mean.value.is_array() || mean.value.empty()) mean.throw_input_error("an array of coordinates");
      fit.dimensions = mean.value.size();
    }
    append_numbers(mean, fit.dimensions, fit.means);
    covariance.expect_array(fit.dimensions);
    for (std::size_t row = 0; row < fit.dimensions; ++row) {
      append_numbers(covariance.element(row), fit.dimensions, fit.covariances);
    }
  }
}

/// A component of a product: an object of parameters for each column, the same ones in every component.
void convert_product(const place& from, model_fit& fit) {
  const bool first = fit.component_parameters.empty();
  std::size_t d = 0;
  for (const auto& [name, value] : from.value.items()) {
    if (name.empty()) from.throw_input_error("an object without empty names");
    const place own{value, from.source, &from, name};
    if (first) fit.columns.push_back(name);
    if (d >= fit.columns.size() || fit.columns[d] != name)
      from.throw_input_error("parameters for the same columns, in the same order, as of the first component");
    fit.component_parameters.push_back(numbers_by_name(own));
    ++d;
  }
  if (d != fit.columns.size()) from.throw_input_error("parameters for as many columns as of the first component");
}

void convert_mixture(const place& from, const std::string& family, model_fit& fit) {
  const place components = from.at("components"), weights = from.at("weights");
  if (!components.value.is_number_unsigned() || components.value == 0u)
    components.throw_input_error("a whole number above 0");
  fit.components = components.value.get<std::size_t>();

  const bool gaussian = family == "gaussian";
  if (weights.value.is_null()) {  // a fit that failed before it had any
    for (const auto* const name : {gaussian ? "means" : "parameters", gaussian ? "covariances" : "parameters"}) {
      const place rest = from.at(name);
      if (!rest.value.is_null()) rest.throw_input_error("null, as for weights,");
    }
    return;
  }
  append_numbers(weights, fit.components, fit.weights);
  for (std::size_t k = 0; k < fit.components; ++k) {
    if (fit.weights[k] < 0) weights.element(k).throw_input_error("a weight that is not negative");
  }
  if (gaussian) return convert_gaussian(from, fit);
  const place parameters = from.at("parameters");
  parameters.expect_array(fit.components);
  for (std::size_t k = 0; k < fit.components; ++k) {
    const place own = parameters.element(k);
    const bool product = own.value.is_object() && !own.value.empty() && own.value.begin()->is_object();
    if (k > 0 && product != !fit.columns.empty()) own.throw_input_error("what the first component is");
    if (product)
      convert_product(own, fit);
    else
      fit.component_parameters.push_back(numbers_by_name(own));
  }
  fit.dimensions = fit.columns.size();
}

model_fit convert_fit(const place& from, const model& document) {
  model_fit fit;
  if (const auto key = from.find("key"); key && !key->value.is_null()) {
    if (!key->value.is_object()) key->throw_input_error("an object");
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

/// nlohmann's messages begin with [json.exception. ...].
std::string plain_message(const std::exception& error) {
  const std::string_view message = error.what();
  const auto end = message.find("] ");
  return excerpt(end == message.npos ? message : message.substr(end + 2), 200);
}

/// What one pass over a document is after.
enum class reading {
  whole,  ///< everything; it ends early where the fits come before what is needed to understand them
  head    ///< command and family alone
};

/// Listens to the parser: refuses depth and repeated names, keeps the members that matter, and turns each fit into its
/// struct as soon as it is whole, so that a document of a million fits never stands in memory as JSON. What is kept is
/// only ever appended to: looking for a place among a million members or elements would take their square.
class listener : public json::json_sax_t {
 public:
  listener(model& document, const std::string& source, reading what)
      : document_(document), source_(source), what_(what), names_(deepest + 3) {}

  bool fits_came_first() const { return fits_came_first_; }
  const json& root() const { return root_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(json::number_integer_t value) override { return add(value); }
  bool number_unsigned(json::number_unsigned_t value) override { return add(value); }
  bool number_float(json::number_float_t value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(json::binary_t&) override { return true; }  // JSON has none
  bool start_object(std::size_t) override { return open(json::value_t::object); }
  bool start_array(std::size_t) override { return open(json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    if (!names_[depth_].insert(name).second) {
      throw input_error(fmt::format("{}: the name '{}' stands twice in one object\nnames that differ were expected",
                                    source_, excerpt(name)));
    }
    if (skipped_ > 0) return true;
    if (depth_ == 1) {
      in_fits_ = name == "fits";
      if (in_fits_ && what_ == reading::whole && !(is_command(document_.command) && !document_.family.empty())) {
        fits_came_first_ = true;
        return false;
      }
    }
    skip_value_ = !matters(name);
    if (skip_value_) return true;
    auto& members = static_cast<json::object_t::Container&>(open_.back()->get_ref<json::object_t&>());
    place_ = &members.emplace_back(std::move(name), nullptr).second;
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const nlohmann::detail::exception& error) override {
    if (dynamic_cast<const json::parse_error*>(&error) == nullptr)
      throw input_error(fmt::format("{}: {}\nfinite numbers were expected", source_, plain_message(error)));
    throw input_error(
        fmt::format("{}, byte {}: {}\na JSON document printed by manyfit fit or manyfit mixture was expected", source_,
                    byte, plain_message(error)));
  }

 private:
  bool matters(std::string_view name) const {
    const auto among = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (depth_ == 1 && what_ == reading::head) return among({"command", "family"});
    if (depth_ == 1) return among({"command", "family", "covariance", "fits"});
    if (depth_ == 3 && in_fits_)
      return among({"key", "status", "parameters", "components", "weights", "means", "covariances"});
    return true;
  }
  /// Whether what is added now is an element of fits.
  bool at_fit() const { return in_fits_ && open_.size() == 2 && open_[1]->is_array(); }

  bool add(json value) {
    if (skipped_ > 0) return true;
    if (std::exchange(skip_value_, false)) return true;
    if (at_fit()) convert(value);  // refuses it: no object
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
    } else {
      *place_ = std::move(value);
      if (depth_ == 1) note_head();
    }
    return true;
  }

  bool open(json::value_t kind) {
    if (depth_ > deepest) {
      throw input_error(
          fmt::format("{}: nested more than {} deep\na document printed by manyfit fit or manyfit mixture was expected",
                      source_, deepest));
    }
    names_[++depth_].clear();
    if (skipped_ > 0 || skip_value_) {
      skip_value_ = false;
      ++skipped_;
      return true;
    }
    json* at = &root_;
    if (at_fit()) {
      at = &fit_;  // never joins the others
    } else if (!open_.empty()) {
      at = open_.back()->is_array() ? &open_.back()->emplace_back() : place_;
    }
    *at = json(kind);
    open_.push_back(at);
    return true;
  }

  bool close() {
    --depth_;
    if (skipped_ > 0) {
      --skipped_;
      return true;
    }
    open_.pop_back();
    if (at_fit()) convert(fit_);
    return true;
  }

  void note_head() {
    const auto& [name, value] = root_.get_ref<json::object_t&>().back();
    if (!value.is_string()) return;
    if (name == "command") document_.command = value;
    if (name == "family") document_.family = value;
  }

  void convert(const json& value) {
    const json whole;
    const place fits{whole, source_, nullptr, "fits"};
    document_.fits.push_back(convert_fit({value, source_, &fits, {}, document_.fits.size()}, document_));
  }

  model& document_;
  const std::string& source_;
  reading what_;
  json root_, fit_;
  std::vector<json*> open_ = {};  // containers that are kept, from the outermost
  json* place_ = nullptr;         // of the value that comes next, in an object
  std::size_t depth_ = 0, skipped_ = 0;
  bool skip_value_ = false, in_fits_ = false, fits_came_first_ = false;
  std::vector<std::set<std::string>> names_;  // of the objects that are open, by depth
};

}  // namespace

model parse_model(std::string_view text, const std::string& source) {
  model document;
  const auto pass = [&](reading what) {
    listener hears(document, source, what);
    json::sax_parse(text.begin(), text.end(), &hears);
    return std::pair(hears.root(), hears.fits_came_first());
  };
  const auto understand_head = [&](const place& top) {
    const place command = top.at("command"), family = top.at("family");
    document.command = command.text();
    if (!is_command(document.command)) command.throw_input_error("\"fit\" or \"mixture\"");
    document.family = family.text();
    if (document.family.empty()) family.throw_input_error("the name of a family");
  };
  auto [root, fits_came_first] = pass(reading::whole);
  if (fits_came_first) {  // in our own order of members they never do
    const json head = pass(reading::head).first;
    understand_head({head, source});
    root = pass(reading::whole).first;
  }
  const place top{root, source};
  understand_head(top);
  const place fits = top.at("fits");
  if (const auto covariance = top.find("covariance"); covariance && !covariance->value.is_null()) {
    document.covariance = covariance->text();
    const auto known = {"full", "diagonal", "tied", "spherical"};
    if (std::find(known.begin(), known.end(), *document.covariance) == known.end()) {
      covariance->throw_input_error("full, diagonal, tied or spherical");
    }
  }

  if (!fits.value.is_array()) fits.throw_input_error("an array");
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
