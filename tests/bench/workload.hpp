// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kio::bench {

enum class Op { read, write };
enum class Mode { psync, libaio };

/// What is asked of a device, whichever device it is.
struct Workload {
    Op op;
    std::uint64_t block_size; ///< bytes
    Mode mode;
    std::uint64_t depth; ///< requests in one batch; 1 with psync

    friend bool operator==(const Workload&, const Workload&) = default;
};

std::string_view name(Op op);
std::string_view name(Mode mode);
std::optional<Op> parse_op(std::string_view text);
std::optional<Mode> parse_mode(std::string_view text);

/// "4K read psync", "4K write libaio QD32".
std::string label(const Workload& workload);

/// Why no engine can run it, for a person; nothing when one can.
std::optional<std::string> objection(const Workload& workload);

} // namespace kio::bench
