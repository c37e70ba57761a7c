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

/// Where in a line its devices begin, each with an offset behind it; its size if it has none.
std::size_t first_part(const Words& line)
{
    if (line.size() > 1 && line[1] == "linear")
        return 2;
    return line.size() > 1 && line[1] == "striped" ? std::min<std::size_t>(4, line.size())
                                                   : line.size();
}

/// Sectors that the length of a line is a multiple of, when it is made shorter.
std::uint64_t row_of(const Words& line)
{
    if (line[1] != "striped")
        return 8;
    return std::max<std::uint64_t>(
        parse_number(line[2]).value_or(0) * parse_number(line[3]).value_or(0), 1);
}

bool is_linear(const Words& line)
{
    return line[1] == "linear";
}

/// Devices and offsets from word `first` on; `length` bytes on each.
Result<std::vector<SegmentPart>> parse_parts(const Words& words, std::uint64_t length,
                                             const Devices& devices)
{
    std::vector<SegmentPart> parts;

    for (std::size_t i = first_part(words); i < words.size(); i += 2) {
        const auto offset = i + 1 < words.size() ? parse_number(words[i + 1]) : std::nullopt;
        const auto device = devices.find(words[i]);
        if (!offset || device == devices.end())
            return refuse(words);
        const std::uint64_t pos = *offset * sector_size;
        if (pos > device->second->size() || length > device->second->size() - pos)
            return Error{ENOSPC, fmt::format("'{}' does not fit", fmt::join(words, " "))};
        parts.push_back({device->second, pos});
    }
    return parts;
}

Result<Segment> parse_linear(const Words& words, std::uint64_t length, const Devices& devices)
{
    if (words.size() != 4)
        return refuse(words);
    auto parts = parse_parts(words, length, devices);
    if (!parts)
        return parts.error();
    return Segment{length, Target::linear, *std::move(parts), 0};
}

Result<Segment> parse_striped(const Words& words, std::uint64_t length, const Devices& devices)
{
    const auto number = words.size() > 4 ? parse_number(words[2]) : std::nullopt;
    const auto chunk = words.size() > 4 ? parse_number(words[3]) : std::nullopt;
    if (!number || !chunk || *number == 0 || *chunk == 0 || words.size() != 4 + 2 * *number ||
        length % (*number * *chunk * sector_size) != 0)
        return refuse(words);
    auto parts = parse_parts(words, length / *number, devices);
    if (!parts)
        return parts.error();
    return Segment{length, Target::striped, *std::move(parts), *chunk * sector_size};
}

Result<Segment> parse_segment(const Words& words, const Devices& devices)
{
    const auto sectors = words.size() >= 2 ? parse_number(words[0]) : std::nullopt;
    if (!sectors || *sectors == 0)
        return refuse(words);
    const std::uint64_t length = *sectors * sector_size;
    if (words[1] == "linear")
        return parse_linear(words, length, devices);
    if (words[1] == "striped")
        return parse_striped(words, length, devices);
    if (words[1] == "zero")
        return Segment{length, Target::zero, {}, 0};
    if (words[1] == "error")
        return Segment{length, Target::error, {}, 0};
    return refuse(words);
}

bool is_aligned(const std::vector<Segment>& segments, std::uint32_t block)
{
    return std::ranges::all_of(segments, [&](const Segment& segment) {
        return (segment.length | segment.chunk) % block == 0 &&
               std::ranges::all_of(segment.parts, [&](const SegmentPart& part) {
                   return part.offset % block == 0;
               });
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

/// Some of the pieces become the legs of a striped one, as far as the shortest goes.
void stripe(Random& random, Lines& lines, std::uint64_t unit)
{
    const std::uint64_t legs = 2 + random.below(std::min<std::uint64_t>(lines.size() - 1, 3));
    const std::uint64_t chunk = (unit << random.below(5)) / sector_size * (1 + random.below(3));
    std::uint64_t each = parse_number(lines[0][0]).value_or(0);
    Words striped{"", "striped", std::to_string(legs), std::to_string(chunk)};

    for (std::size_t leg = 0; leg < legs; ++leg) {
        each = std::min(each, parse_number(lines[leg][0]).value_or(0));
        striped.insert(striped.end(), {lines[leg][2], lines[leg][3]});
    }
    each -= each % chunk;
    if (each == 0)
        return;
    striped[0] = std::to_string(each * legs);
    lines.erase(lines.begin() + 1, lines.begin() + static_cast<std::ptrdiff_t>(legs));
    lines[0] = std::move(striped);
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
        for (std::size_t i = first_part(line); i < line.size(); i += 2)
            if (std::ranges::find(names, line[i]) == names.end())
                names.push_back(line[i]);
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
        const std::size_t first = first_part(line);
        table += std::to_string(start);
        for (std::size_t i = 0; i < line.size(); ++i)
            table += ' ' + (i >= first && (i - first) % 2 == 0 ? path(line[i]) : line[i]);
        table += '\n';
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
    if (lines.size() > 1 && random.one_in(2))
        stripe(random, lines, unit);
    if (!place.plain)
        add_holes(random, lines, unit);
    shuffle(random, lines);
    while (lines.size() > most_segments && first_part(lines.back()) == lines.back().size())
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
        const std::uint64_t row = row_of(node.lines[i]);
        for (const std::uint64_t shorter : {row, length / 2 / row * row}) {
            if (shorter == 0 || shorter >= length)
                continue;
            result.push_back(node.lines);
            result.back()[i][0] = std::to_string(shorter);
        }
        if (is_linear(node.lines[i]) && node.lines[i][3] != "0") {
            result.push_back(node.lines);
            result.back()[i][3] = std::string("0");
        }
    }
    return result;
}

} // namespace kio::model
