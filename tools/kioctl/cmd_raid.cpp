// SPDX-License-Identifier: GPL-2.0
// Arrays and their legs: what is made, and what comes and goes.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kioctl/command.hpp"
#include "lib/members.hpp"
#include "lib/uuid.hpp"

namespace kio {

namespace {

constexpr const char* missing = "missing";

struct CreateArguments {
    Id id{Kind::raid, {}};
    Settings shape;
    std::string metadata = "1.2";
    Settings superblock; ///< what makes sense with metadata only
    bool force = false;
    std::vector<std::string> legs;
    std::vector<std::string> spares;
};

struct AssembleArguments {
    Id id{Kind::raid, {}};
    bool force = false;
    bool scan = false;
    std::string uuid;
    std::vector<std::string> legs;
};

std::vector<std::string> absolute_legs(const std::vector<std::string>& legs)
{
    std::vector<std::string> paths;
    for (const std::string& leg : legs)
        paths.push_back(leg == missing ? leg : absolute(leg));
    return paths;
}

Setting legs_setting(const std::vector<std::string>& paths)
{
    return {"legs", fmt::format("{}", fmt::join(paths, "\n"))};
}

Settings create_settings(const CreateArguments& args, const std::vector<std::string>& legs)
{
    Settings settings = args.shape;
    settings.push_back({"metadata", args.metadata});
    if (args.metadata != "none")
        settings.insert(settings.end(), {{"create", "1"}, {"name", args.id.name}});
    settings.insert(settings.end(), args.superblock.begin(), args.superblock.end());
    settings.push_back(legs_setting(legs));
    return settings;
}

/// An array without metadata writes nothing when it is made, and what its legs hold is what it
/// holds: only superblocks need blank legs.
Result<> check_legs(const Prober& prober, const CreateArguments& args,
                    const std::vector<std::string>& legs, const std::vector<std::string>& spares)
{
    if (args.force || args.metadata == "none")
        return {};
    std::vector<std::string> paths = legs;
    std::erase(paths, missing);
    paths.insert(paths.end(), spares.begin(), spares.end());
    return check_blank(prober, paths);
}

Result<> create_array(const World& world, const CreateArguments& args)
{
    const auto legs = absolute_legs(args.legs), spares = absolute_legs(args.spares);
    if (auto blank = check_legs(world.prober, args, legs, spares); !blank)
        return blank;
    Settings once_up;
    for (const std::string& spare : spares)
        once_up.push_back({"spare", spare});
    return create(world.control, args.id, create_settings(args, legs), once_up);
}

Result<std::vector<std::string>> members(const World& world, const AssembleArguments& args)
{
    if (!args.legs.empty())
        return absolute_legs(args.legs);
    return find_members(world, {.uuid = args.uuid, .name = args.scan ? args.id.name : ""});
}

Result<> assemble_array(const World& world, const AssembleArguments& args)
{
    const auto legs = members(world, args);
    if (!legs)
        return legs.error();
    Settings settings{{"metadata", "1.2"}, {"create", "0"}};
    if (args.force)
        settings.push_back({"force", "1"});
    settings.push_back(legs_setting(*legs));
    return create(world.control, args.id, settings);
}

CLI::Validator uuid_form()
{
    const auto normalise = [](std::string& text) -> std::string {
        const auto uuid = md_uuid(text);
        if (!uuid)
            return fmt::format("{} is no UUID of 32 hexadecimal digits", text);
        text = *uuid;
        return {};
    };
    return {normalise, ""};
}

/// A command that writes the paths of legs, as many as it has names for, to one attribute.
Action declare_leg_change(CLI::App& app, const std::string& attribute,
                          const std::vector<std::pair<std::string, std::string>>& words)
{
    struct Arguments {
        Id id{Kind::raid, {}};
        std::vector<std::string> paths;
    };
    auto args = std::make_shared<Arguments>();
    args->paths.resize(words.size());
    add_name(app, args->id.name);
    for (std::size_t i = 0; i < words.size(); ++i)
        app.add_option(words[i].first, args->paths[i], words[i].second)->required()->type_name("");
    return [args, attribute](World& world) {
        const auto paths = fmt::format("{}", fmt::join(absolute_legs(args->paths), " "));
        return changed(change(world.control, args->id, {{attribute, paths}}), args->id);
    };
}

void add_shape(CLI::App& app, Settings& shape)
{
    add_setting(app, shape, "--level,-l", "level", "0, 1, 4, 5, 6 or 10")
        ->required()
        ->type_name("LEVEL");
    add_setting(app, shape, "--chunk,--chunk-kib,-c", "chunk_kib", "Chunk size in KiB")
        ->type_name("KIB");
    add_setting(app, shape, "--layout", "layout", "Where parity or copies lie, md's names")
        ->type_name("NAME");
}

void add_superblock(CLI::App& app, Settings& superblock)
{
    const auto clean = [&superblock] { superblock.push_back({"assume_clean", "1"}); };
    app.add_flag_callback("--assume-clean", clean, "The legs are in line already: no first resync");
    add_setting(app, superblock, "--bitmap,-b", "bitmap", "Write-intent bitmap: none or internal")
        ->type_name("KIND");
    add_setting(app, superblock, "--uuid,-u", "uuid", "The array's UUID, else a random one")
        ->transform(uuid_form())
        ->type_name("UUID");
}

} // namespace

Action raid_create(CLI::App& app)
{
    auto args = std::make_shared<CreateArguments>();
    add_name(app, args->id.name);
    add_shape(app, args->shape);
    app.add_option("--metadata,-e", args->metadata, "Superblock on the legs: none or 1.2")
        ->type_name("VERSION")
        ->capture_default_str();
    add_superblock(app, args->superblock);
    app.add_option("--spare", args->spares, "A device to step in for a leg; may be repeated")
        ->allow_extra_args(false)
        ->type_name("PATH");
    app.add_flag("--force,-f", args->force, "Overwrite what the legs hold");
    app.add_option("LEG", args->legs, "The legs' paths in order, or the word missing")
        ->required()
        ->type_name("");
    return [args](World& world) { return changed(create_array(world, *args), args->id); };
}

Action raid_assemble(CLI::App& app)
{
    auto args = std::make_shared<AssembleArguments>();
    add_name(app, args->id.name);
    app.add_flag("--force,-f", args->force, "Although legs are missing, dirty or out of date");
    auto* source = app.add_option_group("members", "Which devices are the array");
    source->add_option("LEG", args->legs, "The members' paths")->type_name("");
    source->add_option("--uuid,-u", args->uuid, "All block devices of the array with this UUID")
        ->transform(uuid_form())
        ->type_name("UUID");
    source->add_flag("--scan,-s", args->scan, "All block devices of the array named NAME");
    source->require_option(1);
    return [args](World& world) { return changed(assemble_array(world, *args), args->id); };
}

Action raid_stop(CLI::App& app)
{
    return declare_remove(app, Kind::raid);
}

Action raid_fail(CLI::App& app)
{
    return declare_leg_change(app, "fail", {{"LEG", "The leg's path"}});
}

Action raid_remove(CLI::App& app)
{
    return declare_leg_change(app, "remove", {{"LEG", "The faulty leg's or the spare's path"}});
}

Action raid_add(CLI::App& app)
{
    return declare_leg_change(app, "add", {{"LEG", "The path of a former leg or of a new one"}});
}

Action raid_spare(CLI::App& app)
{
    return declare_leg_change(app, "spare", {{"LEG", "The spare's path"}});
}

Action raid_replace(CLI::App& app)
{
    return declare_leg_change(
        app, "replace",
        {{"OLD", "The path of the leg to replace"}, {"NEW", "The path of what takes its place"}});
}

} // namespace kio
