// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <vector>

#include "lib/device.hpp"

namespace kio {

/// A device and what it lies on.
struct Layer {
    Device device;
    std::vector<Layer> below;
};

/// Every device of ours that no other one of ours lies on, each with all that is below it, down to
/// foreign disks and files. A device that several share appears under each of them.
Result<std::vector<Layer>> read_stack(const Control& control);

/// A table, its first column drawn as a tree.
std::string draw(const std::vector<Layer>& roots);

Json to_json(const std::vector<Layer>& layers);

} // namespace kio
