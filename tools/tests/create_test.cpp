// SPDX-License-Identifier: GPL-2.0
// Which effects a command line has, in which order, and what is left when one is refused.
#include <cerrno>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/fake_control.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

TEST(Create, LvmWritesTableThenEnables)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"lvm", "create", "v", "--table-line", "0 8 linear /dev/a 0",
                                "--table-line", "8 8 zero"}),
              "");
    EXPECT_EQ(control.effects,
              (Effects{"mkdir lvm/v", "write lvm/v/table 0 8 linear /dev/a 0\n8 8 zero",
                       "write lvm/v/enable 1"}));
    EXPECT_EQ(control.files["lvm/v/table"], "0 8 linear /dev/a 0\n8 8 zero\n");
    EXPECT_EQ(control.files["lvm/v/enable"], "1\n");
}

TEST(Create, RaidWritesAllThatDescribesIt)
{
    FakeControl control;
    EXPECT_EQ(
        printed(control, {"raid", "create", "r0", "--level", "5", "--chunk-kib", "64", "--layout",
                          "left-symmetric", "--metadata", "none", "/dev/a", "missing", "/dev/c"}),
        "");
    EXPECT_EQ(control.effects,
              (Effects{"mkdir raid/r0", "write raid/r0/level 5", "write raid/r0/chunk_kib 64",
                       "write raid/r0/layout left-symmetric", "write raid/r0/metadata none",
                       "write raid/r0/legs /dev/a\nmissing\n/dev/c", "write raid/r0/enable 1"}));
}

TEST(Create, LoopWritesOnlyWhatWasAskedFor)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"loop", "attach", "l", "/tmp/f"}), "");
    EXPECT_EQ(control.effects,
              (Effects{"mkdir loop/l", "write loop/l/file /tmp/f", "write loop/l/enable 1"}));
}

TEST(Create, LoopWritesEveryOption)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"loop", "create", "--partscan", "--offset", "1M", "--sizelimit",
                                "4096", "--block-size", "4K", "--direct-io", "off", "--read-only",
                                "--autoclear", "l", "/tmp/f"}),
              "");
    EXPECT_EQ(
        control.effects,
        (Effects{"mkdir loop/l", "write loop/l/file /tmp/f", "write loop/l/offset_bytes 1048576",
                 "write loop/l/size_limit_bytes 4096", "write loop/l/block_size 4096",
                 "write loop/l/direct_io 0", "write loop/l/read_only 1", "write loop/l/partscan 1",
                 "write loop/l/autoclear 1", "write loop/l/enable 1"}));
}

TEST(Create, LoopIsChangedWhileItIsUp)
{
    FakeControl control;
    control.add_object("loop/l", {{"enable", "1"}});
    EXPECT_EQ(printed(control, {"loop", "set", "l", "--direct-io", "off", "--autoclear", "on"}),
              "");
    EXPECT_EQ(printed(control, {"loop", "resize", "l"}), "");
    EXPECT_EQ(control.effects, (Effects{"write loop/l/direct_io 0", "write loop/l/autoclear 1",
                                        "write loop/l/enable 1"}));
}

TEST(Create, LoopThatIsDownHasNoSize)
{
    FakeControl control;
    control.add_object("loop/l", {{"enable", "0"}});
    EXPECT_EQ(refused(control, {"loop", "resize", "l"}), "kioctl: loop device 'l' is not up\n");
    EXPECT_EQ(control.effects, Effects{});
}

TEST(Create, FilterNamesItsLower)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"filter", "create", "f", "--kind", "flakey", "/dev/a"}), "");
    EXPECT_EQ(control.effects, (Effects{"mkdir filter/f", "write filter/f/kind flakey",
                                        "write filter/f/lower /dev/a", "write filter/f/enable 1"}));
}

TEST(Create, RelativePathsAreMadeAbsolute)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"loop", "attach", "l", "disk.img"}), "");
    const auto full = std::filesystem::current_path() / "disk.img";
    EXPECT_EQ(control.files["loop/l/file"], full.string() + '\n');
}

