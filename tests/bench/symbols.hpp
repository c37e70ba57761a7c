// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.hpp"

namespace kio::bench {

struct Symbol {
    std::uint64_t address;
    std::string name;
    std::string module; ///< empty for the kernel itself
};

/// The functions of a kernel, as its /proc/kallsyms lists them.
class Symbols {
public:
    /// Refused when it has no functions, or their addresses are hidden.
    static Result<Symbols> from_kallsyms(const std::string& text);

    /// The function that an address is in: the last that starts there or before; null below all.
    const Symbol* at(std::uint64_t address) const;

    std::optional<std::uint64_t> address_of(std::string_view name) const;

private:
    explicit Symbols(std::vector<Symbol> sorted) : sorted_(std::move(sorted)) {}

    std::vector<Symbol> sorted_;
};

} // namespace kio::bench
