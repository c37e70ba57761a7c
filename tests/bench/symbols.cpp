// SPDX-License-Identifier: GPL-2.0
#include "symbols.hpp"

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "hex.hpp"
#include "lib/text.hpp"

namespace kio::bench {

namespace {

constexpr std::string_view code_types = "tTwW";

/// `line` is "ADDRESS TYPE NAME" or "ADDRESS TYPE NAME [MODULE]".
std::optional<Symbol> parse_function(const std::string& line)
{
    std::istringstream fields{line};
    std::string address, type, name, module;
    fields >> address >> type >> name >> module;
    const auto start = parse_hex(address);
    if (!start || *start == 0 || name.empty() || type.size() != 1 ||
        code_types.find(type) == std::string_view::npos)
        return std::nullopt;
    if (module.size() > 2)
        module = module.substr(1, module.size() - 2);
    return Symbol{*start, std::move(name), std::move(module)};
}

} // namespace

Result<Symbols> Symbols::from_kallsyms(const std::string& text)
{
    std::vector<Symbol> functions;
    for (const std::string& line : split_lines(text))
        if (auto function = parse_function(line))
            functions.push_back(*std::move(function));
    if (functions.empty())
        return Error{EINVAL, "kallsyms shows no addresses of functions."};
    std::ranges::stable_sort(functions, {}, &Symbol::address);
    return Symbols{std::move(functions)};
}

const Symbol* Symbols::at(std::uint64_t address) const
{
    const auto after = std::ranges::upper_bound(sorted_, address, {}, &Symbol::address);
    return after == sorted_.begin() ? nullptr : &*std::prev(after);
}

std::optional<std::uint64_t> Symbols::address_of(std::string_view name) const
{
    const auto found = std::ranges::find(sorted_, name, &Symbol::name);
    if (found == sorted_.end())
        return std::nullopt;
    return found->address;
}

} // namespace kio::bench
