// SPDX-License-Identifier: GPL-2.0
#include "engine.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <libaio.h>
#include <random>
#include <span>
#include <unistd.h>

#include <fmt/format.h>

#include "lib/fd.hpp"

namespace kio::bench {

namespace {

/// As much of a device as the I/Os are spread over.
constexpr std::uint64_t max_area = 64 << 20;

using Offsets = std::vector<off_t>;

/// All blocks of the area in random order, over again until there are `count`.
Offsets draw_offsets(std::uint64_t area, std::uint64_t block_size, std::uint64_t count)
{
    Offsets blocks(area / block_size);
    for (std::size_t i = 0; i < blocks.size(); ++i)
        blocks[i] = static_cast<off_t>(i * block_size);
    std::mt19937 same_each_time; // NOLINT(cert-msc51-cpp)
    std::ranges::shuffle(blocks, same_each_time);

    Offsets offsets(count);
    for (std::size_t i = 0; i < offsets.size(); ++i)
        offsets[i] = blocks[i % blocks.size()];
    return offsets;
}

/// `got` is what the kernel gave back: bytes, or an errno below 0.
Error failure(const Workload& workload, off_t offset, std::int64_t got)
{
    const std::string what =
        got < 0 ? std::strerror(static_cast<int>(-got)) : fmt::format("{} bytes", got);
    return Error{got < 0 ? static_cast<int>(-got) : EIO,
                 fmt::format("The {} of {} bytes at {} gave: {}.", name(workload.op),
                             workload.block_size, offset, what)};
}

class PsyncEngine : public Engine {
public:
    PsyncEngine(Fd fd, const Workload& workload, Offsets offsets, std::byte* memory)
        : fd_(std::move(fd)), workload_(workload), offsets_(std::move(offsets)), memory_(memory)
    {
    }

    Result<> run() override { return run_at(offsets_); }

protected:
    Result<> run_at(std::span<const off_t> offsets)
    {
        const auto wanted = static_cast<ssize_t>(workload_.block_size);
        const bool reading = workload_.op == Op::read;
        for (const off_t offset : offsets) {
            const ssize_t got = reading
                                    ? ::pread(fd_.get(), memory_, workload_.block_size, offset)
                                    : ::pwrite(fd_.get(), memory_, workload_.block_size, offset);
            if (got != wanted)
                return failure(workload_, offset, got < 0 ? -errno : got);
        }
        return {};
    }

private:
    Fd fd_;
    Workload workload_;
    Offsets offsets_;
    std::byte* memory_;
};

/// A run takes up where the last one has left off.
class FreshEngine : public PsyncEngine {
public:
    FreshEngine(Fd fd, const Workload& workload, Offsets pieces, std::uint64_t count,
                std::byte* memory)
        : PsyncEngine(std::move(fd), workload, {}, memory), pieces_(std::move(pieces)),
          left_(pieces_), count_(count)
    {
    }

    Result<> run() override
    {
        if (left_.size() < count_)
            return Error{ENOSPC, fmt::format("Only {} fresh pieces are left.", left_.size())};
        const auto batch = left_.first(count_);
        left_ = left_.subspan(count_);
        return run_at(batch);
    }

private:
    Offsets pieces_;
    std::span<const off_t> left_;
    std::uint64_t count_;
};

class AioContext {
public:
    AioContext() = default;
    AioContext(AioContext&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
    AioContext& operator=(AioContext&& other) noexcept
    {
        std::swap(context_, other.context_);
        return *this;
    }
    ~AioContext()
    {
        if (context_)
            ::io_destroy(context_);
    }

    /// 0, or an errno below it.
    int set_up(std::uint64_t depth) { return ::io_setup(static_cast<int>(depth), &context_); }
    io_context_t get() const { return context_; }

private:
    io_context_t context_ = nullptr;
};

/// A batch goes down in one call and is waited for in one, so that the count does not hang on who
/// runs when.
class AioEngine : public Engine {
public:
    AioEngine(Fd fd, AioContext context, const Workload& workload, Offsets offsets,
              std::byte* memory)
        : fd_(std::move(fd)), context_(std::move(context)), workload_(workload),
          offsets_(std::move(offsets)), memory_(memory), requests_(workload.depth),
          pointers_(workload.depth), events_(workload.depth)
    {
        for (std::size_t i = 0; i < requests_.size(); ++i)
            pointers_[i] = &requests_[i];
    }

