// SPDX-License-Identifier: GPL-2.0
#include "raid0.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kio::model {

namespace {

std::vector<std::uint64_t> sizes_of(const std::vector<Device*>& legs)
{
    std::vector<std::uint64_t> sizes;
    for (const Device* leg : legs)
        sizes.push_back(leg->size());
    return sizes;
}

std::uint32_t block_of(const std::vector<Device*>& legs)
{
    std::uint32_t block = sector_size;
    for (const Device* leg : legs)
        block = std::max(block, leg->block());
    return block;
}

bool take_zeroes(const std::vector<Device*>& legs)
{
    return std::ranges::all_of(legs, &Device::takes_zeroes);
}

/// The byte of the request that a byte of a leg's share is.
std::uint64_t offset_of(const std::vector<Stretch>& share, std::uint64_t in_share)
{
    for (const Stretch& stretch : share) {
        if (in_share < stretch.length)
            return stretch.offset + in_share;
        in_share -= stretch.length;
    }
    return 0;
}

} // namespace

Raid0::Raid0(std::vector<Device*> legs, std::uint64_t chunk, bool exact)
    : Device(StripeLayout(sizes_of(legs), chunk).size(), block_of(legs), take_zeroes(legs)),
      legs_(std::move(legs)), layout_(sizes_of(legs_), chunk), exact_(exact)
{
}

Faults Raid0::submit(const Request& request, Journey& journey)
{
    Faults faults;

    if (request.op == Op::flush)
        return flush(request, journey);
    if (!request.has_data())
        return submit_shares(request, journey);
    for (const Stretch& stretch : layout_.cut(request.pos, request.length)) {
        Request part = request.part(stretch.offset, stretch.length);
        part.pos = stretch.places[0].pos;
        append(faults, legs_[stretch.places[0].leg]->submit(part, journey), stretch.offset);
    }
    return told(std::move(faults));
}

Faults Raid0::flush(const Request& request, Journey& journey) const
{
    Faults faults;

    for (Device* leg : legs_)
        append(faults, leg->submit(request, journey), 0);
    faults = told(std::move(faults));
    faults.resize(std::min<std::size_t>(faults.size(), 1));
    return faults;
}

/// A request without data goes to each leg in one piece: what of it lies there is one range.
Faults Raid0::submit_shares(const Request& request, Journey& journey) const
{
    std::vector<std::vector<Stretch>> shares(legs_.size());
    Faults faults;

    for (const Stretch& stretch : layout_.cut(request.pos, request.length))
        shares[stretch.places[0].leg].push_back(stretch);
    for (std::size_t leg = 0; leg < legs_.size(); ++leg)
        if (!shares[leg].empty())
            append(faults, submit_share(request, leg, shares[leg], journey), 0);
    return told(std::move(faults));
}

Faults Raid0::submit_share(const Request& request, std::size_t leg,
                           const std::vector<Stretch>& share, Journey& journey) const
{
    std::uint64_t length = 0;
    for (const Stretch& stretch : share)
        length += stretch.length;
    const Faults below =
        legs_[leg]->submit({request.op, share[0].places[0].pos, length, {}, {}}, journey);
    if (below.empty())
        return {};
    // What lies in one chunk is passed on as it is.
    if (!exact_ && length != request.length) {
        const std::uint64_t from = offset_of(share, below[0].offset);
        return {{from, request.length - from, below[0].error}};
    }
    Faults faults;
    std::uint64_t start = 0;
    for (const Stretch& stretch : share) {
        for (const Fault& fault : below) {
            const std::uint64_t from = std::max(fault.offset, start);
            const std::uint64_t to = std::min(fault.offset + fault.length, start + stretch.length);
            if (from < to)
                faults.push_back({stretch.offset + from - start, to - from, fault.error});
        }
        start += stretch.length;
    }
    return faults;
}

void Raid0::claim(std::uint64_t pos, std::uint64_t length)
{
    for (Device* leg : legs_)
        leg->claim(0, 0);
    for (const Stretch& stretch : layout_.cut(pos, length))
        legs_[stretch.places[0].leg]->claim(stretch.places[0].pos, stretch.length);
}

void Raid0::share()
{
    for (Device* leg : legs_)
        leg->share();
}

void Raid0::maybe(const Request& request, Journey& journey)
{
    if (request.op == Op::flush)
        for (Device* leg : legs_)
            leg->maybe(request, journey);
    for (const Stretch& stretch : layout_.cut(request.pos, request.length)) {
        Request part = request.part(stretch.offset, stretch.length);
        part.pos = stretch.places[0].pos;
        legs_[stretch.places[0].leg]->maybe(part, journey);
    }
}

bool Raid0::is_calm() const
{
    return std::ranges::all_of(legs_, &Device::is_calm);
}

std::vector<std::uint64_t> Raid0::borders() const
{
    std::vector<std::uint64_t> result;
    std::vector<std::vector<std::uint64_t>> below;

    for (const Device* leg : legs_)
        below.push_back(leg->borders());
    for (const Stretch& stretch : layout_.cut(0, size())) {
        const LegPlace& place = stretch.places[0];
        for (const std::uint64_t border : below[place.leg])
            if (border > place.pos && border < place.pos + stretch.length)
                result.push_back(stretch.offset + border - place.pos);
        if (stretch.offset < 4 * stretch.length)
            result.push_back(stretch.offset);
    }
    return result;
}

std::optional<std::string> Raid0::attribute(const std::string& name) const
{
    std::string text;

    if (name == "degraded")
        return "0\n";
    if (name != "leg_state")
        return std::nullopt;
    for (std::size_t leg = 0; leg < legs_.size(); ++leg)
        text += fmt::format("{} ? in_sync ?\n", leg);
    return text;
}

} // namespace kio::model
