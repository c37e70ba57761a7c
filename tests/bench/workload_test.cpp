// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "workload.hpp"

namespace kio::bench {
namespace {

TEST(Label, NamesTheDepthOnlyWhereThereIsOne)
{
    EXPECT_EQ(label({Op::read, 4096, Mode::psync, 1}), "4K read psync");
    EXPECT_EQ(label({Op::write, 1 << 20, Mode::psync, 1}), "1M write psync");
    EXPECT_EQ(label({Op::write, 512, Mode::libaio, 32}), "512B write libaio QD32");
}

TEST(Parse, TakesWhatNameGives)
{
    EXPECT_EQ(parse_op(name(Op::read)), Op::read);
    EXPECT_EQ(parse_op(name(Op::write)), Op::write);
    EXPECT_EQ(parse_op("trim"), std::nullopt);
    EXPECT_EQ(parse_mode(name(Mode::psync)), Mode::psync);
    EXPECT_EQ(parse_mode(name(Mode::libaio)), Mode::libaio);
    EXPECT_EQ(parse_mode("io_uring"), std::nullopt);
}

TEST(Objection, IsToWhatNoEngineCanRun)
{
    EXPECT_EQ(objection({Op::read, 4096, Mode::psync, 1}), std::nullopt);
    EXPECT_EQ(objection({Op::read, 4096, Mode::libaio, 32}), std::nullopt);
    EXPECT_TRUE(objection({Op::read, 0, Mode::psync, 1}));
    EXPECT_TRUE(objection({Op::read, 1000, Mode::psync, 1}));
    EXPECT_TRUE(objection({Op::read, std::uint64_t{1} << 40, Mode::psync, 1}));
    EXPECT_TRUE(objection({Op::read, 4096, Mode::psync, 2}));
    EXPECT_TRUE(objection({Op::read, 4096, Mode::libaio, 0}));
    EXPECT_TRUE(objection({Op::read, 4096, Mode::libaio, 1000000}));
}

} // namespace
} // namespace kio::bench
