// SPDX-License-Identifier: GPL-2.0
#include <cstdint>

#include <gtest/gtest.h>

#include "lib/output.hpp"
#include "lib/text.hpp"

namespace kio {
namespace {

TEST(HumanSize, HasAtMostFourDigits)
{
    EXPECT_EQ(human_size(std::nullopt), "");
    EXPECT_EQ(human_size(0), "0B");
    EXPECT_EQ(human_size(512), "512B");
    EXPECT_EQ(human_size(1023), "1023B");
    EXPECT_EQ(human_size(1024), "1K");
    EXPECT_EQ(human_size(1536), "1.5K");
    EXPECT_EQ(human_size(std::uint64_t{3} << 40), "3T");
    EXPECT_EQ(human_size(UINT64_MAX), "16E");
}

TEST(ParseNumber, TakesTheWholeTextOrNothing)
{
    EXPECT_EQ(parse_number("0"), 0);
    EXPECT_EQ(parse_number("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(parse_number("18446744073709551616"), std::nullopt);
    for (const char* text : {"", "-1", "1 ", " 1", "1.2", "none"})
        EXPECT_EQ(parse_number(text), std::nullopt) << text;
}

TEST(Trimmed, KeepsInnerSpace)
{
    EXPECT_EQ(trimmed(" a b\n"), "a b");
    EXPECT_EQ(trimmed("\n"), "");
    EXPECT_EQ(trimmed(""), "");
}

TEST(Columns, AlignByCharactersAndEndWithoutSpace)
{
    EXPECT_EQ(columns({{"a", "b"}, {"└─long", ""}, {"x", "y"}}), "a       b\n"
                                                                 "└─long\n"
                                                                 "x       y\n");
    EXPECT_EQ(columns({}), "");
}

TEST(Dump, ReplacesWhatJsonCannotHold)
{
    EXPECT_EQ(dump("a\xff"), "\"a\xef\xbf\xbd\"\n");
}

} // namespace
} // namespace kio
