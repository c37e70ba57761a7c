// SPDX-License-Identifier: GPL-2.0
// The model of arrays, by examples worked out by hand.
#include <algorithm>
#include <cerrno>

#include <gtest/gtest.h>

#include "disk.hpp"
#include "flakey.hpp"
#include "mirror.hpp"
#include "raid0.hpp"

namespace kio::model {
namespace {

constexpr std::uint64_t kib = 1024;
constexpr unsigned near2 = 0x102, far2 = 0x201, offset2 = 0x10201;

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

/// Disks behind filters, the legs of an array.
struct Legs {
    std::vector<std::unique_ptr<Disk>> disks;
    std::vector<std::unique_ptr<Flakey>> filters;

    explicit Legs(const std::vector<std::uint64_t>& sizes_kib)
    {
        for (const std::uint64_t size : sizes_kib) {
            disks.push_back(std::make_unique<Disk>(Bytes(size * kib, 0), 512));
            filters.push_back(std::make_unique<Flakey>(*disks.back()));
        }
    }

    std::vector<Device*> devices() const
    {
        std::vector<Device*> result;
        for (const auto& filter : filters)
            result.push_back(filter.get());
        return result;
    }

    /// Those behind `legs` are spares.
    MirrorSetup mirror(std::size_t legs, std::optional<unsigned> layout = {}) const
    {
        MirrorSetup setup{{}, {}, layout, 4 * kib};
        for (std::size_t i = 0; i < filters.size(); ++i)
            (i < legs ? setup.legs : setup.spares)
                .push_back({"leg" + std::to_string(i), filters[i].get()});
        return setup;
    }

    void rule(std::size_t leg, const Words& words) const
    {
        ASSERT_TRUE(filters[leg]->set("rules", {words}));
    }

    void calm(std::size_t leg) const { ASSERT_TRUE(filters[leg]->set("rules", {{"clear"}})); }

