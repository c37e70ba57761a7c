// SPDX-License-Identifier: GPL-2.0
#include "workload.hpp"

#include <fmt/format.h>

#include "lib/text.hpp"

namespace kio::bench {

namespace {

constexpr std::uint64_t sector = 512;
constexpr std::uint64_t max_block_size = 64 << 20;
constexpr std::uint64_t max_depth = 4096;

} // namespace

std::string_view name(Op op)
{
    return op == Op::read ? "read" : "write";
}

std::string_view name(Mode mode)
{
    switch (mode) {
    case Mode::psync:
        return "psync";
    case Mode::libaio:
        return "libaio";
    default:
        return "fresh";
    }
}

std::optional<Op> parse_op(std::string_view text)
{
    for (const Op op : {Op::read, Op::write})
        if (text == name(op))
            return op;
    return std::nullopt;
}

std::optional<Mode> parse_mode(std::string_view text)
{
    for (const Mode mode : {Mode::psync, Mode::libaio, Mode::fresh})
        if (text == name(mode))
            return mode;
    return std::nullopt;
}

std::string label(const Workload& workload)
{
    auto text = fmt::format("{} {} {}", human_size(workload.block_size), name(workload.op),
                            name(workload.mode));
    if (workload.mode == Mode::libaio)
        text += fmt::format(" QD{}", workload.depth);
    return text;
}

std::optional<std::string> objection(const Workload& workload)
{
    if (workload.block_size == 0 || workload.block_size % sector != 0)
        return fmt::format("a block of {} bytes is no number of sectors", workload.block_size);
    if (workload.block_size > max_block_size)
        return fmt::format("a block of {} bytes is over {}", workload.block_size,
                           human_size(max_block_size));
    if (workload.depth == 0 || workload.depth > max_depth)
        return fmt::format("a depth of {} is not in 1 to {}", workload.depth, max_depth);
    if (workload.mode != Mode::libaio && workload.depth != 1)
        return fmt::format("{} has a depth of 1", name(workload.mode));
    if (workload.mode == Mode::fresh && workload.block_size > fresh_piece)
        return fmt::format("a block of {} bytes is over a fresh piece of {}", workload.block_size,
                           human_size(fresh_piece));
    return std::nullopt;
}

} // namespace kio::bench
