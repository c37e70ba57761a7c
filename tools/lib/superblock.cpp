// SPDX-License-Identifier: GPL-2.0
/*
 * md's metadata of version 1.2, all numbers little endian, lengths in sectors of 512 bytes:
 *
 *      0       4 KiB                                data_offset
 *      |       | superblock, dev_roles[] | bitmap   | data
 *
 * dev_roles[] has a number of 16 bits for each device that the array has ever known: the leg that
 * it is, or one of the words below. A device finds its own by dev_number. The checksum covers the
 * fixed part and dev_roles[], with itself as 0.
 *
 * The bitmap has a header of 256 bytes and then a bit for each chunk, the lowest bit of a byte
 * first.
 */
#include "lib/superblock.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <ctime>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "lib/text.hpp"
#include "lib/uuid.hpp"

namespace kio {

namespace {

constexpr std::uint64_t sector = 512;
constexpr std::uint32_t md_magic = 0xa92b4efc, bitmap_magic = 0x6d746962;
constexpr std::size_t fixed_bytes = 256, checksum_at = 216, most_roles = 1920;
constexpr std::uint64_t all_sectors = UINT64_MAX;

enum Feature : std::uint32_t { has_bitmap = 1, has_recovery_offset = 2, is_replacement = 16 };
constexpr std::uint16_t spare = 0xffff, faulty = 0xfffe, journal = 0xfffd; ///< roles

template <std::unsigned_integral Number>
Number number(std::string_view bytes, std::size_t at)
{
    Number value = 0;
    for (std::size_t i = sizeof(Number); i-- > 0;)
        value = static_cast<Number>((std::uint64_t{value} << 8) |
                                    static_cast<unsigned char>(bytes[at + i]));
    return value;
}

std::uint32_t u32(std::string_view bytes, std::size_t at)
{
    return number<std::uint32_t>(bytes, at);
}

std::uint64_t u64(std::string_view bytes, std::size_t at)
{
    return number<std::uint64_t>(bytes, at);
}

/// The upper 24 bits are microseconds.
std::uint64_t seconds(std::string_view bytes, std::size_t at)
{
    return u64(bytes, at) & ((std::uint64_t{1} << 40) - 1);
}

std::string text_upto_zero(std::string_view bytes)
{
    return std::string{bytes.substr(0, bytes.find('\0'))};
}

std::vector<std::uint16_t> read_roles(std::string_view bytes, std::size_t count)
{
    std::vector<std::uint16_t> roles;
    for (std::size_t i = 0; i < count; ++i)
        roles.push_back(number<std::uint16_t>(bytes, fixed_bytes + 2 * i));
    return roles;
}

std::uint32_t checksum(std::string_view bytes)
{
    std::uint64_t sum = 0;
    std::size_t at = 0;
    for (; at + 4 <= bytes.size(); at += 4)
        sum += at == checksum_at ? 0 : u32(bytes, at);
    if (at + 2 <= bytes.size())
        sum += number<std::uint16_t>(bytes, at);
    return static_cast<std::uint32_t>((sum & 0xffffffff) + (sum >> 32));
}

std::string role_name(const std::vector<std::uint16_t>& roles, std::uint32_t device)
{
    switch (const std::uint16_t role = device < roles.size() ? roles[device] : spare) {
    case spare:
        return "spare";
    case faulty:
        return "faulty";
    case journal:
        return "journal";
    default:
        return std::to_string(role);
    }
}

/// As mdadm's "Array State".
std::string legs_present(const std::vector<std::uint16_t>& roles, std::uint32_t raid_disks)
{
    std::string legs;
    for (std::uint32_t leg = 0; leg < raid_disks && leg < most_roles; ++leg) {
        const auto devices = std::ranges::count(roles, leg);
        legs += devices == 0 ? '.' : devices == 1 ? 'A' : 'R';
    }
    return legs;
}

std::string raid10_layout(std::uint32_t layout)
{
    const std::uint32_t near = layout & 0xff, far = layout >> 8 & 0xff;
    const bool offset = layout & 0x10000;
    if (far > 1 && near > 1)
        return fmt::format("n{} {}{}", near, offset ? 'o' : 'f', far);
    if (far > 1)
        return fmt::format("{}{}", offset ? 'o' : 'f', far);
    return fmt::format("n{}", near);
}

std::string bitmap_state(const Bitmap& bitmap)
{
    constexpr std::uint32_t stale = 1, write_error = 2;
    return bitmap.state & write_error ? "write error" : bitmap.state & stale ? "stale" : "good";
}

/// Of the first `count` bits; md sets those behind them too.
std::uint64_t ones(std::string_view bytes, std::uint64_t count)
{
    std::uint64_t sum = 0;
    for (std::uint64_t bit = 0; bit < count && bit / 8 < bytes.size(); bit += 8) {
        const auto byte = static_cast<unsigned char>(bytes[bit / 8]);
        const std::uint64_t left = std::min<std::uint64_t>(count - bit, 8);
        sum += static_cast<unsigned>(std::popcount(byte & ((1U << left) - 1)));
    }
    return sum;
}

/// A bitmap that lies outside of the device, or is none, is as good as none.
void examine_bitmap(const Prober& prober, Examined& examined)
{
    const std::int64_t from = *examined.superblock.bitmap_offset;
    const auto start = static_cast<std::uint64_t>(static_cast<std::int64_t>(superblock_offset) +
                                                  from * static_cast<std::int64_t>(sector));
    const auto header = prober.read(examined.path, start, bitmap_header_bytes);
    examined.bitmap = header ? decode_bitmap(*header) : std::nullopt;
    if (!examined.bitmap || examined.bitmap->chunk_bytes < sector)
        return;

    constexpr std::uint64_t most_bytes = 64 << 20;
    const std::uint64_t chunk_sectors = examined.bitmap->chunk_bytes / sector;
    examined.chunks = examined.bitmap->sync_sectors / chunk_sectors +
                      (examined.bitmap->sync_sectors % chunk_sectors != 0);
    const std::uint64_t length = std::min(examined.chunks / 8 + 1, most_bytes);
    const auto bits = prober.read(examined.path, start + bitmap_header_bytes, length);
    if (!bits)
        return;
    examined.dirty_chunks = ones(*bits, examined.chunks);
}

std::string when(std::uint64_t time)
{
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(time)));
}

