// SPDX-License-Identifier: GPL-2.0
// md's superblocks of version 1.2: what is read out of their bytes, and how it is shown.
#include <gtest/gtest.h>

#include "lib/superblock.hpp"
#include "lib/uuid.hpp"
#include "tests/fake_world.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t size)
{
    for (std::size_t i = 0; i < size; ++i)
        bytes[at + i] = static_cast<char>(value >> (8 * i));
}

/// The sum of 32-bit words, the carry added: with `checksum` as 0 before.
void seal(std::string& bytes, std::size_t length)
{
    put(bytes, 216, 0, 4);
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < length; at += 4)
        for (std::size_t i = 0; i < 4; ++i)
            sum += std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    put(bytes, 216, (sum & 0xffffffff) + (sum >> 32), 4);
}

/// Leg 1 of a mirror of two whose leg 0 has failed; device 2 is a spare.
std::string mirror()
{
    std::string bytes(4096, '\0');
    put(bytes, 0, 0xa92b4efc, 4);
    put(bytes, 4, 1, 4);
    put(bytes, 8, 1, 4);
    bytes.replace(16, 16, "0123456789abcdef");
    bytes.replace(32, 6, "host:m");
    put(bytes, 64, 1700000000, 8);
    put(bytes, 72, 1, 4);
    put(bytes, 80, 16384, 8);
    put(bytes, 92, 2, 4);
    put(bytes, 96, 8, 4);
    put(bytes, 128, 2048, 8);
    put(bytes, 136, 30720, 8);
    put(bytes, 144, 8, 8);
    put(bytes, 160, 1, 4);
    bytes.replace(168, 16, "ABCDEFGHIJKLMNOP");
    put(bytes, 192, (std::uint64_t{7} << 40) | 1700000060, 8);
    put(bytes, 200, 42, 8);
    put(bytes, 208, UINT64_MAX, 8);
    put(bytes, 220, 4, 4);
    put(bytes, 256, 0xfffe, 2);
    put(bytes, 258, 1, 2);
    put(bytes, 260, 0xffff, 2);
    put(bytes, 262, 0xffff, 2);
    seal(bytes, 256 + 8);
    return bytes;
}

/// 8 MiB less a bit of data in 127 chunks of 64 KiB, three of them dirty, and a bit behind them.
std::string bitmap()
{
    std::string bytes(4096, '\0');
    put(bytes, 0, 0x6d746962, 4);
    put(bytes, 4, 4, 4);
    bytes.replace(8, 16, "0123456789abcdef");
    put(bytes, 24, 42, 8);
    put(bytes, 32, 41, 8);
    put(bytes, 40, 16200, 8);
    put(bytes, 52, 65536, 4);
    put(bytes, 56, 5, 4);
    put(bytes, 256, 0x81, 1);
    put(bytes, 261, 0x02, 1);
    put(bytes, 271, 0x80, 1);
    return bytes;
}

FakeWorld with_disk(const std::string& superblock, const std::string& behind = "")
{
    FakeWorld world;
    world.prober.disks["/dev/a"].bytes = std::string(4096, '\0') + superblock + behind;
    return world;
}

TEST(Uuid, IsReadInEveryForm)
{
    constexpr const char* md = "01234567:89abcdef:01234567:89abcdef";
    EXPECT_EQ(md_uuid(md), md);
    EXPECT_EQ(md_uuid("01234567-89ab-cdef-0123-456789abcdef"), md);
    EXPECT_EQ(md_uuid("0123456789ABCDEF0123456789ABCDEF"), md);
    EXPECT_EQ(md_uuid("0123456789abcdef0123456789abcde"), std::nullopt);
    EXPECT_EQ(md_uuid("0123456789abcdef0123456789abcdefa"), std::nullopt);
    EXPECT_EQ(md_uuid("0123456789abcdef0123456789abcdeg"), std::nullopt);
    EXPECT_EQ(md_uuid(""), std::nullopt);
}

TEST(Layout, HasTheNamesOfMdadm)
{
    EXPECT_EQ(layout_name(10, 0x102), "n2");
    EXPECT_EQ(layout_name(10, 0x201), "f2");
    EXPECT_EQ(layout_name(10, 0x10201), "o2");
    EXPECT_EQ(layout_name(10, 0x202), "n2 f2");
    EXPECT_EQ(layout_name(0, 1), "original");
    EXPECT_EQ(layout_name(0, 2), "alternate");
    EXPECT_EQ(layout_name(0, 0), "");
    EXPECT_EQ(layout_name(5, 2), "left-symmetric");
    EXPECT_EQ(layout_name(1, 0), "");
}

