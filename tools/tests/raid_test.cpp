// SPDX-License-Identifier: GPL-2.0
// Arrays: which attributes are written in which order, which devices are taken, and what is told
// while an array is at work.
#include <cerrno>

#include <gtest/gtest.h>

#include "lib/output.hpp"
#include "tests/fake_world.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

constexpr const char* uuid = "01234567:89abcdef:01234567:89abcdef";
constexpr const char* blkid_uuid = "01234567-89ab-cdef-0123-456789abcdef";
constexpr const char* other_uuid = "11111111:22222222:33333333:44444444";

Content member(const std::string& of, const std::string& label)
{
    return {
        .usage = "raid", .type = "linux_raid_member", .version = "1.2", .label = label, .uuid = of};
}

FakeWorld with_disks(const std::vector<std::string>& paths)
{
    FakeWorld world;
    for (const std::string& path : paths)
        world.prober.disks[path];
    return world;
}

/// Adds what sysfs and libblkid know of a block device.
void add_block(FakeWorld& world, const std::string& name, const std::vector<Content>& contents,
               const std::string& sectors = "2048", const std::string& holder = "")
{
    const std::string folder = "/sys/class/block/" + name;
    world.control.folders.insert({"/sys/class/block", folder, folder + "/holders"});
    if (!holder.empty())
        world.control.folders.insert(folder + "/holders/" + holder);
    world.control.files[folder + "/size"] = sectors + '\n';
    world.prober.disks["/dev/" + name].contents = contents;
}

FakeWorld with_array(const std::map<std::string, std::string>& more = {})
{
    FakeWorld world;
    std::map<std::string, std::string> attributes{{"enable", "1"}, {"sync_action", "idle"}};
    attributes.insert(more.begin(), more.end());
    world.control.add_object("raid/m", attributes);
    return world;
}

TEST(RaidCreate, WritesEveryOptionThenItsSpares)
{
    auto world = with_disks({"/dev/a", "/dev/b", "/dev/s", "/dev/t"});
    EXPECT_EQ(
        printed(world, {"raid",     "create",   "m",      "--level",  "10",       "--chunk",
                        "64",       "--layout", "f2",     "--bitmap", "internal", "--uuid",
                        blkid_uuid, "--spare",  "/dev/s", "--spare",  "/dev/t",   "--assume-clean",
                        "/dev/a",   "missing",  "/dev/b"}),
        "");
    EXPECT_EQ(
        world.control.effects,
        (Effects{"mkdir raid/m", "write raid/m/level 10", "write raid/m/chunk_kib 64",
                 "write raid/m/layout f2", "write raid/m/metadata 1.2", "write raid/m/create 1",
                 "write raid/m/name m", "write raid/m/assume_clean 1",
                 "write raid/m/bitmap internal", std::string{"write raid/m/uuid "} + uuid,
                 "write raid/m/legs /dev/a\nmissing\n/dev/b", "write raid/m/enable 1",
                 "write raid/m/spare /dev/s", "write raid/m/spare /dev/t"}));
}

TEST(RaidCreate, RefusesALegThatHoldsSomething)
{
    auto world = with_disks({"/dev/a"});
    world.prober.disks["/dev/b"].contents = {
        {.usage = "filesystem", .type = "ext4", .version = "1.0", .label = "data", .uuid = ""}};
    EXPECT_EQ(
        refused(world, {"raid", "create", "m", "--level", "1", "/dev/a", "/dev/b"}),
        "kioctl: /dev/b holds a file system (ext4 1.0) named 'data'; --force overwrites it\n");
    EXPECT_EQ(world.control.effects, Effects{});
    EXPECT_EQ(
        printed(world, {"raid", "create", "m", "--level", "1", "--force", "/dev/a", "/dev/b"}), "");
}

