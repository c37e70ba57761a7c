// SPDX-License-Identifier: GPL-2.0
#include <array>
#include <cerrno>
#include <functional>

#include <fmt/format.h>

#include "case.hpp"
#include "lib/text.hpp"

namespace kio::model {

namespace {

std::string join(const Words& words)
{
    return fmt::format("{}", fmt::join(words, " "));
}

std::string join(const Lines& lines)
{
    std::string text;
    for (const Words& line : lines)
        text += " ; " + join(line);
    return text;
}

std::string io_text(const Io& io)
{
    return fmt::format("io {} {} {} {} seed {} cut {}{}{}", io.via == Via::probe ? "probe" : "bdev",
                       op_name(io.op), io.pos, io.length, io.seed, io.cut, io.fua ? " fua" : "",
                       io.cancel ? " cancel" : "");
}

/// The parts between words that are a semicolon.
Lines split_lines_of(const Words& words)
{
    Lines lines(1);
    for (const std::string& word : words)
        if (word == ";")
            lines.emplace_back();
        else
            lines.back().push_back(word);
    return lines;
}

bool parse_disk(const Words& words, Case& test)
{
    const bool whole = words.size() == 4 || words.size() == 5;
    const auto mib = whole ? parse_number(words[2]) : std::nullopt;
    const auto block = whole ? parse_number(words[3]) : std::nullopt;
    if (!mib || !block || *mib == 0 || *mib > 64 || (*block != 512 && *block != 4096))
        return false;
    test.stack.disks.push_back(
        {words[1], *mib, static_cast<std::uint32_t>(*block), words.size() == 5 ? words[4] : ""});
    return true;
}

bool parse_node(const Words& words, Case& test)
{
    Lines lines = split_lines_of(words);
    if (lines.size() < 2 || lines[0].size() != 3)
        return false;
    Node node{lines[0][1], lines[0][2], {}};
    node.lines.assign(lines.begin() + 1, lines.end());
    test.stack.nodes.push_back(std::move(node));
    return true;
}

bool parse_set(const Words& words, Case& test)
{
    Lines lines = split_lines_of(words);
    if (lines.size() < 2 || lines[0].size() != 3)
        return false;
    Set set{lines[0][1], lines[0][2], {}};
    set.lines.assign(lines.begin() + 1, lines.end());
    test.steps.emplace_back(std::move(set));
    return true;
}

bool parse_io(const Words& words, Case& test)
{
    if (words.size() < 9 || (words[1] != "probe" && words[1] != "bdev") || words[5] != "seed" ||
        words[7] != "cut")
        return false;
    const auto op = parse_op(words[2]);
    std::array<std::optional<std::uint64_t>, 4> numbers{
        parse_number(words[3]), parse_number(words[4]), parse_number(words[6]),
        parse_number(words[8])};
    for (const auto& number : numbers)
        if (!number)
            return false;
    if (!op)
        return false;
    Io io{words[1] == "probe" ? Via::probe : Via::bdev,
          *op,
          *numbers[0],
          *numbers[1],
          *numbers[2],
          *numbers[3],
          false,
          false};
    for (std::size_t i = 9; i < words.size(); ++i) {
        io.fua = io.fua || words[i] == "fua";
        io.cancel = io.cancel || words[i] == "cancel";
    }
    test.steps.emplace_back(io);
    return true;
}

bool parse_check(const Words& words, Case& test)
{
    test.steps.emplace_back(Check{});
    return words.size() == 1;
}

struct LineForm {
    std::string_view word;
    bool (*parse)(const Words&, Case&);
};

constexpr std::array<LineForm, 5> forms{{{"disk", parse_disk},
                                         {"node", parse_node},
                                         {"set", parse_set},
                                         {"io", parse_io},
                                         {"check", parse_check}}};

bool parse_line(const Words& words, Case& test)
{
    for (const LineForm& form : forms)
        if (words[0] == form.word)
            return form.parse(words, test);
    return false;
}

} // namespace

std::string to_text(const Step& step)
{
    if (const auto* set = std::get_if<Set>(&step))
        return fmt::format("set {} {}{}", set->node, set->attribute, join(set->lines));
    if (const auto* io = std::get_if<Io>(&step))
        return io_text(*io);
    return "check";
}

std::string to_text(const Case& test)
{
    std::string text;

    for (const DiskSpec& disk : test.stack.disks)
        text += fmt::format("disk {} {} {}{}{}\n", disk.name, disk.mib, disk.block,
                            disk.content.empty() ? "" : " ", disk.content);
    for (const Node& node : test.stack.nodes)
        text += fmt::format("node {} {}{}\n", node.kind, node.name, join(node.lines));
    for (const Step& step : test.steps)
        text += to_text(step) + "\n";
    return text;
}

Result<Case> parse_case(const std::string& text)
{
    Case test;
    std::size_t number = 0;

    for (const std::string& line : split_lines(text)) {
        const Words words = split_words(line);
        ++number;
        if (words.empty() || words[0].starts_with('#'))
            continue;
        if (!parse_line(words, test))
            return Error{EINVAL, fmt::format("line {}: '{}' is not understood", number, line)};
    }
    return test;
}

} // namespace kio::model
