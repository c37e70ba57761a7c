// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kind.hpp"

namespace kio::model {

/// One line: the device below.
class ChecksumKind final : public Kind {
public:
    std::string_view name() const override { return "checksum"; }
    kio::Kind folder() const override { return kio::Kind::filter; }
    Words lowers(const Node& node) const override;
    Result<std::unique_ptr<Device>> model(const Node& node, const Devices& devices) const override;
    Settings settings(const Node& node, const PathOf& path) const override;
    unsigned weight(const Grower&, const Place& place) const override
    {
        return place.plain ? 0 : 2;
    }
    Lines random(Grower& grower, const Place& place) const override;
    bool keeps_state() const override { return true; }
};

} // namespace kio::model
