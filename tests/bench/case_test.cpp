// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "case.hpp"

namespace kio::bench {
namespace {

std::string refusal(const std::string& text)
{
    const auto spec = parse_spec(text);
    return spec ? "" : spec.error().sentence;
}

TEST(ParseSpec, TakesCasesInTheirOrder)
{
    const auto spec = parse_spec("null /dev/nullb0 read 4K psync 1 2000\n"
                                 "klvm-1 /dev/kio/v1 write 1M libaio 32 64\n");
    ASSERT_TRUE(spec);
    ASSERT_EQ(spec->cases.size(), 2U);
    EXPECT_EQ(spec->cases[0].name, "null");
    EXPECT_EQ(spec->cases[0].device, "/dev/nullb0");
    EXPECT_EQ(spec->cases[0].workload, (Workload{Op::read, 4096, Mode::psync, 1}));
    EXPECT_EQ(spec->cases[0].count, 2000U);
    EXPECT_EQ(spec->cases[1].workload, (Workload{Op::write, 1 << 20, Mode::libaio, 32}));
}

TEST(ParseSpec, TakesCasesThroughThePageCache)
{
    const auto spec = parse_spec("file-cached /f read 4K psync 1 1 cached\n"
                                 "file /f read 4K psync 1 1\n");
    ASSERT_TRUE(spec);
    EXPECT_TRUE(spec->cases[0].cached);
    EXPECT_FALSE(spec->cases[1].cached);
}

TEST(ParseSpec, TakesSkipsWithTheirReason)
{
    const auto spec = parse_spec("skip kloop there is no  module\n");
    ASSERT_TRUE(spec);
    EXPECT_TRUE(spec->cases.empty());
    ASSERT_EQ(spec->skips.size(), 1U);
    EXPECT_EQ(spec->skips[0].name, "kloop");
    EXPECT_EQ(spec->skips[0].reason, "there is no module");
}

TEST(ParseSpec, PassesOverEmptyLinesAndRemarks)
{
    const auto spec = parse_spec("\n  \n# null /dev/nullb0\n#x\n");
    ASSERT_TRUE(spec);
    EXPECT_TRUE(spec->cases.empty());
}

TEST(ParseSpec, SaysWhichLineIsWrongAndWhy)
{
    EXPECT_EQ(refusal("#\nnull /dev/null read 4K psync 1\n"),
              "line 2: 6 words, not NAME DEVICE OP BS MODE QD COUNT [cached]");
    EXPECT_EQ(refusal("n d read 4K psync 1 1 direct"),
              "line 1: 8 words, not NAME DEVICE OP BS MODE QD COUNT [cached]");
    EXPECT_EQ(refusal("n d trim 4K psync 1 1"), "line 1: 'trim' is neither read nor write");
    EXPECT_EQ(refusal("n d read 4X psync 1 1"), "line 1: '4X' is no size");
    EXPECT_EQ(refusal("n d read K psync 1 1"), "line 1: 'K' is no size");
    EXPECT_EQ(refusal("n d read 18014398509481984K psync 1 1"),
              "line 1: '18014398509481984K' is no size");
    EXPECT_EQ(refusal("n d read 4K sync 1 1"), "line 1: 'sync' is none of psync, libaio, fresh");
    EXPECT_EQ(refusal("n d read 4K psync one 1"), "line 1: 'one' is no depth");
    EXPECT_EQ(refusal("n d read 4K psync 2 1"), "line 1: psync has a depth of 1");
    EXPECT_EQ(refusal("n d write 4K fresh 2 1"), "line 1: fresh has a depth of 1");
    EXPECT_EQ(refusal("n d write 32K fresh 1 1"),
              "line 1: a block of 32768 bytes is over a fresh piece of 16K");
    EXPECT_EQ(refusal("n d read 4K psync 1 0"), "line 1: '0' is no count");
    EXPECT_EQ(refusal("skip kloop"), "line 1: skip wants NAME and REASON");
}

} // namespace
} // namespace kio::bench
