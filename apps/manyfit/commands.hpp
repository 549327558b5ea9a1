// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The program's commands, one in each file; main.cpp lists them.
#pragma once

#include "command.hpp"

namespace manyfit::app {

command fit_command();
command mixture_command();
command score_command();
command simulate_command();
command families_command();
command devices_command();

}  // namespace manyfit::app
