// SPDX-License-Identifier: GPL-2.0
#include "kind_checksum.hpp"

#include <cerrno>

#include "checksum.hpp"

namespace kio::model {

Words ChecksumKind::lowers(const Node& node) const
{
    return node.lines.size() == 1 ? node.lines[0] : Words{};
}

Result<std::unique_ptr<Device>> ChecksumKind::model(const Node& node, const Devices& devices) const
{
    if (node.lines.size() != 1 || node.lines[0].size() != 1)
        return Error{EINVAL, "a filter lies on one device"};
    Device& lower = *devices.at(node.lines[0][0]);
    if (checksum_layout(lower.size()).data_blocks == 0)
        return Error{ENOSPC, "there is no room for checksums"};
    return std::unique_ptr<Device>(std::make_unique<Checksum>(lower));
}

Settings ChecksumKind::settings(const Node& node, const PathOf& path) const
{
    return {{"lower", path(node.lines[0][0])}, {"kind", "checksum"}, {"create", "1"}};
}

Lines ChecksumKind::random(Grower& grower, const Place& place) const
{
    return {{grower.grow({place.depth - 1, checksum_block, true, place.content})}};
}

} // namespace kio::model
