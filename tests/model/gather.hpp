// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"
#include "raid_layout.hpp"

namespace kio::model {

/// More pieces of one range that failed than this, and all from the first one on counts as failed.
inline constexpr std::uint64_t most_failed_pieces = 256;

/// A read or write, of which `pieces` lie together at `pos` of `leg`, goes there as one request.
Faults submit_gathered(Device& leg, std::uint64_t pos, const Request& request,
                       const std::vector<Stretch>& pieces, std::uint64_t chunk, Journey& journey);

/// Adds what of `below`, borders of a device, is inside of the stretch that begins at `pos` there.
void add_borders(std::vector<std::uint64_t>& borders, const std::vector<std::uint64_t>& below,
                 std::uint64_t pos, const Stretch& stretch);

} // namespace kio::model