    Result<> run() override
    {
        for (std::span<const off_t> left{offsets_}; !left.empty();) {
            const auto batch = left.first(std::min<std::size_t>(left.size(), workload_.depth));
            if (auto done = run_batch(batch); !done)
                return done;
            left = left.subspan(batch.size());
        }
        return {};
    }

private:
    Result<> run_batch(std::span<const off_t> offsets)
    {
        prepare(offsets);
        if (auto done = submit(offsets.size()); !done)
            return done;
        const auto count = static_cast<long>(offsets.size());
        const int reaped = ::io_getevents(context_.get(), count, count, events_.data(), nullptr);
        if (reaped != count)
            return Error{EIO, fmt::format("io_getevents gave {} of {}.", reaped, count)};
        return check({events_.data(), offsets.size()});
    }

    void prepare(std::span<const off_t> offsets)
    {
        const auto prepare_one = workload_.op == Op::read ? ::io_prep_pread : ::io_prep_pwrite;
        for (std::size_t i = 0; i < offsets.size(); ++i)
            prepare_one(&requests_[i], fd_.get(), memory_ + i * workload_.block_size,
                        workload_.block_size, offsets[i]);
    }

    Result<> submit(std::size_t count)
    {
        for (std::size_t done = 0; done < count;) {
            const int taken = ::io_submit(context_.get(), static_cast<long>(count - done),
                                          pointers_.data() + done);
            if (taken <= 0)
                return Error{EIO, fmt::format("io_submit gave {}.", taken)};
            done += static_cast<std::size_t>(taken);
        }
        return {};
    }

    Result<> check(std::span<const io_event> events) const
    {
        for (const io_event& event : events)
            if (event.res != workload_.block_size)
                return failure(workload_, event.obj->u.c.offset,
                               static_cast<std::int64_t>(event.res));
        return {};
    }

    Fd fd_;
    AioContext context_;
    Workload workload_;
    Offsets offsets_;
    std::byte* memory_;
    std::vector<iocb> requests_;
    std::vector<iocb*> pointers_;
    std::vector<io_event> events_;
};

Error refused(const Case& wanted, int code)
{
    return Error{code, fmt::format("{} cannot be opened: {}.", wanted.device, std::strerror(code))};
}

Result<Offsets> offsets_on(const Fd& fd, const Case& wanted)
{
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    if (size < 0)
        return refused(wanted, errno);
    const auto area = std::min(static_cast<std::uint64_t>(size), max_area);
    if (area < wanted.workload.block_size)
        return Error{ENOSPC, fmt::format("{} has only {} bytes.", wanted.device, size)};
    if (wanted.workload.mode == Mode::fresh)
        return draw_offsets(area, fresh_piece, area / fresh_piece);
    return draw_offsets(area, wanted.workload.block_size, wanted.count);
}

} // namespace

std::uint64_t memory_needed(const Workload& workload)
{
    return workload.block_size * workload.depth;
}

Result<std::unique_ptr<Engine>> make_engine(const Case& wanted, const Pages& pages)
{
    const Workload& workload = wanted.workload;
    const int access = workload.op == Op::read ? O_RDONLY : O_WRONLY;
    const int cache = wanted.cached ? 0 : O_DIRECT;
    Fd fd{::open(wanted.device.c_str(), access | cache | O_CLOEXEC)};
    if (!fd)
        return refused(wanted, errno);
    auto offsets = offsets_on(fd, wanted);
    if (!offsets)
        return offsets.error();

    std::unique_ptr<Engine> engine;
    if (workload.mode == Mode::psync) {
        engine = std::make_unique<PsyncEngine>(std::move(fd), workload, *std::move(offsets),
                                               pages.data());
        return engine;
    }
    if (workload.mode == Mode::fresh) {
        engine = std::make_unique<FreshEngine>(std::move(fd), workload, *std::move(offsets),
                                               wanted.count, pages.data());
        return engine;
    }
    AioContext context;
    if (const int code = context.set_up(workload.depth); code < 0)
        return Error{-code, fmt::format("io_setup gave: {}.", std::strerror(-code))};
    engine = std::make_unique<AioEngine>(std::move(fd), std::move(context), workload,
                                         *std::move(offsets), pages.data());
    return engine;
}

Result<std::vector<std::uint64_t>> measure(Engine& engine, unsigned repeats)
{
    using Clock = std::chrono::steady_clock; // CLOCK_MONOTONIC

    std::vector<std::uint64_t> intervals(repeats);
    if (const auto warm = engine.run(); !warm)
        return warm.error();
    for (std::uint64_t& interval : intervals) {
        const auto start = Clock::now();
        if (const auto done = engine.run(); !done)
            return done.error();
        interval =
            static_cast<std::uint64_t>(std::chrono::nanoseconds{Clock::now() - start}.count());
    }
    return intervals;
}

} // namespace kio::bench
