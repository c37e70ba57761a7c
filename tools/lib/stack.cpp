// SPDX-License-Identifier: GPL-2.0
#include "lib/stack.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "lib/text.hpp"

namespace kio {

namespace {

/// Takes a disk's name as sysfs has it, where '!' stands for '/'.
Device read_disk(const Control& control, const std::string& sysfs_name)
{
    constexpr std::uint64_t sector = 512;
    std::string name = sysfs_name;
    std::ranges::replace(name, '!', '/');
    Device disk{
        .kind = "disk", .name = name, .path = "/dev/" + name, .state = {}, .size_bytes = {}};

    const auto size = control.read(fmt::format("/sys/class/block/{}/size", sysfs_name));
    if (const auto sectors = parse_number(trimmed(size ? *size : "")))
        disk.size_bytes = *sectors * sector;
    return disk;
}

/// Holder links name the disks below; a loop device has a file, which only its attribute names.
std::vector<Device> read_lower(const Control& control, const Id& id)
{
    std::vector<Device> lower;
    const auto slaves = control.directories(fmt::format("/sys/block/kio!{}/slaves", id.name));
    if (slaves)
        for (const std::string& slave : *slaves)
            lower.push_back(read_disk(control, slave));

    const std::string file = id.kind == Kind::loop ? attribute(control, id, "file") : "";
    if (!file.empty())
        lower.push_back(
            {.kind = "file", .name = file, .path = file, .state = {}, .size_bytes = {}});
    return lower;
}

class Stack {
public:
    Stack(const Control& control, const std::vector<Id>& ids)
    {
        for (const Id& id : ids) {
            const Device device = read_device(control, id);
            order_.push_back(device.path);
            nodes_.emplace(device.path, Node{device, read_lower(control, id)});
        }
    }

    std::vector<Layer> roots() const
    {
        std::set<std::string> covered;
        for (const auto& [path, node] : nodes_)
            for (const Device& lower : node.lower)
                covered.insert(lower.path);

        std::vector<Layer> roots;
        for (const std::string& path : order_)
            if (!covered.contains(path))
                roots.push_back(layer(nodes_.at(path).device));
        return roots;
    }

private:
    struct Node {
        Device device;
        std::vector<Device> lower;
    };

    Layer layer(const Device& device) const
    {
        const auto found = nodes_.find(device.path);
        if (found == nodes_.end())
            return {device, {}};
        Layer own{found->second.device, {}};
        for (const Device& lower : found->second.lower)
            own.below.push_back(layer(lower));
        return own;
    }

    std::vector<std::string> order_;
    std::map<std::string, Node> nodes_; ///< ours, by path
};

/// `branch` goes before the layer itself, `trunk` before all that is below it.
void draw(const Layer& layer, const std::string& branch, const std::string& trunk,
          std::vector<Row>& rows)
{
    const Device& device = layer.device;
    rows.push_back(
        {branch + device.name, device.kind, human_size(device.size_bytes), device.state});
    for (const Layer& lower : layer.below) {
        const bool last = &lower == &layer.below.back();
        draw(lower, trunk + (last ? "└─" : "├─"), trunk + (last ? "  " : "│ "), rows);
    }
}

} // namespace

Result<std::vector<Layer>> read_stack(const Control& control)
{
    const auto ids = objects(control);
    if (!ids)
        return ids.error();
    return Stack{control, *ids}.roots();
}

std::string draw(const std::vector<Layer>& roots)
{
    std::vector<Row> rows{{"NAME", "KIND", "SIZE", "STATE"}};
    for (const Layer& root : roots)
        draw(root, "", "", rows);
    return columns(rows);
}

Json to_json(const std::vector<Layer>& layers)
{
    Json list = Json::array();
    for (const Layer& layer : layers) {
        Json data = to_json(layer.device);
        data["below"] = to_json(layer.below);
        list.push_back(std::move(data));
    }
    return list;
}

} // namespace kio
