// SPDX-License-Identifier: GPL-2.0
// What every kind of device does to a request, as plain arithmetic on arrays of bytes. Written from
// the pages of Documentation/, and sharing no code with the kernel's side.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fault.hpp"
#include "lib/result.hpp"

namespace kio::model {

using Byte = std::uint8_t;
using Bytes = std::vector<Byte>;
using Words = std::vector<std::string>;
using Lines = std::vector<Words>;

inline constexpr std::uint64_t sector_size = 512;

enum class Op { read, write, flush, discard, zeroes };

/// What is asked of a device. Only reads and writes have data.
struct Request {
    Op op;
    std::uint64_t pos;
    std::uint64_t length;
    std::span<Byte> data;  ///< of a read: to be filled in
    std::span<Byte> known; ///< of a read, to be filled in: 0 for a byte that may be anything

    bool has_data() const { return op == Op::read || op == Op::write; }
    Request part(std::uint64_t offset, std::uint64_t bytes) const;
};

/// What happened to one request beyond its result.
struct Journey {
    bool cancelled = false;     ///< in: once all that can have ended has, what is held is cancelled
    unsigned held = 0;          ///< requests that a rule held
    unsigned delay_ms = 0;      ///< sum of what rules have delayed
    bool unpredictable = false; ///< the documents leave open what comes of it
    bool may_hold = false;      ///< requests may be held that are not counted in `held`
    bool vetoed = false;        ///< in: a layer above lets nobody cancel what comes to it now
    bool kept = false;          ///< requests are held that cannot be cancelled
    bool behind = false;        ///< comes after one of them
    bool quiet = false;         ///< in: nothing is counted; asked is what would come of it
};

/// A device of a stack. Those below outlive it.
class Device {
public:
    Device(std::uint64_t size, std::uint32_t block, bool takes_zeroes)
        : size_(size), block_(block), takes_zeroes_(takes_zeroes)
    {
    }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    virtual ~Device() = default;

    std::uint64_t size() const { return size_; }
    /// Bytes of a logical block.
    std::uint32_t block() const { return block_; }
    /// Would the block layer send it write zeroes, or writes of zeroes?
    bool takes_zeroes() const { return takes_zeroes_; }

    /// A request of whole blocks that lie on the device. Bytes of a read that fail are not known.
    virtual Faults submit(const Request& request, Journey& journey) = 0;

    /// A layer above keeps something of its own there, of which nothing is known. Without a length:
    /// it does, but elsewhere.
    virtual void claim(std::uint64_t pos, std::uint64_t length) = 0;

    /// A layer above leaves open which of several devices it reads.
    virtual void share() {}

    /// A request that may come or not, whole or in pieces. One without data may write anything.
    virtual void maybe(const Request& request, Journey& journey) = 0;

    /// Does nothing on its way have rules?
    virtual bool is_calm() const { return true; }

    /// Bytes of the device at which something changes, in any order: worth a request there.
    virtual std::vector<std::uint64_t> borders() const { return {}; }

    /// A write to an attribute of the live device.
    virtual Result<> set(const std::string& attribute, const Lines& lines);
    /// What the attribute of that name reads, if it can be foretold.
    virtual std::optional<std::string> attribute(const std::string& name) const;

private:
    std::uint64_t size_;
    std::uint32_t block_;
    bool takes_zeroes_;
};

/// No bytes of a range are known.
void forget(const Request& request, std::uint64_t offset, std::uint64_t length);

/// All of a request fails.
Faults fail(const Request& request, int error);

std::string_view op_name(Op op);
std::optional<Op> parse_op(std::string_view word);

} // namespace kio::model