    std::span<const Byte> at(std::size_t leg, std::uint64_t pos_kib, std::uint64_t size_kib) const
    {
        return std::span(disks[leg]->content()).subspan(pos_kib * kib, size_kib * kib);
    }
};

std::string places(const std::vector<Stretch>& stretches)
{
    std::string text;
    for (const Stretch& stretch : stretches) {
        for (const LegPlace& place : stretch.places)
            text += std::to_string(place.leg) + ":" + std::to_string(place.pos / (4 * kib)) + " ";
        text += "/ ";
    }
    return text;
}

// ---- layouts, in chunks of 4 KiB ----

TEST(StripeLayout, TakesLegsInTurn)
{
    const StripeLayout layout({20 * kib, 23 * kib, 20 * kib}, 4 * kib);

    EXPECT_EQ(layout.size(), 60 * kib);
    EXPECT_EQ(places(layout.cut(0, 16 * kib)), "0:0 / 1:0 / 2:0 / 0:1 / ");
    const auto pieces = layout.cut(3 * kib, 2 * kib);
    ASSERT_EQ(pieces.size(), 2U);
    EXPECT_EQ(pieces[0].places[0], (LegPlace{0, 3 * kib}));
    EXPECT_EQ(pieces[1].offset, kib);
    EXPECT_EQ(pieces[1].places[0], (LegPlace{1, 0}));
}

TEST(StripeLayout, HasZonesForLegsOfUnequalSize)
{
    // Of 2, 4, 1 and 4 chunks: 4 x 1, then 3 x 1, then 2 x 2.
    const StripeLayout layout({8 * kib, 16 * kib, 4 * kib, 16 * kib}, 4 * kib);

    EXPECT_EQ(layout.size(), 44 * kib);
    EXPECT_EQ(places(layout.cut(0, 44 * kib)),
              "0:0 / 1:0 / 2:0 / 3:0 / 0:1 / 1:1 / 3:1 / 1:2 / 3:2 / 1:3 / 3:3 / ");
}

TEST(StripeLayout, MasksAsMdDoes)
{
    // 5 chunks of 24 sectors are 120, and 104 without the bits of 23.
    const StripeLayout layout({60 * kib, 60 * kib}, 12 * kib);

    EXPECT_EQ(layout.size(), 104 * kib);
}

struct LayoutCase {
    const char* what;
    std::size_t legs;
    unsigned layout;
    std::uint64_t chunks; ///< of the array
    const char* places;   ///< of the first four
};

TEST(CopyLayout, FollowsMd)
{
    // Legs of 6 chunks.
    const std::vector<LayoutCase> cases{
        {"n2 on 4", 4, near2, 12, "0:0 1:0 / 2:0 3:0 / 0:1 1:1 / 2:1 3:1 / "},
        {"n2 on 3", 3, near2, 9, "0:0 1:0 / 2:0 0:1 / 1:1 2:1 / 0:2 1:2 / "},
        {"n3 on 4", 4, 0x103, 8, "0:0 1:0 2:0 / 3:0 0:1 1:1 / 2:1 3:1 0:2 / 1:2 2:2 3:2 / "},
        {"f2 on 2", 2, far2, 6, "0:0 1:3 / 1:0 0:3 / 0:1 1:4 / 1:1 0:4 / "},
        {"f2 on 3", 3, far2, 9, "0:0 1:3 / 1:0 2:3 / 2:0 0:3 / 0:1 1:4 / "},
        {"f3 on 3", 3, 0x301, 6, "0:0 1:2 2:4 / 1:0 2:2 0:4 / 2:0 0:2 1:4 / 0:1 1:3 2:5 / "},
        {"o2 on 3", 3, offset2, 9, "0:0 1:1 / 1:0 2:1 / 2:0 0:1 / 0:2 1:3 / "},
        {"n2 f2 on 4", 4, 0x202, 6,
         "0:0 2:3 1:0 3:3 / 2:0 0:3 3:0 1:3 / 0:1 2:4 1:1 3:4 / 2:1 0:4 3:1 1:4 / "},
    };

    for (const LayoutCase& item : cases) {
        const CopyLayout layout(item.legs, 27 * kib, 4 * kib, item.layout);
        EXPECT_EQ(layout.size(), item.chunks * 4 * kib) << item.what;
        EXPECT_EQ(places(layout.cut(0, 16 * kib)), item.places) << item.what;
    }
}

// ---- level 0 ----

TEST(Raid0, TellsExactlyWhatFailed)
{
    const Legs legs({64, 64});
    Raid0 raid(legs.devices(), 4 * kib);

    EXPECT_EQ(raid.size(), 128 * kib);
    legs.rule(1, {"any", "0", "-", "error", "EIO"});
    EXPECT_EQ(send(raid, Op::write, 0, 16 * kib, 9).faults,
              (Faults{{4 * kib, 4 * kib, EIO}, {12 * kib, 4 * kib, EIO}}));
    EXPECT_TRUE(all_are(legs.at(0, 0, 8), 9));
    EXPECT_TRUE(all_are(legs.at(1, 0, 64), 0));
}

TEST(Raid0, SendsOneRequestALeg)
{
    const Legs legs({64, 64});
    Raid0 raid(legs.devices(), 4 * kib);

    legs.rule(1, {"any", "9", "1", "error", "EIO"});
    // Chunks 1, 3 and 5 lie together on leg 1.
    EXPECT_EQ(send(raid, Op::write, 4 * kib, 20 * kib, 7).faults,
              (Faults{{8 * kib + 512, 512, EIO}}));
    EXPECT_EQ(legs.filters[1]->attribute("state"), "0 1 1 0\n");
    EXPECT_TRUE(all_are(legs.at(1, 0, 4), 7));
    EXPECT_TRUE(all_are(legs.at(1, 5, 7), 7));
    EXPECT_TRUE(all_are(legs.at(0, 4, 8), 7));
}

TEST(Raid0, SendsShares)
{
    const Legs legs({64, 64});
    Raid0 raid(legs.devices(), 4 * kib);

    legs.rule(1, {"discard", "9", "1", "error", "EIO"});
    // Chunks 1, 3 and 5 are one range on leg 1. All of it from its first bad byte on is told.
    EXPECT_EQ(send(raid, Op::discard, 4 * kib, 20 * kib).faults,
              (Faults{{8 * kib + 512, 4 * kib - 512, EIO}, {16 * kib, 4 * kib, EIO}}));
    EXPECT_EQ(legs.filters[1]->attribute("state"), "0 1 1 0\n");
    // In one chunk it is passed on as it is.
    EXPECT_EQ(send(raid, Op::discard, 12 * kib, 4 * kib).faults, (Faults{{512, 512, EIO}}));
}

TEST(Raid0, SendsAShareForEachZone)
{
    const Legs legs({8, 16});
    Raid0 raid(legs.devices(), 4 * kib);

    legs.rule(1, {"discard", "0", "-", "error", "EIO", "every", "2"});
    EXPECT_EQ(send(raid, Op::discard, 0, 24 * kib).faults, (Faults{{16 * kib, 8 * kib, EIO}}));
    EXPECT_EQ(legs.filters[1]->attribute("state"), "0 2 1 0\n");
}

TEST(Raid0, TellsAllBehindManyPieces)
{
    const Legs legs({2048, 2048});
    Raid0 raid(legs.devices(), 4 * kib);

    legs.rule(1, {"discard", "8", "8", "error", "EIO"});
    EXPECT_EQ(send(raid, Op::discard, 0, 2056 * kib).faults.size(), 256U);
    EXPECT_EQ(send(raid, Op::discard, 0, 2072 * kib).faults, (Faults{{12 * kib, 2060 * kib, EIO}}));
}

TEST(Raid0, FlushesEveryLeg)
{
    const Legs legs({64, 64});
    Raid0 raid(legs.devices(), 4 * kib);

    legs.rule(0, {"flush", "0", "-", "error", "ENOSPC"});
    legs.rule(1, {"flush", "0", "-", "error", "EIO"});
    EXPECT_EQ(send(raid, Op::flush, 0, 0).faults, (Faults{{0, 0, EIO}}));
}

// ---- level 1 ----

TEST(Mirror, WritesAllLegsAndLeavesOutOneThatFails)
{
    const Legs legs({64, 80});
    Mirror raid(legs.mirror(2));

    EXPECT_EQ(raid.size(), 64 * kib);
    EXPECT_TRUE(send(raid, Op::write, 0, 4 * kib, 1).faults.empty());
    EXPECT_TRUE(all_are(legs.at(0, 0, 4), 1) && all_are(legs.at(1, 0, 4), 1));
    legs.rule(0, {"write", "2", "2", "error", "EIO"});
    EXPECT_TRUE(send(raid, Op::write, 0, 4 * kib, 2).faults.empty());
    EXPECT_EQ(raid.attribute("leg_state"), "0 ? faulty ?\n1 ? in_sync ?\n");
    EXPECT_EQ(raid.attribute("degraded"), "1\n");
    send(raid, Op::write, 0, 4 * kib, 3);
    EXPECT_TRUE(all_are(legs.at(0, 0, 1), 2));
    EXPECT_TRUE(all_are(send(raid, Op::read, 0, 4 * kib).data, 3));
}

TEST(Mirror, TellsExactlyWhatTheLastLegFailed)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    ASSERT_TRUE(raid.set("fail", {{"leg1"}}));
    EXPECT_FALSE(raid.set("fail", {{"leg0"}}));
    legs.rule(0, {"any", "2", "2", "error", "ENOSPC"});
    EXPECT_EQ(send(raid, Op::write, 0, 4 * kib, 2).faults, (Faults{{kib, kib, ENOSPC}}));
    EXPECT_EQ(send(raid, Op::flush, 0, 0).faults, (Faults{{0, 0, ENOSPC}}));
    EXPECT_EQ(raid.attribute("degraded"), "1\n");
}

TEST(Mirror, ReadsAnotherLeg)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    legs.rule(0, {"read", "0", "16", "error", "EIO"});
    const Sent read = send(raid, Op::read, 0, 8 * kib);
    EXPECT_TRUE(read.faults.empty() && all_are(read.known, 1));
    EXPECT_FALSE(read.journey.unpredictable);
    // Which leg is read first is left open.
    EXPECT_EQ(legs.filters[0]->attribute("state"), "0 ? ? 0\n");
    // Who may be asked first tells which errno, where nobody has it.
    legs.rule(1, {"read", "8", "8", "error", "ENOSPC"});
    EXPECT_TRUE(send(raid, Op::read, 0, 8 * kib).journey.unpredictable);
}

