// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kio {

/// An array's UUID as mdadm prints it, "01234567:89abcdef:01234567:89abcdef", of 32 hexadecimal
/// digits with any signs ':' and '-' between them; libblkid has the latter.
std::optional<std::string> md_uuid(std::string_view text);

/// The same, of 16 bytes.
std::string md_uuid_of_bytes(std::string_view bytes);

} // namespace kio
