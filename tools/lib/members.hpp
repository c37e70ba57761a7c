// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/world.hpp"

namespace kio {

/// The first of `paths` that holds something known is an Error that says what.
Result<> check_blank(const Prober& prober, const std::vector<std::string>& paths);

/// Which array is looked for: that of this UUID, or that of this name.
struct Wanted {
    std::string uuid; ///< as md_uuid() has it; empty: any
    std::string name; ///< with or without a host before it, as in "host:name"; empty: any
};

/// The block devices that are members of the one array that is wanted, by their names. What is
/// held by another device, or has no size, is passed over.
Result<std::vector<std::string>> find_members(const World& world, const Wanted& wanted);

} // namespace kio
