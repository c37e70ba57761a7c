// SPDX-License-Identifier: GPL-2.0
#include "lib/lvm_plan.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "lib/device.hpp"
#include "lib/text.hpp"

namespace kio {

namespace {

using lvm2::LogicalVolume;
using lvm2::Segment;
using lvm2::VolumeGroup;

constexpr std::string_view uuid_prefix = "LVM-";

Error refusal(int code, const VolumeGroup& group, const LogicalVolume& lv, std::string_view why)
{
    return {code, fmt::format("cannot activate '{}/{}': {}", group.name, lv.name, why)};
}

bool is_name(std::string_view text)
{
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789_.+-";
    return !text.empty() && !text.starts_with('-') && text != "." && text != ".." &&
           text.find_first_not_of(allowed) == std::string_view::npos;
}

// ---- names ----

std::string doubled(std::string_view name)
{
    std::string out;
    for (char c : name)
        out.append(c == '-' ? 2 : 1, c);
    return out;
}

std::string name_of(const VolumeGroup& group, std::string_view lv, std::string_view layer)
{
    std::string name = fmt::format("{}-{}", doubled(group.name), doubled(lv));
    return layer.empty() ? name : fmt::format("{}-{}", name, layer);
}

std::string without_hyphens(std::string text)
{
    std::erase(text, '-');
    return text;
}

std::string uuid_of(const VolumeGroup& group, const LogicalVolume& lv, std::string_view layer)
{
    return fmt::format("{}{}{}{}{}", uuid_prefix, without_hyphens(group.uuid),
                       without_hyphens(lv.uuid), layer.empty() ? "" : "-", layer);
}

/// The parts of a name that single hyphens lie between.
std::vector<std::string> name_parts(std::string_view name)
{
    std::vector<std::string> parts(1);
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '-')
            parts.back() += name[i];
        else if (i + 1 < name.size() && name[i + 1] == '-')
            parts.back() += name[i++];
        else
            parts.emplace_back();
    }
    return parts;
}

// ---- tables ----

std::optional<std::uint64_t> first_extent(const VolumeGroup& group, std::string_view device)
{
    const auto found = std::ranges::find(group.physical, device, &lvm2::PhysicalVolume::device);
    if (found == group.physical.end() || !device.starts_with('/'))
        return std::nullopt;
    return found->first_extent;
}

bool is_mapped(const Segment& segment)
{
    return (segment.type == "linear" || segment.type == "striped") && !segment.places.empty();
}

/// " DEVICE OFFSET" for each place
Result<std::string> legs(const VolumeGroup& group, const LogicalVolume& lv, const Segment& segment)
{
    std::string text;
    for (const auto& [device, extent] : segment.places) {
        const auto first = first_extent(group, device);
        if (!first)
            return refusal(
                ENODEV, group, lv,
                fmt::format("it lies on '{}', which is no physical volume that is there", device));
        if (device.find_first_of(" \t\n") != std::string::npos)
            return refusal(EINVAL, group, lv,
                           fmt::format("the name of '{}' has a space in it", device));
        text += fmt::format(" {} {}", device, *first + extent * group.extent_size);
    }
    return text;
}

/// How the data of the volume, or the store of a snapshot, lies on the physical volumes.
Result<std::string> data_table(const VolumeGroup& group, const LogicalVolume& lv)
{
    std::string table;
    for (const Segment& segment : lv.segments) {
        const auto places = legs(group, lv, segment);
        if (!places)
            return places.error();
        const std::size_t stripes = segment.places.size();
        const std::string target =
            stripes == 1 ? "linear" : fmt::format("striped {} {}", stripes, segment.stripe_size);
        table += fmt::format("{} {} {}{}\n", segment.start, segment.size, target, *places);
    }
    return table;
}

// ---- what cannot be ----

Result<> check_group(const VolumeGroup& group)
{
    const auto refused = [&](int code, std::string_view why) {
        return Error{code, fmt::format("cannot activate volume group '{}': {}", group.name, why)};
    };
    if (group.exported)
        return refused(EPERM, "it is exported; vgimport it first");
    if (group.shared)
        return refused(EOPNOTSUPP, "it is shared with other hosts, whose locks are not asked for");
    return {};
}

/// Its kind, as lvm2 names it.
std::string kind_of(const LogicalVolume& lv)
{
    for (const Segment& segment : lv.segments)
        if (!is_mapped(segment))
            return segment.type;
    return lv.layout;
}

