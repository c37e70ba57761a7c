// SPDX-License-Identifier: GPL-2.0
// What the test programs share: a file or device opened for exact transfers, and memory for it.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <span>
#include <string>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace selftest {

constexpr std::size_t sector_size = 512;
constexpr std::size_t page_size = 4096;

/// Bytes or a negative errno, as the kernel itself says it.
using Count = ssize_t;

inline Count count_of(ssize_t result)
{
    return result < 0 ? -errno : result;
}

inline std::string describe(Count result)
{
    return result < 0 ? std::strerror(static_cast<int>(-result))
                      : std::to_string(result) + " bytes";
}

/// Page-aligned memory, as O_DIRECT wants it.
class Memory {
public:
    explicit Memory(std::size_t size)
        : data_(static_cast<std::byte*>(std::aligned_alloc(page_size, round_up(size)))), size_(size)
    {
        if (!data_)
            std::abort();
    }

    std::span<std::byte> bytes() { return {data_.get(), size_}; }
    std::span<const std::byte> bytes() const { return {data_.get(), size_}; }

private:
    struct Free {
        void operator()(std::byte* data) const { std::free(data); }
    };

    static std::size_t round_up(std::size_t size)
    {
        return (size + page_size - 1) / page_size * page_size;
    }

    std::unique_ptr<std::byte, Free> data_;
    std::size_t size_;
};

/// An open file or device; one that could not be opened tests false and errno says why.
class BlockFile {
public:
    BlockFile(const std::string& path, int flags)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644))
    {
    }
    BlockFile(BlockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    BlockFile& operator=(BlockFile&&) = delete;
    ~BlockFile()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }

    explicit operator bool() const { return fd_ >= 0; }
    int fd() const { return fd_; }
    std::uint64_t size() const { return static_cast<std::uint64_t>(::lseek(fd_, 0, SEEK_END)); }

    Count read(std::span<std::byte> into, std::uint64_t offset) const
    {
        return count_of(::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset)));
    }

    Count write(std::span<const std::byte> from, std::uint64_t offset) const
    {
        return count_of(::pwrite(fd_, from.data(), from.size(), static_cast<off_t>(offset)));
    }

    Count sync() const { return count_of(::fsync(fd_)); }

private:
    int fd_;
};

} // namespace selftest
