// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/object.hpp"
#include "lib/output.hpp"

namespace kio {

/// What every listing shows of a device: one of ours, or a disk or file below ours.
struct Device {
    std::string kind; ///< lvm, raid, loop, filter; foreign: disk, file
    std::string name;
    std::string path;
    std::string state; ///< up, degraded or down; empty for a foreign one
    std::optional<std::uint64_t> size_bytes;
};

/// The block device node of one of ours: "/dev/kio/NAME".
std::string device_path(const std::string& name);

Device read_device(const Control& control, const Id& id);

Json to_json(const Device& device);

} // namespace kio
