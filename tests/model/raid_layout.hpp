// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"

namespace kio::model {

/// A byte of a leg.
struct LegPlace {
    std::size_t leg;
    std::uint64_t pos;

    bool operator==(const LegPlace&) const = default;
};

/// A piece of a request that lies in one piece on each leg that has it.
struct Stretch {
    std::uint64_t offset; ///< in the request
    std::uint64_t length;
    std::vector<LegPlace> places; ///< one for each copy
};

/// Level 0: chunks in turn over the legs, in zones where legs are of unequal size. Zone 0 is on all
/// legs and ends with the smallest; the next is on those that are larger, and so on. The size is
/// md's, which masks the sectors of each leg: a chunk that is no power of two hides some.
class StripeLayout {
public:
    StripeLayout(const std::vector<std::uint64_t>& leg_sizes, std::uint64_t chunk);

    std::uint64_t size() const { return size_; }
    std::vector<Stretch> cut(std::uint64_t pos, std::uint64_t length) const;
    /// The number of the zone that a byte lies in.
    std::size_t zone(std::uint64_t pos) const;

private:
    struct Zone {
        std::uint64_t start;     ///< byte of the array
        std::uint64_t leg_start; ///< byte of each of its legs
        std::uint64_t rows;
        std::vector<std::size_t> legs;
    };

    LegPlace place(std::uint64_t pos) const;

    std::uint64_t chunk_;
    std::uint64_t size_ = 0;
    std::vector<Zone> zones_;
};

/// Level 10: md's number for the layout of copies, near | far << 8 | offset << 16.
class CopyLayout {
public:
    CopyLayout(std::size_t legs, std::uint64_t leg_size, std::uint64_t chunk, unsigned layout);

    std::uint64_t size() const { return chunks_ * chunk_; }
    std::vector<Stretch> cut(std::uint64_t pos, std::uint64_t length) const;

private:
    std::vector<LegPlace> places(std::uint64_t pos) const;

    std::uint64_t legs_;
    std::uint64_t chunk_;
    std::uint64_t near_;
    std::uint64_t far_;
    bool offset_;
    std::uint64_t chunks_; ///< of the array
    std::uint64_t stride_; ///< rows from one far copy to the next
};

} // namespace kio::model
