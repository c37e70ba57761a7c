// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.hpp"
#include "symbols.hpp"
#include "trace.hpp"

namespace kio::bench {

/// A function's instructions in words, by their offsets from its start.
using Disassembly = std::map<std::uint64_t, std::string>;

/// Finds the function in what `objdump -d --no-show-raw-insn` prints; empty when it is not there.
Disassembly disassembly_of(const std::string& objdump, std::string_view function);

/// Which instructions of the function one I/O ran, in that order, as offsets from its start. It is
/// the first sample that runs the function and had no interrupt. Refused when none does.
Result<std::vector<std::uint64_t>> path_through(const std::vector<Sample>& samples,
                                                const Symbols& symbols, std::string_view function);

/// A line for each instruction of the path.
std::string text_of(const std::vector<std::uint64_t>& path, std::string_view function,
                    const Disassembly& disassembly);

} // namespace kio::bench
