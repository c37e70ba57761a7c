// SPDX-License-Identifier: GPL-2.0
#include <cerrno>
#include <cstdlib>

#include <gtest/gtest.h>

#include "lib/spawn_runner.hpp"

namespace kio {
namespace {

Ran ran(const std::vector<std::string>& words)
{
    SpawnRunner runner;
    const auto result = runner.run(words);
    EXPECT_TRUE(result) << result.error().sentence;
    return result ? *result : Ran{-1, "", ""};
}

TEST(SpawnRunner, KeepsTheStreamsApart)
{
    const Ran result = ran({"sh", "-c", "echo out; echo err >&2; echo more; exit 7"});
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(result.out, "out\nmore\n");
    EXPECT_EQ(result.err, "err\n");
}

TEST(SpawnRunner, TakesAnyAmount)
{
    EXPECT_EQ(ran({"sh", "-c", "head -c 1000000 /dev/zero"}).out.size(), 1'000'000U);
}

TEST(SpawnRunner, WordsStayWords)
{
    EXPECT_EQ(ran({"printf", "<%s>", "a b", "$c", ""}).out, "<a b><$c><>");
}

TEST(SpawnRunner, ProgramsSpeakEnglish)
{
    ::setenv("LC_ALL", "de_DE.UTF-8", 1);
    ::setenv("KIO_KEPT", "kept", 1);
    EXPECT_EQ(ran({"sh", "-c", "echo $LC_ALL $KIO_KEPT"}).out, "C kept\n");
    ::unsetenv("LC_ALL");
    ::unsetenv("KIO_KEPT");
}

TEST(SpawnRunner, ThereIsNoInput)
{
    EXPECT_EQ(ran({"cat"}).out, "");
}

TEST(SpawnRunner, TellsOfASignal)
{
    EXPECT_EQ(ran({"sh", "-c", "kill -KILL $$"}).status, 137);
}

TEST(SpawnRunner, TellsWhatCannotBeStarted)
{
    SpawnRunner runner;
    const auto result = runner.run({"/nowhere/program"});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ENOENT);
}

} // namespace
} // namespace kio
