// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <map>

#include "device.hpp"
#include "raid_layout.hpp"

namespace kio::model {

/// A leg of a mirror, or a spare.
struct MirrorLeg {
    std::string name;
    Device* device; ///< none for one that is missing
};

struct MirrorSetup {
    std::vector<MirrorLeg> legs;
    std::vector<MirrorLeg> spares;
    std::optional<unsigned> layout; ///< of level 10, as md numbers it; none: level 1
    std::uint64_t chunk = 0;        ///< bytes, of level 10
};

/// An array of level 1 or 10: raid in Documentation/uapi.rst, md(4) for where copies lie. Which
/// copy is read first is left open, so each is looked at, and what depends on the choice is not
/// known.
class Mirror final : public Device {
public:
    explicit Mirror(MirrorSetup setup);

    Faults submit(const Request& request, Journey& journey) override;
    void claim(std::uint64_t pos, std::uint64_t length) override;
    void share() override;
    void maybe(const Request& request, Journey& journey) override;
    bool is_calm() const override;
    std::vector<std::uint64_t> borders() const override;
    Result<> set(const std::string& attribute, const Lines& lines) override;
    std::optional<std::string> attribute(const std::string& name) const override;

    /// Legs that `fail` takes now.
    Words that_may_fail() const;
    /// Spares that are not in use.
    const std::vector<MirrorLeg>& spares() const { return spares_; }
    bool is_degraded() const;

private:
    enum class State {
        in_sync,
        faulty,
        missing,
        doubtful, ///< in_sync or faulty
    };

    struct Leg {
        std::string name;
        Device* device;
        State state;
        unsigned bad_reads = 0; ///< that may have been counted
    };

    /// What reading one copy would bring.
    struct Try {
        std::size_t leg;
        bool sure; ///< the leg is in sync
        Request part;
        Bytes data;
        Bytes known;
        Faults faults;
        bool mended = false; ///< another copy had what this one had not
    };

    /// Copies of a sector.
    struct Compared {
        unsigned differing; ///< from the first
        bool sure;
    };

    using Failures = std::map<std::size_t, Faults>; ///< by leg

    std::vector<Stretch> cut(std::uint64_t pos, std::uint64_t length) const;
    std::vector<LegPlace> places_in(const Stretch& stretch, State state) const;
    bool has_doubts() const;
    bool can_do_without(const std::vector<std::size_t>& out) const;

    Faults read(const Request& request, Journey& journey);
    Faults read_stretch(const Request& part, const Stretch& stretch, Journey& journey);
    Try try_leg(const Request& part, const LegPlace& place, Journey& journey) const;
    Faults agree(const Request& part, std::vector<Try>& tries, Journey& journey);
    Faults agree_block(const Request& block, std::uint64_t offset, std::vector<Try>& tries,
                       Journey& journey);
    void rewrite(Try& bad, const Request& block, std::uint64_t offset, Journey& journey);
    void count_bad_reads(const std::vector<Try>& tries);
    bool may_fail(std::size_t leg) const;

    Faults write(const Request& request, Journey& journey);
    Faults flush(const Request& request, Journey& journey);
    Faults settle(const Failures& failures, bool many, Journey& journey);
    Faults zeroes(const Request& request, Journey& journey);
    Faults discard(const Request& request, Journey& journey);

    Result<> fail_leg(const std::string& name);
    Result<> take_spare(const std::string& name);
    Result<> synchronize(const std::string& action);
    void rebuild(std::size_t leg);
    void copy(const LegPlace& from, const LegPlace& to, std::uint64_t length) const;
    Compared compare(const Stretch& stretch, std::uint64_t at) const;
    void make_alike(const Stretch& stretch, std::uint64_t at) const;

    std::vector<Leg> legs_;
    std::vector<MirrorLeg> spares_;
    std::optional<CopyLayout> layout_;
    std::uint64_t leg_bytes_; ///< that a leg must have
    unsigned displaced_ = 0;  ///< legs whose place a spare has taken
    std::optional<std::string> mismatches_;
};

} // namespace kio::model
