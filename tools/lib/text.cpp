// SPDX-License-Identifier: GPL-2.0
#include "lib/text.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

namespace kio {

namespace {

/// Code points, which is how wide a terminal shows a tree's branches.
std::size_t width(std::string_view text)
{
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

std::vector<std::size_t> column_widths(const std::vector<Row>& rows)
{
    std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths.at(i) = std::max(widths.at(i), width(row[i]));
    return widths;
}

} // namespace

std::string trimmed(std::string_view text)
{
    constexpr std::string_view space = " \t\r\n";
    const auto first = text.find_first_not_of(space);
    if (first == std::string_view::npos)
        return {};
    return std::string{text.substr(first, text.find_last_not_of(space) - first + 1)};
}

std::vector<std::string> split_lines(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

std::vector<std::string> split_words(const std::string& text)
{
    std::vector<std::string> words;
    std::istringstream stream{text};
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

std::optional<std::uint64_t> parse_number(std::string_view text)
{
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        return std::nullopt;
    return value;
}

std::string human_size(std::optional<std::uint64_t> bytes)
{
    if (!bytes)
        return {};
    constexpr std::string_view units = "BKMGTPE";
    auto value = static_cast<double>(*bytes);
    std::size_t unit = 0;
    for (; value >= 1024; value /= 1024)
        ++unit;
    return fmt::format("{:.4g}{}", value, units.at(unit));
}

std::string columns(const std::vector<Row>& rows)
{
    const auto widths = column_widths(rows);
    std::string text;
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
        text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    return text;
}

} // namespace kio
