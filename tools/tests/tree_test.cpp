// SPDX-License-Identifier: GPL-2.0
/*
 * The stack drawn here, r0 shared by two volumes:
 *
 *      vol     snap
 *         \   /    \
 *           r0      nvme0n1p3
 *         /    \
 *       l0     sda
 *        |
 *    /tmp/a.img
 */
#include <gtest/gtest.h>

#include "tests/fake_control.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

void add_device(FakeControl& control, const std::string& object,
                const std::vector<std::string>& slaves)
{
    control.add_object(object, {{"enable", "1"}, {"size_bytes", "1048576"}});
    const std::string name = object.substr(object.find('/') + 1);
    const std::string links = "/sys/block/kio!" + name + "/slaves";
    control.folders.insert(links);
    for (const std::string& slave : slaves)
        control.folders.insert(links + '/' + slave);
}

FakeControl shared_array()
{
    FakeControl control;
    add_device(control, "lvm/snap", {"kio!r0", "nvme0n1p3"});
    add_device(control, "lvm/vol", {"kio!r0"});
    add_device(control, "raid/r0", {"kio!l0", "sda"});
    add_device(control, "loop/l0", {});
    control.files["loop/l0/file"] = "/tmp/a.img\n";
    control.files["/sys/class/block/sda/size"] = "4096\n";
    return control;
}

TEST(Tree, DrawsSharedLayersUnderEachOwner)
{
    auto control = shared_array();
    EXPECT_EQ(printed(control, {"tree"}), "NAME              KIND  SIZE  STATE\n"
                                          "snap              lvm   1M    up\n"
                                          "├─r0              raid  1M    up\n"
                                          "│ ├─l0            loop  1M    up\n"
                                          "│ │ └─/tmp/a.img  file\n"
                                          "│ └─sda           disk  2M\n"
                                          "└─nvme0n1p3       disk\n"
                                          "vol               lvm   1M    up\n"
                                          "└─r0              raid  1M    up\n"
                                          "  ├─l0            loop  1M    up\n"
                                          "  │ └─/tmp/a.img  file\n"
                                          "  └─sda           disk  2M\n");
}

TEST(Tree, AsJson)
{
    FakeControl control;
    add_device(control, "raid/r0", {"kio!l0", "sda"});
    add_device(control, "loop/l0", {});
    EXPECT_EQ(printed(control, {"tree", "--json"}), R"([
  {
    "kind": "raid",
    "name": "r0",
    "path": "/dev/kio/r0",
    "state": "up",
    "size_bytes": 1048576,
    "below": [
      {
        "kind": "loop",
        "name": "l0",
        "path": "/dev/kio/l0",
        "state": "up",
        "size_bytes": 1048576,
        "below": []
      },
      {
        "kind": "disk",
        "name": "sda",
        "path": "/dev/sda",
        "below": []
      }
    ]
  }
]
)");
}

TEST(Tree, DeviceThatIsDownStandsAlone)
{
    FakeControl control;
    control.add_object("raid/r0", {{"enable", "0"}, {"size_bytes", "0"}});
    EXPECT_EQ(printed(control, {"tree"}), "NAME  KIND  SIZE  STATE\n"
                                          "r0    raid  0B    down\n");
}

TEST(Tree, ForeignDiskInAFolderKeepsItsPath)
{
    FakeControl control;
    add_device(control, "lvm/v", {"cciss!c0d0"});
    EXPECT_EQ(printed(control, {"tree"}), "NAME          KIND  SIZE  STATE\n"
                                          "v             lvm   1M    up\n"
                                          "└─cciss/c0d0  disk\n");
}

} // namespace
} // namespace kio
