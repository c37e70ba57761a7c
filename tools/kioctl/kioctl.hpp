// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <iosfwd>

#include "lib/world.hpp"

namespace kio {

/// All of kioctl but the world outside. Returns the exit status: 0 done, 1 refused, 2 misused.
int run(int argc, const char* const* argv, World world, std::ostream& out, std::ostream& err);

} // namespace kio
