// SPDX-License-Identifier: GPL-2.0
// What lvm2 reports of a volume group. Nothing here reads its metadata.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.hpp"
#include "lib/runner.hpp"

namespace kio::lvm2 {

/// Where a segment, or a stripe of one, begins.
struct Place {
    std::string device; ///< a physical volume, or another logical one, which has no slash
    std::uint64_t extent;
};

/// Sectors of 512 bytes.
struct Segment {
    std::string type;
    std::uint64_t start;
    std::uint64_t size;
    std::uint64_t stripe_size;
    std::uint64_t chunk_size; ///< of a snapshot's store
    std::vector<Place> places;
};

struct LogicalVolume {
    std::string name; ///< of a hidden one without its brackets
    std::string uuid;
    bool hidden;  ///< part of others, or of what serves them
    bool active;  ///< by device-mapper
    bool partial; ///< lacks a physical volume
    bool read_only;
    bool merging;
    std::string layout;            ///< "linear", "raid,raid1"
    std::string origin;            ///< of a snapshot
    std::uint64_t origin_size;     ///< sectors, likewise
    std::vector<Segment> segments; ///< in order
};

struct PhysicalVolume {
    std::string device;
    std::uint64_t first_extent; ///< sector where it is
};

struct VolumeGroup {
    std::string name;
    std::string uuid;
    std::uint64_t extent_size; ///< sectors
    bool exported;
    bool shared; ///< with other hosts
    std::vector<PhysicalVolume> physical;
    std::vector<LogicalVolume> logical; ///< by name

    const LogicalVolume* find(std::string_view lv) const;
};

/// Asks lvm2 for its report on the group.
Result<VolumeGroup> report(Runner& runner, const std::string& group);

/// The report of one group, as JSON text.
Result<VolumeGroup> parse(const std::string& text);

} // namespace kio::lvm2
