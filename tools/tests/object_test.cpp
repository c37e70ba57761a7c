// SPDX-License-Identifier: GPL-2.0
// Names, and commands on objects that exist, or do not.
#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/fake_control.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

struct BadName {
    const char* name;
    const char* why;
};

void PrintTo(const BadName& bad, std::ostream* stream)
{
    *stream << testing::PrintToString(bad.name);
}

class Names : public testing::TestWithParam<BadName> {};

TEST_P(Names, AreRefusedInWords)
{
    FakeControl control;
    const auto [name, why] = GetParam();
    const auto sentence = fmt::format("kioctl: '{}' cannot name a device: {}\n", name, why);
    EXPECT_EQ(refused(control, {"loop", "attach", name, "/tmp/f"}), sentence);
    EXPECT_EQ(refused(control, {"raid", "stop", name}), sentence);
    EXPECT_EQ(control.effects, Effects{});
}

constexpr const char* signs = "it may hold only letters, digits and the signs _ . + -";

INSTANTIATE_TEST_SUITE_P(
    Bad, Names,
    testing::Values(BadName{"", "it is empty"}, BadName{"raw", "the word is reserved"},
                    BadName{".", "the word is reserved"}, BadName{"..", "the word is reserved"},
                    BadName{"a/b", signs}, BadName{"a b", signs}, BadName{"ä", signs},
                    BadName{"a234567890123456789012345678", "it may have at most 27 characters"}));

TEST(GoodNames, ReachTheKernel)
{
    for (const char* name : {"a", "A_z.0+-", "raw0", "...", "a23456789012345678901234567"}) {
        FakeControl control;
        EXPECT_EQ(printed(control, {"loop", "attach", name, "/tmp/f"}), "") << name;
    }
}

TEST(Remove, TakesDownThenRemoves)
{
    FakeControl control;
    for (const auto& [group, verb, path] :
         {std::array{"lvm", "remove", "lvm/x"}, std::array{"raid", "stop", "raid/x"},
          std::array{"loop", "detach", "loop/x"}, std::array{"loop", "remove", "loop/x"},
          std::array{"filter", "remove", "filter/x"}}) {
        const std::string object = path;
        control.effects.clear();
        control.add_object(object, {{"enable", "1"}});
        EXPECT_EQ(printed(control, {group, verb, "x"}), "");
        EXPECT_EQ(control.effects, (Effects{"write " + object + "/enable 0", "rmdir " + object}));
    }
}

TEST(Remove, LeavesWhatIsInUse)
{
    FakeControl control;
    control.add_object("lvm/v", {{"enable", "1"}});
    control.refuse("write lvm/v/enable 0", EBUSY, "it is open");
    EXPECT_EQ(refused(control, {"lvm", "remove", "v"}),
              "kioctl: lvm volume 'v' refused enable=0: it is open\n");
    EXPECT_TRUE(control.is_directory("lvm/v"));
}

TEST(Remove, NeedsTheRightKind)
{
    FakeControl control;
    control.add_object("lvm/v", {{"enable", "1"}});
    EXPECT_EQ(refused(control, {"raid", "stop", "v"}), "kioctl: there is no raid array 'v'\n");
    EXPECT_EQ(control.effects, Effects{});
}

TEST(Fail, NamesTheLeg)
{
    FakeControl control;
    control.add_object("raid/r0", {{"enable", "1"}});
    EXPECT_EQ(printed(control, {"raid", "fail", "r0", "/dev/b"}), "");
    EXPECT_EQ(control.effects, Effects{"write raid/r0/fail /dev/b"});
}

TEST(Fail, SaysWhyNot)
{
    FakeControl control;
    control.add_object("raid/r0", {{"enable", "1"}});
    control.refuse("write raid/r0/fail /dev/b", ENODEV, "/dev/b is no leg of it");
    EXPECT_EQ(refused(control, {"raid", "fail", "r0", "/dev/b"}),
              "kioctl: raid array 'r0' refused fail=/dev/b: /dev/b is no leg of it\n");
}

} // namespace
} // namespace kio
