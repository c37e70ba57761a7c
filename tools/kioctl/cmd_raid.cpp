// SPDX-License-Identifier: GPL-2.0
#include <array>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kioctl/command.hpp"
#include "lib/device.hpp"
#include "lib/text.hpp"

namespace kio {

namespace {

struct RaidArguments {
    Id id{Kind::raid, {}};
    Settings settings;
    std::string metadata = "none";
    std::vector<std::string> legs;
};

Settings all_settings(const RaidArguments& args)
{
    std::vector<std::string> legs;
    for (const std::string& leg : args.legs)
        legs.push_back(leg == "missing" ? leg : absolute(leg));

    Settings settings = args.settings;
    settings.push_back({"metadata", args.metadata});
    if (args.metadata != "none")
        settings.push_back({"create", "1"});
    settings.push_back({"legs", fmt::format("{}", fmt::join(legs, "\n"))});
    return settings;
}

constexpr std::array<std::string_view, 10> detail_attributes{
    "level",  "layout",   "chunk_kib",   "metadata",       "uuid",
    "bitmap", "degraded", "sync_action", "sync_completed", "mismatch_sectors"};

/// `line` is "INDEX PATH STATE ERRORS".
Json leg_to_json(const std::string& line)
{
    std::istringstream fields{line};
    std::string index, path, state, errors;
    fields >> index >> path >> state >> errors;
    return {{"index", scalar(index)}, {"path", path}, {"state", state}, {"errors", scalar(errors)}};
}

Json read_detail(const Control& control, const Id& id)
{
    Json detail = to_json(read_device(control, id));
    detail.update(read_attributes(control, id, detail_attributes));
    detail["legs"] = Json::array();
    for (const std::string& line : split_lines(attribute(control, id, "leg_state")))
        detail["legs"].push_back(leg_to_json(line));
    return detail;
}

std::string plain(const Json& value)
{
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string detail_text(const Json& detail)
{
    std::vector<Row> members, legs{{"LEG", "PATH", "STATE", "ERRORS"}};
    for (const auto& [name, value] : detail.items())
        if (!value.is_array())
            members.push_back({name, plain(value)});
    for (const Json& leg : detail["legs"])
        legs.push_back(
            {plain(leg["index"]), plain(leg["path"]), plain(leg["state"]), plain(leg["errors"])});
    return columns(members) + '\n' + columns(legs);
}

} // namespace

Action raid_create(CLI::App& app)
{
    auto args = std::make_shared<RaidArguments>();
    add_name(app, args->id.name);
    add_setting(app, args->settings, "--level,-l", "level", "0, 1, 4, 5, 6 or 10")
        ->required()
        ->type_name("LEVEL");
    add_setting(app, args->settings, "--chunk-kib,-c", "chunk_kib", "Chunk size in KiB")
        ->type_name("KIB");
    add_setting(app, args->settings, "--layout", "layout", "Where parity or copies lie, md's names")
        ->type_name("NAME");
    app.add_option("--metadata", args->metadata, "Superblock on the legs: none or 1.2")
        ->type_name("VERSION")
        ->capture_default_str();
    app.add_option("LEG", args->legs, "The legs' paths in order, or the word missing")
        ->required()
        ->type_name("");
    return [args](World& world) {
        return changed(create(world.control, args->id, all_settings(*args)), args->id);
    };
}

Action raid_stop(CLI::App& app)
{
    return declare_remove(app, Kind::raid);
}

Action raid_fail(CLI::App& app)
{
    struct Arguments {
        Id id{Kind::raid, {}};
        std::string leg;
    };
    auto args = std::make_shared<Arguments>();
    add_name(app, args->id.name);
    app.add_option("LEG", args->leg, "The leg's path")->required()->type_name("");
    return [args](World& world) {
        return changed(change(world.control, args->id, {{"fail", absolute(args->leg)}}), args->id);
    };
}

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

} // namespace kio
