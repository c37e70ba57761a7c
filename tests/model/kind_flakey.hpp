// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kind.hpp"

namespace kio::model {

/// One line: the device below.
class FlakeyKind final : public Kind {
public:
    std::string_view name() const override { return "flakey"; }
    kio::Kind folder() const override { return kio::Kind::filter; }
    Words lowers(const Node& node) const override;
    Result<std::unique_ptr<Device>> model(const Node& node, const Devices& devices) const override;
    Settings settings(const Node& node, const PathOf& path) const override;
    unsigned weight(const Grower&, const Place&) const override { return 4; }
    Lines random(Grower& grower, const Place& place) const override;
    std::optional<Set> random_set(Random& random, const Node& node,
                                  const Device& device) const override;
    std::vector<Set> calm(const Node& node) const override;
    Words watched() const override { return {"state"}; }
};

} // namespace kio::model
