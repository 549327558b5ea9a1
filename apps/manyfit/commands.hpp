// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The program's commands, which commands.def lists.
#pragma once

#include "command.hpp"

namespace manyfit::app {

#define MF_COMMAND(name) command name##_command();
#include "commands.def"
#undef MF_COMMAND

}  // namespace manyfit::app
