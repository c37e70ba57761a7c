// SPDX-License-Identifier: GPL-2.0
#include "kind_volume.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "lib/text.hpp"
#include "volume.hpp"

namespace kio::model {

namespace {

constexpr std::size_t most_segments = 8;

Error refuse(const Words& words)
{
    return Error{EINVAL, fmt::format("'{}' is no segment", fmt::join(words, " "))};
}

Result<Segment> parse_linear(const Words& words, std::uint64_t length, const Devices& devices)
{
    const auto offset = words.size() == 4 ? parse_number(words[3]) : std::nullopt;
    const auto device = devices.find(words.size() == 4 ? words[2] : "");
    if (!offset || device == devices.end())
        return refuse(words);
    const std::uint64_t pos = *offset * sector_size;
    if (pos > device->second->size() || length > device->second->size() - pos)
        return Error{ENOSPC, fmt::format("'{}' does not fit", fmt::join(words, " "))};
    return Segment{length, Target::linear, device->second, pos};
}

Result<Segment> parse_segment(const Words& words, const Devices& devices)
{
    const auto sectors = words.size() >= 2 ? parse_number(words[0]) : std::nullopt;
    if (!sectors || *sectors == 0)
        return refuse(words);
    const std::uint64_t length = *sectors * sector_size;
    if (words[1] == "linear")
        return parse_linear(words, length, devices);
    if (words[1] == "zero")
        return Segment{length, Target::zero, nullptr, 0};
    if (words[1] == "error")
        return Segment{length, Target::error, nullptr, 0};
    return refuse(words);
}

bool is_aligned(const std::vector<Segment>& segments, std::uint32_t block)
{
    return std::ranges::all_of(segments, [&](const Segment& segment) {
        return (segment.length | segment.offset) % block == 0;
    });
}

Words make_line(std::uint64_t length, const std::string& device, std::uint64_t offset)
{
    return {std::to_string(length / sector_size), "linear", device,
            std::to_string(offset / sector_size)};
}

/// A length of some order of magnitude up to `most`, both multiples of `unit`.
std::uint64_t random_length(Random& random, std::uint64_t most, std::uint64_t unit)
{
    const std::uint64_t scale = std::min(most, unit << random.below(10));
    return unit * (1 + random.below(std::max<std::uint64_t>(scale / unit, 1)));
}

/// Pieces of a device that do not overlap; the first is a large one.
Lines random_pieces(Random& random, const std::string& name, std::uint64_t size, std::uint64_t unit)
{
    const std::uint64_t units = size / unit;
    std::uint64_t length = unit * (1 + units / 4 + random.below(units / 4 + 1));
    std::uint64_t at = random.one_in(3) ? unit * random.below(units / 4 + 1) : 0;
    Lines lines;

    while (at + length <= size && lines.size() < most_segments / 2) {
        lines.push_back(make_line(length, name, at));
        at += length + (random.one_in(2) ? unit * random.below(8) : 0);
        length = random_length(random, size / 2, unit);
    }
    return lines;
}

void shuffle(Random& random, Lines& lines)
{
    for (std::size_t i = lines.size(); i > 1; --i)
        std::swap(lines[i - 1], lines[random.below(i)]);
}

void add_holes(Random& random, Lines& lines, std::uint64_t unit)
{
    for (std::uint64_t holes = random.below(3); holes > 0; --holes)
        lines.push_back({std::to_string(random_length(random, 256 * unit, unit) / sector_size),
                         random.one_in(3) ? "error" : "zero"});
}

struct Lower {
    std::string name;
    Lines pieces;
};

/// At least one piece of each, and more while there is room.
Lines choose(Random& random, std::vector<Lower>& lowers)
{
    Lines lines;

    for (Lower& lower : lowers) {
        lines.push_back(lower.pieces.front());
        lower.pieces.erase(lower.pieces.begin());
    }
    for (Lower& lower : lowers)
        for (Words& piece : lower.pieces)
            if (lines.size() < most_segments && !random.one_in(3))
                lines.push_back(std::move(piece));
    return lines;
}

} // namespace

Words VolumeKind::lowers(const Node& node) const
{
    Words names;
    for (const Words& line : node.lines)
        if (line.size() == 4 && std::ranges::find(names, line[2]) == names.end())
            names.push_back(line[2]);
    return names;
}

Result<std::unique_ptr<Device>> VolumeKind::model(const Node& node, const Devices& devices) const
{
    std::vector<Segment> segments;

    for (const Words& line : node.lines) {
        auto segment = parse_segment(line, devices);
        if (!segment)
            return segment.error();
        segments.push_back(*std::move(segment));
    }
    if (segments.empty())
        return Error{EINVAL, "a volume without segments"};
    auto volume = std::make_unique<Volume>(segments);
    if (!is_aligned(segments, volume->block()))
        return Error{EINVAL, "segments must be multiples of the largest block below"};
    return std::unique_ptr<Device>(std::move(volume));
}

Settings VolumeKind::settings(const Node& node, const PathOf& path) const
{
    std::uint64_t start = 0;
    std::string table;

    for (const Words& line : node.lines) {
        table += fmt::format("{} {} {}", start, line[0], line[1]);
        table += line.size() == 4 ? fmt::format(" {} {}\n", path(line[2]), line[3]) : "\n";
        start += parse_number(line[0]).value_or(0);
    }
    return {{"table", table}};
}

Lines VolumeKind::random(Grower& grower, const Place& place) const
{
    Random& random = grower.random();
    std::uint64_t unit = place.align;
    std::vector<Lower> lowers;

    do {
        const Place below{place.depth - 1, place.align, place.plain, place.content, place.mib};
        lowers.push_back({grower.grow(below), {}});
        unit = std::max<std::uint64_t>(unit, grower.device(lowers.back().name).block());
    } while (grower.disks_left() > 0 && random.one_in(2));
    for (Lower& lower : lowers)
        lower.pieces = random_pieces(random, lower.name, grower.device(lower.name).size(), unit);
    Lines lines = choose(random, lowers);
    if (!place.plain)
        add_holes(random, lines, unit);
    shuffle(random, lines);
    while (lines.size() > most_segments && lines.back().size() != 4)
        lines.pop_back();
    return lines;
}

std::vector<Lines> VolumeKind::simpler(const Node& node) const
{
    std::vector<Lines> result;

    for (std::size_t i = 0; i < node.lines.size() && node.lines.size() > 1; ++i) {
        result.push_back(node.lines);
        result.back().erase(result.back().begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (std::size_t i = 0; i < node.lines.size(); ++i) {
        const std::uint64_t length = parse_number(node.lines[i][0]).value_or(0);
        for (const std::uint64_t shorter : {std::uint64_t{8}, length / 2 / 8 * 8}) {
            if (shorter == 0 || shorter >= length)
                continue;
            result.push_back(node.lines);
            result.back()[i][0] = std::to_string(shorter);
        }
        if (node.lines[i].size() == 4 && node.lines[i][3] != "0") {
            result.push_back(node.lines);
            result.back()[i][3] = std::string("0");
        }
    }
    return result;
}

} // namespace kio::model
