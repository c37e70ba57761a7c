// SPDX-License-Identifier: GPL-2.0
#include "checksum.hpp"

#include <algorithm>
#include <cerrno>

namespace kio::model {

namespace {

constexpr std::uint64_t entries_a_sector = 62;
constexpr std::uint64_t sectors_a_block = checksum_block / sector_size;

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by)
{
    return (value + by - 1) / by;
}

std::uint64_t area_for(std::uint64_t data_blocks)
{
    return divide_up(divide_up(data_blocks, entries_a_sector), sectors_a_block);
}

std::uint64_t size_of(const Device& lower)
{
    return checksum_layout(lower.size()).data_blocks * checksum_block;
}

bool touches(const Faults& faults, std::uint64_t offset)
{
    return std::ranges::any_of(faults, [&](const Fault& fault) {
        return fault.offset < offset + checksum_block && offset < fault.offset + fault.length;
    });
}

} // namespace

ChecksumLayout checksum_layout(std::uint64_t lower_size)
{
    const std::uint64_t blocks = lower_size / checksum_block;
    std::uint64_t data = blocks > 0 ? blocks - 1 : 0;

    while (data > 0 && data + area_for(data) + 1 > blocks)
        --data;
    return {data, area_for(data)};
}

Checksum::Checksum(Device& lower)
    : Device(size_of(lower), checksum_block, lower.takes_zeroes()), lower_(lower),
      entries_(size() / checksum_block)
{
    lower_.claim(size(), lower_.size() - size());
}

Faults Checksum::submit(const Request& request, Journey& journey)
{
    journey.unpredictable = journey.unpredictable || journey.quiet;
    if (request.op == Op::read)
        return read(request, journey);
    if (request.op == Op::write || request.op == Op::zeroes)
        return write(request, journey);
    for (std::uint64_t at = 0; at < request.length; at += checksum_block)
        entries_[(request.pos + at) / checksum_block] = {};
    return lower_.submit(request, journey);
}

Faults Checksum::read(const Request& request, Journey& journey)
{
    const Faults below = lower_.submit(request, journey);
    Faults faults = below;

    for (std::uint64_t at = 0; at < request.length; at += checksum_block) {
        Entry& entry = entries_[(request.pos + at) / checksum_block];
        const Request block = request.part(at, checksum_block);
        if (touches(below, at) || entry.state == State::unverified)
            continue;
        const bool known = std::ranges::find(block.known, Byte{0}) == block.known.end();
        const bool same = std::ranges::equal(block.data, entry.data);
        if (!known || (entry.state == State::vague && !entry.data.empty() && !same))
            journey.unpredictable = true;
        else if (entry.state == State::vague)
            entry.data.assign(block.data.begin(), block.data.end());
        else if (!same)
            append(faults, fail(block, EILSEQ), at);
    }
    return told(std::move(faults));
}

/// A write that fails leaves all its blocks in doubt, those too that were written.
Faults Checksum::write(const Request& request, Journey& journey)
{
    const Bytes zeroes(request.op == Op::zeroes ? request.length : 0);
    const std::span<const Byte> data = request.op == Op::zeroes
                                           ? std::span<const Byte>(zeroes)
                                           : std::span<const Byte>(request.data);
    const Faults faults = lower_.submit(request, journey);

    for (std::uint64_t at = 0; at < request.length; at += checksum_block) {
        Entry& entry = entries_[(request.pos + at) / checksum_block];
        const auto block = data.subspan(at, checksum_block);
        // Old and new alike leave no doubt.
        if (entry.state == State::settled && std::ranges::equal(entry.data, block))
            continue;
        entry.state = faults.empty() ? State::settled : State::vague;
        entry.data.clear();
        if (!touches(faults, at))
            entry.data.assign(block.begin(), block.end());
    }
    return faults;
}

/// Entries come to know what they read.
void Checksum::maybe(const Request&, Journey& journey)
{
    journey.unpredictable = true;
}

void Checksum::claim(std::uint64_t pos, std::uint64_t length)
{
    lower_.claim(pos, length);
}

} // namespace kio::model
