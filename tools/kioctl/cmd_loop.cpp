// SPDX-License-Identifier: GPL-2.0
#include <array>
#include <cerrno>
#include <memory>

#include <fmt/format.h>

#include "kioctl/command.hpp"
#include "lib/device.hpp"
#include "lib/text.hpp"

namespace kio {

namespace {

struct LoopArguments {
    Id id{Kind::loop, {}};
    std::string file;
    Settings settings;
};

constexpr std::array<std::string_view, 8> loop_attributes{
    "file",      "offset_bytes", "size_limit_bytes", "block_size",
    "direct_io", "read_only",    "partscan",         "autoclear"};

void add_size(CLI::App& app, Settings& settings, const std::string& option,
              const std::string& attribute, const std::string& help)
{
    const auto set = [&settings, attribute](std::uint64_t bytes) {
        settings.push_back({attribute, std::to_string(bytes)});
    };
    app.add_option_function<std::uint64_t>(option, set, help)
        ->type_name("SIZE")
        ->transform(CLI::AsSizeValue(false).description(""))
        ->check(CLI::NonNegativeNumber.description(""));
}

void add_switch(CLI::App& app, Settings& settings, const std::string& option,
                const std::string& attribute, const std::string& help)
{
    const auto set = [&settings, attribute](const std::string& value) {
        settings.push_back({attribute, value == "on" ? "1" : "0"});
    };
    app.add_option_function<std::string>(option, set, help)
        ->type_name("on|off")
        ->check(CLI::IsMember({"on", "off"}).description(""));
}

void add_flag(CLI::App& app, Settings& settings, const std::string& flag,
              const std::string& attribute, const std::string& help)
{
    const auto set = [&settings, attribute] { settings.push_back({attribute, "1"}); };
    app.add_flag_callback(flag, set, help);
}

Row loop_row(const Control& control, const Id& id, const Device& device)
{
    return {device.name, human_size(device.size_bytes), device.state,
            attribute(control, id, "offset_bytes"), attribute(control, id, "file")};
}

Json loop_json(const Control& control, const Id& id, const Device& device)
{
    Json data = to_json(device);
    data.update(read_attributes(control, id, loop_attributes));
    return data;
}

} // namespace

Action loop_attach(CLI::App& app)
{
    auto args = std::make_shared<LoopArguments>();
    add_name(app, args->id.name);
    app.add_option("FILE", args->file, "The file that holds the data")->required()->type_name("");

    Settings& settings = args->settings;
    add_size(app, settings, "--offset,-o", "offset_bytes", "Where in the file the data starts");
    add_size(app, settings, "--sizelimit", "size_limit_bytes", "How much of the file to use");
    add_size(app, settings, "--block-size,-b", "block_size", "Logical block size");
    add_switch(app, settings, "--direct-io", "direct_io", "Bypass the page cache of the file");
    add_flag(app, settings, "--read-only,-r", "read_only", "Refuse writes");
    add_flag(app, settings, "--partscan,-P", "partscan", "Look for partitions");
    add_flag(app, settings, "--autoclear", "autoclear", "Take it down at the last close");
    return [args](World& world) {
        Settings all{{"file", absolute(args->file)}};
        all.insert(all.end(), args->settings.begin(), args->settings.end());
        return changed(create(world.control, args->id, all), args->id);
    };
}

Action loop_detach(CLI::App& app)
{
    return declare_remove(app, Kind::loop);
}

Action loop_resize(CLI::App& app)
{
    auto id = std::make_shared<Id>(Id{Kind::loop, {}});
    add_name(app, id->name);
    return [id](World& world) -> Result<Output> {
        if (auto exists = check_exists(world.control, *id); !exists)
            return exists.error();
        if (attribute(world.control, *id, "enable") != "1")
            return Error{ENODEV, fmt::format("loop device '{}' is not up", id->name)};
        return changed(change(world.control, *id, {{"enable", "1"}}), *id);
    };
}

Action loop_set(CLI::App& app)
{
    auto args = std::make_shared<LoopArguments>();
    add_name(app, args->id.name);
    add_switch(app, args->settings, "--direct-io", "direct_io",
               "Bypass the page cache of the file");
    add_switch(app, args->settings, "--autoclear", "autoclear", "Take it down at the last close");
    app.require_option(1, 0);
    return [args](World& world) {
        return changed(change(world.control, args->id, args->settings), args->id);
    };
}

Action loop_list(CLI::App&)
{
    return [](World& world) -> Result<Output> {
        const auto ids = objects(world.control, std::array{Kind::loop});
        if (!ids)
            return ids.error();
        std::vector<Row> rows{{"NAME", "SIZE", "STATE", "OFFSET", "FILE"}};
        Json data = Json::array();
        for (const Id& id : *ids) {
            const Device device = read_device(world.control, id);
            rows.push_back(loop_row(world.control, id, device));
            data.push_back(loop_json(world.control, id, device));
        }
        return Output{columns(rows), std::move(data)};
    };
}

} // namespace kio