TEST(RaidCreate, RefusesASpareThatHoldsSomething)
{
    auto world = with_disks({"/dev/a", "/dev/b"});
    world.prober.disks["/dev/s"].contents = {
        {.usage = "partitions", .type = "gpt", .version = "", .label = "", .uuid = ""},
        member(blkid_uuid, "host:old")};
    EXPECT_EQ(refused(world, {"raid", "create", "m", "--level", "1", "--spare", "/dev/s", "/dev/a",
                              "/dev/b"}),
              "kioctl: /dev/s holds a partition table (gpt) and a member of an array "
              "(linux_raid_member 1.2) named 'host:old'; --force overwrites it\n");
}

TEST(RaidCreate, NamesALegThatIsNotThere)
{
    auto world = with_disks({"/dev/a"});
    EXPECT_EQ(refused(world, {"raid", "create", "m", "--level", "1", "/dev/a", "/dev/b"}),
              "kioctl: cannot read /dev/b: No such file or directory\n");
    EXPECT_EQ(world.control.effects, Effects{});
}

TEST(RaidCreate, WithoutMetadataKeepsWhatLegsHold)
{
    FakeWorld world;
    EXPECT_EQ(printed(world, {"raid", "create", "m", "--level", "1", "--metadata", "none", "/dev/a",
                              "/dev/b"}),
              "");
    EXPECT_EQ(world.control.effects,
              (Effects{"mkdir raid/m", "write raid/m/level 1", "write raid/m/metadata none",
                       "write raid/m/legs /dev/a\n/dev/b", "write raid/m/enable 1"}));
}

TEST(RaidCreate, WithARefusedSpareLeavesNothing)
{
    auto world = with_disks({"/dev/a", "/dev/b", "/dev/s"});
    world.control.refuse("write raid/m/spare /dev/s", ENOSPC, "/dev/s is too small.");
    EXPECT_EQ(refused(world, {"raid", "create", "m", "--level", "1", "--spare", "/dev/s", "/dev/a",
                              "/dev/b"}),
              "kioctl: raid array 'm' refused spare=/dev/s: /dev/s is too small.\n");
    EXPECT_EQ(world.control.effects.at(world.control.effects.size() - 2), "write raid/m/enable 0");
    EXPECT_FALSE(world.control.is_directory("raid/m"));
}

TEST(RaidAttribute, ThatTheModuleLacksIsNamed)
{
    auto world = with_disks({"/dev/a", "/dev/b"});
    world.control.refuse_open("raid/m/bitmap", ENOENT, "No such file or directory");
    EXPECT_EQ(refused(world, {"raid", "create", "m", "--level", "1", "--bitmap", "internal",
                              "/dev/a", "/dev/b"}),
              "kioctl: raid array 'm' has no attribute 'bitmap': the module kraid that is loaded "
              "does not know it\n");
    EXPECT_FALSE(world.control.is_directory("raid/m"));
}

TEST(RaidAssemble, TakesTheLegsThatAreNamed)
{
    FakeWorld world;
    EXPECT_EQ(printed(world, {"raid", "assemble", "m", "--force", "/dev/a", "/dev/b"}), "");
    EXPECT_EQ(world.control.effects,
              (Effects{"mkdir raid/m", "write raid/m/metadata 1.2", "write raid/m/create 0",
                       "write raid/m/force 1", "write raid/m/legs /dev/a\n/dev/b",
                       "write raid/m/enable 1"}));
}

TEST(RaidAssemble, ThatIsRefusedLeavesNothing)
{
    FakeWorld world;
    world.control.refuse("write raid/m/enable 1", EINVAL, "/dev/b is out of date.");
    EXPECT_EQ(refused(world, {"raid", "assemble", "m", "/dev/a", "/dev/b"}),
              "kioctl: raid array 'm' refused enable=1: /dev/b is out of date.\n");
    EXPECT_FALSE(world.control.is_directory("raid/m"));
}

