// SPDX-License-Identifier: GPL-2.0
#include "lib/object.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "lib/text.hpp"

namespace kio {

namespace {

struct KindInfo {
    std::string_view folder;
    std::string_view module;
    std::string_view noun;
};

constexpr std::array<KindInfo, kinds.size()> kind_info{{
    {"lvm", "klvm", "lvm volume"},
    {"raid", "kraid", "raid array"},
    {"loop", "kloop", "loop device"},
    {"filter", "kfilter", "filter"},
}};

const KindInfo& info(Kind kind)
{
    return kind_info.at(static_cast<std::size_t>(kind));
}

std::string path_of(const Id& id)
{
    return fmt::format("{}/{}", folder(id.kind), id.name);
}

std::string path_of(const Id& id, std::string_view attribute)
{
    return fmt::format("{}/{}/{}", folder(id.kind), id.name, attribute);
}

Error bad_name(std::string_view name, std::string_view why)
{
    return {EINVAL, fmt::format("'{}' cannot name a device: {}", name, why)};
}

Result<> check_name(std::string_view name)
{
    constexpr std::size_t longest = 27;
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789_.+-";
    if (name.empty())
        return bad_name(name, "it is empty");
    if (name == "raw" || name == "." || name == "..")
        return bad_name(name, "the word is reserved");
    if (name.find_first_not_of(allowed) != std::string_view::npos)
        return bad_name(name, "it may hold only letters, digits and the signs _ . + -");
    if (name.size() > longest)
        return bad_name(name, fmt::format("it may have at most {} characters", longest));
    return {};
}

Result<> check_mounted(const Control& control)
{
    if (control.configfs_mounted())
        return {};
    return Error{ENODEV, "configfs is not mounted on /sys/kernel/config"};
}

Result<> load_kind(Control& control, Kind kind)
{
    const std::string directory{folder(kind)}, module{info(kind).module};
    if (control.is_directory(directory))
        return {};
    if (auto mounted = check_mounted(control); !mounted)
        return mounted;
    if (control.modprobe(module) && control.is_directory(directory))
        return {};
    return Error{ENODEV, fmt::format("module {} is missing: it is not loaded and modprobe could "
                                     "not load it",
                                     module)};
}

Result<> make(Control& control, const Id& id)
{
    if (auto good = check_name(id.name); !good)
        return good;
    if (auto loaded = load_kind(control, id.kind); !loaded)
        return loaded;
    auto made = control.mkdir(path_of(id));
    if (made)
        return {};
    const auto& [code, reason] = made.error();
    return Error{code, fmt::format("cannot create {}: {}", describe(id),
                                   code == EEXIST ? "a device of this name exists" : reason)};
}

/// Long values, such as tables, would drown the reason.
std::string shown(const Setting& setting)
{
    if (setting.value.find_first_of(" \n") != std::string::npos)
        return setting.attribute;
    return fmt::format("{}={}", setting.attribute, setting.value);
}

/// Nothing opens what a module of another version does not have.
Error no_attribute(const Id& id, std::string_view attribute)
{
    return {ENOENT, fmt::format("{} has no attribute '{}': the module {} that is loaded does not "
                                "know it",
                                describe(id), attribute, info(id.kind).module)};
}

Error refusal(const Control& control, const Id& id, const Setting& setting, const Error& cause)
{
    if (cause.code == ENOENT && !cause.sentence.empty() && control.is_directory(path_of(id)))
        return no_attribute(id, setting.attribute);
    std::string reason = cause.sentence;
    if (reason.empty())
        reason = attribute(control, id, "error");
    if (reason.empty())
        reason = std::generic_category().message(cause.code);
    return {cause.code, fmt::format("{} refused {}: {}", describe(id), shown(setting), reason)};
}

/// configfs takes less than a page at a time and the kernel consumes only whole lines of it, so
/// the rest is offered again until all of it is taken.
Result<> write_lines(Control& control, const std::string& path, std::string_view lines)
{
    while (!lines.empty()) {
        auto taken = control.write(path, lines);
        if (!taken)
            return taken.error();
        if (*taken == 0)
            return Error{EMSGSIZE, "a line is too long for one write"};
        lines.remove_prefix(*taken);
    }
    return {};
}

Result<> apply(Control& control, const Id& id, const Settings& settings)
{
    for (const Setting& setting : settings) {
        std::string lines = setting.value;
        if (!lines.ends_with('\n'))
            lines += '\n';
        auto written = write_lines(control, path_of(id, setting.attribute), lines);
        if (!written)
            return refusal(control, id, setting, written.error());
    }
    return {};
}

Result<> remove_directory(Control& control, const Id& id)
{
    auto removed = control.rmdir(path_of(id));
    if (removed)
        return {};
    const auto& [code, reason] = removed.error();
    return Error{code, fmt::format("cannot remove {}: {}", describe(id), reason)};
}

/// What was refused, and what is left because it could not be undone.
Error undone(Error error, const Result<>& undoing)
{
    if (!undoing)
        error.sentence += "; moreover, " + undoing.error().sentence;
    return error;
}

} // namespace

std::string_view folder(Kind kind)
{
    return info(kind).folder;
}

std::string describe(const Id& id)
{
    return fmt::format("{} '{}'", info(id.kind).noun, id.name);
}

Result<> check_exists(const Control& control, const Id& id)
{
    if (auto good = check_name(id.name); !good)
        return good;
    if (auto mounted = check_mounted(control); !mounted)
        return mounted;
    if (!control.is_directory(path_of(id)))
        return Error{ENOENT, fmt::format("there is no {}", describe(id))};
    return {};
}

Result<> create(Control& control, const Id& id, const Settings& settings, const Settings& once_up)
{
    if (auto made = make(control, id); !made)
        return made;

    auto up = apply(control, id, settings);
    if (up)
        up = apply(control, id, {{"enable", "1"}});
    if (!up)
        return undone(up.error(), remove_directory(control, id));
    if (auto rest = apply(control, id, once_up); !rest)
        return undone(rest.error(), remove(control, id));
    return {};
}

Result<> change(Control& control, const Id& id, const Settings& settings)
{
    if (auto exists = check_exists(control, id); !exists)
        return exists;
    return apply(control, id, settings);
}

Result<> remove(Control& control, const Id& id)
{
    if (auto down = change(control, id, {{"enable", "0"}}); !down)
        return down;
    return remove_directory(control, id);
}

Result<std::vector<Id>> objects(const Control& control, std::span<const Kind> of_kinds)
{
    if (auto mounted = check_mounted(control); !mounted)
        return mounted.error();
    std::vector<Id> found;
    for (Kind kind : of_kinds)
        for (auto& name : control.directories(std::string{folder(kind)}).value_or({}))
            found.push_back({kind, name});
    return found;
}

Result<Id> find(const Control& control, const std::string& name)
{
    if (auto good = check_name(name); !good)
        return good.error();
    if (auto mounted = check_mounted(control); !mounted)
        return mounted.error();
    for (Kind kind : kinds)
        if (control.is_directory(path_of({kind, name})))
            return Id{kind, name};
    return Error{ENOENT, fmt::format("there is no device '{}'", name)};
}

std::string attribute(const Control& control, const Id& id, std::string_view name)
{
    return trimmed(control.read(path_of(id, name)).value_or({}));
}

Result<std::string> read_attribute(const Control& control, const Id& id, std::string_view name)
{
    auto text = control.read(path_of(id, name));
    if (text)
        return trimmed(*text);
    const auto& [code, reason] = text.error();
    if (!control.is_directory(path_of(id)))
        return Error{ENOENT, fmt::format("there is no {}", describe(id))};
    if (code == ENOENT)
        return no_attribute(id, name);
    return Error{code, fmt::format("cannot read {} of {}: {}", name, describe(id), reason)};
}

} // namespace kio
