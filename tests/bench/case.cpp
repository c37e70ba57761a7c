// SPDX-License-Identifier: GPL-2.0
#include "case.hpp"

#include <cerrno>
#include <sstream>

#include <fmt/format.h>

#include "lib/text.hpp"

namespace kio::bench {

namespace {

using Words = std::vector<std::string>;

Error refuse(std::string sentence)
{
    return Error{EINVAL, std::move(sentence)};
}

/// "4096", "4K", "1M"; a number too large for its unit is no size.
std::optional<std::uint64_t> parse_size(std::string_view text)
{
    unsigned shift = 0;
    if (text.ends_with('K'))
        shift = 10;
    else if (text.ends_with('M'))
        shift = 20;
    if (shift != 0)
        text.remove_suffix(1);
    const auto number = parse_number(text);
    if (!number || *number > UINT64_MAX >> shift)
        return std::nullopt;
    return *number << shift;
}

Result<Workload> parse_workload(const Words& words)
{
    const auto op = parse_op(words[2]);
    if (!op)
        return refuse(fmt::format("'{}' is neither read nor write", words[2]));
    const auto block_size = parse_size(words[3]);
    if (!block_size)
        return refuse(fmt::format("'{}' is no size", words[3]));
    const auto mode = parse_mode(words[4]);
    if (!mode)
        return refuse(fmt::format("'{}' is none of psync, libaio, fresh", words[4]));
    const auto depth = parse_number(words[5]);
    if (!depth)
        return refuse(fmt::format("'{}' is no depth", words[5]));

    const Workload workload{*op, *block_size, *mode, *depth};
    if (const auto reason = objection(workload))
        return refuse(*reason);
    return workload;
}

Result<Case> parse_case(const Words& words)
{
    const bool cached = words.size() == 8 && words[7] == "cached";
    if (words.size() != 7 && !cached)
        return refuse(
            fmt::format("{} words, not NAME DEVICE OP BS MODE QD COUNT [cached]", words.size()));
    const auto workload = parse_workload(words);
    if (!workload)
        return workload.error();
    const auto count = parse_number(words[6]);
    if (!count || *count == 0)
        return refuse(fmt::format("'{}' is no count", words[6]));
    return Case{words[0], words[1], *workload, *count, cached};
}

Result<Skip> parse_skip(const Words& words)
{
    if (words.size() < 3)
        return refuse("skip wants NAME and REASON");
    Skip skip{words[1], words[2]};
    for (std::size_t i = 3; i < words.size(); ++i)
        skip.reason += ' ' + words[i];
    return skip;
}

Result<> add_line(Spec& spec, const std::string& line)
{
    const Words words = split_words(line);
    if (words.empty() || words[0].starts_with('#'))
        return {};
    if (words[0] == "skip") {
        auto skip = parse_skip(words);
        if (!skip)
            return skip.error();
        spec.skips.push_back(*std::move(skip));
        return {};
    }
    auto parsed = parse_case(words);
    if (!parsed)
        return parsed.error();
    spec.cases.push_back(*std::move(parsed));
    return {};
}

} // namespace

Result<Spec> parse_spec(const std::string& text)
{
    Spec spec;
    std::size_t number = 0;
    for (const std::string& line : split_lines(text)) {
        ++number;
        if (const auto added = add_line(spec, line); !added)
            return refuse(fmt::format("line {}: {}", number, added.error().sentence));
    }
    return spec;
}

} // namespace kio::bench
