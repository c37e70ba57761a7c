// SPDX-License-Identifier: GPL-2.0
#include "trace.hpp"

#include "hex.hpp"

namespace kio::bench {

// "Trace 0: 0x7f3c4c000100 [00000000/ffffffff81a2b3c4/0040c0b0/ff200201] symbol":
// the second number in the brackets is the address.
std::optional<std::uint64_t> traced_instruction(std::string_view line)
{
    if (!line.starts_with("Trace "))
        return std::nullopt;
    const auto first = line.find('/');
    if (first == std::string_view::npos)
        return std::nullopt;
    const auto second = line.find('/', first + 1);
    if (second == std::string_view::npos)
        return std::nullopt;
    return parse_hex(line.substr(first + 1, second - first - 1));
}

bool takes_back(std::string_view line)
{
    return line.starts_with("Stopped execution of TB chain before ");
}

void Sampler::feed(std::string_view text)
{
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        partial_line_ += text.substr(0, end);
        take_line(partial_line_);
        partial_line_.clear();
        text.remove_prefix(end + 1);
    }
    partial_line_ += text;
}

void Sampler::take_line(std::string_view line)
{
    if (const auto address = traced_instruction(line))
        take_instruction(*address);
    else if (takes_back(line) && !current_.empty())
        current_.pop_back();
}

void Sampler::take_instruction(std::uint64_t address)
{
    if (full())
        return;
    if (address == marker_) {
        if (started_)
            samples_.push_back(std::move(current_));
        current_.clear();
        started_ = true;
    }
    if (started_)
        current_.push_back(address);
}

} // namespace kio::bench
