// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>

namespace kio {

/// Who waits for a command that takes long.
struct Terminal {
    virtual ~Terminal() = default;

    /// Whether a line that was printed can be printed over.
    virtual bool rewrites() const = 0;

    /// Sleeps. False, at once, when the user wants to wait no longer.
    virtual bool sleep(std::chrono::milliseconds time) = 0;
};

} // namespace kio
