// SPDX-License-Identifier: GPL-2.0
#include "kioctl/kioctl.hpp"

#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kioctl/command.hpp"

namespace kio {

namespace {

struct Group {
    const char* name;
    const char* help;
};

constexpr Group groups[] = {
    {"lvm", "Volumes made of pieces of devices"},
    {"raid", "Striped and mirrored arrays"},
    {"loop", "Block devices over files"},
    {"filter", "Layers that change what passes"},
};

constexpr Command commands[] = {
    {"lvm", "create", "", "Make a volume and bring it up", lvm_create},
    {"lvm", "load", "", "Swap the table of a live volume", lvm_load},
    {"lvm", "remove", "", "Take a volume down", lvm_remove},
    {"lvm", "activate", "", "Bring up what lvm2 has made", lvm_activate},
    {"lvm", "deactivate", "", "Take that down", lvm_deactivate},
    {"raid", "create", "", "Make an array and bring it up", raid_create},
    {"raid", "assemble", "", "Bring up an array that has been made", raid_assemble},
    {"raid", "stop", "", "Take an array down", raid_stop},
    {"raid", "fail", "", "Declare a leg faulty", raid_fail},
    {"raid", "remove", "", "Let go of a faulty leg or a spare", raid_remove},
    {"raid", "add", "", "Take a leg back, or a new one", raid_add},
    {"raid", "spare", "", "Give the array a spare", raid_spare},
    {"raid", "replace", "", "Copy a leg to another device, which takes its place", raid_replace},
    {"raid", "check", "", "Compare the legs, or repair what differs", raid_check},
    {"raid", "wait", "", "Wait until the array is at rest", raid_wait},
    {"raid", "bitmap", "", "Give the array a write-intent bitmap, or none", raid_bitmap},
    {"raid", "speed", "", "Limit how fast the array resyncs", raid_speed},
    {"raid", "detail", "", "Show an array and its legs", raid_detail},
    {"raid", "examine", "", "Show the superblock on a device", raid_examine},
    {"loop", "attach", "create", "Make a block device of a file", loop_attach},
    {"loop", "detach", "remove", "Take a loop device down", loop_detach},
    {"loop", "list", "", "List the loop devices and their files", loop_list},
    {"loop", "resize", "", "Follow the size of the file", loop_resize},
    {"loop", "set", "", "Change what can be changed while it is up", loop_set},
    {"filter", "create", "", "Put a filter above a block device", filter_create},
    {"filter", "rules", "", "Show, add or replace the rules of flakey", filter_rules},
    {"filter", "state", "show", "Show what a filter has counted", filter_state},
    {"filter", "release", "", "Pass on what is delayed or held", filter_release},
    {"filter", "list", "", "List the filters and what they lie on", filter_list},
    {"filter", "remove", "", "Take a filter away", filter_remove},
    {"", "list", "", "List all devices", list_devices},
    {"", "tree", "", "Draw how devices lie on each other", show_tree},
    {"", "stats", "", "Print the counters of one device or of all", show_stats},
};

enum ExitStatus { done = 0, refused = 1, misused = 2 };

std::string verbs(const Group& group)
{
    std::vector<std::string_view> names;
    for (const Command& command : commands)
        if (command.group == std::string_view{group.name})
            names.emplace_back(command.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

void declare_all(CLI::App& app, Action& chosen)
{
    for (const Group& group : groups)
        app.add_subcommand(group.name, fmt::format("{}: {}", group.help, verbs(group)))
            ->require_subcommand(1);

    for (const Command& command : commands) {
        CLI::App* parent = *command.group ? app.get_subcommand(command.group) : &app;
        CLI::App* leaf = parent->add_subcommand(command.name, command.help);
        if (*command.alias)
            leaf->alias(command.alias);
        leaf->final_callback([&chosen, action = command.declare(*leaf)] { chosen = action; });
    }
}

/// CLI11 reports --help and --version as errors too, with exit code 0.
int finish_parse(const CLI::App& app, const CLI::ParseError& error, std::ostream& out,
                 std::ostream& err)
{
    if (error.get_exit_code() == 0)
        return app.exit(error, out, err);
    err << "kioctl: " << error.what() << "; see kioctl --help\n";
    return misused;
}

int refuse(std::ostream& err, const std::string& sentence)
{
    err << "kioctl: " << sentence << '\n';
    return refused;
}

} // namespace

int run(int argc, const char* const* argv, World world, std::ostream& out, std::ostream& err)
{
    CLI::App app{"Make, change and look at devices of the kiobuf stack.", "kioctl"};
    app.set_version_flag("--version", "kioctl " KIOCTL_VERSION);
    app.footer("kioctl(8) has examples.");
    app.require_subcommand(1);
    app.fallthrough();

    bool as_json = false;
    app.add_flag("--json", as_json, "Print JSON");
    Action chosen;
    declare_all(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return finish_parse(app, error, out, err);
    }

    if (!as_json)
        world.progress = &out;
    const auto output = chosen(world);
    if (!output)
        return refuse(err, output.error().sentence);
    out << (as_json ? dump(output->data) : output->text) << std::flush;
    return out ? done : refuse(err, "cannot write the output");
}

} // namespace kio