FakeWorld with_members()
{
    FakeWorld world;
    add_block(world, "sda", {member(blkid_uuid, "host:m")});
    add_block(world, "sdb", {member("11111111-2222-2222-3333-333344444444", "host:n")});
    add_block(world, "sdc", {member(blkid_uuid, "host:m")}, "2048", "kio!f");
    add_block(world, "kio!f", {});
    world.prober.disks["/dev/kio/f"].contents = {member(blkid_uuid, "host:m")};
    add_block(world, "sdd", {member(blkid_uuid, "host:m")}, "0");
    add_block(world, "sde", {});
    Content old = member(blkid_uuid, "host:m");
    old.version = "0.90.0";
    add_block(world, "sdf", {old});
    return world;
}

TEST(RaidAssemble, FindsFreeMembersByUuid)
{
    auto world = with_members();
    EXPECT_EQ(printed(world, {"raid", "assemble", "x", "--uuid", uuid}), "");
    EXPECT_EQ(world.control.files["raid/x/legs"], "/dev/kio/f\n/dev/sda\n");
}

TEST(RaidAssemble, FindsFreeMembersByName)
{
    auto world = with_members();
    EXPECT_EQ(printed(world, {"raid", "assemble", "n", "--scan"}), "");
    EXPECT_EQ(world.control.files["raid/n/legs"], "/dev/sdb\n");
}

TEST(RaidAssemble, WithoutMembersHasNoEffect)
{
    auto world = with_members();
    EXPECT_EQ(refused(world, {"raid", "assemble", "x", "--scan"}),
              "kioctl: no block device that is free is a member of an array named 'x'\n");
    EXPECT_EQ(
        refused(world, {"raid", "assemble", "x", "--uuid", "ffffffff:ffffffff:ffffffff:ffffffff"}),
        "kioctl: no block device that is free is a member of an array "
        "ffffffff:ffffffff:ffffffff:ffffffff\n");
    EXPECT_EQ(world.control.effects, Effects{});
}

TEST(RaidAssemble, ChoosesNotBetweenTwoOfAName)
{
    auto world = with_members();
    add_block(world, "sdg", {member("11111111-2222-2222-3333-333344444444", "elsewhere:m")});
    EXPECT_EQ(refused(world, {"raid", "assemble", "m", "--scan"}),
              std::string{"kioctl: 2 arrays are named 'm'; choose one by --uuid: "} + uuid + ", " +
                  other_uuid + '\n');
    EXPECT_EQ(world.control.effects, Effects{});
}

TEST(RaidLegs, ArePathsToOneAttribute)
{
    auto world = with_array();
    for (const char* command : {"fail", "remove", "add", "spare"})
        EXPECT_EQ(printed(world, {"raid", command, "m", "/dev/a"}), "");
    EXPECT_EQ(printed(world, {"raid", "replace", "m", "/dev/a", "/dev/b"}), "");
    EXPECT_EQ(world.control.effects,
              (Effects{"write raid/m/fail /dev/a", "write raid/m/remove /dev/a",
                       "write raid/m/add /dev/a", "write raid/m/spare /dev/a",
                       "write raid/m/replace /dev/a /dev/b"}));
}

TEST(RaidLegs, ThatAreRefusedLeaveTheArray)
{
    auto world = with_array();
    world.control.refuse("write raid/m/replace /dev/a /dev/b", EBUSY, "/dev/b is in use.");
    EXPECT_EQ(refused(world, {"raid", "replace", "m", "/dev/a", "/dev/b"}),
              "kioctl: raid array 'm' refused replace: /dev/b is in use.\n");
    EXPECT_TRUE(world.control.is_directory("raid/m"));
}

TEST(RaidLegs, NeedAnArray)
{
    FakeWorld world;
    for (const char* command : {"fail", "remove", "add", "spare"})
        EXPECT_EQ(refused(world, {"raid", command, "m", "/dev/a"}),
                  "kioctl: there is no raid array 'm'\n");
    EXPECT_EQ(world.control.effects, Effects{});
}

TEST(RaidStop, TakesTheArrayDown)
{
    auto world = with_array();
    EXPECT_EQ(printed(world, {"raid", "stop", "m"}), "");
    EXPECT_EQ(world.control.effects, (Effects{"write raid/m/enable 0", "rmdir raid/m"}));
}

