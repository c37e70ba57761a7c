// SPDX-License-Identifier: GPL-2.0
#include "gather.hpp"

#include <algorithm>

namespace kio::model {

namespace {

struct Gathered {
    Bytes data;
    Bytes known;
};

void append(Bytes& to, std::span<const Byte> from)
{
    to.insert(to.end(), from.begin(), from.end());
}

Gathered collect(const Request& request, const std::vector<Stretch>& pieces)
{
    Gathered gathered;
    for (const Stretch& piece : pieces) {
        const Request part = request.part(piece.offset, piece.length);
        append(gathered.data, part.data);
        append(gathered.known, part.known);
    }
    return gathered;
}

void scatter(const Gathered& gathered, const Request& request, const std::vector<Stretch>& pieces)
{
    std::uint64_t start = 0;
    for (const Stretch& piece : pieces) {
        const Request part = request.part(piece.offset, piece.length);
        if (!part.data.empty())
            std::ranges::copy(std::span(gathered.data).subspan(start, piece.length),
                              part.data.begin());
        if (!part.known.empty())
            std::ranges::copy(std::span(gathered.known).subspan(start, piece.length),
                              part.known.begin());
        start += piece.length;
    }
}

/// What a range that failed below is above.
Faults scatter(const Fault& fault, const std::vector<Stretch>& pieces)
{
    Faults faults;
    std::uint64_t start = 0;
    for (const Stretch& piece : pieces) {
        const std::uint64_t from = std::max(fault.offset, start);
        const std::uint64_t to = std::min(fault.offset + fault.length, start + piece.length);
        if (from < to)
            faults.push_back({piece.offset + from - start, to - from, fault.error});
        start += piece.length;
    }
    return faults;
}

} // namespace

Faults submit_gathered(Device& leg, std::uint64_t pos, const Request& request,
                       const std::vector<Stretch>& pieces, std::uint64_t chunk, Journey& journey)
{
    Gathered gathered = collect(request, pieces);
    std::uint64_t length = 0;
    for (const Stretch& piece : pieces)
        length += piece.length;
    const Faults below =
        leg.submit({request.op, pos, length, gathered.data, gathered.known}, journey);
    if (request.op == Op::read)
        scatter(gathered, request, pieces);
    Faults faults;
    for (const Fault& fault : below) {
        Faults above = scatter(fault, pieces);
        if (fault.length / chunk > most_failed_pieces)
            above = {{above[0].offset, request.length - above[0].offset, fault.error}};
        kio::model::append(faults, above, 0);
    }
    return faults;
}

void add_borders(std::vector<std::uint64_t>& borders, const std::vector<std::uint64_t>& below,
                 std::uint64_t pos, const Stretch& stretch)
{
    for (const std::uint64_t border : below)
        if (border > pos && border < pos + stretch.length)
            borders.push_back(stretch.offset + border - pos);
}

} // namespace kio::model
