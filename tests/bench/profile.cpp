// SPDX-License-Identifier: GPL-2.0
#include "profile.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

namespace kio::bench {

namespace {

constexpr std::uint64_t kernel_start = std::uint64_t{1} << 63;

using Counts = std::unordered_map<const Symbol*, std::uint64_t>;

/// Null stands for user space.
const Symbol* function_at(const Symbols& symbols, std::uint64_t address)
{
    return address < kernel_start ? nullptr : symbols.at(address);
}

/// Where the processor comes in for an interrupt, but not for a system call.
bool is_interrupt(const Symbol* function)
{
    return function && (function->name.starts_with("asm_sysvec_") ||
                        function->name.starts_with("asm_common_interrupt"));
}

std::string module_name(const Symbol* function)
{
    if (!function)
        return "user space";
    return function->module.empty() ? "kernel" : function->module;
}

std::string function_name(const Symbol* function)
{
    if (!function || function->module.empty())
        return function ? function->name : "user space";
    return fmt::format("{} [{}]", function->name, function->module);
}

template <typename Name>
std::vector<Share> shares(const Counts& counts, std::uint64_t ios, Name name)
{
    std::map<std::string, std::uint64_t> sums;
    for (const auto& [function, count] : counts)
        sums[name(function)] += count;
    std::vector<Share> shares;
    for (const auto& [key, count] : sums)
        shares.push_back({key, static_cast<double>(count) / static_cast<double>(ios)});
    std::ranges::stable_sort(shares, std::ranges::greater{}, &Share::instructions);
    return shares;
}

double sum(const std::vector<Share>& shares)
{
    double total = 0;
    for (const Share& share : shares)
        total += share.instructions;
    return total;
}

std::string line_of(const Share& share, double total)
{
    return fmt::format("{:10.1f} {:5.1f} %  {}\n", share.instructions,
                       share.instructions / total * 100, share.name);
}

} // namespace

bool was_interrupted(const Sample& sample, const Symbols& symbols)
{
    return std::ranges::any_of(
        sample, [&](std::uint64_t address) { return is_interrupt(function_at(symbols, address)); });
}

Result<Profile> profile_of(const std::vector<Sample>& samples, const Symbols& symbols,
                           std::uint64_t ios_per_sample)
{
    Counts sums;
    std::size_t interrupted = 0;
    for (const Sample& sample : samples) {
        if (was_interrupted(sample, symbols)) {
            ++interrupted;
            continue;
        }
        for (const std::uint64_t address : sample)
            ++sums[function_at(symbols, address)];
    }
    if (sums.empty())
        return Error{ENODATA, fmt::format("None of {} I/Os went without an interrupt.",
                                          samples.size() * ios_per_sample)};
    const std::uint64_t ios = (samples.size() - interrupted) * ios_per_sample;
    Profile profile{0, samples.size(), interrupted, shares(sums, ios, module_name),
                    shares(sums, ios, function_name)};
    profile.instructions = sum(profile.modules);
    return profile;
}

std::string text_of(const Profile& profile, std::size_t top)
{
    std::string text = fmt::format(
        "{:.1f} instructions per I/O; {} samples, {} of them left out for an interrupt\n",
        profile.instructions, profile.samples, profile.interrupted);
    for (const Share& share : profile.modules)
        text += line_of(share, profile.instructions);
    text += "by function\n";
    const auto shown = std::min(top, profile.functions.size());
    for (const Share& share : std::span{profile.functions}.first(shown))
        text += line_of(share, profile.instructions);
    return text;
}

} // namespace kio::bench
