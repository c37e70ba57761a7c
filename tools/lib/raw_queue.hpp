// SPDX-License-Identifier: GPL-2.0
// Reads and writes of raw devices that nobody waits for: a callback tells of the end, and each can
// be cancelled. One thread at a time uses a queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <unordered_map>
#include <utility>

#include "raw.hpp"
#include "ring.hpp"

namespace kio {

class RawQueue {
public:
    /// Told once. It may begin and cancel others.
    using Ended = std::function<void(Moved)>;
    using Id = std::uint64_t;

    /// Both have to outlive the queue.
    RawQueue(const RawDevice& device, Ring& ring) : device_(device), ring_(ring) {}
    RawQueue(const RawQueue&) = delete;
    RawQueue& operator=(const RawQueue&) = delete;

    /// Cancels what has not ended and waits for it: the memory is the kernel's until then.
    ~RawQueue()
    {
        cancel_all();
        while (!requests_.empty() && !turn(1))
            ;
    }

    /// The memory has to stay until @p ended was called.
    Id read(std::span<std::byte> into, std::uint64_t pos, Ended ended)
    {
        return begin(KIOBUF_RAW_CMD_READ,
                     {reinterpret_cast<std::uintptr_t>(into.data()), pos, into.size(), 0, 0},
                     std::move(ended));
    }

    Id write(std::span<const std::byte> from, std::uint64_t pos, Ended ended, bool durable = false)
    {
        return begin(KIOBUF_RAW_CMD_WRITE,
                     {reinterpret_cast<std::uintptr_t>(from.data()), pos, from.size(),
                      durable ? KIOBUF_RAW_IO_DSYNC : 0, 0},
                     std::move(ended));
    }

    /// It still ends by its callback, with ECANCELED where nothing was moved. False if it has
    /// ended.
    bool cancel(Id id)
    {
        if (!requests_.contains(id))
            return false;
        push(entry_of(KIOBUF_RAW_CMD_CANCEL, {0, id}, not_a_request));
        return true;
    }

    void cancel_all()
    {
        for (const auto& [id, request] : requests_)
            push(entry_of(KIOBUF_RAW_CMD_CANCEL, {0, id}, not_a_request));
    }

    std::size_t outstanding() const { return requests_.size(); }

    /// Hands over what was begun, without waiting. 0 or an errno.
    int submit() { return ring_.enter(0); }

    /// Hands over what was begun, waits until at least @p wanted entries have come back, and calls
    /// back. 0 or an errno.
    int turn(unsigned wanted)
    {
        const int error = ring_.enter(wanted);
        io_uring_cqe completion;

        while (ring_.pop(completion))
            end(completion);
        return error;
    }

    /// Until nothing is outstanding. 0 or an errno.
    int run()
    {
        while (!requests_.empty())
            if (const int error = turn(1))
                return error;
        return 0;
    }

private:
    static constexpr std::uint64_t not_a_request = 0;

    struct Request {
        kiobuf_raw_io io;
        Ended ended;
    };

    Id begin(std::uint32_t op, const kiobuf_raw_io& io, Ended ended)
    {
        const Id id = ++last_;
        Request& request = requests_[id];

        request = {io, std::move(ended)};
        push(entry_of(op, {reinterpret_cast<std::uintptr_t>(&request.io), id}, id));
        return id;
    }

    io_uring_sqe entry_of(std::uint32_t op, const kiobuf_raw_cmd& what, std::uint64_t id) const
    {
        io_uring_sqe entry{};

        entry.opcode = IORING_OP_URING_CMD;
        entry.fd = device_.fd();
        entry.cmd_op = op;
        entry.user_data = id;
        // Where the kernel has its cmd[].
        static_assert(offsetof(io_uring_sqe, addr3) + sizeof(what) == sizeof(entry));
        std::memcpy(reinterpret_cast<std::byte*>(&entry) + offsetof(io_uring_sqe, addr3), &what,
                    sizeof(what));
        return entry;
    }

    void push(const io_uring_sqe& entry)
    {
        while (!ring_.push(entry))
            ring_.enter(0);
    }

    void end(const io_uring_cqe& completion)
    {
        const auto it = requests_.find(completion.user_data);

        if (it == requests_.end())
            return;
        const Ended ended = std::move(it->second.ended);
        requests_.erase(it);
        ended(completion.res < 0 ? Moved{0, -completion.res}
                                 : Moved{static_cast<std::uint64_t>(completion.res), 0});
    }

    const RawDevice& device_;
    Ring& ring_;
    std::unordered_map<Id, Request> requests_;
    Id last_ = not_a_request;
};

} // namespace kio
