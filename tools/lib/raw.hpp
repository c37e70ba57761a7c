// SPDX-License-Identifier: GPL-2.0
// The raw device /dev/kio/raw/NAME: exact results. What waits for nothing is in raw_queue.hpp.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/fs.h>
#include <span>
#include <string>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "../../include/uapi/linux/kiobuf.h"
#include "fd.hpp"
#include "result.hpp"

namespace kio {

/// What became of a transfer: that many bytes from its beginning on, and why it ended there. All
/// of it, or all up to the end of the device, if error is 0.
struct Moved {
    std::uint64_t bytes = 0;
    int error = 0;

    bool operator==(const Moved&) const = default;
};

/// Bytes of a device that failed.
struct FailedRange {
    std::uint64_t pos;
    std::uint64_t length;
    int error;

    bool operator==(const FailedRange&) const = default;
};

/// The last request of an open device that failed.
struct Failure {
    std::uint64_t count = 0; ///< of failures so far; 0: there was none
    std::uint64_t pos = 0;
    std::uint64_t length = 0;
    std::uint64_t bytes = 0; ///< good from its beginning on
    int error = 0;
    kiobuf_raw_op op = KIOBUF_RAW_READ;
    std::uint32_t nr_ranges = 0; ///< may be more than are told
    std::vector<FailedRange> ranges;
};

/// An open raw device. Calls block, and a fatal signal ends them whatever the device does.
class RawDevice {
public:
    /// @p flags as for open(2).
    static Result<RawDevice> open(const std::string& path, int flags)
    {
        Fd fd(::open(path.c_str(), flags | O_CLOEXEC));

        if (!fd)
            return Error{errno, path + " cannot be opened: " + std::strerror(errno) + "."};
        return RawDevice(std::move(fd));
    }

    int fd() const { return fd_.get(); }

    Moved read(std::span<std::byte> into, std::uint64_t pos, int flags = 0) const
    {
        return all(into.size(), [&](std::size_t done) {
            const iovec piece{into.data() + done, into.size() - done};
            return ::preadv2(fd(), &piece, 1, static_cast<off_t>(pos + done), flags);
        });
    }

    /// Durable at the end if @p flags has RWF_DSYNC.
    Moved write(std::span<const std::byte> from, std::uint64_t pos, int flags = 0) const
    {
        return all(from.size(), [&](std::size_t done) {
            const iovec piece{const_cast<std::byte*>(from.data()) + done, from.size() - done};
            return ::pwritev2(fd(), &piece, 1, static_cast<off_t>(pos + done), flags);
        });
    }

    /// Makes durable what was written. 0 or an errno.
    int flush() const { return ::fsync(fd()) ? errno : 0; }

    Result<std::uint64_t> size() const { return ask<std::uint64_t>(BLKGETSIZE64, "its size"); }

    Result<int> block_size() const { return ask<int>(BLKSSZGET, "its block size"); }

    Result<Failure> failure() const
    {
        std::vector<kiobuf_raw_range> ranges(KIOBUF_RAW_MAX_RANGES);
        kiobuf_raw_failure raw{};

        raw.ranges = reinterpret_cast<std::uintptr_t>(ranges.data());
        raw.max_ranges = static_cast<std::uint32_t>(ranges.size());
        if (::ioctl(fd(), KIOBUF_RAW_FAILURE, &raw))
            return refusal("what failed");
        return failure_of(raw, ranges);
    }

    /// Has all end that was begun through this open file and nobody waits for. 0 or an errno.
    int cancel_all() const { return ::ioctl(fd(), KIOBUF_RAW_CANCEL_ALL) ? errno : 0; }

private:
    explicit RawDevice(Fd fd) : fd_(std::move(fd)) {}

    /// A call says either how much or why not; where it was cut short the next one says why.
    template <typename Call>
    static Moved all(std::size_t length, Call call)
    {
        Moved moved;

        while (moved.bytes < length) {
            const ssize_t now = call(moved.bytes);

            if (now < 0 && errno == EINTR)
                continue;
            if (now < 0)
                moved.error = errno;
            if (now <= 0)
                break;
            moved.bytes += static_cast<std::uint64_t>(now);
        }
        return moved;
    }

    static Error refusal(const std::string& what)
    {
        return {errno, "The device does not tell " + what + ": " + std::strerror(errno) + "."};
    }

    template <typename T>
    Result<T> ask(unsigned long request, const char* what) const
    {
        T value{};

        if (::ioctl(fd(), request, &value))
            return refusal(what);
        return value;
    }

    static Failure failure_of(const kiobuf_raw_failure& raw,
                              std::span<const kiobuf_raw_range> ranges)
    {
        Failure failure{raw.failures,
                        raw.pos,
                        raw.length,
                        raw.bytes,
                        static_cast<int>(raw.error),
                        static_cast<kiobuf_raw_op>(raw.op),
                        raw.nr_ranges,
                        {}};

        for (const kiobuf_raw_range& range : ranges) {
            if (failure.ranges.size() == raw.nr_ranges)
                break;
            failure.ranges.push_back({range.pos, range.length, static_cast<int>(range.error)});
        }
        return failure;
    }

    Fd fd_;
};

} // namespace kio
