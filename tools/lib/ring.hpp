// SPDX-License-Identifier: GPL-2.0
// io_uring, as much of it as the raw device needs.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <linux/io_uring.h>
#include <memory>
#include <span>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

#include "fd.hpp"
#include "result.hpp"

namespace kio {

/// Takes entries in, gives completions back.
class Ring {
public:
    virtual ~Ring() = default;
    /// False if there is no room before the next enter().
    virtual bool push(const io_uring_sqe& entry) = 0;
    /// Hands over what was pushed and waits until @p wanted completions are there. 0 or an errno.
    virtual int enter(unsigned wanted) = 0;
    /// False if there is none now.
    virtual bool pop(io_uring_cqe& completion) = 0;
};

/// Memory shared with the kernel, unmapped at the end.
class Mapping {
public:
    Mapping() = default;
    Mapping(int fd, std::size_t size, std::uint64_t what)
        : data_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                       static_cast<off_t>(what))),
          size_(size)
    {
        if (data_ == MAP_FAILED)
            data_ = nullptr;
    }
    Mapping(Mapping&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(other.size_)
    {
    }
    Mapping& operator=(Mapping&& other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Mapping()
    {
        if (data_)
            ::munmap(data_, size_);
    }

    explicit operator bool() const { return data_; }

    template <typename T>
    T* at(std::size_t offset) const
    {
        return reinterpret_cast<T*>(static_cast<std::byte*>(data_) + offset);
    }

private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

/// The kernel's.
class KernelRing : public Ring {
public:
    /// @p entries is rounded up to a power of two.
    static Result<std::unique_ptr<KernelRing>> make(unsigned entries)
    {
        std::unique_ptr<KernelRing> ring(new KernelRing);

        if (const int error = ring->setup(entries))
            return Error{error, std::string("There is no io_uring: ") + std::strerror(error) + "."};
        return ring;
    }

    bool push(const io_uring_sqe& entry) override
    {
        const std::uint32_t tail = *sq_tail_;

        if (tail - load(sq_head_) == params_.sq_entries)
            return false;
        entries_.at<io_uring_sqe>(0)[tail & sq_mask_] = entry;
        sq_array_[tail & sq_mask_] = tail & sq_mask_;
        store(sq_tail_, tail + 1);
        pushed_++;
        return true;
    }

    int enter(unsigned wanted) override
    {
        for (;;) {
            const long taken = ::syscall(__NR_io_uring_enter, fd_.get(), pushed_, wanted,
                                         wanted ? IORING_ENTER_GETEVENTS : 0U, nullptr, 0);

            if (taken < 0 && errno == EINTR)
                continue;
            if (taken < 0)
                return errno;
            pushed_ -= static_cast<unsigned>(taken);
            if (!pushed_)
                return 0;
        }
    }

    bool pop(io_uring_cqe& completion) override
    {
        const std::uint32_t head = *cq_head_;

        if (head == load(cq_tail_))
            return false;
        completion = cqes_[head & cq_mask_];
        store(cq_head_, head + 1);
        return true;
    }

    /// For entries that name memory by its number in @p buffers. 0 or an errno.
    int register_buffers(std::span<const iovec> buffers)
    {
        return ::syscall(__NR_io_uring_register, fd_.get(), IORING_REGISTER_BUFFERS, buffers.data(),
                         buffers.size())
                   ? errno
                   : 0;
    }

private:
    KernelRing() = default;

    static std::uint32_t load(std::uint32_t* shared)
    {
        return std::atomic_ref(*shared).load(std::memory_order_acquire);
    }

    static void store(std::uint32_t* shared, std::uint32_t value)
    {
        std::atomic_ref(*shared).store(value, std::memory_order_release);
    }

    int setup(unsigned entries)
    {
        fd_ = Fd(static_cast<int>(::syscall(__NR_io_uring_setup, entries, &params_)));
        if (!fd_)
            return errno;
        const auto& sq = params_.sq_off;
        const auto& cq = params_.cq_off;
        const std::size_t sq_size = sq.array + params_.sq_entries * sizeof(std::uint32_t);
        const std::size_t cq_size = cq.cqes + params_.cq_entries * sizeof(io_uring_cqe);

        if (!(params_.features & IORING_FEAT_SINGLE_MMAP))
            return ENOSYS;
        rings_ = Mapping(fd_.get(), std::max(sq_size, cq_size), IORING_OFF_SQ_RING);
        entries_ = Mapping(fd_.get(), params_.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
        if (!rings_ || !entries_)
            return ENOMEM;
        sq_head_ = rings_.at<std::uint32_t>(sq.head);
        sq_tail_ = rings_.at<std::uint32_t>(sq.tail);
        sq_mask_ = *rings_.at<std::uint32_t>(sq.ring_mask);
        sq_array_ = rings_.at<std::uint32_t>(sq.array);
        cq_head_ = rings_.at<std::uint32_t>(cq.head);
        cq_tail_ = rings_.at<std::uint32_t>(cq.tail);
        cq_mask_ = *rings_.at<std::uint32_t>(cq.ring_mask);
        cqes_ = rings_.at<io_uring_cqe>(cq.cqes);
        return 0;
    }

    io_uring_params params_{};
    Fd fd_;
    Mapping rings_;
    Mapping entries_;
    unsigned pushed_ = 0;
    std::uint32_t* sq_head_ = nullptr;
    std::uint32_t* sq_tail_ = nullptr;
    std::uint32_t* sq_array_ = nullptr;
    std::uint32_t* cq_head_ = nullptr;
    std::uint32_t* cq_tail_ = nullptr;
    io_uring_cqe* cqes_ = nullptr;
    std::uint32_t sq_mask_ = 0;
    std::uint32_t cq_mask_ = 0;
};

} // namespace kio
