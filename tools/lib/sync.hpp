// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lib/object.hpp"
#include "lib/world.hpp"

namespace kio {

/// What an array does to bring its legs in line with each other.
struct Sync {
    std::string action; ///< idle, check, repair, resync, recover; empty while down
    std::uint64_t done = 0;
    std::uint64_t total = 0; ///< in sectors; 0: not known
};

Result<Sync> read_sync(const Control& control, const Id& id);

/// Returns when the array does nothing of the kind any more, and tells how far it is meanwhile. The
/// user may stop that, which is an Error and does not stop the array.
Result<> wait_for_sync(const World& world, const Id& id);

} // namespace kio
