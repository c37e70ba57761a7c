// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lib/world.hpp"

namespace kio {

/// Tells how far something is: on a terminal in one line that is printed over, elsewhere in a line
/// for each per cent. The line ends when this does.
class Progress {
public:
    explicit Progress(const World& world)
        : out_(world.progress), rewrites_(world.terminal.rewrites())
    {
    }
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `total` may be 0: not known.
    void show(const std::string& what, std::uint64_t done, std::uint64_t total);

private:
    std::ostream* out_;
    bool rewrites_;
    std::string last_; ///< what was shown, without the exact numbers
};

} // namespace kio
