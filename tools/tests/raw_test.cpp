// SPDX-License-Identifier: GPL-2.0
#include <array>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/raw_queue.hpp"

namespace kio {
namespace {

/// A file in place of the device: it moves bytes, and knows none of the ioctls.
class RawFile : public testing::Test {
protected:
    RawFile()
    {
        std::string path = testing::TempDir() + "/rawXXXXXX";
        const Fd made(::mkstemp(path.data()));

        path_ = path;
        EXPECT_EQ(::ftruncate(made.get(), 8192), 0);
    }
    ~RawFile() override { ::unlink(path_.c_str()); }

    RawDevice open(int flags) const { return *RawDevice::open(path_, flags); }

    std::string path_;
};

using Bytes = std::vector<std::byte>;

TEST_F(RawFile, OpenSaysWhyNot)
{
    const auto device = RawDevice::open(path_ + ".none", O_RDONLY);

    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().code, ENOENT);
    EXPECT_EQ(device.error().sentence,
              path_ + ".none cannot be opened: No such file or directory.");
}

TEST_F(RawFile, ReadsWhatWasWritten)
{
    const RawDevice device = open(O_RDWR);
    const Bytes wanted(1000, std::byte{7});
    Bytes got(1000);

    EXPECT_EQ(device.write(wanted, 100), (Moved{1000, 0}));
    EXPECT_EQ(device.read(got, 100), (Moved{1000, 0}));
    EXPECT_EQ(got, wanted);
    EXPECT_EQ(device.flush(), 0);
}

TEST_F(RawFile, TheEndIsNoError)
{
    Bytes got(1000);

    EXPECT_EQ(open(O_RDONLY).read(got, 8000), (Moved{192, 0}));
    EXPECT_EQ(open(O_RDONLY).read(got, 8192), (Moved{0, 0}));
}

TEST_F(RawFile, AFailureSaysWhy)
{
    Bytes bytes(512);

    EXPECT_EQ(open(O_WRONLY).read(bytes, 0), (Moved{0, EBADF}));
    EXPECT_EQ(open(O_RDONLY).write(bytes, 0), (Moved{0, EBADF}));
}

TEST_F(RawFile, WhatAFileDoesNotTellIsRefusedInASentence)
{
    const RawDevice device = open(O_RDONLY);

    EXPECT_EQ(device.size().error().code, ENOTTY);
    EXPECT_EQ(device.failure().error().sentence,
              "The device does not tell what failed: Inappropriate ioctl for device.");
    EXPECT_EQ(device.cancel_all(), ENOTTY);
}

/// Keeps what it is given until it is told how that ended.
class FakeRing : public Ring {
public:
    explicit FakeRing(std::size_t room) : room_(room) {}

    bool push(const io_uring_sqe& entry) override
    {
        if (pushed.size() == room_)
            return false;
        pushed.push_back(entry);
        return true;
    }

    int enter(unsigned) override
    {
        for (const io_uring_sqe& entry : pushed)
            take(entry);
        pushed.clear();
        return error;
    }

    bool pop(io_uring_cqe& completion) override
    {
        if (ended.empty())
            return false;
        completion = ended.front();
        ended.pop_front();
        return true;
    }

    void end(std::uint64_t id, int res) { ended.push_back({id, res, 0}); }

    std::vector<io_uring_sqe> pushed;
    std::map<std::uint64_t, kiobuf_raw_io> taken; ///< by number
    std::deque<io_uring_cqe> ended;
    int error = 0;

private:
    void take(const io_uring_sqe& entry)
    {
        kiobuf_raw_cmd what;

        std::memcpy(&what,
                    reinterpret_cast<const std::byte*>(&entry) + offsetof(io_uring_sqe, addr3),
                    sizeof(what));
        EXPECT_EQ(entry.opcode, IORING_OP_URING_CMD);
        if (entry.cmd_op == KIOBUF_RAW_CMD_CANCEL) {
            end(entry.user_data, taken.contains(what.id) ? 1 : -ENOENT);
            end(what.id, -ECANCELED);
        } else {
            EXPECT_EQ(entry.user_data, what.id);
            taken[what.id] = *reinterpret_cast<const kiobuf_raw_io*>(what.io);
        }
    }

