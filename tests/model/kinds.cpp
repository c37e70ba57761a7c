// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <array>

#include "kind.hpp"
#include "kind_checksum.hpp"
#include "kind_flakey.hpp"
#include "kind_raid.hpp"
#include "kind_volume.hpp"

namespace kio::model {

namespace {

const VolumeKind volume;
const FlakeyKind flakey;
const ChecksumKind checksum;
const RaidKind raid;

constexpr std::array<const Kind*, 4> table{&volume, &flakey, &checksum, &raid};

/// Those that the rig makes; a stack has each at most once.
constexpr std::array<std::pair<const char*, std::uint32_t>, 6> disks{
    {{"s0", 512}, {"s1", 512}, {"s2", 512}, {"s3", 512}, {"s4", 512}, {"b0", 4096}}};
constexpr unsigned most_disks = 5;

} // namespace

std::span<const Kind* const> kinds()
{
    return table;
}

const Kind* find_kind(std::string_view name)
{
    const auto kind = std::ranges::find(table, name, &Kind::name);
    return kind != table.end() ? *kind : nullptr;
}

unsigned Grower::disks_left() const
{
    const auto taken = static_cast<unsigned>(stack_.disks.size()) + reserved_;
    return most_disks - std::min(most_disks, taken);
}

std::string Grower::grow_disk(const Place& place)
{
    for (;;) {
        const auto& [name, block] = disks[random_.below(disks.size())];
        if (models_.by_name.contains(name))
            continue;
        stack_.disks.push_back({name, place.mib, block, place.content});
        add_disk(models_, stack_.disks.back());
        return name;
    }
}

std::string Grower::add(const Kind& kind, const Place& place)
{
    Node node{std::string(kind.name()), "", kind.random(*this, place)};
    node.name = "n" + std::to_string(next_++);
    // A kind makes nodes that can be.
    if (!add_node(models_, node))
        std::abort();
    stack_.nodes.push_back(std::move(node));
    return stack_.nodes.back().name;
}

std::string Grower::grow_node(const Place& place)
{
    std::vector<const Kind*> choice;

    for (const Kind* kind : table)
        if (std::ranges::find(kinds_, kind->name()) != kinds_.end())
            choice.insert(choice.end(), kind->weight(*this, place), kind);
    return choice.empty() ? grow_disk(place) : add(*choice[random_.below(choice.size())], place);
}

std::string Grower::grow_kind(std::string_view name, const Place& place)
{
    const bool wanted = std::ranges::find(kinds_, name) != kinds_.end();
    return wanted ? add(*find_kind(name), place) : "";
}

std::string Grower::grow(const Place& place)
{
    return place.depth == 0 || random_.one_in(4) ? grow_disk(place) : grow_node(place);
}

} // namespace kio::model
