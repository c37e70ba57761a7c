// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kio {

/// Without white space at either end.
std::string trimmed(std::string_view text);

std::vector<std::string> split_lines(const std::string& text);

/// What white space lies between.
std::vector<std::string> split_words(const std::string& text);

/// The decimal number that the whole text is.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// "1.5G", "64M", "512B"; empty for no size.
std::string human_size(std::optional<std::uint64_t> bytes);

using Row = std::vector<std::string>;

/// One line a row, the columns aligned. All rows have as many cells as the first.
std::string columns(const std::vector<Row>& rows);

} // namespace kio
