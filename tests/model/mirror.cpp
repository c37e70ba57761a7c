// SPDX-License-Identifier: GPL-2.0
#include "mirror.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

namespace kio::model {

namespace {

constexpr std::uint64_t small_unit = 4096;

/// Errors of the request, not of the leg: no other leg would do better.
constexpr std::array errors_of_request{EAGAIN, ENOMEM, EOPNOTSUPP, EINVAL, ECANCELED};

std::uint32_t block_of(const std::vector<MirrorLeg>& legs)
{
    std::uint32_t block = sector_size;
    for (const MirrorLeg& leg : legs)
        if (leg.device)
            block = std::max(block, leg.device->block());
    return block;
}

std::uint64_t smallest(const std::vector<MirrorLeg>& legs)
{
    std::uint64_t size = UINT64_MAX;
    for (const MirrorLeg& leg : legs)
        if (leg.device)
            size = std::min(size, leg.device->size());
    return size;
}

std::uint64_t size_of(const MirrorSetup& setup)
{
    const std::uint64_t size = smallest(setup.legs);
    const std::uint64_t block = block_of(setup.legs);
    return setup.layout ? CopyLayout(setup.legs.size(), size, setup.chunk, *setup.layout).size()
                        : size / block * block;
}

/// Level 10 takes none: the block layer writes them.
bool take_zeroes(const MirrorSetup& setup)
{
    return !setup.layout && std::ranges::all_of(setup.legs, [](const MirrorLeg& leg) {
        return !leg.device || leg.device->takes_zeroes();
    });
}

bool is_legs_error(const Fault& fault)
{
    return std::ranges::find(errors_of_request, fault.error) == errors_of_request.end();
}

bool touches(const Fault& fault, std::uint64_t from, std::uint64_t to)
{
    return fault.offset < to && from < fault.offset + fault.length;
}

/// Bytes that another copy has differently are not known.
void blur(std::span<Byte> known, std::span<const Byte> data, std::span<const Byte> other,
          std::span<const Byte> other_known)
{
    for (std::size_t i = 0; i < known.size(); ++i)
        known[i] = known[i] && other_known[i] && data[i] == other[i];
}

} // namespace

Mirror::Mirror(MirrorSetup setup)
    : Device(size_of(setup), block_of(setup.legs), take_zeroes(setup)), spares_(setup.spares),
      small_units_(setup.small_units), leg_bytes_(smallest(setup.legs))
{
    if (setup.layout)
        layout_.emplace(setup.legs.size(), smallest(setup.legs), setup.chunk, *setup.layout);
    for (const MirrorLeg& leg : setup.legs)
        legs_.push_back({leg.name, leg.device, leg.device ? State::in_sync : State::missing});
    for (const Leg& leg : legs_)
        if (leg.device)
            leg.device->share();
    for (const MirrorLeg& spare : spares_)
        spare.device->share();
}

/* ---- where it is ---- */

std::vector<Stretch> Mirror::cut(std::uint64_t pos, std::uint64_t length) const
{
    if (layout_)
        return layout_->cut(pos, length);
    Stretch all{0, length, {}};
    for (std::size_t leg = 0; leg < legs_.size(); ++leg)
        all.places.push_back({leg, pos});
    return {all};
}

std::vector<LegPlace> Mirror::places_in(const Stretch& stretch, State state) const
{
    std::vector<LegPlace> result;
    for (const LegPlace& place : stretch.places)
        if (legs_[place.leg].state == state)
            result.push_back(place);
    return result;
}

bool Mirror::has_doubts() const
{
    return std::ranges::find(legs_, State::doubtful, &Leg::state) != legs_.end();
}

bool Mirror::is_degraded() const
{
    return std::ranges::any_of(legs_, [](const Leg& leg) { return leg.state != State::in_sync; });
}

/// Does everything have another good copy?
bool Mirror::can_do_without(const std::vector<std::size_t>& out) const
{
    return std::ranges::all_of(cut(0, size()), [&](const Stretch& stretch) {
        return std::ranges::any_of(places_in(stretch, State::in_sync), [&](const LegPlace& place) {
            return std::ranges::find(out, place.leg) == out.end();
        });
    });
}

Faults Mirror::submit(const Request& request, Journey& journey)
{
    if (request.op == Op::read)
        return read(request, journey);
    // Some legs with the new data, some with the old: all of it or nothing.
    const bool vetoed = std::exchange(journey.vetoed, true);
    Faults faults;
    switch (request.op) {
    case Op::write:
        faults = write(request, journey);
        break;
    case Op::flush:
        faults = flush(request, journey);
        break;
    case Op::discard:
        faults = discard(request, journey);
        break;
    default:
        faults = zeroes(request, journey);
    }
    journey.vetoed = vetoed;
    return faults;
}

/* ---- reads ---- */

Faults Mirror::read(const Request& request, Journey& journey)
{
    Faults faults;

    for (const Stretch& stretch : cut(request.pos, request.length))
        append(faults, read_stretch(request.part(stretch.offset, stretch.length), stretch, journey),
               stretch.offset);
    return told(std::move(faults));
}

Faults Mirror::read_stretch(const Request& part, const Stretch& stretch, Journey& journey)
{
    const auto sure = places_in(stretch, State::in_sync);
    const auto doubtful = places_in(stretch, State::doubtful);
    std::vector<Try> tries;

    if (sure.size() == 1 && doubtful.empty()) {
        Request below = part;
        below.pos = sure[0].pos;
        return legs_[sure[0].leg].device->submit(below, journey);
    }
    if (sure.empty()) {
        journey.unpredictable = journey.unpredictable || !doubtful.empty();
        return fail(part, EIO);
    }
    for (const LegPlace& place : sure)
        tries.push_back(try_leg(part, place, journey));
    for (const auto& places : {sure, doubtful})
        for (const LegPlace& place : places)
            if (!journey.quiet)
                legs_[place.leg].device->maybe({Op::read, place.pos, part.length, {}, {}}, journey);
    const bool failed =
        std::ranges::any_of(tries, [](const Try& one) { return !one.faults.empty(); });
    return failed && small_units_ ? agree_blocks(part, tries, !doubtful.empty(), journey)
                                  : agree(part, tries, !doubtful.empty(), journey);
}

Mirror::Try Mirror::try_leg(const Request& part, const LegPlace& place, Journey& journey) const
{
    Try result{place.leg, part, Bytes(part.length), Bytes(part.length, 1), {}};
    Journey quiet;

    quiet.quiet = true;
    result.part.pos = place.pos;
    result.faults = legs_[place.leg].device->submit(
        {Op::read, place.pos, part.length, result.data, result.known}, quiet);
    journey.unpredictable = journey.unpredictable || quiet.unpredictable;
    journey.may_hold = journey.may_hold || quiet.may_hold || quiet.held > 0;
    journey.delay_ms += quiet.delay_ms;
    return result;
}

/// The whole is tried on another leg, until it is good on one.
Faults Mirror::agree(const Request& part, std::vector<Try>& tries, bool doubts, Journey& journey)
{
    const auto good =
        std::ranges::find_if(tries, [](const Try& one) { return one.faults.empty(); });
    const Try& first = good != tries.end() ? *good : tries[0];

    std::ranges::copy(first.data, part.data.begin());
    std::ranges::copy(first.known, part.known.begin());
    for (const Try& one : tries) {
        // Which failure is told depends on which leg is tried last.
        if (good == tries.end() && (doubts || one.faults != first.faults))
            journey.unpredictable = true;
        if (!std::ranges::all_of(one.faults, is_legs_error))
            journey.unpredictable = true;
        if (one.faults.empty() == first.faults.empty())
            blur(part.known, part.data, one.data, one.known);
    }
    return first.faults;
}

/// A block is bad if it is on every leg.
Faults Mirror::agree_blocks(const Request& part, std::vector<Try>& tries, bool doubts,
                            Journey& journey)
{
    const std::uint64_t unit = std::max<std::uint64_t>(small_unit, block());
    Faults faults;

    for (std::uint64_t from = 0, to = 0; from < part.length; from = to) {
        to = std::min(part.length, from + unit - (part.pos + from) % unit);
        const Request block = part.part(from, to - from);
        std::vector<Try*> good, bad;
        Faults here;
        for (Try& one : tries) {
            const auto fault = std::ranges::find_if(
                one.faults, [&](const Fault& any) { return touches(any, from, to); });
            (fault == one.faults.end() ? good : bad).push_back(&one);
            if (fault == one.faults.end())
                continue;
            here.push_back({from, to - from, fault->error});
            // How much of the block is told, and which errno, is left open.
            if (here.back().error != here.front().error || fault->offset > from ||
                fault->offset + fault->length < to || !is_legs_error(*fault))
                journey.unpredictable = journey.unpredictable || bad.size() == tries.size();
        }
        if (good.empty()) {
            journey.unpredictable = journey.unpredictable || doubts;
            forget(block, 0, block.length);
            faults.push_back(here.front());
            continue;
        }
        std::ranges::copy(std::span(good[0]->data).subspan(from, to - from), block.data.begin());
        std::ranges::copy(std::span(good[0]->known).subspan(from, to - from), block.known.begin());
        for (const Try* one : good)
            blur(block.known, block.data, std::span(one->data).subspan(from, to - from),
                 std::span(one->known).subspan(from, to - from));
        for (Try* one : bad)
            rewrite(*one, block, from, journey);
    }
    return told(std::move(faults));
}

/// If that leg was the one to be read. It may not take it, and be left out.
void Mirror::rewrite(Try& bad, const Request& block, std::uint64_t offset, Journey& journey)
{
    Leg& leg = legs_[bad.leg];

    if (journey.quiet) {
        journey.unpredictable = true;
        return;
    }
    const bool known = std::ranges::find(block.known, Byte{0}) == block.known.end();
    leg.device->maybe({Op::write,
                       bad.part.pos + offset,
                       block.length,
                       known ? block.data : std::span<Byte>(),
                       {}},
                      journey);
    leg.state = State::doubtful;
}

/* ---- writes ---- */

Faults Mirror::write(const Request& request, Journey& journey)
{
    const auto stretches = cut(request.pos, request.length);
    Failures failures;

    for (const Stretch& stretch : stretches)
        for (const LegPlace& place : stretch.places) {
            const Leg& leg = legs_[place.leg];
            Request part = request.part(stretch.offset, stretch.length);
            part.pos = place.pos;
            if (leg.state == State::doubtful)
                leg.device->maybe(part, journey);
            if (leg.state == State::in_sync)
                append(failures[place.leg], leg.device->submit(part, journey), stretch.offset);
        }
    return settle(failures, stretches.size() > 1, journey);
}

Faults Mirror::flush(const Request& request, Journey& journey)
{
    Failures failures;

    for (std::size_t i = 0; i < legs_.size(); ++i) {
        if (legs_[i].state == State::doubtful)
            legs_[i].device->maybe(request, journey);
        if (legs_[i].state == State::in_sync)
            failures[i] = legs_[i].device->submit(request, journey);
    }
    Faults faults = settle(failures, false, journey);
    faults.resize(std::min<std::size_t>(faults.size(), 1));
    return faults;
}

/// Legs that failed are left out, but for the last good one, whose failure is the array's. `many`:
/// a leg had more than one request, and may have failed before it got all of them.
Faults Mirror::settle(const Failures& failures, bool many, Journey& journey)
{
    std::vector<std::size_t> out;
    Faults faults;

    for (const auto& [leg, failed] : failures) {
        if (failed.empty())
            continue;
        if (can_do_without({leg}))
            out.push_back(leg);
        else
            append(faults, failed, 0);
    }
    if (out.empty() && faults.empty())
        return {};
    // Which of them is the last depends on which is heard of first.
    if (journey.quiet || has_doubts() || !can_do_without(out))
        journey.unpredictable = true;
    for (const std::size_t leg : out) {
        legs_[leg].state = State::faulty;
        if (!many)
            continue;
        Device& device = *legs_[leg].device;
        journey.may_hold = journey.may_hold || journey.held > 0;
        device.maybe({Op::write, 0, device.size(), {}, {}}, journey);
    }
    return told(std::move(faults));
}

Faults Mirror::zeroes(const Request& request, Journey& journey)
{
    bool failed = layout_.has_value();

    for (const Leg& leg : legs_) {
        if (layout_)
            break;
        if (leg.state == State::doubtful)
            leg.device->maybe(request, journey);
        if (leg.state == State::in_sync && !leg.device->submit(request, journey).empty())
            failed = true;
    }
    return failed ? fail(request, EOPNOTSUPP) : Faults();
}

/// A hint. At level 10 only whole stripes are sure to be discarded, and nobody may rely on any.
Faults Mirror::discard(const Request& request, Journey& journey)
{
    const bool sure = !layout_ && !has_doubts();

    for (const Stretch& stretch : cut(request.pos, request.length))
        for (const LegPlace& place : stretch.places) {
            const Leg& leg = legs_[place.leg];
            Request part = request.part(stretch.offset, stretch.length);
            part.pos = place.pos;
            if (leg.state != State::in_sync && leg.state != State::doubtful)
                continue;
            if (sure)
                static_cast<void>(leg.device->submit(part, journey));
            else
                leg.device->maybe(part, journey);
        }
    return {};
}

/* ---- what others do ---- */

void Mirror::claim(std::uint64_t pos, std::uint64_t length)
{
    for (const Leg& leg : legs_)
        if (leg.device)
            leg.device->claim(0, 0);
    for (const Stretch& stretch : cut(pos, length))
        for (const LegPlace& place : stretch.places)
            if (legs_[place.leg].device)
                legs_[place.leg].device->claim(place.pos, stretch.length);
    for (const MirrorLeg& spare : spares_)
        spare.device->claim(0, spare.device->size());
}

void Mirror::share()
{
    for (const Leg& leg : legs_)
        if (leg.device)
            leg.device->share();
}

/// Legs may fail of a write.
void Mirror::maybe(const Request& request, Journey& journey)
{
    if (request.op == Op::write || request.op == Op::flush)
        journey.unpredictable = true;
    for (const Leg& leg : legs_)
        if (leg.device && request.op == Op::flush)
            leg.device->maybe(request, journey);
    for (const Stretch& stretch : cut(request.pos, request.length))
        for (const LegPlace& place : stretch.places) {
            Request part = request.part(stretch.offset, stretch.length);
            part.pos = place.pos;
            if (legs_[place.leg].device)
                legs_[place.leg].device->maybe(part, journey);
        }
}

bool Mirror::is_calm() const
{
    return std::ranges::all_of(legs_, [](const Leg& leg) {
        return !leg.device || leg.state == State::faulty || leg.device->is_calm();
    });
}

std::vector<std::uint64_t> Mirror::borders() const
{
    std::vector<std::vector<std::uint64_t>> below;
    std::vector<std::uint64_t> result;

    for (const Leg& leg : legs_)
        below.push_back(leg.device && leg.state != State::faulty ? leg.device->borders()
                                                                 : std::vector<std::uint64_t>());
    for (const Stretch& stretch : cut(0, size())) {
        for (const LegPlace& place : stretch.places)
            for (const std::uint64_t border : below[place.leg])
                if (border > place.pos && border < place.pos + stretch.length)
                    result.push_back(stretch.offset + border - place.pos);
        if (layout_ && stretch.offset < 4 * stretch.length)
            result.push_back(stretch.offset);
    }
    return result;
}

/* ---- attributes ---- */

Result<> Mirror::set(const std::string& attribute, const Lines& lines)
{
    if (lines.size() != 1 || lines[0].size() != 1)
        return Error{EINVAL, "one word is wanted"};
    if (attribute == "fail")
        return fail_leg(lines[0][0]);
    if (attribute == "spare")
        return take_spare(lines[0][0]);
    if (attribute == "sync_action")
        return synchronize(lines[0][0]);
    return Device::set(attribute, lines);
}

Words Mirror::that_may_fail() const
{
    Words names;
    for (std::size_t i = 0; i < legs_.size() && !has_doubts(); ++i)
        if (legs_[i].state == State::in_sync && can_do_without({i}))
            names.push_back(legs_[i].name);
    return names;
}

Result<> Mirror::fail_leg(const std::string& name)
{
    const Words names = that_may_fail();
    if (std::ranges::find(names, name) == names.end())
        return Error{EBUSY, name + " cannot be left out"};
    std::ranges::find(legs_, name, &Leg::name)->state = State::faulty;
    return {};
}

/// It takes the place of the first leg that is out.
Result<> Mirror::take_spare(const std::string& name)
{
    const auto spare = std::ranges::find(spares_, name, &MirrorLeg::name);
    const auto out =
        std::ranges::find_if(legs_, [](const Leg& leg) { return leg.state != State::in_sync; });

    if (spare == spares_.end() || out == legs_.end() || has_doubts())
        return Error{EBUSY, "nothing is to be rebuilt, or not with " + name};
    if (spare->device->block() > block() || spare->device->size() < leg_bytes_)
        return Error{ENOSPC, name + " does not fit"};
    if (!is_calm() || !spare->device->is_calm())
        return Error{EBUSY, "rules would have a say in it"};
    *out = {spare->name, spare->device, State::in_sync};
    spares_.erase(spare);
    rebuild(static_cast<std::size_t>(out - legs_.begin()));
    return {};
}

/// Copies what the array has there, from the lowest-numbered leg.
void Mirror::rebuild(std::size_t leg)
{
    for (const Stretch& stretch : cut(0, size()))
        for (const LegPlace& place : stretch.places) {
            if (place.leg != leg)
                continue;
            auto others = places_in(stretch, State::in_sync);
            std::erase_if(others, [&](const LegPlace& other) { return other.leg == leg; });
            const LegPlace& from = *std::ranges::min_element(others, {}, &LegPlace::leg);
            copy(from, place, stretch.length);
        }
}

void Mirror::copy(const LegPlace& from, const LegPlace& to, std::uint64_t length) const
{
    Bytes data(length), known(length, 1);
    Journey journey;
    Device& target = *legs_[to.leg].device;

    static_cast<void>(
        legs_[from.leg].device->submit({Op::read, from.pos, length, data, known}, journey));
    static_cast<void>(target.submit({Op::write, to.pos, length, data, {}}, journey));
    for (std::uint64_t at = 0; at < length; ++at)
        if (!known[at])
            target.maybe({Op::write, to.pos + at, 1, {}, {}}, journey);
}

Mirror::Compared Mirror::compare(const Stretch& stretch, std::uint64_t at) const
{
    Bytes first(sector_size), first_known(sector_size), data(sector_size), known(sector_size);
    Compared result{false, true};
    Journey journey;

    const auto places = places_in(stretch, State::in_sync);
    for (const LegPlace& place : places) {
        const bool is_first = &place == &places.front();
        static_cast<void>(legs_[place.leg].device->submit({Op::read, place.pos + at, sector_size,
                                                           is_first ? first : data,
                                                           is_first ? first_known : known},
                                                          journey));
        const Bytes& here = is_first ? first_known : known;
        result.sure = result.sure && std::ranges::find(here, Byte{0}) == here.end();
        result.differ = result.differ || (!is_first && data != first);
    }
    return result;
}

/// As the lowest-numbered leg has it.
void Mirror::make_alike(const Stretch& stretch, std::uint64_t at) const
{
    auto places = places_in(stretch, State::in_sync);

    std::ranges::sort(places, {}, &LegPlace::leg);
    for (LegPlace& place : places)
        place.pos += at;
    for (std::size_t i = 1; i < places.size(); ++i)
        copy(places[0], places[i], sector_size);
}

/// `check` counts the sectors of which copies differ, `repair` makes them alike too.
Result<> Mirror::synchronize(const std::string& action)
{
    const bool repair = action == "repair";
    std::uint64_t differ = 0;
    bool sure = true;

    if (!repair && action != "check")
        return Error{EINVAL, "there is no action " + action};
    if (!is_calm() || has_doubts())
        return Error{EBUSY, "rules would have a say in it"};
    for (const Stretch& stretch : cut(0, size()))
        for (std::uint64_t at = 0; at < stretch.length; at += sector_size) {
            const Compared compared = compare(stretch, at);
            differ += compared.differ ? 1 : 0;
            sure = sure && compared.sure;
            if (repair && (compared.differ || !compared.sure))
                make_alike(stretch, at);
        }
    mismatches_ = sure ? std::to_string(differ) : "?";
    return {};
}

std::optional<std::string> Mirror::attribute(const std::string& name) const
{
    constexpr std::array names{"in_sync", "faulty", "missing", "?"};
    const auto out =
        std::ranges::count_if(legs_, [](const Leg& leg) { return leg.state != State::in_sync; });
    std::string text;

    if (name == "mismatch_sectors" && mismatches_)
        return *mismatches_ + "\n";
    if (name == "degraded")
        return has_doubts() ? "?\n" : fmt::format("{}\n", out);
    if (name != "leg_state")
        return std::nullopt;
    for (std::size_t i = 0; i < legs_.size(); ++i)
        text += fmt::format("{} ? {} ?\n", i, names[static_cast<std::size_t>(legs_[i].state)]);
    return text;
}

} // namespace kio::model
