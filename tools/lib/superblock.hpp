// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/output.hpp"
#include "lib/prober.hpp"

namespace kio {

/// What md's superblock of version 1.2 says of an array and of the device that it lies on. For
/// people: nothing here is meant to be written back.
struct Superblock {
    std::string array_uuid, device_uuid; ///< as mdadm prints them
    std::string name;
    std::uint64_t created, updated; ///< seconds since 1970
    std::int32_t level;
    std::uint32_t layout;
    std::uint32_t raid_disks;
    std::uint64_t chunk_sectors;
    std::uint64_t used_sectors;              ///< of each leg
    std::uint64_t data_offset, data_sectors; ///< of this device
    std::uint64_t events;
    std::optional<std::uint64_t> resync_from;  ///< from here on legs may differ; none: clean
    std::optional<std::uint64_t> rebuilt_upto; ///< none: all of this leg is good
    std::string role;                          ///< a leg's number, spare, faulty or journal
    std::string legs;                          ///< A there, . missing, R being replaced
    std::uint32_t features;
    std::uint32_t corrected_reads;
    std::optional<std::int32_t> bitmap_offset; ///< in sectors, from the superblock
    bool checksum_good;
};

/// The header of md's write-intent bitmap.
struct Bitmap {
    std::string array_uuid;
    std::uint64_t events, events_cleared;
    std::uint64_t sync_sectors; ///< that the bits stand for
    std::uint32_t state;
    std::uint32_t chunk_bytes; ///< for each bit
    std::uint32_t daemon_sleep_s;
};

/// What lies on one device.
struct Examined {
    std::string path;
    Superblock superblock;
    std::optional<Bitmap> bitmap;
    std::uint64_t chunks = 0, dirty_chunks = 0; ///< of the bitmap
};

inline constexpr std::uint64_t superblock_offset = 4096;
inline constexpr std::size_t superblock_bytes = 4096; ///< at most, with all roles
inline constexpr std::size_t bitmap_header_bytes = 256;

/// None where these bytes are no superblock of version 1.2. One whose checksum is wrong is one.
std::optional<Superblock> decode_superblock(std::string_view bytes);
std::optional<Bitmap> decode_bitmap(std::string_view bytes);

/// By the names of mdadm where the level has layouts; empty where it has none.
std::string layout_name(std::int32_t level, std::uint32_t layout);

Result<Examined> examine(const Prober& prober, const std::string& path);

std::string to_text(const Examined& examined);
Json to_json(const Examined& examined);

} // namespace kio
