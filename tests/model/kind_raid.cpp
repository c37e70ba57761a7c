// SPDX-License-Identifier: GPL-2.0
#include "kind_raid.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include <fmt/format.h>

#include "lib/text.hpp"
#include "mirror.hpp"
#include "raid0.hpp"

namespace kio::model {

namespace {

constexpr std::uint64_t kib = 1024;
constexpr unsigned most_legs = 4;
constexpr std::array<std::uint64_t, 7> chunks_kib{4, 8, 12, 16, 32, 64, 64};
constexpr std::string_view missing = "missing";
constexpr std::string_view spare = "spare";

struct Shape {
    std::uint64_t level;
    std::uint64_t chunk;            ///< bytes
    std::optional<unsigned> layout; ///< of level 10
};

/// "n2", "f2", "o3": as md numbers it.
std::optional<unsigned> parse_layout(const std::string& word)
{
    const auto copies = word.empty() ? std::nullopt : parse_number(word.substr(1));
    if (!copies || *copies < 2 || *copies > 16)
        return std::nullopt;
    const auto number = static_cast<unsigned>(*copies);
    if (word[0] == 'n')
        return number | 1U << 8;
    if (word[0] == 'f')
        return 1U | number << 8;
    return word[0] == 'o' ? std::optional(1U | number << 8 | 1U << 16) : std::nullopt;
}

std::optional<Shape> parse_shape(const Words& words)
{
    const auto level = words.size() >= 2 ? parse_number(words[0]) : std::nullopt;
    const auto chunk = words.size() >= 2 ? parse_number(words[1]) : std::nullopt;
    if (!level || !chunk || *chunk == 0 || *chunk % 4 != 0)
        return std::nullopt;
    Shape shape{*level, *chunk * kib, std::nullopt};
    if (*level == 10 && words.size() == 3)
        shape.layout = parse_layout(words[2]);
    const bool good = *level == 10 ? shape.layout && std::has_single_bit(*chunk)
                                   : *level <= 1 && words.size() == 2;
    return good ? std::optional(shape) : std::nullopt;
}

bool is_spare(const Words& line)
{
    return line.size() == 2 && line[0] == spare;
}

/// Names in order, `missing` among them.
Words legs_of(const Node& node)
{
    Words legs;
    for (std::size_t i = 1; i < node.lines.size(); ++i)
        if (node.lines[i].size() == 1)
            legs.push_back(node.lines[i][0]);
    return legs;
}

Error refuse(std::string why)
{
    return Error{EINVAL, std::move(why)};
}

Result<std::unique_ptr<Device>> make_raid0(const Shape& shape, const Words& names,
                                           const Devices& devices)
{
    std::vector<Device*> legs;
    std::vector<std::uint64_t> chunks;

    for (const std::string& name : names) {
        if (name == missing)
            return refuse("level 0 cannot do without a leg");
        legs.push_back(devices.at(name));
        chunks.push_back(legs.back()->size() / shape.chunk);
    }
    const bool equal = std::ranges::adjacent_find(chunks, std::not_equal_to()) == chunks.end();
    if (std::ranges::find(chunks, 0U) != chunks.end() || (!equal && !raid_abilities().unequal))
        return refuse("legs are too small, or of unequal size");
    return std::unique_ptr<Device>(std::make_unique<Raid0>(std::move(legs), shape.chunk));
}

Result<std::unique_ptr<Device>> make_mirror(const Shape& shape, const Node& node,
                                            const Devices& devices)
{
    MirrorSetup setup{{}, {}, shape.layout, shape.chunk};
    std::size_t there = 0;

    for (const std::string& name : legs_of(node)) {
        setup.legs.push_back({name, name == missing ? nullptr : devices.at(name)});
        there += name == missing ? 0 : 1;
    }
    for (const Words& line : node.lines)
        if (is_spare(line))
            setup.spares.push_back({line[1], devices.at(line[1])});
    const unsigned copies = shape.layout ? (*shape.layout & 0xff) * (*shape.layout >> 8 & 0xff) : 2;
    if (setup.legs.size() < 2 || copies > setup.legs.size() || there == 0 || there > 16)
        return refuse("too few legs");
    if (there + (shape.layout ? 1 : setup.legs.size()) < setup.legs.size())
        return refuse("level 10 is given one leg less at most");
    auto mirror = std::make_unique<Mirror>(std::move(setup));
    if (mirror->size() == 0)
        return refuse("legs are too small");
    return std::unique_ptr<Device>(std::move(mirror));
}

/* ---- random ---- */

std::uint64_t random_level(Random& random)
{
    if (raid_abilities().level10 && random.one_in(3))
        return 10;
    return random.one_in(3) ? 0 : 1;
}

Words random_shape(Random& random, std::uint64_t level, std::uint64_t smallest, std::size_t legs)
{
    std::uint64_t chunk = random.pick(std::span<const std::uint64_t>(chunks_kib));
    if (chunk * kib * 4 > smallest || (level == 10 && !std::has_single_bit(chunk)))
        chunk = 4;
    Words words{std::to_string(level), std::to_string(chunk)};
    if (level == 10) {
        const auto copies = legs > 2 && random.one_in(4) ? 3 : 2;
        words.push_back(std::string(1, "nfo"[random.below(3)]) + std::to_string(copies));
    }
    return words;
}

/// Often a filter, since a leg that does not fail is dull.
std::string grow_leg(Grower& grower, const Place& below)
{
    if (below.depth > 0 && grower.random().below(4) != 0)
        if (auto name = grower.grow_kind("flakey", below); !name.empty())
            return name;
    return grower.grow(below);
}

/// A disk, or a filter on one.
std::string grow_plain_leg(Grower& grower, Place below)
{
    const bool filter = below.depth > 0 && grower.random().below(4) != 0;
    below.depth = filter ? 1 : 0;
    const std::string name = filter ? grower.grow_kind("flakey", below) : "";
    below.depth = 0;
    return name.empty() ? grower.grow(below) : name;
}

/// Room for data on all of them, and where it must be, the same.
bool can_stripe(const std::vector<std::uint64_t>& sizes, std::uint64_t chunk)
{
    return raid_abilities().unequal || std::ranges::all_of(sizes, [&](std::uint64_t size) {
               return size / chunk == sizes[0] / chunk;
           });
}

} // namespace

RaidAbilities& raid_abilities()
{
    static RaidAbilities abilities;
    return abilities;
}

Words RaidKind::lowers(const Node& node) const
{
    Words names;
    for (const Words& line : node.lines)
        if (is_spare(line))
            names.push_back(line[1]);
    for (const std::string& leg : legs_of(node))
        if (leg != missing)
            names.push_back(leg);
    return names;
}

Result<std::unique_ptr<Device>> RaidKind::model(const Node& node, const Devices& devices) const
{
    const auto shape = node.lines.empty() ? std::nullopt : parse_shape(node.lines[0]);
    Words names = lowers(node);

    std::ranges::sort(names);
    if (!shape || std::ranges::adjacent_find(names) != names.end())
        return refuse("LEVEL CHUNK_KIB [LAYOUT] ; LEG ; LEG ... is wanted, each leg once");
    if (shape->level != 0)
        return make_mirror(*shape, node, devices);
    if (names.size() < 2)
        return refuse("too few legs");
    return make_raid0(*shape, legs_of(node), devices);
}

Settings RaidKind::settings(const Node& node, const PathOf& path) const
{
    const Words& shape = node.lines[0];
    Words legs = legs_of(node);
    Settings settings{{"level", shape[0]}, {"metadata", "none"}};

    for (std::string& leg : legs)
        leg = leg == missing ? leg : path(leg);
    settings.push_back({"legs", fmt::format("{}", fmt::join(legs, " "))});
    if (shape[0] != "1")
        settings.push_back({"chunk_kib", shape[1]});
    if (shape.size() == 3)
        settings.push_back({"layout", shape[2]});
    return settings;
}

unsigned RaidKind::weight(const Grower& grower, const Place&) const
{
    return grower.disks_left() >= 2 ? 9 : 0;
}

Lines RaidKind::random(Grower& grower, const Place& place) const
{
    Random& random = grower.random();
    std::uint64_t level = random_level(random);
    const auto legs = static_cast<unsigned>(
        random.between(2, std::min(most_legs, std::max(2U, grower.disks_left()))));
    const std::uint64_t out = level != 0 && random.one_in(5) ? random.below(legs) : legs;
    const bool with_spare =
        level != 0 && raid_abilities().rebuild && !random.one_in(3) && grower.disks_left() > legs;
    Place below{place.depth - 1, place.align, place.plain, place.content};
    std::vector<std::uint64_t> sizes;
    Lines lines(1);

    if (level != 0) {
        // Copies that are alike from the start, wherever they are.
        below.plain = true;
        below.align = std::max<std::uint32_t>(below.align, 4096);
        if (below.content.empty())
            below.content = level == 1 && random.one_in(2) ? "alike" : "period";
    }
    for (unsigned leg = 0; leg < legs; ++leg) {
        if (leg == out) {
            lines.push_back({std::string(missing)});
            continue;
        }
        const Grower::Reserve reserve(grower, legs - leg - 1 + (with_spare ? 1 : 0));
        below.mib = level == 0 && raid_abilities().unequal ? random.between(1, 2) : 1;
        lines.push_back({level == 0 && !raid_abilities().unequal ? grow_plain_leg(grower, below)
                                                                 : grow_leg(grower, below)});
        sizes.push_back(grower.device(lines.back()[0]).size());
    }
    const std::uint64_t smallest = std::ranges::min(sizes);
    if (smallest < 16 * kib)
        level = 1;
    lines[0] = random_shape(random, level, smallest, legs);
    if (level == 0 && !can_stripe(sizes, parse_number(lines[0][1]).value_or(4) * kib))
        lines[0][0] = "1";
    if (with_spare)
        if (std::string name = grow_plain_leg(grower, {below.depth, 4096, true, ""});
            grower.device(name).size() >= smallest && grower.device(name).block() == sector_size)
            lines.push_back({std::string(spare), name});
    return lines;
}

std::optional<Set> RaidKind::random_set(Random& random, const Node& node,
                                        const Device& device) const
{
    const auto* mirror = dynamic_cast<const Mirror*>(&device);
    if (!mirror)
        return std::nullopt;
    if (raid_abilities().rebuild && random.one_in(2)) {
        if (mirror->is_degraded() && !mirror->spares().empty())
            return Set{node.name, "spare", {{mirror->spares()[0].name}}};
        return Set{node.name, "sync_action", {{random.one_in(2) ? "repair" : "check"}}};
    }
    const Words names = mirror->that_may_fail();
    if (names.empty() || !random.one_in(3))
        return std::nullopt;
    return Set{node.name, "fail", {{random.pick(std::span<const std::string>(names))}}};
}

Set RaidKind::on_device(const Set& set, const PathOf& path) const
{
    Set result = set;
    if (set.attribute == "fail" || set.attribute == "spare")
        for (Words& line : result.lines)
            for (std::string& word : line)
                word = path(word);
    return result;
}

std::optional<Setting> RaidKind::awaited(const Set& set) const
{
    if (set.attribute != "spare" && set.attribute != "sync_action")
        return std::nullopt;
    return Setting{"sync_action", "idle"};
}

std::vector<Lines> RaidKind::simpler(const Node& node) const
{
    std::vector<Lines> result;

    for (std::size_t i = node.lines.size() - 1; i > 0; --i) {
        result.push_back(node.lines);
        result.back().erase(result.back().begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (node.lines[0].size() >= 2 && node.lines[0][1] != "4") {
        result.push_back(node.lines);
        result.back()[0][1] = std::string("4");
    }
    return result;
}

} // namespace kio::model
