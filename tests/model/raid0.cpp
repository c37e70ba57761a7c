// SPDX-License-Identifier: GPL-2.0
#include "raid0.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "gather.hpp"

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

} // namespace

Raid0::Raid0(std::vector<Device*> legs, std::uint64_t chunk)
    : Device(StripeLayout(sizes_of(legs), chunk).size(), block_of(legs), take_zeroes(legs)),
      legs_(std::move(legs)), chunk_(chunk), layout_(sizes_of(legs_), chunk)
{
}

Faults Raid0::submit(const Request& request, Journey& journey)
{
    Faults faults;

    if (request.op == Op::flush)
        return flush(request, journey);
    if (!request.has_data())
        return submit_shares(request, journey);
    for (const auto& pieces : gather(request)) {
        const LegPlace& place = pieces[0].places[0];
        append(faults,
               submit_gathered(*legs_[place.leg], place.pos, request, pieces, chunk_, journey), 0);
    }
    return told(std::move(faults));
}

/// The chunks of a request, those of a leg together unless it lies in several zones.
std::vector<std::vector<Stretch>> Raid0::gather(const Request& request) const
{
    const bool one_zone =
        layout_.zone(request.pos) == layout_.zone(request.pos + request.length - 1);
    std::vector<std::vector<Stretch>> columns;

    for (const Stretch& stretch : layout_.cut(request.pos, request.length)) {
        const auto column = std::ranges::find_if(columns, [&](const auto& pieces) {
            return pieces[0].places[0].leg == stretch.places[0].leg;
        });
        if (one_zone && column != columns.end())
            column->push_back(stretch);
        else
            columns.push_back({stretch});
    }
    return columns;
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

/// A request without data goes to each leg in one piece a zone: what of it lies there is one range.
Faults Raid0::submit_shares(const Request& request, Journey& journey) const
{
    std::map<std::pair<std::size_t, std::size_t>, std::vector<Stretch>> shares; ///< by zone, leg
    Faults faults;

    for (const Stretch& stretch : layout_.cut(request.pos, request.length))
        shares[{layout_.zone(request.pos + stretch.offset), stretch.places[0].leg}].push_back(
            stretch);
    for (const auto& [where, share] : shares)
        append(faults, submit_share(request, share, journey), 0);
    return told(std::move(faults));
}

Faults Raid0::submit_share(const Request& request, const std::vector<Stretch>& share,
                           Journey& journey) const
{
    const LegPlace& place = share[0].places[0];
    std::uint64_t length = 0;
    for (const Stretch& stretch : share)
        length += stretch.length;
    Faults below = legs_[place.leg]->submit({request.op, place.pos, length, {}, {}}, journey);
    // What lies in one chunk is passed on as it is.
    if (below.empty() || request.length == share[0].length)
        return below;
    const Fault& first = below[0];
    Faults faults;
    std::uint64_t start = 0;
    for (const Stretch& stretch : share) {
        const std::uint64_t good = std::max(first.offset, start) - start;
        if (good < stretch.length)
            faults.push_back({stretch.offset + good, stretch.length - good, first.error});
        start += stretch.length;
    }
    if ((length - first.offset) / chunk_ > most_failed_pieces)
        faults = {{faults[0].offset, request.length - faults[0].offset, first.error}};
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
        add_borders(result, below[place.leg], place.pos, stretch);
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
