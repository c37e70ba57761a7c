// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kio::model {

/// Bytes that failed, counted from the start of the request. Length 0 only for a flush, which has
/// no bytes: then it is the flush that failed.
struct Fault {
    std::uint64_t offset;
    std::uint64_t length;
    int error; ///< a positive errno

    bool operator==(const Fault&) const = default;
};

/// In ascending order, without overlap; two that follow directly differ in errno.
using Faults = std::vector<Fault>;

/// Of two failures at the same place: is `a` the one that is told?
bool outranks(int a, int b);

/// What is told of failures in any order. Of two that overlap, the one that begins first counts
/// for what both hold.
Faults told(Faults faults);

/// Those of a part, counted from the start of the whole.
void append(Faults& whole, const Faults& part, std::uint64_t offset);

/// What the block layer makes of an errno: one that it does not know becomes EIO.
int through_block_layer(int error);

/// "EIO", or the number for one without a name here.
std::string errno_name(int error);
std::optional<int> parse_errno(std::string_view word);

std::string describe(const Faults& faults);

} // namespace kio::model