TEST(Create, JsonNamesWhatWasMade)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"loop", "attach", "l", "/tmp/f", "--json"}), R"({
  "kind": "loop",
  "name": "l",
  "path": "/dev/kio/l"
}
)");
}

TEST(RollBack, RefusedAttributeLeavesNothing)
{
    FakeControl control;
    control.refuse("write raid/r0/legs /dev/a\n/dev/b", EBUSY, "/dev/b is mounted");
    EXPECT_EQ(refused(control, {"raid", "create", "r0", "--level", "1", "--metadata", "none",
                                "/dev/a", "/dev/b"}),
              "kioctl: raid array 'r0' refused legs: /dev/b is mounted\n");
    EXPECT_EQ(control.effects.back(), "rmdir raid/r0");
    EXPECT_FALSE(control.is_directory("raid/r0"));
}

TEST(RollBack, RefusedEnableLeavesNothing)
{
    FakeControl control;
    control.refuse("write loop/l/enable 1", ENOENT, "there is no file /tmp/f");
    EXPECT_EQ(refused(control, {"loop", "attach", "l", "/tmp/f"}),
              "kioctl: loop device 'l' refused enable=1: there is no file /tmp/f\n");
    EXPECT_FALSE(control.is_directory("loop/l"));
}

TEST(RollBack, ThatFailsIsToldToo)
{
    FakeControl control;
    control.refuse("write loop/l/enable 1", EINVAL, "the file is empty");
    control.refuse("rmdir loop/l", EBUSY);
    EXPECT_EQ(
        refused(control, {"loop", "attach", "l", "/tmp/f"}),
        "kioctl: loop device 'l' refused enable=1: the file is empty; moreover, cannot remove "
        "loop device 'l': Device or resource busy\n");
}

TEST(RollBack, NeverTouchesAnObjectThatWasThere)
{
    FakeControl control;
    control.add_object("loop/l", {{"enable", "1"}});
    EXPECT_EQ(refused(control, {"loop", "attach", "l", "/tmp/f"}),
              "kioctl: cannot create loop device 'l': a device of this name exists\n");
    EXPECT_EQ(control.effects, Effects{"mkdir loop/l"});
}

TEST(Refusal, WithoutSentenceFallsBackOnErrno)
{
    FakeControl control;
    control.refuse("write loop/l/enable 1", EIO);
    EXPECT_EQ(refused(control, {"loop", "attach", "l", "/tmp/f"}),
              "kioctl: loop device 'l' refused enable=1: Input/output error\n");
}

TEST(Refusal, BeforeTheKernelIgnoresAnOldSentence)
{
    FakeControl control;
    control.add_object("loop/l", {{"error", "an old story"}});
    control.refuse_open("loop/l/enable", EACCES, "Permission denied");
    EXPECT_EQ(refused(control, {"loop", "detach", "l"}),
              "kioctl: loop device 'l' refused enable=0: Permission denied\n");
}

TEST(Module, IsLoadedWhenItsFolderIsMissing)
{
    FakeControl control;
    control.folders = {""};
    control.modules = {{"kloop", "loop"}};
    EXPECT_EQ(printed(control, {"loop", "attach", "l", "/tmp/f"}), "");
    EXPECT_EQ(control.effects.at(0), "modprobe kloop");
    EXPECT_EQ(control.effects.at(1), "mkdir loop/l");
}

TEST(Module, ThatCannotBeLoadedIsNamed)
{
    FakeControl control;
    control.folders = {""};
    EXPECT_EQ(refused(control, {"raid", "create", "r", "--level", "1", "--metadata", "none",
                                "/dev/a", "/dev/b"}),
              "kioctl: module kraid is missing: it is not loaded and modprobe could not "
              "load it\n");
    EXPECT_EQ(control.effects, Effects{"modprobe kraid"});
}

TEST(Module, IsNotLoadedWithoutConfigfs)
{
    FakeControl control;
    control.folders = {};
    control.mounted = false;
    EXPECT_EQ(refused(control, {"loop", "attach", "l", "/tmp/f"}),
              "kioctl: configfs is not mounted on /sys/kernel/config\n");
    EXPECT_EQ(control.effects, Effects{});
}

} // namespace
} // namespace kio
