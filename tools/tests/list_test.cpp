// SPDX-License-Identifier: GPL-2.0
// What the listings print, to the byte, as text and as JSON.
#include <gtest/gtest.h>

#include "tests/fake_control.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

FakeControl one_of_each()
{
    FakeControl control;
    control.add_object(
        "lvm/vol0", {{"enable", "1"}, {"size_bytes", "67108864"}, {"stats", "reads 3\nwrites 1"}});
    control.add_object("raid/r0", {{"enable", "1"},
                                   {"size_bytes", "1610612736"},
                                   {"level", "1"},
                                   {"metadata", "none"},
                                   {"degraded", "1"},
                                   {"stats", "reads 5\nmode fast lane"},
                                   {"leg_state", "0 /dev/sda in_sync 0\n1 /dev/sdb faulty 7"}});
    control.add_object("loop/l0", {{"enable", "0"},
                                   {"size_bytes", "0"},
                                   {"file", "/tmp/a b.img"},
                                   {"offset_bytes", "512"},
                                   {"read_only", "1"}});
    return control;
}

TEST(List, IsATable)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"list"}), "KIND  NAME  SIZE  STATE     PATH\n"
                                          "lvm   vol0  64M   up        /dev/kio/vol0\n"
                                          "raid  r0    1.5G  degraded  /dev/kio/r0\n"
                                          "loop  l0    0B    down      /dev/kio/l0\n");
    EXPECT_EQ(control.effects, Effects{});
}

TEST(List, AsJson)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"--json", "list"}), R"([
  {
    "kind": "lvm",
    "name": "vol0",
    "path": "/dev/kio/vol0",
    "state": "up",
    "size_bytes": 67108864
  },
  {
    "kind": "raid",
    "name": "r0",
    "path": "/dev/kio/r0",
    "state": "degraded",
    "size_bytes": 1610612736
  },
  {
    "kind": "loop",
    "name": "l0",
    "path": "/dev/kio/l0",
    "state": "down",
    "size_bytes": 0
  }
]
)");
}

TEST(List, IsEmptyWhileNoModuleIsLoaded)
{
    FakeControl control;
    control.folders = {};
    EXPECT_EQ(printed(control, {"list"}), "KIND  NAME  SIZE  STATE  PATH\n");
    EXPECT_EQ(printed(control, {"list", "--json"}), "[]\n");
    EXPECT_EQ(control.effects, Effects{});
}

TEST(List, NeedsConfigfs)
{
    FakeControl control;
    control.mounted = false;
    for (const Words& words : {Words{"list"}, Words{"tree"}, Words{"stats"}, Words{"stats", "x"},
                               Words{"loop", "list"}, Words{"raid", "detail", "x"}})
        EXPECT_EQ(refused(control, words),
                  "kioctl: configfs is not mounted on /sys/kernel/config\n");
}

TEST(LoopList, ShowsTheFile)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"loop", "list"}), "NAME  SIZE  STATE  OFFSET  FILE\n"
                                                  "l0    0B    down   512     /tmp/a b.img\n");
}

TEST(LoopList, AsJson)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"loop", "list", "--json"}), R"([
  {
    "kind": "loop",
    "name": "l0",
    "path": "/dev/kio/l0",
    "state": "down",
    "size_bytes": 0,
    "file": "/tmp/a b.img",
    "offset_bytes": 512,
    "read_only": 1
  }
]
)");
}

TEST(RaidDetail, ShowsAttributesAndLegs)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"raid", "detail", "r0"}), "kind        raid\n"
                                                          "name        r0\n"
                                                          "path        /dev/kio/r0\n"
                                                          "state       degraded\n"
                                                          "size_bytes  1610612736 (1.5G)\n"
                                                          "level       1\n"
                                                          "metadata    none\n"
                                                          "degraded    1\n"
                                                          "\n"
                                                          "LEG  PATH      STATE    ERRORS\n"
                                                          "0    /dev/sda  in_sync  0\n"
                                                          "1    /dev/sdb  faulty   7\n");
}

TEST(RaidDetail, AsJson)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"raid", "detail", "r0", "--json"}), R"({
  "kind": "raid",
  "name": "r0",
  "path": "/dev/kio/r0",
  "state": "degraded",
  "size_bytes": 1610612736,
  "level": 1,
  "metadata": "none",
  "degraded": 1,
  "legs": [
    {
      "index": 0,
      "path": "/dev/sda",
      "state": "in_sync",
      "errors": 0
    },
    {
      "index": 1,
      "path": "/dev/sdb",
      "state": "faulty",
      "errors": 7
    }
  ]
}
)");
}

TEST(Stats, OfOneDeviceIsTheAttribute)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"stats", "vol0"}), "reads 3\nwrites 1\n");
}

TEST(Stats, OfAllNamesTheDevice)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"stats"}), "vol0 reads 3\n"
                                           "vol0 writes 1\n"
                                           "r0 reads 5\n"
                                           "r0 mode fast lane\n");
}

TEST(Stats, AsJson)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"stats", "r0", "--json"}), R"({
  "kind": "raid",
  "name": "r0",
  "stats": {
    "reads": 5,
    "mode": "fast lane"
  }
}
)");
}

TEST(Stats, OfNoDevice)
{
    auto control = one_of_each();
    EXPECT_EQ(refused(control, {"stats", "nobody"}), "kioctl: there is no device 'nobody'\n");
}

} // namespace
} // namespace kio