std::string sectors(std::uint64_t count)
{
    return fmt::format("{} sectors ({})", count, human_size(count * sector));
}

std::string state(const Superblock& superblock)
{
    if (superblock.rebuilt_upto)
        return fmt::format("rebuilt up to sector {}", *superblock.rebuilt_upto);
    if (superblock.resync_from)
        return fmt::format("dirty from sector {} on", *superblock.resync_from);
    return "clean";
}

std::string bitmap_text(const Examined& examined)
{
    if (!examined.superblock.bitmap_offset)
        return "none";
    if (!examined.bitmap)
        return "internal, unreadable";
    const Bitmap& bitmap = *examined.bitmap;
    return fmt::format("internal, {}, {} of {} chunks of {} dirty, events {}", bitmap_state(bitmap),
                       examined.dirty_chunks, examined.chunks, human_size(bitmap.chunk_bytes),
                       bitmap.events);
}

Json bitmap_json(const Examined& examined)
{
    if (!examined.superblock.bitmap_offset)
        return nullptr;
    Json data{{"offset_sectors", *examined.superblock.bitmap_offset}};
    if (!examined.bitmap)
        return data;
    const Bitmap& bitmap = *examined.bitmap;
    data["uuid"] = bitmap.array_uuid;
    data["state"] = bitmap_state(bitmap);
    data["events"] = bitmap.events;
    data["events_cleared"] = bitmap.events_cleared;
    data["chunk_bytes"] = bitmap.chunk_bytes;
    data["sync_sectors"] = bitmap.sync_sectors;
    data["daemon_sleep_s"] = bitmap.daemon_sleep_s;
    data["chunks"] = examined.chunks;
    data["dirty_chunks"] = examined.dirty_chunks;
    return data;
}

Json or_null(const std::optional<std::uint64_t>& value)
{
    return value ? Json(*value) : Json(nullptr);
}

} // namespace

std::string layout_name(std::int32_t level, std::uint32_t layout)
{
    constexpr std::array<std::string_view, 4> parity{"left-asymmetric", "right-asymmetric",
                                                     "left-symmetric", "right-symmetric"};
    if (level == 10)
        return raid10_layout(layout);
    if (level == 0 && (layout == 1 || layout == 2))
        return layout == 1 ? "original" : "alternate";
    if ((level == 5 || level == 6) && layout < parity.size())
        return std::string{parity.at(layout)};
    return {};
}