TEST(Mirror, FindsTheGoodCopyOfEachBlock)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    legs.rule(0, {"read", "0", "16", "error", "EIO"});
    legs.rule(1, {"read", "12", "8", "error", "EIO"});
    const Sent read = send(raid, Op::read, 0, 16 * kib);
    // A block that is bad is told as a whole.
    EXPECT_EQ(read.faults, (Faults{{4 * kib, 4 * kib, EIO}}));
    EXPECT_FALSE(read.journey.unpredictable);
    EXPECT_EQ(raid.attribute("degraded"), "0\n");
}

TEST(Mirror, CutsBlocksOfTheArray)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    legs.rule(0, {"read", "15", "1", "error", "EIO"});
    legs.rule(1, {"read", "15", "1", "error", "EIO"});
    EXPECT_EQ(send(raid, Op::read, 5 * kib, 4 * kib).faults, (Faults{{0, 3 * kib, EIO}}));
}

TEST(Mirror, PassesOnWhatTheOnlyCopyFails)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    ASSERT_TRUE(raid.set("fail", {{"leg1"}}));
    legs.rule(0, {"read", "1", "1", "error", "EIO"});
    EXPECT_EQ(send(raid, Op::read, 0, 8 * kib).faults, (Faults{{512, 512, EIO}}));
}

