// SPDX-License-Identifier: GPL-2.0
#include "kind_flakey.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "flakey.hpp"

namespace kio::model {

namespace {

constexpr std::array rule_errors{EIO,     ENOSPC, ETIMEDOUT, ENOLINK, EREMOTEIO, EBADE,
                                 ENODATA, EILSEQ, EUCLEAN,   ENOKEY,  EROFS,     EDOM};
constexpr std::array rule_ops{"read", "write", "write", "any", "any", "flush", "discard", "zeroes"};

struct Range {
    std::uint64_t start; ///< sectors
    std::uint64_t length;
};

/// Of some order of magnitude, in units of so many sectors, at least one.
Range random_range(Random& random, std::uint64_t sectors, std::uint64_t unit)
{
    const std::uint64_t units = sectors / unit;
    const std::uint64_t scale = std::min(units, std::uint64_t{1} << random.below(12));
    const std::uint64_t length = 1 + random.below(scale);
    return {random.below(units - length + 1) * unit, length * unit};
}

void add_range(Words& words, const Range& range, std::uint64_t sectors, bool open)
{
    words.push_back(std::to_string(range.start));
    words.push_back(open && range.start + range.length == sectors ? "-"
                                                                  : std::to_string(range.length));
}

void add_error(Random& random, Words& words)
{
    words.push_back("error");
    words.push_back(errno_name(random.pick(std::span<const int>(rule_errors))));
}

/// Only reads and writes can be corrupted, and a flush cannot be short.
void add_action(Random& random, Words& words)
{
    const bool flush = words[0] == "flush";
    const bool data = !flush && words[0] != "discard" && words[0] != "zeroes";

    switch (random.between(data ? 0 : flush ? 4 : 2, 11)) {
    case 0:
    case 1:
        words.push_back("corrupt");
        return;
    case 2:
    case 3:
        words.push_back("short");
        words.push_back(std::to_string(random.one_in(2) ? random.below(64 << 10)
                                                        : random.below(64) * sector_size));
        return;
    case 4:
        words.push_back("delay");
        words.push_back(std::to_string(1 + random.below(3)));
        return;
    case 5:
        words.push_back("hold");
        return;
    default:
        add_error(random, words);
    }
}

void add_limits(Random& random, Words& words)
{
    if (random.one_in(3)) {
        words.push_back("count");
        words.push_back(std::to_string(1 + random.below(4)));
    }
    if (random.one_in(4)) {
        words.push_back("every");
        words.push_back(std::to_string(1 + random.below(4)));
    }
}

Words random_rule(Random& random, const Device& device)
{
    const std::uint64_t sectors = device.size() / sector_size;
    Words words{rule_ops[random.below(rule_ops.size())]};

    const Range range = random.one_in(4)
                            ? Range{0, sectors}
                            : random_range(random, sectors, device.block() / sector_size);
    add_range(words, range, sectors, random.one_in(2));
    add_action(random, words);
    add_limits(random, words);
    return words;
}

/// Below a layer that keeps data of its own: only what cannot change how that comes and goes, nor
/// depends on how that layer cuts requests up, or tries them again.
std::optional<Words> plain_rule(Random& random, const Flakey& device, const char* op)
{
    const Range range = random_range(random, device.size() / sector_size, 8);
    Words words{op};

    if (device.is_claimed(range.start * sector_size, range.length * sector_size))
        return std::nullopt;
    add_range(words, range, 0, false);
    if (random.one_in(2))
        words.push_back("corrupt");
    else
        add_error(random, words);
    return words;
}

/// Below a mirror: what does not depend on which copy is read. Often of whole blocks of 4 KiB, in
/// which a mirror tries again.
Words shared_rule(Random& random, const Device& device)
{
    constexpr std::array ops{"write", "write", "write", "write", "read", "read", "read", "flush"};
    const std::uint64_t sectors = device.size() / sector_size;
    Words words{ops[random.below(ops.size())]};

    add_range(words, random.one_in(4) ? Range{0, sectors} : random_range(random, sectors, 8),
              sectors, random.one_in(2));
    if (words[0] == "read") {
        switch (random.below(8)) {
        case 0:
            words.push_back("corrupt");
            break;
        case 1:
            words.push_back("hold");
            break;
        default:
            add_error(random, words);
        }
        return words;
    }
    add_action(random, words);
    add_limits(random, words);
    return words;
}

} // namespace

Words FlakeyKind::lowers(const Node& node) const
{
    return node.lines.size() == 1 ? node.lines[0] : Words{};
}

Result<std::unique_ptr<Device>> FlakeyKind::model(const Node& node, const Devices& devices) const
{
    if (node.lines.size() != 1 || node.lines[0].size() != 1)
        return Error{EINVAL, "a filter lies on one device"};
    return std::unique_ptr<Device>(std::make_unique<Flakey>(*devices.at(node.lines[0][0])));
}

Settings FlakeyKind::settings(const Node& node, const PathOf& path) const
{
    return {{"lower", path(node.lines[0][0])}, {"kind", "flakey"}};
}

Lines FlakeyKind::random(Grower& grower, const Place& place) const
{
    return {{grower.grow({place.depth - 1, place.align, place.plain, place.content, place.mib})}};
}

std::optional<Set> FlakeyKind::random_set(Random& random, const Node& node,
                                          const Device& device) const
{
    const auto& flakey = static_cast<const Flakey&>(device);
    Set set{node.name, "rules", {}};

    if (flakey.has_claims()) {
        set.lines.push_back({"clear"});
        for (const char* op : {"read", "write"})
            if (auto rule = plain_rule(random, flakey, op); rule && random.one_in(2))
                set.lines.push_back(*std::move(rule));
        return set;
    }
    if (!random.one_in(3))
        set.lines.push_back({"clear"});
    for (std::uint64_t rules = 1 + random.below(3); rules > 0; --rules)
        set.lines.push_back(flakey.is_shared() ? shared_rule(random, device)
                                               : random_rule(random, device));
    return set;
}

std::vector<Set> FlakeyKind::calm(const Node& node) const
{
    return {{node.name, "rules", {{"clear"}}}};
}

} // namespace kio::model