std::optional<Superblock> decode_superblock(std::string_view bytes)
{
    if (bytes.size() < fixed_bytes || u32(bytes, 0) != md_magic || u32(bytes, 4) != 1 ||
        u64(bytes, 144) != superblock_offset / sector)
        return std::nullopt;
    const std::size_t devices = u32(bytes, 220);
    if (devices > most_roles || bytes.size() < fixed_bytes + 2 * devices)
        return std::nullopt;

    const auto roles = read_roles(bytes, devices);
    const std::uint32_t features = u32(bytes, 8), raid_disks = u32(bytes, 92);
    Superblock superblock{.array_uuid = md_uuid_of_bytes(bytes.substr(16, 16)),
                          .device_uuid = md_uuid_of_bytes(bytes.substr(168, 16)),
                          .name = text_upto_zero(bytes.substr(32, 32)),
                          .created = seconds(bytes, 64),
                          .updated = seconds(bytes, 192),
                          .level = static_cast<std::int32_t>(u32(bytes, 72)),
                          .layout = u32(bytes, 76),
                          .raid_disks = raid_disks,
                          .chunk_sectors = u32(bytes, 88),
                          .used_sectors = u64(bytes, 80),
                          .data_offset = u64(bytes, 128),
                          .data_sectors = u64(bytes, 136),
                          .events = u64(bytes, 200),
                          .resync_from = {},
                          .rebuilt_upto = {},
                          .role = role_name(roles, u32(bytes, 160)),
                          .legs = legs_present(roles, raid_disks),
                          .features = features,
                          .corrected_reads = u32(bytes, 164),
                          .bitmap_offset = {},
                          .checksum_good = checksum(bytes.substr(0, fixed_bytes + 2 * devices)) ==
                                           u32(bytes, 216)};
    if (const auto from = u64(bytes, 208); from != all_sectors)
        superblock.resync_from = from;
    if (features & has_recovery_offset)
        superblock.rebuilt_upto = u64(bytes, 152);
    if (features & has_bitmap)
        superblock.bitmap_offset = static_cast<std::int32_t>(u32(bytes, 96));
    if (features & is_replacement)
        superblock.role += " (replacement)";
    return superblock;
}

std::optional<Bitmap> decode_bitmap(std::string_view bytes)
{
    if (bytes.size() < bitmap_header_bytes || u32(bytes, 0) != bitmap_magic)
        return std::nullopt;
    return Bitmap{.array_uuid = md_uuid_of_bytes(bytes.substr(8, 16)),
                  .events = u64(bytes, 24),
                  .events_cleared = u64(bytes, 32),
                  .sync_sectors = u64(bytes, 40),
                  .state = u32(bytes, 48),
                  .chunk_bytes = u32(bytes, 52),
                  .daemon_sleep_s = u32(bytes, 56)};
}

Result<Examined> examine(const Prober& prober, const std::string& path)
{
    const auto bytes = prober.read(path, superblock_offset, superblock_bytes);
    if (!bytes)
        return Error{bytes.error().code,
                     fmt::format("cannot read {}: {}", path, bytes.error().sentence)};
    auto superblock = decode_superblock(*bytes);
    if (!superblock)
        return Error{ENOENT, fmt::format("{} has no superblock of version 1.2", path)};
    Examined examined{.path = path, .superblock = std::move(*superblock), .bitmap = {}};
    if (examined.superblock.bitmap_offset)
        examine_bitmap(prober, examined);
    return examined;
}

std::string to_text(const Examined& examined)
{
    const Superblock& superblock = examined.superblock;
    std::vector<Row> rows{{"device", examined.path},
                          {"array", superblock.array_uuid},
                          {"name", superblock.name},
                          {"level", std::to_string(superblock.level)}};
    if (const auto layout = layout_name(superblock.level, superblock.layout); !layout.empty())
        rows.push_back({"layout", layout});
    if (superblock.chunk_sectors != 0)
        rows.push_back({"chunk", human_size(superblock.chunk_sectors * sector)});
    rows.insert(rows.end(),
                {{"created", when(superblock.created)},
                 {"updated", when(superblock.updated)},
                 {"legs", fmt::format("{}, {}", superblock.raid_disks, superblock.legs)},
                 {"role", superblock.role},
                 {"state", state(superblock)},
                 {"events", std::to_string(superblock.events)},
                 {"used", sectors(superblock.used_sectors)},
                 {"data", fmt::format("{} from sector {} on", sectors(superblock.data_sectors),
                                      superblock.data_offset)},
                 {"bitmap", bitmap_text(examined)},
                 {"uuid", superblock.device_uuid},
                 {"checksum", superblock.checksum_good ? "good" : "wrong"}});
    return columns(rows);
}

Json to_json(const Examined& examined)
{
    const Superblock& superblock = examined.superblock;
    return {{"path", examined.path},
            {"metadata", "1.2"},
            {"array_uuid", superblock.array_uuid},
            {"array_name", superblock.name},
            {"level", superblock.level},
            {"layout", layout_name(superblock.level, superblock.layout)},
            {"chunk_kib", superblock.chunk_sectors * sector / 1024},
            {"created", superblock.created},
            {"updated", superblock.updated},
            {"raid_disks", superblock.raid_disks},
            {"legs", superblock.legs},
            {"role", scalar(superblock.role)},
            {"clean", !superblock.resync_from},
            {"resync_from_sector", or_null(superblock.resync_from)},
            {"rebuilt_upto_sector", or_null(superblock.rebuilt_upto)},
            {"events", superblock.events},
            {"used_sectors", superblock.used_sectors},
            {"data_offset_sectors", superblock.data_offset},
            {"data_sectors", superblock.data_sectors},
            {"device_uuid", superblock.device_uuid},
            {"features", superblock.features},
            {"corrected_reads", superblock.corrected_reads},
            {"checksum_good", superblock.checksum_good},
            {"bitmap", bitmap_json(examined)}};
}

} // namespace kio
