// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kio::bench {

enum class Op { read, write };
/// psync and libaio do the same places over again; fresh is psync, each I/O in a piece of the
/// device that none was in before.
enum class Mode { psync, libaio, fresh };

/// Bytes of a piece that a fresh I/O is in, at its beginning.
constexpr std::uint64_t fresh_piece = 16 << 10;

/// What is asked of a device, whichever device it is.
struct Workload {
    Op op;
    std::uint64_t block_size; ///< bytes
    Mode mode;
    std::uint64_t depth; ///< requests in one batch; 1 but with libaio

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