TEST(Superblock, ThatIsNoneIsNot)
{
    EXPECT_FALSE(decode_superblock(""));
    EXPECT_FALSE(decode_superblock(std::string(4096, '\0')));
    EXPECT_FALSE(decode_superblock(mirror().substr(0, 255)));
    EXPECT_FALSE(decode_superblock(mirror().substr(0, 256 + 7)));
    for (std::size_t at : {0, 4, 144}) {
        std::string bytes = mirror();
        ++bytes[at];
        EXPECT_FALSE(decode_superblock(bytes)) << at;
    }
    std::string bytes = mirror();
    put(bytes, 220, 1921, 4);
    EXPECT_FALSE(decode_superblock(bytes));
}

TEST(Superblock, SaysWhatTheDeviceIs)
{
    const auto superblock = decode_superblock(mirror());
    ASSERT_TRUE(superblock);
    EXPECT_TRUE(superblock->checksum_good);
    EXPECT_EQ(superblock->role, "1");
    EXPECT_EQ(superblock->legs, ".A");
    EXPECT_EQ(superblock->updated, 1700000060U);
    EXPECT_EQ(superblock->resync_from, std::nullopt);
    EXPECT_EQ(superblock->bitmap_offset, 8);

    std::string bytes = mirror();
    for (const auto& [number, role] :
         {std::pair{0, "faulty"}, {1, "1"}, {2, "spare"}, {9, "spare"}}) {
        put(bytes, 160, static_cast<std::uint64_t>(number), 4);
        EXPECT_EQ(decode_superblock(bytes)->role, role) << number;
    }
    EXPECT_FALSE(decode_superblock(bytes)->checksum_good);
}

TEST(Superblock, CountsTwoOfARoleAsReplaced)
{
    std::string bytes = mirror();
    put(bytes, 260, 1, 2);
    put(bytes, 160, 2, 4);
    put(bytes, 8, 1 | 2 | 16, 4);
    put(bytes, 152, 100, 8);
    const auto superblock = decode_superblock(bytes);
    EXPECT_EQ(superblock->legs, ".R");
    EXPECT_EQ(superblock->role, "1 (replacement)");
    EXPECT_EQ(superblock->rebuilt_upto, 100U);
}

TEST(Examine, IsATable)
{
    auto world = with_disk(mirror(), bitmap());
    EXPECT_EQ(printed(world, {"raid", "examine", "/dev/a"}),
              "device    /dev/a\n"
              "array     30313233:34353637:38396162:63646566\n"
              "name      host:m\n"
              "level     1\n"
              "created   2023-11-14 22:13:20 UTC\n"
              "updated   2023-11-14 22:14:20 UTC\n"
              "legs      2, .A\n"
              "role      1\n"
              "state     clean\n"
              "events    42\n"
              "used      16384 sectors (8M)\n"
              "data      30720 sectors (15M) from sector 2048 on\n"
              "bitmap    internal, good, 3 of 127 chunks of 64K dirty, events 42\n"
              "uuid      41424344:45464748:494a4b4c:4d4e4f50\n"
              "checksum  good\n");
    EXPECT_EQ(world.control.effects, Effects{});
}

TEST(Examine, AsJsonIsAList)
{
    std::string dirty = mirror();
    put(dirty, 208, 512, 8);
    put(dirty, 88, 128, 4);
    put(dirty, 72, 10, 4);
    put(dirty, 76, 0x102, 4);
    auto world = with_disk(dirty, bitmap());
    const Json all = Json::parse(printed(world, {"raid", "examine", "/dev/a", "--json"}));
    ASSERT_EQ(all.size(), 1U);
    const Json& one = all[0];
    EXPECT_EQ(one["path"], "/dev/a");
    EXPECT_EQ(one["level"], 10);
    EXPECT_EQ(one["layout"], "n2");
    EXPECT_EQ(one["chunk_kib"], 64);
    EXPECT_EQ(one["role"], 1);
    EXPECT_EQ(one["clean"], false);
    EXPECT_EQ(one["resync_from_sector"], 512);
    EXPECT_TRUE(one["rebuilt_upto_sector"].is_null());
    EXPECT_EQ(one["checksum_good"], false);
    EXPECT_EQ(one["bitmap"]["dirty_chunks"], 3);
    EXPECT_EQ(one["bitmap"]["offset_sectors"], 8);
}

TEST(Examine, ShowsABitmapThatIsNotThere)
{
    auto world = with_disk(mirror());
    EXPECT_NE(printed(world, {"raid", "examine", "/dev/a"}).find("internal, unreadable"),
              std::string::npos);
}

TEST(Examine, NamesADeviceWithoutSuperblock)
{
    auto world = with_disk("");
    EXPECT_EQ(refused(world, {"raid", "examine", "/dev/a"}),
              "kioctl: /dev/a has no superblock of version 1.2\n");
    EXPECT_EQ(refused(world, {"raid", "examine", "/dev/b"}),
              "kioctl: cannot read /dev/b: No such file or directory\n");
}

} // namespace
} // namespace kio
