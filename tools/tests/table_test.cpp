// SPDX-License-Identifier: GPL-2.0
// Tables: where they come from, and how a long one goes through writes of less than a page.
#include <cerrno>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/fake_control.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

TEST(Table, ComesFromStandardInput)
{
    FakeControl control;
    control.files["-"] = "0 8 zero\n";
    EXPECT_EQ(printed(control, {"lvm", "create", "v", "--table", "-"}), "");
    EXPECT_EQ(control.files["lvm/v/table"], "0 8 zero\n");
}

TEST(Table, LastLineNeedsNoNewline)
{
    FakeControl control;
    control.files["/tmp/table"] = "0 8 zero\n8 8 error";
    EXPECT_EQ(printed(control, {"lvm", "create", "v", "--table", "/tmp/table"}), "");
    EXPECT_EQ(control.files["lvm/v/table"], "0 8 zero\n8 8 error\n");
}

TEST(Table, ThatCannotBeReadHasNoEffect)
{
    FakeControl control;
    EXPECT_EQ(refused(control, {"lvm", "create", "v", "--table", "/tmp/none"}),
              "kioctl: cannot read the table from /tmp/none: No such file or directory\n");
    EXPECT_EQ(control.effects, Effects{});
}

TEST(Table, ShortWritesContinueAtTheNextLine)
{
    FakeControl control;
    control.page = 24;
    control.files["-"] = "0 8 zero\n8 8 zero\n16 8 error\n24 8 zero\n32 8 zero";
    EXPECT_EQ(printed(control, {"lvm", "create", "v", "--table", "-"}), "");
    EXPECT_EQ(control.effects, (Effects{"mkdir lvm/v", "write lvm/v/table 0 8 zero\n8 8 zero",
                                        "write lvm/v/table 16 8 error\n24 8 zero",
                                        "write lvm/v/table 32 8 zero", "write lvm/v/enable 1"}));
}

TEST(Table, OfTenThousandLinesArrivesWhole)
{
    FakeControl control;
    std::string table;
    for (int i = 0; i < 10'000; ++i)
        table += fmt::format("{} 8 linear /dev/sd{} {}\n", i * 8, i % 7, i * 16);
    control.files["-"] = table;
    ASSERT_EQ(printed(control, {"lvm", "create", "v", "--table", "-"}), "");
    EXPECT_EQ(control.files["lvm/v/table"], table);
    EXPECT_EQ(control.effects.back(), "write lvm/v/enable 1");
}

TEST(Table, RefusedHalfWayLeavesNothing)
{
    FakeControl control;
    control.page = 12;
    control.files["-"] = "0 8 zero\n9 8 zero\n16 8 zero\n";
    control.refuse("write lvm/v/table 9 8 zero", EINVAL, "line 2 starts at 9 instead of 8");
    EXPECT_EQ(refused(control, {"lvm", "create", "v", "--table", "-"}),
              "kioctl: lvm volume 'v' refused table: line 2 starts at 9 instead of 8\n");
    EXPECT_EQ(control.effects, (Effects{"mkdir lvm/v", "write lvm/v/table 0 8 zero",
                                        "write lvm/v/table 9 8 zero", "rmdir lvm/v"}));
}

TEST(Table, LineLongerThanAPageIsRefused)
{
    FakeControl control;
    control.files["-"] = std::string(5000, 'x') + '\n';
    EXPECT_EQ(refused(control, {"lvm", "create", "v", "--table", "-"}),
              "kioctl: lvm volume 'v' refused table: a line is too long for one write\n");
    EXPECT_FALSE(control.is_directory("lvm/v"));
}

TEST(Load, ClearsStagesAndCommits)
{
    FakeControl control;
    control.add_object("lvm/v", {{"enable", "1"}, {"table", "0 8 error"}});
    EXPECT_EQ(printed(control, {"lvm", "load", "v", "--table-line", "0 8 zero"}), "");
    EXPECT_EQ(control.effects, (Effects{"write lvm/v/table clear", "write lvm/v/table 0 8 zero",
                                        "write lvm/v/enable 1"}));
    EXPECT_EQ(control.files["lvm/v/table"], "0 8 zero\n");
}

TEST(Load, RefusedKeepsTheVolume)
{
    FakeControl control;
    control.add_object("lvm/v", {{"enable", "1"}});
    control.refuse("write lvm/v/enable 1", EINVAL, "the table leaves a gap at 8");
    EXPECT_EQ(refused(control, {"lvm", "load", "v", "--table-line", "16 8 zero"}),
              "kioctl: lvm volume 'v' refused enable=1: the table leaves a gap at 8\n");
    EXPECT_TRUE(control.is_directory("lvm/v"));
}

TEST(Load, NeedsAVolume)
{
    FakeControl control;
    EXPECT_EQ(refused(control, {"lvm", "load", "v", "--table-line", "0 8 zero"}),
              "kioctl: there is no lvm volume 'v'\n");
    EXPECT_EQ(control.effects, Effects{});
}

} // namespace
} // namespace kio
