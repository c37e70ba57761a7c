// SPDX-License-Identifier: GPL-2.0
#include "lib/device.hpp"

#include "lib/text.hpp"

namespace kio {

namespace {

std::string state(const Control& control, const Id& id)
{
    if (attribute(control, id, "enable") != "1")
        return "down";
    if (id.kind == Kind::raid && parse_number(attribute(control, id, "degraded")).value_or(0) > 0)
        return "degraded";
    return "up";
}

} // namespace

std::string device_path(const std::string& name)
{
    return "/dev/kio/" + name;
}

Device read_device(const Control& control, const Id& id)
{
    return {.kind = std::string{folder(id.kind)},
            .name = id.name,
            .path = device_path(id.name),
            .state = state(control, id),
            .size_bytes = parse_number(attribute(control, id, "size_bytes"))};
}

Json to_json(const Device& device)
{
    Json data{{"kind", device.kind}, {"name", device.name}, {"path", device.path}};
    if (!device.state.empty())
        data["state"] = device.state;
    if (device.size_bytes)
        data["size_bytes"] = *device.size_bytes;
    return data;
}

} // namespace kio
