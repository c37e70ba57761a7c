// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace kio {

/// Keeps members in the order they were added.
using Json = nlohmann::ordered_json;

/// What a command has to say: to a person, and with --json to a program.
struct Output {
    std::string text;
    Json data;
};

/// A number where the text is one, else the text.
Json scalar(const std::string& text);

/// Indented by two; bytes that are not UTF-8 are replaced, since JSON cannot hold them.
std::string dump(const Json& data);

} // namespace kio