TEST(RaidWords, GoToTheirAttributes)
{
    auto world = with_array();
    EXPECT_EQ(printed(world, {"raid", "bitmap", "m", "internal"}), "");
    EXPECT_EQ(printed(world, {"raid", "speed", "m", "1024"}), "");
    EXPECT_EQ(world.control.effects,
              (Effects{"write raid/m/bitmap internal", "write raid/m/sync_speed_kib_max 1024"}));
}

/// The array runs `action`, is at 1024 of 4096 sectors twice, then at 2048, then done.
void run_sync(FakeWorld& world, const std::string& action)
{
    auto& files = world.control.files;
    files["raid/m/sync_action"] = action + '\n';
    files["raid/m/sync_completed"] = "none\n";
    world.terminal.happens = {[&files] { files["raid/m/sync_completed"] = "1024 / 4096\n"; },
                              [&files] { files["raid/m/sync_completed"] = "1030 / 4096\n"; },
                              [&files] { files["raid/m/sync_completed"] = "2048 / 4096\n"; },
                              [&files] {
                                  files["raid/m/sync_action"] = "idle\n";
                                  files["raid/m/sync_completed"] = "none\n";
                              }};
}

TEST(RaidCheck, OnlyStartsUnlessToldToWait)
{
    auto world = with_array();
    EXPECT_EQ(printed(world, {"raid", "check", "m"}), "");
    EXPECT_EQ(printed(world, {"raid", "check", "m", "--repair"}), "");
    EXPECT_EQ(world.control.effects,
              (Effects{"write raid/m/sync_action check", "write raid/m/sync_action repair"}));
    EXPECT_EQ(world.terminal.sleeps, 0U);
}

TEST(RaidCheck, TellsEachPerCentInALine)
{
    auto world = with_array({{"mismatch_sectors", "128"}});
    run_sync(world, "check");
    EXPECT_EQ(printed(world, {"raid", "check", "m", "--wait"}), "check\n"
                                                                "check 25%, 1024 of 4096 sectors\n"
                                                                "check 50%, 2048 of 4096 sectors\n"
                                                                "128 sectors differ\n");
}

TEST(RaidCheck, PrintsOverItsLineOnATerminal)
{
    auto world = with_array({{"mismatch_sectors", "0"}});
    world.terminal.tty = true;
    run_sync(world, "repair");
    EXPECT_EQ(printed(world, {"raid", "check", "m", "--repair", "--wait"}),
              "\rrepair\x1b[K"
              "\rrepair 25%, 1024 of 4096 sectors\x1b[K"
              "\rrepair 25%, 1030 of 4096 sectors\x1b[K"
              "\rrepair 50%, 2048 of 4096 sectors\x1b[K\n"
              "0 sectors differed\n");
}

TEST(RaidCheck, AsJsonTellsTheEndOnly)
{
    auto world = with_array({{"mismatch_sectors", "1"}});
    run_sync(world, "check");
    EXPECT_EQ(printed(world, {"--json", "raid", "check", "m", "--wait"}), R"({
  "kind": "raid",
  "name": "m",
  "path": "/dev/kio/m",
  "mismatch_sectors": 1
}
)");
}

