// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "apps/plot/canvas.hpp"

namespace manyfit::app {

/// Calls `draw` for the bytes of a picture (canvas::finish()) in a process of its own and writes them to `path`, whole
/// or not at all. The libraries that draw letters (fontconfig, FreeType) crash or wait for ever where an allocation
/// fails; there they end only that process. `draw` may use the library on one CPU thread; what it changes is not seen
/// here, and stderr goes nowhere. Throws manyfit::error: argument for another extension than .svg and .png or a file
/// that cannot be written, memory when the picture cannot be drawn; and what `draw` throws of manyfit::error.
void write_picture(const std::string& path, const std::function<std::string(picture_format)>& draw);

}  // namespace manyfit::app
