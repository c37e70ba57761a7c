// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <iosfwd>

#include "lib/control.hpp"
#include "lib/prober.hpp"
#include "lib/runner.hpp"
#include "lib/terminal.hpp"

namespace kio {

/// All that a command may touch. Most need the control only.
struct World {
    Control& control;
    const Prober& prober;
    Terminal& terminal;
    Runner& runner;
    std::ostream* progress = nullptr; ///< where to tell how far things are; none with --json
};

} // namespace kio
