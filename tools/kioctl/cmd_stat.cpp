// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <memory>

#include "kioctl/command.hpp"
#include "lib/device.hpp"
#include "lib/stack.hpp"
#include "lib/text.hpp"

namespace kio {

namespace {

Row device_row(const Device& device)
{
    return {device.kind, device.name, human_size(device.size_bytes), device.state, device.path};
}

std::string stats_text(const Control& control, const Id& id, const std::string& prefix)
{
    std::string text;
    for (const std::string& line : split_lines(attribute(control, id, "stats")))
        text += prefix + line + '\n';
    return text;
}

/// `stats` has lines "COUNTER VALUE".
Json stats_json(const Control& control, const Id& id)
{
    Json counters = Json::object();
    for (const std::string& line : split_lines(attribute(control, id, "stats"))) {
        const auto space = std::min(line.find(' '), line.size());
        counters[line.substr(0, space)] = scalar(trimmed(std::string_view{line}.substr(space)));
    }
    return {{"kind", folder(id.kind)}, {"name", id.name}, {"stats", counters}};
}

Result<Output> stats_of_one(const Control& control, const std::string& name)
{
    const auto id = find(control, name);
    if (!id)
        return id.error();
    return Output{stats_text(control, *id, ""), stats_json(control, *id)};
}

Result<Output> stats_of_all(const Control& control)
{
    const auto ids = objects(control);
    if (!ids)
        return ids.error();
    Output output{.text = {}, .data = Json::array()};
    for (const Id& id : *ids) {
        output.text += stats_text(control, id, id.name + ' ');
        output.data.push_back(stats_json(control, id));
    }
    return output;
}

} // namespace

Action list_devices(CLI::App&)
{
    return [](World& world) -> Result<Output> {
        const auto ids = objects(world.control);
        if (!ids)
            return ids.error();
        std::vector<Row> rows{{"KIND", "NAME", "SIZE", "STATE", "PATH"}};
        Json data = Json::array();
        for (const Id& id : *ids) {
            const Device device = read_device(world.control, id);
            rows.push_back(device_row(device));
            data.push_back(to_json(device));
        }
        return Output{columns(rows), std::move(data)};
    };
}

Action show_tree(CLI::App&)
{
    return [](World& world) -> Result<Output> {
        const auto roots = read_stack(world.control);
        if (!roots)
            return roots.error();
        return Output{draw(*roots), to_json(*roots)};
    };
}

Action show_stats(CLI::App& app)
{
    auto name = std::make_shared<std::string>();
    add_name(app, *name)->required(false);
    return [name](World& world) {
        return name->empty() ? stats_of_all(world.control) : stats_of_one(world.control, *name);
    };
}

} // namespace kio
