// SPDX-License-Identifier: GPL-2.0
#include <cstdio>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "engine.hpp"

namespace kio::bench {
namespace {

constexpr std::uint64_t block = 4096;
constexpr std::size_t file_blocks = 16;

/// A file in the current folder, all of it spaces.
class EngineTest : public testing::TestWithParam<Workload> {
protected:
    EngineTest() { std::ofstream{path_} << std::string(file_blocks * block, ' '); }
    ~EngineTest() override { std::remove(path_.c_str()); }

    Result<std::unique_ptr<Engine>> make(std::uint64_t count)
    {
        return make_engine({"file", path_, GetParam(), count}, *pages_);
    }

    std::string content() const
    {
        std::ifstream file{path_};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

    std::string path_ = "engine_test." + std::to_string(::getpid());
    Result<Pages> pages_ = Pages::allocate(memory_needed(GetParam()));
};

class EngineReadTest : public EngineTest {};

TEST_P(EngineTest, DoesEachBlockOfTheFile)
{
    const auto engine = make(file_blocks);
    if (!engine && engine.error().code == EINVAL)
        GTEST_SKIP() << "no O_DIRECT here";
    ASSERT_TRUE(engine) << engine.error().sentence;
    const auto intervals = measure(**engine, 3);
    ASSERT_TRUE(intervals) << intervals.error().sentence;
    EXPECT_EQ(intervals->size(), 3U);

    const std::string after = content();
    ASSERT_EQ(after.size(), file_blocks * block);
    for (std::size_t i = 0; i < after.size(); i += block)
        EXPECT_EQ(after[i] == ' ', GetParam().op == Op::read) << "block " << i / block;
}

TEST_P(EngineTest, OpensWithDirectIoUnlessCached)
{
    Case wanted{"null", "/dev/null", GetParam(), 1};
    const auto direct = make_engine(wanted, *pages_);
    ASSERT_FALSE(direct);
    EXPECT_EQ(direct.error().code, EINVAL);
    wanted.cached = true;
    const auto cached = make_engine(wanted, *pages_);
    ASSERT_FALSE(cached);
    EXPECT_EQ(cached.error().code, ENOSPC);
}

TEST_P(EngineReadTest, SaysWhatFailed)
{
    const auto engine = make(file_blocks);
    if (!engine && engine.error().code == EINVAL)
        GTEST_SKIP() << "no O_DIRECT here";
    ASSERT_TRUE(engine);
    ASSERT_EQ(::truncate(path_.c_str(), 0), 0);
    const auto done = (*engine)->run();
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().sentence.find("gave: 0 bytes."), std::string::npos)
        << done.error().sentence;
}

TEST_P(EngineTest, RefusesAFileSmallerThanABlock)
{
    ASSERT_EQ(::truncate(path_.c_str(), block - 1), 0);
    EXPECT_FALSE(make(1));
}

TEST_P(EngineTest, RefusesWhatIsNotThere)
{
    const auto engine = make_engine({"none", "/no/such/file", GetParam(), 1}, *pages_);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().code, ENOENT);
    EXPECT_EQ(engine.error().sentence,
              "/no/such/file cannot be opened: No such file or directory.");
}

class EngineFreshTest : public EngineTest {};

TEST_P(EngineFreshTest, IsInAnotherPieceEachTime)
{
    const auto engine = make(file_blocks * block / fresh_piece / 2);
    if (!engine && engine.error().code == EINVAL)
        GTEST_SKIP() << "no O_DIRECT here";
    ASSERT_TRUE(engine);
    ASSERT_TRUE((*engine)->run());
    ASSERT_TRUE((*engine)->run());
    const std::string after = content();
    for (std::size_t i = 0; i < after.size(); i += block)
        EXPECT_EQ(after[i] == ' ', i % fresh_piece != 0) << "block " << i / block;
    const auto more = (*engine)->run();
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().sentence, "Only 0 fresh pieces are left.");
}

INSTANTIATE_TEST_SUITE_P(Fresh, EngineFreshTest,
                         testing::Values(Workload{Op::write, block, Mode::fresh, 1}));

INSTANTIATE_TEST_SUITE_P(Reads, EngineReadTest,
                         testing::Values(Workload{Op::read, block, Mode::psync, 1},
                                         Workload{Op::read, block, Mode::libaio, 5}));

INSTANTIATE_TEST_SUITE_P(Workloads, EngineTest,
                         testing::Values(Workload{Op::read, block, Mode::psync, 1},
                                         Workload{Op::write, block, Mode::psync, 1},
                                         Workload{Op::read, block, Mode::libaio, 5},
                                         Workload{Op::write, block, Mode::libaio, 5}));

TEST(PagesTest, ArePresentAndWritable)
{
    auto pages = Pages::allocate(10000);
    ASSERT_TRUE(pages);
    EXPECT_EQ(pages->size(), 12288U);
    const Pages moved = *std::move(pages);
    moved.data()[12287] = std::byte{7};
    EXPECT_EQ(moved.data()[12287], std::byte{7});
}

} // namespace
} // namespace kio::bench
