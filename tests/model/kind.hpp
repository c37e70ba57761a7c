// SPDX-License-Identifier: GPL-2.0
// What the driver knows of each kind of device. A new kind is a class here, a model of its own, and
// an entry in the table in kinds.cpp.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "case.hpp"
#include "lib/object.hpp"
#include "random.hpp"

namespace kio::model {

/// Where in a stack a new device is to come.
struct Place {
    unsigned depth = 0;                ///< layers that may still lie below it
    std::uint32_t align = sector_size; ///< of all that it is made of
    bool plain = false;       ///< below a layer that keeps data of its own: no holes, no failures
    std::string content = {}; ///< of the disks; empty: each has its own
    std::uint64_t mib = 1;    ///< of a disk
};

class Kind;

/// Grows a stack from the top down; each device is modelled as it comes.
class Grower {
public:
    Grower(Random& random, Words kinds) : random_(random), kinds_(std::move(kinds)) {}

    /// A disk or a device of any kind; its name.
    std::string grow(const Place& place);
    /// A device of ours.
    std::string grow_node(const Place& place);
    /// A device of this kind; empty if there is to be none of it.
    std::string grow_kind(std::string_view name, const Place& place);

    /// While it lives, so many disks more are kept for somebody.
    class Reserve {
    public:
        Reserve(Grower& grower, unsigned disks) : grower_(grower), disks_(disks)
        {
            grower_.reserved_ += disks_;
        }
        Reserve(const Reserve&) = delete;
        Reserve& operator=(const Reserve&) = delete;
        ~Reserve() { grower_.reserved_ -= disks_; }

    private:
        Grower& grower_;
        unsigned disks_;
    };

    Random& random() { return random_; }
    const Device& device(const std::string& name) const { return *models_.by_name.at(name); }
    unsigned disks_left() const;
    const Stack& stack() const { return stack_; }

private:
    std::string grow_disk(const Place& place);
    std::string add(const Kind& kind, const Place& place);

    Random& random_;
    Words kinds_;
    Stack stack_;
    ModelStack models_;
    unsigned next_ = 0;
    unsigned reserved_ = 0;
};

using PathOf = std::function<std::string(const std::string& name)>;

class Kind {
public:
    virtual ~Kind() = default;

    virtual std::string_view name() const = 0;
    /// In configfs.
    virtual kio::Kind folder() const = 0;
    /// Names of the devices that a node lies on, each once.
    virtual Words lowers(const Node& node) const = 0;
    virtual Result<std::unique_ptr<Device>> model(const Node& node,
                                                  const Devices& devices) const = 0;
    /// What to write before it is enabled.
    virtual Settings settings(const Node& node, const PathOf& path) const = 0;

    /// How often it is chosen, and whether it fits there.
    virtual unsigned weight(const Grower& grower, const Place& place) const = 0;
    /// The lines of a new node.
    virtual Lines random(Grower& grower, const Place& place) const = 0;
    /// A write to an attribute of the live device, if it has one worth it.
    virtual std::optional<Set> random_set(Random&, const Node&, const Device&) const { return {}; }
    /// Writes after which it is as it was when it came up.
    virtual std::vector<Set> calm(const Node&) const { return {}; }
    /// Attributes that the model may foretell.
    virtual Words watched() const { return {}; }
    /// Attributes that read otherwise once the device is not as it was when it came up.
    virtual Words worn() const { return {}; }
    /// The same write with paths in the place of names.
    virtual Set on_device(const Set& set, const PathOf&) const { return set; }
    /// What is to be read, and where, before anything else comes after that write.
    virtual std::optional<Setting> awaited(const Set&) const { return {}; }
    /// Keeps more on its lowers than the data.
    virtual bool keeps_state() const { return false; }

    /// Nodes that differ from this one by being simpler, the boldest first.
    virtual std::vector<Lines> simpler(const Node&) const { return {}; }
};

std::span<const Kind* const> kinds();
const Kind* find_kind(std::string_view name);

/// The kind of a node of a stack that could be modelled.
inline const Kind& kind_of(const Node& node)
{
    return *find_kind(node.kind);
}

} // namespace kio::model
