// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kio::bench {

/// The instruction that a line of QEMU's log (exec,nochain, one instruction a block) says is run.
std::optional<std::uint64_t> traced_instruction(std::string_view line);

/// Whether the line takes back the instruction before it: QEMU had to leave and will log it again.
bool takes_back(std::string_view line);

/// The addresses of the instructions from one start of an I/O to the next.
using Sample = std::vector<std::uint64_t>;

/// Cuts a stream of log text into samples. An I/O starts where the marker is run.
class Sampler {
public:
    Sampler(std::uint64_t marker, std::size_t wanted) : marker_(marker), wanted_(wanted) {}

    /// Takes the next piece of the log, which may end within a line.
    void feed(std::string_view text);

    bool full() const { return samples_.size() >= wanted_; }
    const std::vector<Sample>& samples() const { return samples_; }

private:
    void take_line(std::string_view line);
    void take_instruction(std::uint64_t address);

    std::uint64_t marker_;
    std::size_t wanted_;
    std::string partial_line_;
    bool started_ = false;
    Sample current_;
    std::vector<Sample> samples_;
};

} // namespace kio::bench
