// SPDX-License-Identifier: GPL-2.0
#include "stack.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <set>

#include "kind.hpp"
#include "random.hpp"

namespace kio::model {

void fill(std::span<Byte> bytes, std::uint64_t seed)
{
    Random random(seed);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t word = random.next();
        std::memcpy(bytes.data() + at, &word, std::min(sizeof(word), bytes.size() - at));
    }
}

const std::string& content_of(const DiskSpec& disk)
{
    return disk.content.empty() ? disk.name : disk.content;
}

const Bytes& first_content(const DiskSpec& disk)
{
    static std::map<std::pair<std::string, std::uint64_t>, Bytes> made;
    constexpr std::size_t period = 4096;
    Bytes& content = made[{content_of(disk), disk.mib}];
    std::uint64_t seed = 0;

    if (!content.empty())
        return content;
    for (const char letter : content_of(disk))
        seed = seed * 256 + static_cast<Byte>(letter);
    content.resize(disk.mib << 20);
    fill(content, seed);
    if (content_of(disk) == "period")
        for (std::size_t at = period; at < content.size(); at += period)
            std::memcpy(&content[at], content.data(), period);
    return content;
}

void add_disk(ModelStack& models, const DiskSpec& disk)
{
    models.disks.push_back(std::make_unique<Disk>(first_content(disk), disk.block));
    models.by_name[disk.name] = models.disks.back().get();
}

Result<> add_node(ModelStack& models, const Node& node)
{
    const Kind* kind = find_kind(node.kind);

    if (!kind)
        return Error{EINVAL, "there is no kind " + node.kind};
    for (const std::string& lower : kind->lowers(node))
        if (!models.by_name.contains(lower))
            return Error{ENOENT, node.name + " lies on " + lower + ", which is not there"};
    auto device = kind->model(node, models.by_name);
    if (!device)
        return device.error();
    models.nodes.push_back(*std::move(device));
    models.by_name[node.name] = models.nodes.back().get();
    return {};
}

namespace {

std::optional<std::string> name_used_twice(const Stack& stack)
{
    std::set<std::string> names;

    for (const DiskSpec& disk : stack.disks)
        if (!names.insert(disk.name).second)
            return disk.name;
    for (const Node& node : stack.nodes)
        if (!names.insert(node.name).second)
            return node.name;
    return std::nullopt;
}

} // namespace

Result<ModelStack> make_model(const Stack& stack)
{
    ModelStack models;

    if (const auto twice = name_used_twice(stack))
        return Error{EEXIST, "there are two devices of the name " + *twice};
    for (const DiskSpec& disk : stack.disks)
        add_disk(models, disk);
    for (const Node& node : stack.nodes)
        if (const auto added = add_node(models, node); !added)
            return added.error();
    if (models.nodes.empty())
        return Error{EINVAL, "a stack without a device"};
    return models;
}

std::string path_of(const Stack& stack, const std::string& name)
{
    const bool disk = std::ranges::find(stack.disks, name, &DiskSpec::name) != stack.disks.end();
    return (disk ? "/dev/" : "/dev/kio/") + name;
}

} // namespace kio::model
