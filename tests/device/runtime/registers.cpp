// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a kernel needs of a multiprocessor, by its name: the programs export their symbols for that.
#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <regex>
#include <string_view>

#include "state.hpp"

namespace simulated {

namespace {

struct table_row {
  const char *name, *type;
  int max_threads, registers;
};
constexpr table_row table[] = {
#define MF_KERNEL(name, type, max_threads, registers) {#name, #type, max_threads, registers},
#include "registers.def"
#undef MF_KERNEL
};

std::string readable_name(const void* kernel) {
  Dl_info info{};
  if (dladdr(const_cast<void*>(kernel), &info) == 0 || !info.dli_sname || info.dli_saddr != kernel)
    return "without a name (not an exported symbol)";
  int status = 0;
  char* const plain = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  const std::string name = plain ? plain : info.dli_sname;
  std::free(plain);
  return name;
}

/// A kernel of an operation, a::lanes_kernel<a::fit_operation, ..., as the table calls it: a::fit_lanes_kernel<...
std::string with_operation(const std::string& name) {
  static const std::regex kernel(R"(::(\w+_kernel<)(?:\w+::)*(\w+)_operation, )");
  return std::regex_replace(name, kernel, "::$2_$1");
}

/// Whether "void a::b::kernel<c::family, double>(...)" is the row's; numbers may come after the type.
bool is(const std::string& name, const table_row& row) {
  const std::string begin = std::string("::") + row.name + "<";
  const auto at = name.find(begin);
  if (at == std::string::npos) return false;
  std::string arguments = name.substr(at + begin.size(), name.find('>', at) - at - begin.size());
  while (!arguments.empty() && std::string_view("0123456789, ").find(arguments.back()) != std::string_view::npos)
    arguments.pop_back();
  const std::string type = row.type;
  return arguments.size() >= type.size() && arguments.compare(arguments.size() - type.size(), type.size(), type) == 0;
}

}  // namespace

const kernel_limits& limits_of(const void* kernel) {
  static auto* const known = new std::map<const void*, kernel_limits>;
  const auto found = known->find(kernel);
  if (found != known->end()) return found->second;
  kernel_limits limits{readable_name(kernel), 64, 1024};
  const std::string name = with_operation(limits.name);
  for (const table_row& row : table)
    if (is(name, row)) limits = {limits.name, row.registers, row.max_threads};
  return known->emplace(kernel, limits).first->second;
}

}  // namespace simulated