TEST(Mirror, DoesNotKnowWhoIsLeftOutForItsReads)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    legs.rule(0, {"read", "0", "16", "error", "EIO"});
    for (int i = 0; i < 20; ++i)
        send(raid, Op::read, 0, 8 * kib);
    EXPECT_EQ(raid.attribute("degraded"), "0\n");
    send(raid, Op::read, 0, 8 * kib);
    EXPECT_EQ(raid.attribute("leg_state"), "0 ? ? ?\n1 ? in_sync ?\n");
}

TEST(Mirror, DoesNotKnowWhereCopiesDiffer)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    send(*legs.disks[0], Op::write, 512, 512, 7);
    const Sent read = send(raid, Op::read, 0, 2 * kib);
    EXPECT_TRUE(all_are(std::span(read.known).subspan(0, 512), 1));
    EXPECT_TRUE(all_are(std::span(read.known).subspan(512, 512), 0));
}

TEST(Mirror, TakesAFailedDiscardButNoZeroes)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    legs.rule(0, {"discard", "0", "-", "error", "EIO"});
    EXPECT_TRUE(send(raid, Op::discard, 0, 4 * kib).faults.empty());
    EXPECT_EQ(raid.attribute("degraded"), "0\n");
    EXPECT_EQ(send(raid, Op::zeroes, 0, 4 * kib).faults, (Faults{{0, 4 * kib, EOPNOTSUPP}}));
}

TEST(Mirror, IsNotCancelledInTheMiddle)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));

    legs.rule(1, {"any", "0", "-", "hold"});
    const Sent write = send(raid, Op::write, 0, 4 * kib, 5, true);
    EXPECT_TRUE(write.faults.empty());
    EXPECT_TRUE(write.journey.kept);
    EXPECT_EQ(write.journey.held, 1U);
    EXPECT_TRUE(all_are(legs.at(0, 0, 4), 5) && all_are(legs.at(1, 0, 4), 5));

    ASSERT_TRUE(raid.set("fail", {{"leg0"}}));
    EXPECT_EQ(send(raid, Op::read, 0, 4 * kib, 0, true).faults, (Faults{{0, 4 * kib, ECANCELED}}));
}

TEST(Mirror, IsCancelledBeforeAnythingIsWritten)
{
    const Legs legs({64, 64});
    Mirror raid(legs.mirror(2));
    Flakey above(raid);

    ASSERT_TRUE(above.set("rules", {{"write", "0", "-", "hold"}}));
    EXPECT_EQ(send(above, Op::write, 0, 4 * kib, 5, true).faults,
              (Faults{{0, 4 * kib, ECANCELED}}));
    EXPECT_TRUE(all_are(legs.at(0, 0, 64), 0) && all_are(legs.at(1, 0, 64), 0));
}

TEST(Mirror, IsRebuilt)
{
    const Legs legs({64, 64, 64});
    Mirror raid(legs.mirror(2));

    EXPECT_FALSE(raid.set("spare", {{"leg2"}}));
    ASSERT_TRUE(raid.set("fail", {{"leg0"}}));
    send(raid, Op::write, 0, 64 * kib, 5);
    legs.rule(1, {"read", "0", "-", "error", "EIO"});
    EXPECT_FALSE(raid.set("spare", {{"leg2"}}));
    legs.calm(1);
    ASSERT_TRUE(raid.set("spare", {{"leg2"}}));
    EXPECT_EQ(raid.attribute("leg_state"), "0 ? in_sync ?\n1 ? in_sync ?\n- ? faulty ?\n");
    EXPECT_TRUE(all_are(legs.at(2, 0, 64), 5));
    ASSERT_TRUE(raid.set("fail", {{"leg1"}}));
    EXPECT_TRUE(all_are(send(raid, Op::read, 0, 64 * kib).data, 5));
}

