// SPDX-License-Identifier: GPL-2.0
// The model against the examples and sentences of Documentation/.
#include <algorithm>
#include <cerrno>

#include <gtest/gtest.h>

#include "checksum.hpp"
#include "disk.hpp"
#include "flakey.hpp"
#include "volume.hpp"

namespace kio::model {
namespace {

constexpr std::uint64_t mib = 1 << 20;

/// A request and what came of it.
struct Sent {
    Bytes data;
    Bytes known;
    Faults faults;
    Journey journey;
};

Sent send(Device& device, Op op, std::uint64_t pos, std::uint64_t length, Byte value = 0,
          bool cancelled = false)
{
    const bool has_data = op == Op::read || op == Op::write;
    Sent sent{Bytes(has_data ? length : 0, value), Bytes(has_data ? length : 0, 1), {}, {}};

    sent.journey.cancelled = cancelled;
    sent.faults = device.submit({op, pos, length, sent.data, sent.known}, sent.journey);
    return sent;
}

bool all_are(std::span<const Byte> bytes, Byte value)
{
    return std::ranges::all_of(bytes, [&](Byte byte) { return byte == value; });
}

Disk make_disk(Byte value = 0)
{
    return {Bytes(mib, value), 512};
}

// ---- faults ----

struct ToldCase {
    const char* what;
    Faults in;
    Faults out;
};

TEST(Told, FollowsTheHeader)
{
    const std::vector<ToldCase> cases{
        {"nothing", {}, {}},
        {"ascending", {{8, 2, EIO}, {0, 4, EIO}}, {{0, 4, EIO}, {8, 2, EIO}}},
        {"neighbours alike are one", {{4, 4, EIO}, {0, 4, EIO}}, {{0, 8, EIO}}},
        {"neighbours that differ are two",
         {{4, 4, EIO}, {0, 4, ENOSPC}},
         {{0, 4, ENOSPC}, {4, 4, EIO}}},
        {"what begins first has what both hold",
         {{2, 8, EIO}, {0, 4, ENOSPC}},
         {{0, 4, ENOSPC}, {4, 6, EIO}}},
        {"hard before one worth a retry", {{0, 4, EAGAIN}, {0, 4, ENOSPC}}, {{0, 4, ENOSPC}}},
        {"then the smaller errno", {{0, 4, ENOSPC}, {0, 4, EIO}}, {{0, 4, EIO}}},
        {"flushes have no bytes", {{0, 0, ENOSPC}, {0, 0, EIO}}, {{0, 0, EIO}}},
    };

    for (const ToldCase& item : cases)
        EXPECT_EQ(told(item.in), item.out) << item.what;
}

TEST(ThroughBlockLayer, ForgetsWhatItDoesNotKnow)
{
    EXPECT_EQ(through_block_layer(ENOSPC), ENOSPC);
    EXPECT_EQ(through_block_layer(EUCLEAN), EIO);
    EXPECT_EQ(through_block_layer(ECANCELED), EIO);
    EXPECT_EQ(through_block_layer(0), 0);
}

// ---- disks ----

TEST(Disk, KeepsWhatIsWrittenAndForgetsWhatIsDiscarded)
{
    Disk disk = make_disk(7);

    EXPECT_TRUE(send(disk, Op::write, 512, 512, 9).faults.empty());
    EXPECT_TRUE(send(disk, Op::discard, 1024, 512).faults.empty());
    const Sent read = send(disk, Op::read, 0, 2048);
    EXPECT_TRUE(all_are(std::span(read.data).subspan(0, 512), 7));
    EXPECT_TRUE(all_are(std::span(read.data).subspan(512, 512), 9));
    EXPECT_TRUE(all_are(std::span(read.data).subspan(1024, 512), 0));
    EXPECT_TRUE(all_are(read.known, 1));
}

TEST(Disk, OfLargeBlocksSaysNotWhatADiscardLeaves)
{
    Disk disk(Bytes(mib, 7), 4096);

    send(disk, Op::discard, 4096, 4096);
    const Sent read = send(disk, Op::read, 0, 12288);
    EXPECT_TRUE(all_are(std::span(read.known).subspan(0, 4096), 1));
    EXPECT_TRUE(all_are(std::span(read.known).subspan(4096, 4096), 0));
}

TEST(Disk, KnowsNoWriteZeroes)
{
    Disk disk = make_disk();
    EXPECT_EQ(send(disk, Op::zeroes, 512, 1024).faults, (Faults{{0, 1024, EOPNOTSUPP}}));
}

// ---- volumes ----

TEST(Volume, IsMadeOfItsPieces)
{
    Disk one = make_disk(1), two = make_disk(2);
    Volume volume({{1024, Target::linear, {{&one, 512}}, 0},
                   {1024, Target::zero, {}, 0},
                   {1024, Target::linear, {{&two, 0}}, 0},
                   {1024, Target::error, {}, 0}});

    EXPECT_EQ(volume.size(), 4096U);
    const Sent read = send(volume, Op::read, 512, 3072);
    EXPECT_EQ(read.faults, (Faults{{2560, 512, EIO}}));
    EXPECT_TRUE(all_are(std::span(read.data).subspan(0, 512), 1));
    EXPECT_TRUE(all_are(std::span(read.data).subspan(512, 1024), 0));
    EXPECT_TRUE(all_are(std::span(read.data).subspan(1536, 1024), 2));
    EXPECT_TRUE(all_are(std::span(read.known).subspan(2560), 0));

    // Pieces that do not fail are written.
    EXPECT_EQ(send(volume, Op::write, 0, 4096, 5).faults, (Faults{{3072, 1024, EIO}}));
    EXPECT_TRUE(all_are(std::span(one.content()).subspan(512, 1024), 5));
    EXPECT_EQ(one.content()[1536], 1);
    EXPECT_TRUE(all_are(std::span(two.content()).subspan(0, 1024), 5));
}

TEST(Volume, SendsOneRequestALegOfAStripe)
{
    Disk one = make_disk(1), two = make_disk(2);
    Flakey left(one), right(two);
    Volume volume(
        {{512, Target::zero, {}, 0}, {8192, Target::striped, {{&left, 512}, {&right, 0}}, 1024}});

    ASSERT_TRUE(right.set("rules", {{"any", "3", "1", "error", "EIO"}}));
    EXPECT_EQ(send(volume, Op::write, 1024, 4096, 5).faults, (Faults{{3072, 512, EIO}}));
    EXPECT_EQ(right.attribute("state"), "0 1 1 0\n");
    // From the middle of chunk 0 to that of chunk 4
    EXPECT_EQ(one.content()[1023], 1);
    EXPECT_TRUE(all_are(std::span(one.content()).subspan(1024, 2048), 5));
    EXPECT_EQ(one.content()[3072], 1);
    EXPECT_TRUE(all_are(std::span(two.content()).subspan(0, 1536), 5));
    EXPECT_EQ(two.content()[1536], 2);
    EXPECT_EQ(two.content()[2048], 2);
    // With a piece of another segment it goes in chunks.
    EXPECT_EQ(send(volume, Op::discard, 0, 8704).faults, (Faults{{4096, 512, EIO}}));
    EXPECT_EQ(right.attribute("state"), "0 2 2 0\n");
}

TEST(Volume, FlushesEachDeviceOnceAndTellsTheStrongestError)
{
    Disk one = make_disk(), two = make_disk();
    Flakey left(one), right(two);
    Volume volume({{512, Target::linear, {{&left, 0}}, 0},
                   {512, Target::linear, {{&right, 0}}, 0},
                   {512, Target::linear, {{&left, 512}}, 0}});

    ASSERT_TRUE(left.set("rules", {{"flush", "0", "-", "error", "ENOSPC"}}));
    ASSERT_TRUE(right.set("rules", {{"any", "0", "-", "error", "EIO"}}));
    EXPECT_EQ(send(volume, Op::flush, 0, 0).faults, (Faults{{0, 0, EIO}}));
    EXPECT_EQ(left.attribute("state"), "0 1 1 0\n");
}

// ---- flakey ----

TEST(Flakey, DoesWhatTheExampleSays)
{
    Bytes content(2 * mib, 1);
    Disk disk(std::move(content), 512);
    Flakey flakey(disk);

    ASSERT_TRUE(flakey.set("rules", {{"write", "2048", "8", "error", "EIO", "count", "3"}}));
    const Sent sent = send(flakey, Op::write, 2044 * 512, 16 * 512, 9);
    EXPECT_EQ(sent.faults, (Faults{{2048, 4096, EIO}}));
    const std::span<const Byte> at = std::span(disk.content()).subspan(2044 * 512, 16 * 512);
    EXPECT_TRUE(all_are(at.subspan(0, 2048), 9));
    EXPECT_TRUE(all_are(at.subspan(2048, 4096), 1));
    EXPECT_TRUE(all_are(at.subspan(6144), 9));
}

struct RuleCase {
    const char* what;
    Words rule;
    Op op;
    Faults faults;
    bool meets;
};

TEST(Flakey, FollowsEachRule)
{
    // Of 8 sectors at sector 4.
    const std::vector<RuleCase> cases{
        {"other op", {"read", "0", "-", "error", "EIO"}, Op::write, {}, false},
        {"other range", {"any", "12", "4", "error", "EIO"}, Op::write, {}, false},
        {"begins before", {"any", "0", "5", "error", "EIO"}, Op::write, {{0, 512, EIO}}, true},
        {"any errno", {"any", "11", "9", "error", "117"}, Op::read, {{3584, 512, 117}}, true},
        {"discard", {"any", "5", "1", "error", "EIO"}, Op::discard, {{512, 512, EIO}}, true},
        {"short", {"any", "0", "-", "short", "700"}, Op::write, {{700, 3396, EIO}}, true},
        {"short of nothing", {"any", "0", "-", "short", "0"}, Op::write, {{0, 4096, EIO}}, true},
        {"not short", {"any", "0", "-", "short", "4096"}, Op::write, {}, false},
        {"corrupt not", {"any", "0", "-", "corrupt"}, Op::discard, {}, false},
        {"corrupt", {"any", "0", "-", "corrupt"}, Op::read, {}, true},
        {"delay", {"any", "0", "-", "delay", "3"}, Op::read, {}, true},
        {"hold", {"any", "0", "-", "hold"}, Op::read, {}, true},
    };

    for (const RuleCase& item : cases) {
        Disk disk = make_disk();
        Flakey flakey(disk);
        ASSERT_TRUE(flakey.set("rules", {item.rule})) << item.what;
        EXPECT_EQ(send(flakey, item.op, 2048, 4096).faults, item.faults) << item.what;
        EXPECT_EQ(flakey.attribute("state"), item.meets ? "0 1 1 0\n" : "0 0 0 0\n") << item.what;
    }
}

TEST(Flakey, CarriesOutTheBlockThatShortEndsIn)
{
    Disk disk = make_disk(1);
    Flakey flakey(disk);

    ASSERT_TRUE(flakey.set("rules", {{"write", "0", "-", "short", "700"}}));
    send(flakey, Op::write, 0, 4096, 9);
    EXPECT_TRUE(all_are(std::span(disk.content()).subspan(0, 1024), 9));
    EXPECT_TRUE(all_are(std::span(disk.content()).subspan(1024, 3072), 1));
}

TEST(Flakey, CountsAndSkips)
{
    Disk disk = make_disk();
    Flakey flakey(disk);

    ASSERT_TRUE(
        flakey.set("rules", {{"write", "0", "-", "error", "EIO", "every", "2", "count", "1"},
                             {"any", "0", "-", "error", "ENOSPC"}}));
    EXPECT_EQ(send(flakey, Op::write, 0, 512).faults, (Faults{{0, 512, ENOSPC}}));
    EXPECT_EQ(send(flakey, Op::write, 0, 512).faults, (Faults{{0, 512, EIO}}));
    EXPECT_EQ(send(flakey, Op::write, 0, 512).faults, (Faults{{0, 512, ENOSPC}}));
    EXPECT_EQ(send(flakey, Op::write, 0, 512).faults, (Faults{{0, 512, ENOSPC}}));
    EXPECT_EQ(flakey.attribute("state"), "0 4 1 0\n1 3 3 0\n");
}

TEST(Flakey, InvertsWhatIsReadAndWhatIsWritten)
{
    Disk disk = make_disk(0x0f);
    Flakey flakey(disk);

    ASSERT_TRUE(
        flakey.set("rules", {{"read", "1", "1", "corrupt"}, {"write", "2", "1", "corrupt"}}));
    const Sent read = send(flakey, Op::read, 0, 2048);
    EXPECT_EQ(read.data[511], 0x0f);
    EXPECT_EQ(read.data[512], 0xf0);
    EXPECT_EQ(read.data[1024], 0x0f);
    send(flakey, Op::write, 0, 2048, 0x33);
    EXPECT_EQ(disk.content()[1023], 0x33);
    EXPECT_EQ(disk.content()[1024], 0xcc);
    EXPECT_EQ(disk.content()[1536], 0x33);
}

TEST(Flakey, CarriesOutNothingOfWhatIsCancelled)
{
    Disk disk = make_disk(1);
    Flakey flakey(disk);

    ASSERT_TRUE(flakey.set("rules", {{"write", "0", "-", "hold"}}));
    const Sent sent = send(flakey, Op::write, 0, 1024, 9, true);
    EXPECT_EQ(sent.faults, (Faults{{0, 1024, ECANCELED}}));
    EXPECT_EQ(sent.journey.held, 1U);
    EXPECT_TRUE(all_are(disk.content(), 1));
}

TEST(Flakey, ChangesNothingForABadLine)
{
    Disk disk = make_disk();
    Flakey flakey(disk);

    ASSERT_TRUE(flakey.set("rules", {{"any", "0", "-", "error", "EIO"}}));
    EXPECT_FALSE(flakey.set("rules", {{"clear"}, {"trim", "0", "-", "hold"}}));
    EXPECT_FALSE(flakey.set("rules", {{"any", "0", "-", "error"}}));
    EXPECT_FALSE(flakey.set("rules", {{"any", "0", "-", "hold", "count", "0"}}));
    EXPECT_EQ(flakey.attribute("state"), "0 0 0 0\n");
    EXPECT_TRUE(flakey.set("rules", {{"clear"}}));
    EXPECT_EQ(flakey.attribute("state"), "");
}

// ---- checksum ----

TEST(ChecksumLayout, LeavesRoomForTheAreaAndTheHeader)
{
    EXPECT_EQ(checksum_layout(0).data_blocks, 0U);
    EXPECT_EQ(checksum_layout(2 * 4096).data_blocks, 0U);
    EXPECT_EQ(checksum_layout(3 * 4096 + 4095).data_blocks, 1U);
    EXPECT_EQ(checksum_layout(mib).data_blocks, 254U);
    // 496 blocks of data fill a block of the area.
    EXPECT_EQ(checksum_layout(498 * 4096).data_blocks, 496U);
    EXPECT_EQ(checksum_layout(498 * 4096).area_blocks, 1U);
    EXPECT_EQ(checksum_layout(500 * 4096).data_blocks, 497U);
    EXPECT_EQ(checksum_layout(500 * 4096).area_blocks, 2U);
}

TEST(Checksum, TakesWhatWasNeverWritten)
{
    Disk disk = make_disk(1);
    Flakey flakey(disk);
    Checksum checksum(flakey);

    ASSERT_TRUE(flakey.set("rules", {{"read", "0", "-", "corrupt"}}));
    EXPECT_TRUE(send(checksum, Op::read, 0, 8192).faults.empty());
}

TEST(Checksum, FindsExactlyTheBlocksThatDiffer)
{
    Disk disk = make_disk(1);
    Flakey flakey(disk);
    Checksum checksum(flakey);

    send(checksum, Op::write, 0, 16384, 9);
    ASSERT_TRUE(flakey.set("rules", {{"read", "8", "8", "corrupt"}}));
    EXPECT_EQ(send(checksum, Op::read, 0, 16384).faults, (Faults{{4096, 4096, EILSEQ}}));
    ASSERT_TRUE(flakey.set("rules", {{"clear"}}));
    EXPECT_TRUE(send(checksum, Op::read, 0, 16384).faults.empty());

    send(checksum, Op::discard, 4096, 4096);
    ASSERT_TRUE(flakey.set("rules", {{"read", "8", "8", "corrupt"}}));
    EXPECT_TRUE(send(checksum, Op::read, 0, 16384).faults.empty());
}

TEST(Checksum, TakesWhatAWriteThatFailedHasLeft)
{
    Disk disk = make_disk(1);
    Flakey flakey(disk);
    Checksum checksum(flakey);

    send(checksum, Op::write, 0, 4096, 8);
    ASSERT_TRUE(flakey.set("rules", {{"write", "0", "-", "error", "EIO"}}));
    EXPECT_EQ(send(checksum, Op::write, 0, 4096, 9).faults, (Faults{{0, 4096, EIO}}));
    ASSERT_TRUE(flakey.set("rules", {{"clear"}}));
    const Sent read = send(checksum, Op::read, 0, 4096);
    EXPECT_TRUE(read.faults.empty());
    EXPECT_FALSE(read.journey.unpredictable);
    EXPECT_TRUE(all_are(read.data, 8));
}

TEST(Checksum, TellsLayersBelowWhatIsItsOwn)
{
    Disk disk = make_disk();
    Flakey flakey(disk);
    const Checksum checksum(flakey);

    EXPECT_TRUE(flakey.has_claims());
    EXPECT_FALSE(flakey.is_claimed(0, checksum.size()));
    EXPECT_TRUE(flakey.is_claimed(checksum.size(), 1));
    EXPECT_EQ(disk.known()[checksum.size() - 1], 1);
    EXPECT_EQ(disk.known()[checksum.size()], 0);
}

} // namespace
} // namespace kio::model
