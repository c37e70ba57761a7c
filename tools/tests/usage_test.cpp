// SPDX-License-Identifier: GPL-2.0
// Misuse exits 2 with one line and no effect; help and version exit 0.
#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/fake_control.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

Words split(const std::string& line)
{
    std::istringstream stream{line};
    return {std::istream_iterator<std::string>{stream}, {}};
}

class Misuse : public testing::TestWithParam<const char*> {};

TEST_P(Misuse, ExitsTwoWithOneLine)
{
    FakeControl control;
    const auto outcome = run_kioctl(control, split(GetParam()));
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("kioctl: ")) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_EQ(control.effects, Effects{});
}

INSTANTIATE_TEST_SUITE_P(
    Line, Misuse,
    testing::Values("", "lvm", "explode", "lvm explode", "list more", "lvm create", "lvm create v",
                    "lvm create v --table f --table-line x", "raid create r /dev/a",
                    "raid create r --level 1", "raid create r --level 1 --uuid 12 /dev/a",
                    "raid assemble r", "raid assemble r --scan /dev/a", "raid assemble r --uuid x",
                    "raid fail r", "raid remove r", "raid replace r /dev/a", "raid bitmap r maybe",
                    "raid speed r fast", "raid examine", "loop attach l",
                    "loop attach l /tmp/f --offset 1x", "loop attach l /tmp/f --offset -1",
                    "loop attach l /tmp/f --sizelimit 99E",
                    "loop attach l /tmp/f --direct-io maybe", "filter create f /dev/a",
                    "filter create f --kind flakey", "filter rules", "filter rules f --file",
                    "filter rules f --file x any", "filter state", "filter release",
                    "filter list more"));

TEST(Value, ThatCannotBeReadIsNamed)
{
    FakeControl control;
    EXPECT_EQ(run_kioctl(control, split("loop attach l /tmp/f --direct-io maybe")).err,
              "kioctl: --direct-io: maybe not in {on,off}; see kioctl --help\n");
}

TEST(CommandWords, AreNamesToo)
{
    for (const char* name : {"list", "lvm", "create", "remove"}) {
        FakeControl control;
        EXPECT_EQ(printed(control, {"loop", "attach", name, "/tmp/f"}), "") << name;
    }
}

TEST(Help, ListsEveryCommand)
{
    FakeControl control;
    const auto outcome = run_kioctl(control, {"--help"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    for (const char* word : {"lvm", "raid", "loop", "filter", "list", "tree", "stats", "--json",
                             "create, load, remove", "attach, detach, list"})
        EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
}

TEST(Help, OfOneCommandNeedsNoArguments)
{
    FakeControl control;
    const auto outcome = run_kioctl(control, {"raid", "create", "--help"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.out.find("Usage: kioctl raid create [OPTIONS] NAME LEG..."),
              std::string::npos);
}

TEST(Version, IsOneLine)
{
    FakeControl control;
    const auto outcome = run_kioctl(control, {"--version"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(outcome.out.starts_with("kioctl ")) << outcome.out;
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
}

TEST(Output, ThatCannotBeWrittenIsAnError)
{
    FakeWorld fake;
    std::ostringstream out, err;
    out.setstate(std::ios::badbit);
    const char* const arguments[] = {"kioctl", "list"};
    EXPECT_EQ(run(2, arguments, {fake.control, fake.prober, fake.terminal, fake.runner}, out, err),
              1);
    EXPECT_EQ(err.str(), "kioctl: cannot write the output\n");
}

} // namespace
} // namespace kio
