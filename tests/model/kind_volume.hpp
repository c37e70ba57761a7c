// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kind.hpp"

namespace kio::model {

/// Each line is LENGTH linear DEVICE OFFSET, LENGTH striped NUMBER CHUNK DEVICE OFFSET..., or
/// LENGTH TARGET, in sectors.
class VolumeKind final : public Kind {
public:
    std::string_view name() const override { return "volume"; }
    kio::Kind folder() const override { return kio::Kind::lvm; }
    Words lowers(const Node& node) const override;
    Result<std::unique_ptr<Device>> model(const Node& node, const Devices& devices) const override;
    Settings settings(const Node& node, const PathOf& path) const override;
    unsigned weight(const Grower&, const Place&) const override { return 5; }
    Lines random(Grower& grower, const Place& place) const override;
    std::vector<Lines> simpler(const Node& node) const override;
};

} // namespace kio::model
