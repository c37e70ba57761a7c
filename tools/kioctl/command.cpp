// SPDX-License-Identifier: GPL-2.0
#include "kioctl/command.hpp"

#include <filesystem>
#include <memory>

#include "lib/device.hpp"

namespace kio {

CLI::Option* add_name(CLI::App& app, std::string& name)
{
    return app.add_option("NAME", name, "The device's name below /dev/kio")
        ->required()
        ->type_name("");
}

CLI::Option* add_setting(CLI::App& app, Settings& settings, const std::string& option,
                         const std::string& attribute, const std::string& help)
{
    const auto set = [&settings, attribute](const std::string& value) {
        settings.push_back({attribute, value});
    };
    return app.add_option_function<std::string>(option, set, help);
}

Action declare_remove(CLI::App& app, Kind kind)
{
    auto id = std::make_shared<Id>(Id{kind, {}});
    add_name(app, id->name);
    return [id](World& world) { return changed(remove(world.control, *id), *id); };
}

std::string absolute(const std::string& path)
{
    std::error_code no_working_directory;
    const auto full = std::filesystem::absolute(path, no_working_directory);
    return no_working_directory ? path : full.string();
}

Result<Output> changed(const Result<>& done, const Id& id)
{
    if (!done)
        return done.error();
    return Output{
        .text = {},
        .data = {{"kind", folder(id.kind)}, {"name", id.name}, {"path", device_path(id.name)}}};
}

Json read_attributes(const Control& control, const Id& id, std::span<const std::string_view> names)
{
    Json members = Json::object();
    for (std::string_view name : names)
        if (const std::string value = attribute(control, id, name); !value.empty())
            members[std::string{name}] = scalar(value);
    return members;
}

} // namespace kio
