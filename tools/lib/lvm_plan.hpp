// SPDX-License-Identifier: GPL-2.0
// From what lvm2 reports to volumes of ours and back: no I/O here.
#pragma once

#include <string>
#include <vector>

#include "lib/lvm2.hpp"
#include "lib/result.hpp"

namespace kio {

/// VG, or VG/LV.
struct LvmTarget {
    std::string vg;
    std::string lv; ///< empty: all of the group
};

Result<LvmTarget> parse_target(const std::string& text);

/// For sentences: "vg/lv" or "vg".
std::string describe(const LvmTarget& target);

/// A volume of ours that makes up a logical one, or part of it.
struct LvmVolume {
    std::string name;  ///< as device-mapper has it: VG-LV or VG-LV-LAYER, their hyphens doubled
    std::string uuid;  ///< likewise: LVM-, the group's, the volume's, and -LAYER
    std::string table; ///< whole lines
};

/// What goes up and down together: a volume, or an origin with all its snapshots. In the order
/// in which they go up.
using LvmUnit = std::vector<LvmVolume>;

/// What is to go up; refused whole if any of it cannot.
Result<std::vector<LvmUnit>> plan_activation(const lvm2::VolumeGroup& group,
                                             const LvmTarget& target);

/// The names of what is to go down, in order, of the volumes that are there.
Result<std::vector<std::string>> plan_deactivation(const std::vector<LvmVolume>& there,
                                                   const LvmTarget& target);

} // namespace kio
