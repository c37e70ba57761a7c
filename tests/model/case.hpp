// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "stack.hpp"

namespace kio::model {

/// A write to an attribute of a live device.
struct Set {
    std::string node;
    std::string attribute;
    Lines lines;

    bool operator==(const Set&) const = default;
};

enum class Via { probe, bdev };

/// A request to the device on top.
struct Io {
    Via via;
    Op op;
    std::uint64_t pos;
    std::uint64_t length;
    std::uint64_t seed; ///< of the data that is written
    std::uint64_t cut;  ///< how the memory is cut up; 0: whole pages
    bool fua;
    bool cancel; ///< if a rule holds it; else it is released

    bool operator==(const Io&) const = default;
};

/// Compares what all devices hold, and counters, with the model. Rules are cleared for it.
struct Check {
    bool operator==(const Check&) const = default;
};

using Step = std::variant<Set, Io, Check>;

struct Case {
    Stack stack;
    std::vector<Step> steps; ///< a Check follows the last

    bool operator==(const Case&) const = default;
};

/// A line for each disk, node and step; `#` begins a comment line.
std::string to_text(const Case& test);
std::string to_text(const Step& step);
Result<Case> parse_case(const std::string& text);

/// The same for a person to run in the guest, with kioctl or by hand.
std::string to_script(const Case& test);

} // namespace kio::model
