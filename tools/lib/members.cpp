// SPDX-License-Identifier: GPL-2.0
#include "lib/members.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/text.hpp"
#include "lib/uuid.hpp"

namespace kio {

namespace {

std::string noun(const Content& content)
{
    if (content.usage == "filesystem")
        return "a file system";
    if (content.usage == "raid")
        return "a member of an array";
    if (content.usage == "crypto")
        return "an encrypted volume";
    if (content.usage == "partitions")
        return "a partition table";
    return "data";
}

std::string describe(const Content& content)
{
    const std::string version = content.version.empty() ? "" : ' ' + content.version;
    const std::string label =
        content.label.empty() ? "" : fmt::format(" named '{}'", content.label);
    return fmt::format("{} ({}{}){}", noun(content), content.type, version, label);
}

std::string describe(const std::vector<Content>& contents)
{
    std::vector<std::string> all;
    for (const Content& content : contents)
        all.push_back(describe(content));
    return fmt::format("{}", fmt::join(all, " and "));
}

/// Where sysfs has '!' the name has '/'.
std::string path_of(std::string sysfs_name)
{
    std::ranges::replace(sysfs_name, '!', '/');
    return "/dev/" + sysfs_name;
}

/// The disk below a filter shows the same superblock as the filter does.
bool may_be_free(const Control& control, const std::string& sysfs_name)
{
    const std::string folder = "/sys/class/block/" + sysfs_name;
    const auto size = parse_number(trimmed(control.read(folder + "/size").value_or({})));
    return size.value_or(0) > 0 && control.directories(folder + "/holders").value_or({}).empty();
}

bool matches(const Content& content, const Wanted& wanted)
{
    return content.type == "linux_raid_member" && content.version == "1.2" &&
           (wanted.uuid.empty() || md_uuid(content.uuid) == wanted.uuid) &&
           (wanted.name.empty() || content.label == wanted.name ||
            content.label.ends_with(':' + wanted.name));
}

std::string describe(const Wanted& wanted)
{
    return wanted.uuid.empty() ? fmt::format("named '{}'", wanted.name) : wanted.uuid;
}

/// Paths by the array's UUID.
using Members = std::map<std::string, std::vector<std::string>>;

Result<std::vector<std::string>> only_array(const Members& members, const Wanted& wanted)
{
    if (members.size() == 1)
        return members.begin()->second;
    if (members.empty())
        return Error{ENOENT, fmt::format("no block device that is free is a member of an array {}",
                                         describe(wanted))};
    std::vector<std::string> uuids;
    for (const auto& [uuid, paths] : members)
        uuids.push_back(uuid);
    return Error{EEXIST, fmt::format("{} arrays are {}; choose one by --uuid: {}", members.size(),
                                     describe(wanted), fmt::join(uuids, ", "))};
}

} // namespace

Result<> check_blank(const Prober& prober, const std::vector<std::string>& paths)
{
    for (const std::string& path : paths) {
        const auto contents = prober.contents(path);
        if (!contents)
            return Error{contents.error().code,
                         fmt::format("cannot read {}: {}", path, contents.error().sentence)};
        if (!contents->empty())
            return Error{EEXIST, fmt::format("{} holds {}; --force overwrites it", path,
                                             describe(*contents))};
    }
    return {};
}

Result<std::vector<std::string>> find_members(const World& world, const Wanted& wanted)
{
    const auto names = world.control.directories("/sys/class/block");
    if (!names)
        return Error{names.error().code,
                     fmt::format("cannot list block devices: {}", names.error().sentence)};
    Members members;
    for (const std::string& name : *names) {
        if (!may_be_free(world.control, name))
            continue;
        const std::string path = path_of(name);
        for (const Content& content : world.prober.contents(path).value_or({}))
            if (matches(content, wanted))
                members[md_uuid(content.uuid).value_or(content.uuid)].push_back(path);
    }
    return only_array(members, wanted);
}

} // namespace kio
