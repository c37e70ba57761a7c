// SPDX-License-Identifier: GPL-2.0
#include "volume.hpp"

#include <algorithm>
#include <cerrno>

#include "gather.hpp"

namespace kio::model {

namespace {

std::uint64_t size_of(const std::vector<Segment>& segments)
{
    std::uint64_t size = 0;
    for (const Segment& segment : segments)
        size += segment.length;
    return size;
}

std::uint32_t block_of(const std::vector<Segment>& segments)
{
    std::uint32_t block = sector_size;
    for (const Segment& segment : segments)
        for (const SegmentPart& part : segment.parts)
            block = std::max(block, part.device->block());
    return block;
}

bool take_zeroes(const std::vector<Segment>& segments)
{
    return std::ranges::all_of(segments, [](const Segment& segment) {
        return std::ranges::all_of(
            segment.parts, [](const SegmentPart& part) { return part.device->takes_zeroes(); });
    });
}

/// A range of a segment, cut where it goes on elsewhere.
std::vector<Stretch> place(const Segment& segment, std::uint64_t pos, std::uint64_t length)
{
    std::vector<Stretch> stretches;

    if (segment.target == Target::linear)
        return {{0, length, {{0, segment.parts[0].offset + pos}}}};
    if (segment.target != Target::striped)
        return {};
    for (std::uint64_t done = 0; done < length; done += stretches.back().length) {
        const std::uint64_t chunk = (pos + done) / segment.chunk;
        const std::uint64_t in_chunk = (pos + done) % segment.chunk;
        const std::uint64_t leg = chunk % segment.parts.size();
        const std::uint64_t row = chunk / segment.parts.size();
        stretches.push_back({done,
                             std::min(segment.chunk - in_chunk, length - done),
                             {{leg, segment.parts[leg].offset + row * segment.chunk + in_chunk}}});
    }
    return stretches;
}

Faults submit_to_zero(const Request& request)
{
    if (request.op == Op::read) {
        std::ranges::fill(request.data, Byte{0});
        std::ranges::fill(request.known, Byte{1});
    }
    return {};
}

/// Those of a leg in one piece each, or each by itself.
std::vector<std::vector<Stretch>> gather(const std::vector<Stretch>& stretches, bool together)
{
    std::vector<std::vector<Stretch>> columns;

    for (const Stretch& stretch : stretches) {
        const auto column = std::ranges::find_if(columns, [&](const auto& pieces) {
            return pieces[0].places[0].leg == stretch.places[0].leg;
        });
        if (together && column != columns.end())
            column->push_back(stretch);
        else
            columns.push_back({stretch});
    }
    return columns;
}

/// `request` counts from the start of the segment, and lies in it.
Faults submit_to(const Segment& segment, const Request& request, bool whole, Journey& journey)
{
    Faults faults;

    if (segment.target == Target::zero)
        return submit_to_zero(request);
    if (segment.target == Target::error)
        return fail(request, EIO);
    for (const auto& pieces : gather(place(segment, request.pos, request.length), whole)) {
        const LegPlace& first = pieces[0].places[0];
        append(faults,
               submit_gathered(*segment.parts[first.leg].device, first.pos, request, pieces,
                               segment.chunk ? segment.chunk : segment.length, journey),
               0);
    }
    return told(std::move(faults));
}

struct Piece {
    const Segment* segment;
    std::uint64_t pos;    ///< in the segment
    std::uint64_t offset; ///< in the range that was cut
    std::uint64_t length;
};

/// A range of the volume, cut at the borders of its segments.
std::vector<Piece> cut(const std::vector<Segment>& segments, std::uint64_t pos,
                       std::uint64_t length)
{
    std::vector<Piece> pieces;
    std::uint64_t start = 0;

    for (const Segment& segment : segments) {
        const std::uint64_t from = std::max(pos, start);
        const std::uint64_t to = std::min(pos + length, start + segment.length);
        if (from < to)
            pieces.push_back({&segment, from - start, from - pos, to - from});
        start += segment.length;
    }
    return pieces;
}

/// From the segment's own beginning on, which is not among them.
std::vector<std::uint64_t> borders_in(const Segment& segment)
{
    std::vector<std::uint64_t> result;

    for (const Stretch& stretch : place(segment, 0, segment.length)) {
        if (stretch.offset > 0 && stretch.offset < 4 * segment.chunk)
            result.push_back(stretch.offset);
        const LegPlace& below = stretch.places[0];
        add_borders(result, segment.parts[below.leg].device->borders(), below.pos, stretch);
    }
    return result;
}

} // namespace

Volume::Volume(std::vector<Segment> segments)
    : Device(size_of(segments), block_of(segments), take_zeroes(segments)),
      segments_(std::move(segments))
{
    for (const Segment& segment : segments_)
        for (const SegmentPart& part : segment.parts)
            if (std::ranges::find(devices_, part.device) == devices_.end())
                devices_.push_back(part.device);
}

Faults Volume::submit(const Request& request, Journey& journey)
{
    Faults faults;

    if (request.op == Op::flush)
        return flush(request, journey);
    const std::vector<Piece> pieces = cut(segments_, request.pos, request.length);
    for (const Piece& piece : pieces) {
        Request part = request.part(piece.offset, piece.length);
        part.pos = piece.pos;
        append(faults, submit_to(*piece.segment, part, pieces.size() == 1, journey), piece.offset);
    }
    return told(std::move(faults));
}

Faults Volume::flush(const Request& request, Journey& journey) const
{
    Faults faults;

    for (Device* device : devices_)
        append(faults, device->submit(request, journey), 0);
    faults = told(std::move(faults));
    faults.resize(std::min<std::size_t>(faults.size(), 1));
    return faults;
}

void Volume::claim(std::uint64_t pos, std::uint64_t length)
{
    // Those that the range does not touch lie below that layer too.
    for (Device* device : devices_)
        device->claim(0, 0);
    for (const Piece& piece : cut(segments_, pos, length))
        for (const Stretch& stretch : place(*piece.segment, piece.pos, piece.length)) {
            const LegPlace& below = stretch.places[0];
            piece.segment->parts[below.leg].device->claim(below.pos, stretch.length);
        }
}

void Volume::share()
{
    for (Device* device : devices_)
        device->share();
}

void Volume::maybe(const Request& request, Journey& journey)
{
    if (request.op == Op::flush)
        for (Device* device : devices_)
            device->maybe(request, journey);
    for (const Piece& piece : cut(segments_, request.pos, request.length)) {
        for (const Stretch& stretch : place(*piece.segment, piece.pos, piece.length)) {
            const LegPlace& below = stretch.places[0];
            Request part = request.part(piece.offset + stretch.offset, stretch.length);
            part.pos = below.pos;
            piece.segment->parts[below.leg].device->maybe(part, journey);
        }
    }
}

bool Volume::is_calm() const
{
    return std::ranges::all_of(devices_, &Device::is_calm);
}

std::vector<std::uint64_t> Volume::borders() const
{
    std::vector<std::uint64_t> result;
    std::uint64_t start = 0;

    for (const Segment& segment : segments_) {
        result.push_back(start);
        for (const std::uint64_t border : borders_in(segment))
            result.push_back(start + border);
        start += segment.length;
    }
    return result;
}

} // namespace kio::model