Result<> check_volume(const VolumeGroup& group, const LogicalVolume& lv)
{
    if (lv.active)
        return refusal(EBUSY, group, lv,
                       fmt::format("it is active by device-mapper; deactivate it with lvchange -an "
                                   "{}/{} first",
                                   group.name, lv.name));
    if (lv.partial)
        return refusal(ENODEV, group, lv, "a physical volume of it is missing");
    if (lv.segments.empty())
        return refusal(EINVAL, group, lv, "lvm2 reports no segments of it");
    if (!std::ranges::all_of(lv.segments, is_mapped))
        return refusal(EOPNOTSUPP, group, lv,
                       fmt::format("it is of the kind '{}'; only linear and striped volumes and "
                                   "their snapshots can be",
                                   kind_of(lv)));
    if (lv.merging)
        return refusal(EOPNOTSUPP, group, lv, "a snapshot is being merged");
    if (lv.read_only)
        return refusal(EROFS, group, lv, "it is read-only, which volumes of ours cannot be");
    return {};
}

std::set<std::string> devices_of(const LogicalVolume& lv)
{
    std::set<std::string> devices;
    for (const Segment& segment : lv.segments)
        for (const lvm2::Place& place : segment.places)
            devices.insert(place.device);
    return devices;
}

/// A physical volume is either device-mapper's or ours.
Result<> check_neighbours(const VolumeGroup& group, const LogicalVolume& lv)
{
    const auto devices = devices_of(lv);
    for (const LogicalVolume& other : group.logical) {
        if (!other.active)
            continue;
        for (const std::string& device : devices_of(other))
            if (devices.contains(device))
                return refusal(EBUSY, group, lv,
                               fmt::format("'{}/{}' is active by device-mapper on {} as well",
                                           group.name, other.name, device));
    }
    return {};
}

Result<> check(const VolumeGroup& group, const LogicalVolume& lv)
{
    if (auto good = check_volume(group, lv); !good)
        return good;
    return check_neighbours(group, lv);
}

// ---- units ----

/// One with a store of its own, unlike a thin one.
bool is_snapshot(const LogicalVolume& lv)
{
    return !lv.origin.empty() && std::ranges::all_of(lv.segments, is_mapped);
}

std::vector<const LogicalVolume*> snapshots_of(const VolumeGroup& group,
                                               const LogicalVolume& origin)
{
    std::vector<const LogicalVolume*> snapshots;
    for (const LogicalVolume& lv : group.logical)
        if (is_snapshot(lv) && lv.origin == origin.name)
            snapshots.push_back(&lv);
    return snapshots;
}

std::uint64_t size_of(const LogicalVolume& lv)
{
    return lv.segments.back().start + lv.segments.back().size;
}

Result<LvmVolume> data_volume(const VolumeGroup& group, const LogicalVolume& lv,
                              std::string_view layer)
{
    if (auto good = check(group, lv); !good)
        return good.error();
    auto table = data_table(group, lv);
    if (!table)
        return table.error();
    return LvmVolume{name_of(group, lv.name, layer), uuid_of(group, lv, layer), *table};
}

/// The store of a snapshot, and the snapshot.
Result<> add_snapshot(LvmUnit& unit, const VolumeGroup& group, const LogicalVolume& snapshot)
{
    const auto store = data_volume(group, snapshot, "cow");
    if (!store)
        return store.error();
    unit.push_back(*store);
    unit.push_back({name_of(group, snapshot.name, ""), uuid_of(group, snapshot, ""),
                    fmt::format("0 {} snapshot {} {} P {}\n", snapshot.origin_size,
                                device_path(name_of(group, snapshot.origin, "real")),
                                device_path(store->name), snapshot.segments.front().chunk_size)});
    return {};
}

/// The origin is to be written only when all its snapshots are there: it goes up last.
Result<LvmUnit> plan_unit(const VolumeGroup& group, const LogicalVolume& lv)
{
    const auto snapshots = snapshots_of(group, lv);
    const auto data = data_volume(group, lv, snapshots.empty() ? "" : "real");
    if (!data)
        return data.error();
    LvmUnit unit{*data};
    if (snapshots.empty())
        return unit;
    for (const LogicalVolume* snapshot : snapshots)
        if (auto added = add_snapshot(unit, group, *snapshot); !added)
            return added.error();
    unit.push_back(
        {name_of(group, lv.name, ""), uuid_of(group, lv, ""),
         fmt::format("0 {} snapshot-origin {}\n", size_of(lv), device_path(data->name))});
    return unit;
}

