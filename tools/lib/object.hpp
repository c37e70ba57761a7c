// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/control.hpp"

namespace kio {

enum class Kind { lvm, raid, loop, filter };
inline constexpr std::array kinds{Kind::lvm, Kind::raid, Kind::loop, Kind::filter};

/// The folder of this kind in configfs: "lvm".
std::string_view folder(Kind kind);

/// Names one object, existing or not: the configfs directory KIND/NAME.
struct Id {
    Kind kind;
    std::string name;
};

/// For sentences: "raid array 'r0'".
std::string describe(const Id& id);

/// One attribute and what to write into it.
struct Setting {
    std::string attribute;
    std::string value;
};
using Settings = std::vector<Setting>;

/// Refused in words when the name is no name, or no object has it.
Result<> check_exists(const Control& control, const Id& id);

/// Makes the object, applies the settings in order, brings it up, and applies what needs it to be
/// up. Loads the kind's module when it is missing. On refusal nothing of the object is left.
Result<> create(Control& control, const Id& id, const Settings& settings,
                const Settings& once_up = {});

/// Applies the settings in order to an existing object, up to the first that is refused.
Result<> change(Control& control, const Id& id, const Settings& settings);

/// Takes the object down and removes it; refused whole while it is in use.
Result<> remove(Control& control, const Id& id);

/// The objects of these kinds, kind by kind, then by name. A kind whose module is not loaded has
/// none.
Result<std::vector<Id>> objects(const Control& control, std::span<const Kind> of_kinds = kinds);

/// The object of this name, whatever its kind.
Result<Id> find(const Control& control, const std::string& name);

/// The attribute's text without white space around it; empty if it cannot be read.
std::string attribute(const Control& control, const Id& id, std::string_view name);

/// The same where it cannot be done without.
Result<std::string> read_attribute(const Control& control, const Id& id, std::string_view name);

} // namespace kio
