// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kind.hpp"

namespace kio::model {

/// What the kernel's kraid can do. All, unless the rig has found that it cannot.
struct RaidAbilities {
    bool level10 = true;
    bool unequal = true; ///< legs of level 0
    bool rebuild = true; ///< `spare`, `sync_action`
};

RaidAbilities& raid_abilities();

/// The first line is LEVEL CHUNK_KIB [LAYOUT], each other one a leg, `missing`, or `spare` and a
/// device that may become one.
class RaidKind final : public Kind {
public:
    std::string_view name() const override { return "raid"; }
    kio::Kind folder() const override { return kio::Kind::raid; }
    Words lowers(const Node& node) const override;
    Result<std::unique_ptr<Device>> model(const Node& node, const Devices& devices) const override;
    Settings settings(const Node& node, const PathOf& path) const override;
    unsigned weight(const Grower& grower, const Place& place) const override;
    Lines random(Grower& grower, const Place& place) const override;
    std::optional<Set> random_set(Random& random, const Node& node,
                                  const Device& device) const override;
    Words watched() const override { return {"degraded", "leg_state", "mismatch_sectors"}; }
    Words worn() const override { return {"leg_state"}; }
    Set on_device(const Set& set, const PathOf& path) const override;
    std::optional<Setting> awaited(const Set& set) const override;
    std::vector<Lines> simpler(const Node& node) const override;
};

} // namespace kio::model
