// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "plot.hpp"

#include "failures.hpp"

namespace manyfit::app {

void check_plot(const std::string&) { throw usage_error("--plot is not supported yet\nleave it out"); }

template <class T>
void write_plot(const std::string&, const fit_report&, const sample_set<T>&) {}

template void write_plot(const std::string&, const fit_report&, const sample_set<double>&);
template void write_plot(const std::string&, const fit_report&, const sample_set<float>&);

}  // namespace manyfit::app
