// SPDX-License-Identifier: GPL-2.0
#include "path.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "hex.hpp"
#include "lib/text.hpp"
#include "profile.hpp"

namespace kio::bench {

namespace {

struct Heading {
    std::uint64_t address;
    std::string function;
};

/// `line` is "0000000000001230 <kblk_submit_bio>:".
std::optional<Heading> parse_heading(std::string_view line)
{
    const auto name = line.find(" <");
    if (name == std::string_view::npos || !line.ends_with(">:"))
        return std::nullopt;
    const auto address = parse_hex(line.substr(0, name));
    if (!address)
        return std::nullopt;
    return Heading{*address, std::string{line.substr(name + 2, line.size() - name - 4)}};
}

struct Instruction {
    std::uint64_t address;
    std::string text;
};

/// `line` is "    1234:\tmov    %rdi,%rax".
std::optional<Instruction> parse_instruction(std::string_view line)
{
    const auto colon = line.find(":\t");
    if (colon == std::string_view::npos)
        return std::nullopt;
    const auto address = parse_hex(trimmed(line.substr(0, colon)));
    if (!address)
        return std::nullopt;
    return Instruction{*address, trimmed(line.substr(colon + 2))};
}

std::vector<std::uint64_t> offsets_within(const Sample& sample, const Symbols& symbols,
                                          std::string_view function)
{
    std::vector<std::uint64_t> offsets;
    for (const std::uint64_t address : sample)
        if (const Symbol* symbol = symbols.at(address); symbol && symbol->name == function)
            offsets.push_back(address - symbol->address);
    return offsets;
}

} // namespace

Disassembly disassembly_of(const std::string& objdump, std::string_view function)
{
    Disassembly disassembly;
    std::optional<std::uint64_t> start;
    for (const std::string& line : split_lines(objdump)) {
        if (const auto heading = parse_heading(line))
            start = heading->function == function ? std::optional{heading->address} : std::nullopt;
        else if (const auto instruction = parse_instruction(line); start && instruction)
            disassembly[instruction->address - *start] = instruction->text;
    }
    return disassembly;
}

Result<std::vector<std::uint64_t>> path_through(const std::vector<Sample>& samples,
                                                const Symbols& symbols, std::string_view function)
{
    for (const Sample& sample : samples) {
        if (was_interrupted(sample, symbols))
            continue;
        auto offsets = offsets_within(sample, symbols, function);
        if (!offsets.empty())
            return offsets;
    }
    return Error{ENOENT, fmt::format("No I/O ran {}.", function)};
}

std::string text_of(const std::vector<std::uint64_t>& path, std::string_view function,
                    const Disassembly& disassembly)
{
    std::string text;
    for (const std::uint64_t offset : path) {
        const auto found = disassembly.find(offset);
        const std::string words = found == disassembly.end() ? "" : found->second;
        text += trimmed(fmt::format("{}+{:<#6x} {}", function, offset, words)) + '\n';
    }
    return text;
}

} // namespace kio::bench
