// SPDX-License-Identifier: GPL-2.0
#include "lib/uuid.hpp"

#include <fmt/format.h>

namespace kio {

namespace {

constexpr std::size_t uuid_digits = 32, group_digits = 8;

bool is_digit(char sign)
{
    return (sign >= '0' && sign <= '9') || (sign >= 'a' && sign <= 'f');
}

std::string grouped(const std::string& digits)
{
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && i % group_digits == 0)
            text += ':';
        text += digits[i];
    }
    return text;
}

} // namespace

std::optional<std::string> md_uuid(std::string_view text)
{
    std::string digits;
    for (char sign : text) {
        const char low = sign >= 'A' && sign <= 'F' ? static_cast<char>(sign - 'A' + 'a') : sign;
        if (is_digit(low))
            digits += low;
        else if (sign != ':' && sign != '-')
            return std::nullopt;
    }
    if (digits.size() != uuid_digits)
        return std::nullopt;
    return grouped(digits);
}

std::string md_uuid_of_bytes(std::string_view bytes)
{
    std::string digits;
    for (char byte : bytes)
        digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return grouped(digits);
}

} // namespace kio
