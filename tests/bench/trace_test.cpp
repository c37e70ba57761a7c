// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "trace.hpp"

namespace kio::bench {
namespace {

constexpr const char* line_of_10 =
    "Trace 0: 0x7f3c4c000100 [00000000/0000000000000010/0040c0b0/ff200201] user\n";
constexpr const char* line_of_20 =
    "Trace 0: 0x7f3c4c000200 [00000000/0000000000000020/0040c0b0/ff200201] \n";
constexpr const char* taken_back =
    "Stopped execution of TB chain before 0x7f3c4c000200 [0000000000000020] \n";

TEST(TracedInstruction, IsTheSecondNumber)
{
    EXPECT_EQ(traced_instruction(line_of_10), 0x10U);
    EXPECT_EQ(traced_instruction("Trace 0: 0x7f [0/ffffffff81a2b3c4/0/0] f"), 0xffffffff81a2b3c4);
    EXPECT_EQ(traced_instruction(taken_back), std::nullopt);
    for (const char* line : {"", "Trace", "Trace 0: 0x7f [", "Trace 0: 0x7f [0/12", "Trace [0/x/0"})
        EXPECT_EQ(traced_instruction(line), std::nullopt) << line;
}

TEST(Sampler, CutsAtTheMarkerAndDropsBothEnds)
{
    Sampler sampler{0x10, 2};
    for (const char* line : {line_of_20, line_of_10, line_of_20, line_of_20, line_of_10})
        sampler.feed(line);
    EXPECT_FALSE(sampler.full());
    sampler.feed(line_of_20);
    sampler.feed(line_of_10);
    EXPECT_TRUE(sampler.full());
    EXPECT_EQ(sampler.samples(), (std::vector<Sample>{{0x10, 0x20, 0x20}, {0x10, 0x20}}));
}

TEST(Sampler, TakesPiecesThatEndWithinALine)
{
    Sampler sampler{0x10, 1};
    const std::string text = std::string{line_of_10} + line_of_20 + line_of_10;
    for (const char byte : text)
        sampler.feed({&byte, 1});
    EXPECT_EQ(sampler.samples(), (std::vector<Sample>{{0x10, 0x20}}));
}

TEST(Sampler, DoesNotCountTwiceWhatWasLoggedTwice)
{
    Sampler sampler{0x10, 1};
    for (const char* line : {line_of_10, line_of_20, taken_back, line_of_20, line_of_10})
        sampler.feed(line);
    EXPECT_EQ(sampler.samples(), (std::vector<Sample>{{0x10, 0x20}}));
}

TEST(Sampler, StopsWhenFull)
{
    Sampler sampler{0x10, 1};
    for (int i = 0; i < 5; ++i)
        sampler.feed(line_of_10);
    EXPECT_EQ(sampler.samples().size(), 1U);
}

} // namespace
} // namespace kio::bench
