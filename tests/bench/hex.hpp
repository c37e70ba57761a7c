// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kio::bench {

/// The number that the whole text is, in hexadecimal without 0x.
inline std::optional<std::uint64_t> parse_hex(std::string_view text)
{
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        return std::nullopt;
    return value;
}

} // namespace kio::bench