    std::size_t room_;
};

class RawQueues : public RawFile {
protected:
    RawQueue::Ended note()
    {
        return [this](Moved moved) { seen_.push_back(moved); };
    }

    RawDevice device_ = open(O_RDWR);
    FakeRing ring_{2};
    Bytes memory_ = Bytes(512);
    std::vector<Moved> seen_;
};

TEST_F(RawQueues, TellsTheKernelWhatIsWanted)
{
    RawQueue queue(device_, ring_);
    const auto read = queue.read(memory_, 4096, note());
    const auto write = queue.write(memory_, 512, note(), true);

    EXPECT_EQ(queue.submit(), 0);
    EXPECT_NE(read, write);
    EXPECT_EQ(ring_.taken[read].pos, 4096U);
    EXPECT_EQ(ring_.taken[read].length, 512U);
    EXPECT_EQ(ring_.taken[read].buffer, reinterpret_cast<std::uintptr_t>(memory_.data()));
    EXPECT_EQ(ring_.taken[read].flags, 0U);
    EXPECT_EQ(ring_.taken[write].flags, KIOBUF_RAW_IO_DSYNC);
}

TEST_F(RawQueues, EachIsToldOfItsEndOnce)
{
    RawQueue queue(device_, ring_);
    const auto first = queue.read(memory_, 0, note());
    const auto second = queue.read(memory_, 0, note());

    ring_.end(second, 512);
    ring_.end(first, -EIO);
    EXPECT_EQ(queue.turn(2), 0);
    EXPECT_EQ(seen_, (std::vector<Moved>{{512, 0}, {0, EIO}}));
    EXPECT_EQ(queue.outstanding(), 0U);
    EXPECT_EQ(queue.run(), 0);
}

TEST_F(RawQueues, CancelLeavesTheEndToTheKernel)
{
    RawQueue queue(device_, ring_);
    const auto id = queue.read(memory_, 0, note());

    EXPECT_TRUE(queue.cancel(id));
    EXPECT_TRUE(seen_.empty());
    EXPECT_EQ(queue.run(), 0);
    EXPECT_EQ(seen_, (std::vector<Moved>{{0, ECANCELED}}));
    EXPECT_FALSE(queue.cancel(id));
}

TEST_F(RawQueues, AFullRingIsEnteredFirst)
{
    RawQueue queue(device_, ring_);

    for (int i = 0; i < 5; i++)
        queue.read(memory_, 0, note());
    EXPECT_EQ(ring_.taken.size(), 4U);
    EXPECT_EQ(ring_.pushed.size(), 1U);
}

TEST_F(RawQueues, ACallbackMayBeginAnother)
{
    RawQueue queue(device_, ring_);
    RawQueue::Id next = 0;
    const auto first =
        queue.read(memory_, 0, [&](Moved) { next = queue.read(memory_, 512, note()); });

    ring_.end(first, 512);
    EXPECT_EQ(queue.turn(1), 0);
    EXPECT_EQ(queue.outstanding(), 1U);
    ring_.end(next, 512);
    EXPECT_EQ(queue.run(), 0);
    EXPECT_EQ(seen_.size(), 1U);
}

TEST_F(RawQueues, TheLastBreathCancelsWhatIsLeft)
{
    {
        RawQueue queue(device_, ring_);
        queue.read(memory_, 0, note());
        queue.write(memory_, 0, note());
    }
    EXPECT_EQ(seen_, (std::vector<Moved>{{0, ECANCELED}, {0, ECANCELED}}));
}

TEST_F(RawQueues, ARingThatFailsIsToldOf)
{
    RawQueue queue(device_, ring_);
    const auto id = queue.read(memory_, 0, note());

    ring_.error = EBUSY;
    EXPECT_EQ(queue.run(), EBUSY);
    ring_.error = 0;
    ring_.end(id, 512);
    EXPECT_EQ(queue.run(), 0);
}

} // namespace
} // namespace kio
