// SPDX-License-Identifier: GPL-2.0
// What an array says of itself, and what superblocks say of it.
#include <array>
#include <memory>

#include <fmt/format.h>

#include "kioctl/command.hpp"
#include "lib/device.hpp"
#include "lib/superblock.hpp"
#include "lib/sync.hpp"
#include "lib/text.hpp"

namespace kio {

namespace {

constexpr std::array<std::string_view, 9> shape_attributes{"level",    "layout", "chunk_kib",
                                                           "metadata", "uuid",   "array_state",
                                                           "degraded", "events", "bitmap"};
constexpr std::array<std::string_view, 2> sync_attributes{"mismatch_sectors", "sync_speed_kib_max"};

/// `line` is "INDEX PATH STATE ERRORS", the index `-` where the device is in no leg's place.
Json leg_to_json(const std::string& line)
{
    auto words = split_words(line);
    words.resize(4);
    const Json index = words[0] == "-" ? Json(nullptr) : scalar(words[0]);
    return {
        {"index", index}, {"path", words[1]}, {"state", words[2]}, {"errors", scalar(words[3])}};
}

/// Nothing of it where the array knows no sync.
void add_sync(Json& detail, const Control& control, const Id& id)
{
    const auto sync = read_sync(control, id);
    if (!sync || sync->action.empty())
        return;
    detail["sync_action"] = sync->action;
    detail["sync_completed"] =
        sync->total ? Json{{"done_sectors", sync->done}, {"total_sectors", sync->total}}
                    : Json(nullptr);
}

Json read_detail(const Control& control, const Id& id)
{
    Json detail = to_json(read_device(control, id));
    // "name" is taken by the name of the device.
    if (const auto name = attribute(control, id, "name"); !name.empty())
        detail["array_name"] = name;
    detail.update(read_attributes(control, id, shape_attributes));
    add_sync(detail, control, id);
    detail.update(read_attributes(control, id, sync_attributes));
    detail["legs"] = Json::array();
    for (const std::string& line : split_lines(attribute(control, id, "leg_state")))
        detail["legs"].push_back(leg_to_json(line));
    return detail;
}

std::string plain(const Json& value)
{
    if (value.is_null())
        return "-";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string shown(const std::string& name, const Json& value)
{
    if (name == "size_bytes")
        return fmt::format("{} ({})", value.dump(), human_size(value.get<std::uint64_t>()));
    if (value.is_object()) {
        const auto done = value["done_sectors"].get<std::uint64_t>();
        const auto total = value["total_sectors"].get<std::uint64_t>();
        return fmt::format("{} of {} sectors ({:.1f}%)", done, total,
                           100.0 * static_cast<double>(done) / static_cast<double>(total));
    }
    return plain(value);
}

std::string detail_text(const Json& detail)
{
    std::vector<Row> members, legs{{"LEG", "PATH", "STATE", "ERRORS"}};
    for (const auto& [name, value] : detail.items())
        if (!value.is_array() && !value.is_null())
            members.push_back({name, shown(name, value)});
    for (const Json& leg : detail["legs"])
        legs.push_back(
            {plain(leg["index"]), plain(leg["path"]), plain(leg["state"]), plain(leg["errors"])});
    return columns(members) + '\n' + columns(legs);
}

Result<Output> examine_all(const Prober& prober, const std::vector<std::string>& paths)
{
    Output output{.text = {}, .data = Json::array()};
    for (const std::string& path : paths) {
        const auto examined = examine(prober, path);
        if (!examined)
            return examined.error();
        output.text += (output.text.empty() ? "" : "\n") + to_text(*examined);
        output.data.push_back(to_json(*examined));
    }
    return output;
}

} // namespace

Action raid_detail(CLI::App& app)
{
    auto id = std::make_shared<Id>(Id{Kind::raid, {}});
    add_name(app, id->name);
    return [id](World& world) -> Result<Output> {
        if (auto exists = check_exists(world.control, *id); !exists)
            return exists.error();
        Json detail = read_detail(world.control, *id);
        return Output{detail_text(detail), std::move(detail)};
    };
}

Action raid_examine(CLI::App& app)
{
    auto paths = std::make_shared<std::vector<std::string>>();
    app.add_option("DEV", *paths, "The devices to look at")->required()->type_name("");
    return [paths](World& world) { return examine_all(world.prober, *paths); };
}

} // namespace kio