/// The volumes that units are made of: those that are seen, snapshots with their origins.
Result<std::vector<const LogicalVolume*>> chosen(const VolumeGroup& group, const LvmTarget& target)
{
    std::vector<const LogicalVolume*> all;
    for (const LogicalVolume& lv : group.logical) {
        if (target.lv.empty() ? lv.hidden : lv.name != target.lv)
            continue;
        if (const auto* origin = group.find(lv.origin);
            is_snapshot(lv) && (!origin || origin->hidden))
            return refusal(EOPNOTSUPP, group, lv, "its origin is virtual");
        if (!target.lv.empty() || !is_snapshot(lv))
            all.push_back(&lv);
    }
    if (all.empty() && target.lv.empty())
        return Error{ENOENT, fmt::format("volume group '{}' has no logical volumes", group.name)};
    if (all.empty())
        return Error{ENOENT, fmt::format("there is no logical volume '{}'", describe(target))};
    if (!target.lv.empty() && all.front()->hidden)
        return refusal(EOPNOTSUPP, group, *all.front(), "it is part of another volume");
    const auto* origin = is_snapshot(*all.front()) ? group.find(all.front()->origin) : nullptr;
    if (origin)
        all.front() = origin;
    return all;
}

// ---- going down ----

struct Part {
    const LvmVolume* volume;
    std::string vg, lv, layer;
};

/// Of the volumes that are made of a group's.
std::vector<Part> parts_of(const std::vector<LvmVolume>& there, const std::string& vg)
{
    std::vector<Part> parts;
    for (const LvmVolume& volume : there) {
        auto names = name_parts(volume.name);
        if (!volume.uuid.starts_with(uuid_prefix) || names.size() < 2 || names[0] != vg)
            continue;
        names.resize(3);
        parts.push_back({&volume, names[0], names[1], names[2]});
    }
    return parts;
}

/// The origin that a snapshot's table names; of another volume itself.
std::string origin_of(const Part& part)
{
    const auto words = split_words(part.volume->table);
    if (words.size() < 4 || words[2] != "snapshot" || !words[3].starts_with(device_path("")))
        return part.lv;
    const auto names = name_parts(words[3].substr(device_path("").size()));
    return names.size() > 1 ? names[1] : part.lv;
}

/// What a unit is known by. Its stores know their snapshots only.
std::string unit_of(const std::vector<Part>& parts, const std::string& lv)
{
    for (const Part& part : parts)
        if (part.lv == lv && part.layer.empty())
            return origin_of(part);
    return lv;
}

/// Origins go down first: a snapshot misses what is written to one that is up without it.
/// Both lie on stores, and all on the data.
int rank(const Part& part)
{
    if (part.layer.empty())
        return part.volume->table.find(" snapshot-origin ") == std::string::npos ? 1 : 0;
    return part.layer == "cow" ? 2 : 3;
}

} // namespace

std::string describe(const LvmTarget& target)
{
    return target.lv.empty() ? target.vg : fmt::format("{}/{}", target.vg, target.lv);
}

Result<LvmTarget> parse_target(const std::string& text)
{
    const auto slash = text.find('/');
    const bool whole = slash == std::string::npos;
    LvmTarget target{text.substr(0, slash), whole ? "" : text.substr(slash + 1)};
    if (!is_name(target.vg) || (!whole && !is_name(target.lv)))
        return Error{
            EINVAL, fmt::format("'{}' names no volume group VG and no logical volume VG/LV", text)};
    return target;
}

Result<std::vector<LvmUnit>> plan_activation(const VolumeGroup& group, const LvmTarget& target)
{
    if (auto good = check_group(group); !good)
        return good.error();
    const auto volumes = chosen(group, target);
    if (!volumes)
        return volumes.error();
    std::vector<LvmUnit> units;
    for (const LogicalVolume* lv : *volumes) {
        auto unit = plan_unit(group, *lv);
        if (!unit)
            return unit.error();
        units.push_back(*unit);
    }
    return units;
}

Result<std::vector<std::string>> plan_deactivation(const std::vector<LvmVolume>& there,
                                                   const LvmTarget& target)
{
    const auto all = parts_of(there, target.vg);
    auto parts = all;
    if (!target.lv.empty())
        std::erase_if(parts, [&](const Part& part) {
            return unit_of(all, part.lv) != unit_of(all, target.lv);
        });
    std::ranges::stable_sort(parts, {}, rank);
    std::vector<std::string> names;
    for (const Part& part : parts)
        names.push_back(part.volume->name);
    if (names.empty())
        return Error{ENOENT,
                     fmt::format("no volume of '{}' is active by kioctl", describe(target))};
    return names;
}

} // namespace kio
