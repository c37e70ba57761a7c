// SPDX-License-Identifier: GPL-2.0
// Logical volumes that lvm2 has made: brought up by us in device-mapper's place.
#include <cerrno>
#include <memory>
#include <ranges>

#include <fmt/format.h>

#include "kioctl/command.hpp"
#include "lib/device.hpp"
#include "lib/lvm_plan.hpp"

namespace kio {

namespace {

Id id_of(const std::string& name)
{
    return {Kind::lvm, name};
}

void add_target(CLI::App& app, std::string& target)
{
    app.add_option("VG", target, "A volume group, or one logical volume of it: VG/LV")
        ->required()
        ->type_name("");
}

Json to_json(const std::string& name)
{
    return {{"kind", folder(Kind::lvm)}, {"name", name}, {"path", device_path(name)}};
}

/// What was refused, and what is left because it could not be undone.
void add_failure(Error& error, const Result<>& undoing)
{
    if (!undoing)
        error.sentence += "; moreover, " + undoing.error().sentence;
}

// ---- up ----

enum class State { absent, same, other };

/// Is it there, and with this table?
State state_of(const Control& control, const LvmVolume& volume)
{
    const Id id = id_of(volume.name);
    if (attribute(control, id, "uuid") != volume.uuid || attribute(control, id, "enable") != "1")
        return State::absent;
    return attribute(control, id, "table") + '\n' == volume.table ? State::same : State::other;
}

bool is_up(const Control& control, const LvmUnit& unit)
{
    return std::ranges::all_of(
        unit, [&](const LvmVolume& volume) { return state_of(control, volume) != State::absent; });
}

/// lvm2 may have moved or resized one that is up meanwhile; snapshots stay as they are.
Result<> follow(Control& control, const LvmVolume& volume)
{
    if (state_of(control, volume) == State::same)
        return {};
    const Id id = id_of(volume.name);
    auto followed =
        change(control, id, {{"table", "clear"}, {"table", volume.table}, {"enable", "1"}});
    if (followed)
        return {};
    // What was refused must not stay staged: it would be tried again with the next enable.
    Error error = followed.error();
    add_failure(error, change(control, id, {{"table", "clear"}}));
    return error;
}

/// Makes what is to go up, and unmakes it again unless all of it did.
class Activation {
public:
    explicit Activation(Control& control) : control_(control) {}

    Result<> bring_up(const LvmUnit& unit)
    {
        made_.emplace_back();
        for (const LvmVolume& volume : unit) {
            const Settings settings{{"uuid", volume.uuid}, {"table", volume.table}};
            if (auto made = create(control_, id_of(volume.name), settings); !made)
                return made;
            made_.back().push_back(volume.name);
        }
        return {};
    }

    Error undo(Error error)
    {
        for (const auto& names : std::views::reverse(made_))
            add_failure(error, remove_unit(names));
        return error;
    }

private:
    /// An origin comes last, and goes first: if it cannot, its snapshots stay as well.
    Result<> remove_unit(const std::vector<std::string>& names)
    {
        for (const std::string& name : std::views::reverse(names))
            if (auto removed = remove(control_, id_of(name)); !removed)
                return removed;
        return {};
    }

    Control& control_;
    std::vector<std::vector<std::string>> made_;
};

Result<Output> activate(World& world, const LvmTarget& target)
{
    const auto group = lvm2::report(world.runner, target.vg);
    if (!group)
        return group.error();
    const auto units = plan_activation(*group, target);
    if (!units)
        return units.error();
    Activation activation{world.control};
    std::vector<const LvmVolume*> up_already;
    Json data = Json::array();
    for (const LvmUnit& unit : *units) {
        if (is_up(world.control, unit)) {
            if (unit.size() == 1)
                up_already.push_back(&unit.front());
        } else if (auto up = activation.bring_up(unit); !up) {
            return activation.undo(up.error());
        }
        for (const LvmVolume& volume : unit)
            data.push_back(to_json(volume.name));
    }
    // These last, since they cannot be undone.
    for (const LvmVolume* volume : up_already)
        if (auto followed = follow(world.control, *volume); !followed)
            return activation.undo(followed.error());
    return Output{.text = {}, .data = std::move(data)};
}

// ---- down ----

Result<std::vector<LvmVolume>> volumes_there(const Control& control)
{
    const auto ids = objects(control, std::array{Kind::lvm});
    if (!ids)
        return ids.error();
    std::vector<LvmVolume> there;
    for (const Id& id : *ids)
        there.push_back({id.name, attribute(control, id, "uuid"), attribute(control, id, "table")});
    return there;
}

/// All of them, or none: what has gone down comes back when another is in use.
Result<> take_down(Control& control, const std::vector<std::string>& names)
{
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto down = change(control, id_of(names[i]), {{"enable", "0"}});
        if (down)
            continue;
        Error error = down.error();
        // Origins come up last: not at all, if a snapshot of theirs may be missing.
        Result<> back;
        for (std::size_t n = i; back && n-- > 0;)
            back = change(control, id_of(names[n]), {{"enable", "1"}});
        add_failure(error, back);
        return error;
    }
    for (const std::string& name : names)
        if (auto removed = remove(control, id_of(name)); !removed)
            return removed;
    return {};
}

Result<Output> deactivate(World& world, const LvmTarget& target)
{
    const auto there = volumes_there(world.control);
    if (!there)
        return there.error();
    const auto names = plan_deactivation(*there, target);
    if (!names)
        return names.error();
    if (auto down = take_down(world.control, *names); !down)
        return down.error();
    Json data = Json::array();
    for (const std::string& name : *names)
        data.push_back(to_json(name));
    return Output{.text = {}, .data = std::move(data)};
}

Action declare(CLI::App& app, Result<Output> (*act)(World&, const LvmTarget&))
{
    auto text = std::make_shared<std::string>();
    add_target(app, *text);
    return [text, act](World& world) -> Result<Output> {
        const auto target = parse_target(*text);
        if (!target)
            return target.error();
        return act(world, *target);
    };
}

} // namespace

Action lvm_activate(CLI::App& app)
{
    return declare(app, activate);
}

Action lvm_deactivate(CLI::App& app)
{
    return declare(app, deactivate);
}

} // namespace kio
