// SPDX-License-Identifier: GPL-2.0
#include "raid_layout.hpp"

#include <algorithm>

namespace kio::model {

namespace {

/// Cuts a range at the ends of chunks.
template <typename PlacesAt>
std::vector<Stretch> cut_chunks(std::uint64_t pos, std::uint64_t length, std::uint64_t chunk,
                                PlacesAt places_at)
{
    std::vector<Stretch> stretches;

    for (std::uint64_t at = 0; at < length;) {
        const std::uint64_t bytes = std::min(length - at, chunk - (pos + at) % chunk);
        stretches.push_back({at, bytes, places_at(pos + at)});
        at += bytes;
    }
    return stretches;
}

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by)
{
    return (value + by - 1) / by;
}

} // namespace

StripeLayout::StripeLayout(const std::vector<std::uint64_t>& leg_sizes, std::uint64_t chunk)
    : chunk_(chunk)
{
    const std::uint64_t mask = ~(chunk / sector_size - 1);
    std::uint64_t row = 0, start = 0;

    for (const std::uint64_t bytes : leg_sizes)
        size_ += (bytes / chunk * (chunk / sector_size) & mask) * sector_size;
    for (;;) {
        Zone zone{start, row * chunk, 0, {}};
        std::uint64_t end = UINT64_MAX;
        for (std::size_t leg = 0; leg < leg_sizes.size(); ++leg) {
            if (leg_sizes[leg] / chunk <= row)
                continue;
            zone.legs.push_back(leg);
            end = std::min(end, leg_sizes[leg] / chunk);
        }
        if (zone.legs.empty())
            return;
        zone.rows = end - row;
        start += zone.rows * zone.legs.size() * chunk;
        row = end;
        zones_.push_back(std::move(zone));
    }
}

std::size_t StripeLayout::zone(std::uint64_t pos) const
{
    const auto behind = std::ranges::upper_bound(zones_, pos, {}, &Zone::start);
    return static_cast<std::size_t>(behind - zones_.begin()) - 1;
}

LegPlace StripeLayout::place(std::uint64_t pos) const
{
    const Zone& in = zones_[zone(pos)];
    const std::uint64_t number = (pos - in.start) / chunk_;
    const std::uint64_t row = number / in.legs.size();

    return {in.legs[number % in.legs.size()], in.leg_start + row * chunk_ + pos % chunk_};
}

std::vector<Stretch> StripeLayout::cut(std::uint64_t pos, std::uint64_t length) const
{
    return cut_chunks(pos, length, chunk_,
                      [&](std::uint64_t at) { return std::vector{place(at)}; });
}

CopyLayout::CopyLayout(std::size_t legs, std::uint64_t leg_size, std::uint64_t chunk,
                       unsigned layout)
    : legs_(legs), chunk_(chunk), near_(layout & 0xff), far_(layout >> 8 & 0xff),
      offset_((layout >> 16 & 1) != 0), chunks_(leg_size / chunk / far_ * legs_ / near_),
      stride_(offset_ ? 1 : divide_up(chunks_ * near_ * far_, legs_) / far_)
{
}

std::vector<LegPlace> CopyLayout::places(std::uint64_t pos) const
{
    const std::uint64_t first = pos / chunk_ * near_;
    std::vector<LegPlace> result;

    for (std::uint64_t near = 0; near < near_; ++near)
        for (std::uint64_t far = 0; far < far_; ++far) {
            const std::uint64_t leg = (first + near) % legs_;
            const std::uint64_t row = (first + near) / legs_ * (offset_ ? far_ : 1);
            result.push_back(
                {(leg + near_ * far) % legs_, (row + far * stride_) * chunk_ + pos % chunk_});
        }
    return result;
}

std::vector<Stretch> CopyLayout::cut(std::uint64_t pos, std::uint64_t length) const
{
    return cut_chunks(pos, length, chunk_, [&](std::uint64_t at) { return places(at); });
}

} // namespace kio::model
