// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device.hpp"
#include "disk.hpp"

namespace kio::model {

struct DiskSpec {
    std::string name;
    std::uint64_t mib;
    std::uint32_t block;
    std::string content = {}; ///< disks that have the same begin alike; empty: as none other

    bool operator==(const DiskSpec&) const = default;
};

/// A device of ours. What its lines mean is its kind's to know; a word in them may be the name of
/// a device further down.
struct Node {
    std::string kind;
    std::string name;
    Lines lines;

    bool operator==(const Node&) const = default;
};

/// Each node stands behind those it lies on; the last is on top.
struct Stack {
    std::vector<DiskSpec> disks;
    std::vector<Node> nodes;

    bool operator==(const Stack&) const = default;
};

using Devices = std::map<std::string, Device*>;

/// A stack of models. Not to be copied: devices know their lowers.
struct ModelStack {
    std::vector<std::unique_ptr<Disk>> disks;
    std::vector<std::unique_ptr<Device>> nodes;
    Devices by_name;

    Device& top() const { return *nodes.back(); }
};

/// What a disk holds before a case begins. No two sectors are alike, but for disks that are to be
/// so; those of the content "period" hold the same 4 KiB again and again.
const Bytes& first_content(const DiskSpec& disk);

/// Fills with words that tell their place and seed.
void fill(std::span<Byte> bytes, std::uint64_t seed);

/// Refused where the kernel would refuse it too, or one of its parts is missing.
Result<ModelStack> make_model(const Stack& stack);

void add_disk(ModelStack& models, const DiskSpec& disk);
Result<> add_node(ModelStack& models, const Node& node);

/// What makes the content of a disk.
const std::string& content_of(const DiskSpec& disk);

/// The node's block device.
std::string path_of(const Stack& stack, const std::string& name);

} // namespace kio::model