TEST(RaidCheck, GoesOnWhenTheUserDoesNot)
{
    auto world = with_array();
    const auto outcome = run_kioctl(world, {"raid", "check", "m", "--wait"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.out, "check\n");
    EXPECT_EQ(outcome.err, "kioctl: interrupted, but raid array 'm' goes on with its check\n");
    EXPECT_EQ(world.control.effects, Effects{"write raid/m/sync_action check"});
}

TEST(RaidCheck, ThatIsRefusedIsNotWaitedFor)
{
    auto world = with_array();
    world.control.refuse("write raid/m/sync_action check", EBUSY, "A rebuild runs.");
    EXPECT_EQ(refused(world, {"raid", "check", "m", "--wait"}),
              "kioctl: raid array 'm' refused sync_action=check: A rebuild runs.\n");
    EXPECT_EQ(world.terminal.sleeps, 0U);
}

TEST(RaidCheck, EndsWithTheArray)
{
    auto world = with_array();
    auto& control = world.control;
    world.terminal.happens = {[&control] {
        control.folders.erase("raid/m");
        control.files.erase("raid/m/sync_action");
    }};
    EXPECT_EQ(run_kioctl(world, {"raid", "check", "m", "--wait"}).err,
              "kioctl: there is no raid array 'm'\n");
}

TEST(RaidWait, ReturnsWhenTheArrayIsIdle)
{
    auto world = with_array();
    EXPECT_EQ(printed(world, {"raid", "wait", "m"}), "");
    run_sync(world, "recover");
    EXPECT_EQ(printed(world, {"raid", "wait", "m"}), "recover\n"
                                                     "recover 25%, 1024 of 4096 sectors\n"
                                                     "recover 50%, 2048 of 4096 sectors\n");
    EXPECT_EQ(world.control.effects, Effects{});
}

TEST(RaidWait, NeedsTheAttribute)
{
    FakeWorld world;
    world.control.add_object("raid/m", {{"enable", "1"}});
    EXPECT_EQ(refused(world, {"raid", "wait", "m"}),
              "kioctl: raid array 'm' has no attribute 'sync_action': the module kraid that is "
              "loaded does not know it\n");
}

FakeWorld rebuilding()
{
    return with_array({{"size_bytes", "1048576"},
                       {"level", "1"},
                       {"layout", ""},
                       {"metadata", "1.2"},
                       {"uuid", uuid},
                       {"name", "host:m"},
                       {"array_state", "active"},
                       {"degraded", "1"},
                       {"events", "42"},
                       {"bitmap", "internal"},
                       {"mismatch_sectors", "0"},
                       {"sync_speed_kib_max", "0"},
                       {"leg_state", "0 /dev/sda in_sync 0\n1 /dev/sdb rebuilding 3\n"
                                     "- /dev/sdc faulty 9"}});
}

TEST(RaidShow, IsTheWholeArray)
{
    auto world = rebuilding();
    world.control.files["raid/m/sync_action"] = "recover\n";
    world.control.files["raid/m/sync_completed"] = "512 / 2048\n";
    EXPECT_EQ(printed(world, {"raid", "detail", "m"}),
              "kind                raid\n"
              "name                m\n"
              "path                /dev/kio/m\n"
              "state               degraded\n"
              "size_bytes          1048576 (1M)\n"
              "array_name          host:m\n"
              "level               1\n"
              "metadata            1.2\n"
              "uuid                01234567:89abcdef:01234567:89abcdef\n"
              "array_state         active\n"
              "degraded            1\n"
              "events              42\n"
              "bitmap              internal\n"
              "sync_action         recover\n"
              "sync_completed      512 of 2048 sectors (25.0%)\n"
              "mismatch_sectors    0\n"
              "sync_speed_kib_max  0\n"
              "\n"
              "LEG  PATH      STATE       ERRORS\n"
              "0    /dev/sda  in_sync     0\n"
              "1    /dev/sdb  rebuilding  3\n"
              "-    /dev/sdc  faulty      9\n");
}

TEST(RaidShow, AsJsonKeepsNumbers)
{
    auto world = rebuilding();
    Json detail = Json::parse(printed(world, {"raid", "detail", "m", "--json"}));
    EXPECT_EQ(detail["sync_action"], "idle");
    EXPECT_TRUE(detail["sync_completed"].is_null());
    EXPECT_EQ(detail["events"], 42);
    EXPECT_EQ(detail["legs"][1]["index"], 1);
    EXPECT_TRUE(detail["legs"][2]["index"].is_null());

    world.control.files["raid/m/sync_completed"] = "512 / 2048\n";
    detail = Json::parse(printed(world, {"raid", "detail", "m", "--json"}));
    EXPECT_EQ(detail["sync_completed"], (Json{{"done_sectors", 512}, {"total_sectors", 2048}}));
}

} // namespace
} // namespace kio