TEST(Mirror, CountsAndRepairsWhatDiffers)
{
    const Legs legs({64, 64, 64});
    Mirror raid(legs.mirror(3));

    send(*legs.disks[0], Op::write, 512, 512, 7);
    send(*legs.disks[1], Op::write, 512, 1024, 8);
    ASSERT_TRUE(raid.set("sync_action", {{"check"}}));
    EXPECT_EQ(raid.attribute("mismatch_sectors"), "3\n");
    ASSERT_TRUE(raid.set("sync_action", {{"repair"}}));
    EXPECT_EQ(raid.attribute("mismatch_sectors"), "3\n");
    for (std::size_t leg = 0; leg < 3; ++leg) {
        EXPECT_EQ(legs.at(leg, 0, 64)[512], 7);
        EXPECT_EQ(legs.at(leg, 0, 64)[1024], 0);
    }
    ASSERT_TRUE(raid.set("sync_action", {{"check"}}));
    EXPECT_EQ(raid.attribute("mismatch_sectors"), "0\n");
}

// ---- level 10 ----

TEST(Mirror10, TreatsEachChunkAsLevel1)
{
    const Legs legs({16, 16, 16, 16});
    Mirror raid(legs.mirror(4, near2));

    EXPECT_EQ(raid.size(), 32 * kib);
    // Chunks 0 and 1 are on legs 0, 1 and on legs 2, 3.
    legs.rule(0, {"write", "0", "-", "error", "EIO"});
    legs.rule(3, {"write", "0", "-", "error", "EIO"});
    EXPECT_TRUE(send(raid, Op::write, 0, 8 * kib, 5).faults.empty());
    EXPECT_EQ(raid.attribute("degraded"), "2\n");
    EXPECT_FALSE(raid.set("fail", {{"leg1"}}));
    legs.rule(1, {"write", "0", "-", "error", "ENOSPC"});
    EXPECT_EQ(send(raid, Op::write, 0, 16 * kib, 6).faults,
              (Faults{{0, 4 * kib, ENOSPC}, {8 * kib, 4 * kib, ENOSPC}}));
    EXPECT_TRUE(all_are(legs.at(2, 0, 8), 6));
}

TEST(Mirror10, NeedsOneCopyOfEveryChunk)
{
    const Legs legs({24, 24, 24});
    Mirror raid(legs.mirror(3, far2));

    ASSERT_TRUE(raid.set("fail", {{"leg1"}}));
    EXPECT_TRUE(raid.that_may_fail().empty());
    send(raid, Op::write, 0, 12 * kib, 5);
    // Chunk 0 is at row 3 of leg 1 too, chunk 1 at row 3 of leg 2, chunk 2 at row 3 of leg 0.
    EXPECT_TRUE(all_are(legs.at(0, 0, 4), 5) && all_are(legs.at(0, 12, 4), 5));
    EXPECT_TRUE(all_are(legs.at(1, 0, 24), 0));
    EXPECT_TRUE(all_are(legs.at(2, 0, 4), 5) && all_are(legs.at(2, 12, 4), 5));
}

TEST(Mirror10, IsRebuiltChunkByChunk)
{
    const Legs legs({24, 24, 24, 24});
    Mirror raid(legs.mirror(3, offset2));

    for (Byte chunk = 0; chunk < 9; ++chunk)
        send(raid, Op::write, chunk * 4 * kib, 4 * kib, static_cast<Byte>(chunk + 1));
    ASSERT_TRUE(raid.set("fail", {{"leg1"}}));
    ASSERT_TRUE(raid.set("spare", {{"leg3"}}));
    // Rows of leg 1: chunks 1, 0, 4, 3, 7, 6.
    for (const auto& [row, value] : {std::pair{0U, 2}, {1U, 1}, {2U, 5}, {3U, 4}, {4U, 8}, {5U, 7}})
        EXPECT_TRUE(all_are(legs.at(3, row * 4, 4), static_cast<Byte>(value))) << row;
}

TEST(Mirror10, PromisesNothingOfADiscard)
{
    const Legs legs({24, 24});
    Mirror raid(legs.mirror(2, near2));

    EXPECT_TRUE(send(raid, Op::discard, 0, 4 * kib).faults.empty());
    const Sent read = send(raid, Op::read, 0, 8 * kib);
    EXPECT_TRUE(all_are(std::span(read.known).subspan(0, 4 * kib), 0));
    EXPECT_TRUE(all_are(std::span(read.known).subspan(4 * kib), 1));
    EXPECT_EQ(send(raid, Op::zeroes, 0, 4 * kib).faults, (Faults{{0, 4 * kib, EOPNOTSUPP}}));
}

} // namespace
} // namespace kio::model
