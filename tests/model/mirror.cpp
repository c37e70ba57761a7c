// SPDX-License-Identifier: GPL-2.0
#include "mirror.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "gather.hpp"

namespace kio::model {

namespace {

/// A read that failed is tried elsewhere in such pieces.
constexpr std::uint64_t small_unit = 4096;
/// A leg of which more reads fail in an hour is left out.
constexpr unsigned most_bad_reads = 20;

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
      leg_bytes_(smallest(setup.legs))
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

    // Nobody else has it: what comes from below is passed on as it is.
    if (sure.size() == 1 && doubtful.empty()) {
        Request below = part;
        below.pos = sure[0].pos;
        return legs_[sure[0].leg].device->submit(below, journey);
    }
    if (sure.empty()) {
        journey.unpredictable = journey.unpredictable || !doubtful.empty();
        return fail(part, EIO);
    }
    for (const LegPlace& place : stretch.places)
        if (legs_[place.leg].state == State::in_sync || legs_[place.leg].state == State::doubtful)
            tries.push_back(try_leg(part, place, journey));
    for (const Try& one : tries)
        if (!journey.quiet)
            legs_[one.leg].device->maybe({Op::read, one.part.pos, part.length, {}, {}}, journey);
    return agree(part, tries, journey);
}

Mirror::Try Mirror::try_leg(const Request& part, const LegPlace& place, Journey& journey) const
{
    const Leg& leg = legs_[place.leg];
    Try result{place.leg,          leg.state == State::in_sync, part,
               Bytes(part.length), Bytes(part.length, 1),       {}};
    Journey quiet;

    quiet.quiet = true;
    result.part.pos = place.pos;
    result.faults =
        leg.device->submit({Op::read, place.pos, part.length, result.data, result.known}, quiet);
    journey.unpredictable = journey.unpredictable || quiet.unpredictable;
    journey.may_hold = journey.may_hold || quiet.may_hold || quiet.held > 0;
    journey.delay_ms += quiet.delay_ms;
    return result;
}

/// What one copy fails is tried on others, block by block.
Faults Mirror::agree(const Request& part, std::vector<Try>& tries, Journey& journey)
{
    const std::uint64_t unit = std::max<std::uint64_t>(small_unit, block());
    Faults faults;

    for (const Try& one : tries)
        if (!std::ranges::all_of(one.faults, is_legs_error))
            journey.unpredictable = true;
    for (std::uint64_t from = 0, to = 0; from < part.length; from = to) {
        to = std::min(part.length, from + unit - (part.pos + from) % unit);
        append(faults, agree_block(part.part(from, to - from), from, tries, journey), from);
    }
    count_bad_reads(tries);
    return told(std::move(faults));
}

/// A block is bad, as a whole, if it is on every leg.
Faults Mirror::agree_block(const Request& block, std::uint64_t offset, std::vector<Try>& tries,
                           Journey& journey)
{
    std::vector<Try*> good, bad;
    Faults faults;

    for (Try& one : tries) {
        const auto fault = std::ranges::find_if(one.faults, [&](const Fault& any) {
            return touches(any, offset, offset + block.length);
        });
        (fault == one.faults.end() ? good : bad).push_back(&one);
        if (fault != one.faults.end())
            faults.push_back({0, block.length, fault->error});
    }
    // Whether it is found, and which errno is told, may depend on who is asked.
    const bool found = std::ranges::any_of(good, &Try::sure);
    if (!found && (!good.empty() || !std::ranges::all_of(tries, &Try::sure) ||
                   std::ranges::adjacent_find(faults, std::not_equal_to()) != faults.end()))
        journey.unpredictable = true;
    if (good.empty()) {
        forget(block, 0, block.length);
        return {faults[0]};
    }
    std::ranges::copy(std::span(good[0]->data).subspan(offset, block.length), block.data.begin());
    std::ranges::copy(std::span(good[0]->known).subspan(offset, block.length), block.known.begin());
    for (const Try* one : good)
        blur(block.known, block.data, std::span(one->data).subspan(offset, block.length),
             std::span(one->known).subspan(offset, block.length));
    for (Try* one : bad)
        rewrite(*one, block, offset, journey);
    return {};
}

/// If that leg was one to be read. It stays, even if it does not take it.
void Mirror::rewrite(Try& bad, const Request& block, std::uint64_t offset, Journey& journey)
{
    const bool known = std::ranges::find(block.known, Byte{0}) == block.known.end();

    bad.mended = true;
    if (journey.quiet) {
        journey.unpredictable = true;
        return;
    }
    legs_[bad.leg].device->maybe({Op::write,
                                  bad.part.pos + offset,
                                  block.length,
                                  known ? block.data : std::span<Byte>(),
                                  {}},
                                 journey);
}

/// A read counts once, if that leg was one to be read.
void Mirror::count_bad_reads(const std::vector<Try>& tries)
{
    for (const Try& one : tries)
        if (one.mended && ++legs_[one.leg].bad_reads > most_bad_reads && may_fail(one.leg))
            legs_[one.leg].state = State::doubtful;
}

/// Is it not certain that some data has its last good copy there?
bool Mirror::may_fail(std::size_t leg) const
{
    return std::ranges::all_of(cut(0, size()), [&](const Stretch& stretch) {
        return std::ranges::all_of(stretch.places,
                                   [&](const LegPlace& place) { return place.leg != leg; }) ||
               std::ranges::any_of(stretch.places, [&](const LegPlace& place) {
                   const State state = legs_[place.leg].state;
                   return place.leg != leg && (state == State::in_sync || state == State::doubtful);
               });
    });
}

/* ---- writes ---- */

Faults Mirror::write(const Request& request, Journey& journey)
{
    const auto stretches = cut(request.pos, request.length);
    Failures failures;

    for (const Stretch& stretch : stretches) {
        journey.unpredictable = journey.unpredictable || places_in(stretch, State::in_sync).empty();
        for (const LegPlace& place : stretch.places) {
            const Leg& leg = legs_[place.leg];
            Request part = request.part(stretch.offset, stretch.length);
            part.pos = place.pos;
            if (leg.state == State::doubtful)
                leg.device->maybe(part, journey);
            if (leg.state == State::in_sync)
                append(failures[place.leg], leg.device->submit(part, journey), stretch.offset);
        }
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
            add_borders(result, below[place.leg], place.pos, stretch);
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
    displaced_ += out->state == State::faulty ? 1 : 0;
    *out = {spare->name, spare->device, State::in_sync};
    spares_.erase(spare);
    rebuild(static_cast<std::size_t>(out - legs_.begin()));
    return {};
}

/// Copies what the array has there, from the first copy that is good.
void Mirror::rebuild(std::size_t leg)
{
    for (const Stretch& stretch : cut(0, size()))
        for (const LegPlace& place : stretch.places) {
            if (place.leg != leg)
                continue;
            const auto good = places_in(stretch, State::in_sync);
            copy(good[0].leg != leg ? good[0] : good[1], place, stretch.length);
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
    Compared result{0, true};
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
        result.differing += !is_first && data != first ? 1 : 0;
    }
    return result;
}

/// As the first copy has it.
void Mirror::make_alike(const Stretch& stretch, std::uint64_t at) const
{
    auto places = places_in(stretch, State::in_sync);

    for (LegPlace& place : places)
        place.pos += at;
    for (std::size_t i = 1; i < places.size(); ++i)
        copy(places[0], places[i], sector_size);
}

/// `check` counts the sectors of copies that differ from the first, `repair` makes them alike too.
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
            differ += compared.differing;
            sure = sure && compared.sure;
            if (repair && (compared.differing > 0 || !compared.sure))
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
    for (unsigned i = 0; i < displaced_; ++i)
        text += "- ? faulty ?\n";
    return text;
}

} // namespace kio::model
