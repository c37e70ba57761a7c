// SPDX-License-Identifier: GPL-2.0
#include "volume.hpp"

#include <algorithm>
#include <cerrno>

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
        if (segment.device)
            block = std::max(block, segment.device->block());
    return block;
}

bool take_zeroes(const std::vector<Segment>& segments)
{
    return std::ranges::all_of(segments, [](const Segment& segment) {
        return !segment.device || segment.device->takes_zeroes();
    });
}

Faults submit_to_zero(const Request& request)
{
    if (request.op == Op::read) {
        std::ranges::fill(request.data, Byte{0});
        std::ranges::fill(request.known, Byte{1});
    }
    return {};
}

/// `request` counts from the start of the segment, and lies in it.
Faults submit_to(const Segment& segment, Request request, Journey& journey)
{
    if (segment.target == Target::zero)
        return submit_to_zero(request);
    if (segment.target == Target::error)
        return fail(request, EIO);
    request.pos += segment.offset;
    return segment.device->submit(request, journey);
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

} // namespace

Volume::Volume(std::vector<Segment> segments)
    : Device(size_of(segments), block_of(segments), take_zeroes(segments)),
      segments_(std::move(segments))
{
    for (const Segment& segment : segments_)
        if (segment.device && std::ranges::find(devices_, segment.device) == devices_.end())
            devices_.push_back(segment.device);
}

Faults Volume::submit(const Request& request, Journey& journey)
{
    Faults faults;

    if (request.op == Op::flush)
        return flush(request, journey);
    for (const Piece& piece : cut(segments_, request.pos, request.length)) {
        Request part = request.part(piece.offset, piece.length);
        part.pos = piece.pos;
        append(faults, submit_to(*piece.segment, part, journey), piece.offset);
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
        if (piece.segment->device)
            piece.segment->device->claim(piece.segment->offset + piece.pos, piece.length);
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
        Request part = request.part(piece.offset, piece.length);
        part.pos = piece.segment->offset + piece.pos;
        if (piece.segment->device)
            piece.segment->device->maybe(part, journey);
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
        for (const std::uint64_t below :
             segment.device ? segment.device->borders() : std::vector<std::uint64_t>{})
            if (below > segment.offset && below < segment.offset + segment.length)
                result.push_back(start + below - segment.offset);
        start += segment.length;
    }
    return result;
}

} // namespace kio::model
