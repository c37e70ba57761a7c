// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <functional>
#include <span>
#include <string>

#include <CLI/CLI.hpp>

#include "lib/object.hpp"
#include "lib/output.hpp"
#include "lib/world.hpp"

namespace kio {

/// Carries out a command whose arguments have been parsed.
using Action = std::function<Result<Output>(World&)>;

/// Adds a command's arguments to `app` and returns what to run once they are parsed.
using Declare = Action(CLI::App& app);

struct Command {
    const char* group; ///< empty for a command of one word
    const char* name;
    const char* alias; ///< may be empty
    const char* help;
    Declare* declare;
};

Declare lvm_create, lvm_load, lvm_remove, lvm_activate, lvm_deactivate;
Declare raid_create, raid_assemble, raid_stop;
Declare raid_fail, raid_remove, raid_add, raid_spare, raid_replace;
Declare raid_check, raid_wait, raid_bitmap, raid_speed, raid_detail, raid_examine;
Declare loop_attach, loop_detach, loop_resize, loop_set, loop_list;
Declare filter_create, filter_rules, filter_state, filter_release, filter_list, filter_remove;
Declare list_devices, show_tree, show_stats;

// What several commands share.

CLI::Option* add_name(CLI::App& app, std::string& name);

/// An option whose value goes to an attribute as it stands: the kernel judges it.
CLI::Option* add_setting(CLI::App& app, Settings& settings, const std::string& option,
                         const std::string& attribute, const std::string& help);

/// The command that takes down and removes the object NAME.
Action declare_remove(CLI::App& app, Kind kind);

/// The kernel resolves no path against our working directory.
std::string absolute(const std::string& path);

/// The output of a command that changed the object.
Result<Output> changed(const Result<>& done, const Id& id);

/// An object's attributes as members, in the order asked for; those without a value are left out.
Json read_attributes(const Control& control, const Id& id, std::span<const std::string_view> names);

} // namespace kio
