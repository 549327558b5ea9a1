// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The commands. Each adds itself to the program's command line; when it is the one that was given, it leaves in
// `action` what is to run, which returns the exit code.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace manyfit::app {

using command_action = std::function<int()>;

void add_fit(CLI::App& program, command_action& action);
void add_mixture(CLI::App& program, command_action& action);
void add_score(CLI::App& program, command_action& action);
void add_simulate(CLI::App& program, command_action& action);
void add_families(CLI::App& program, command_action& action);
void add_devices(CLI::App& program, command_action& action);

}  // namespace manyfit::app
