// SPDX-License-Identifier: GPL-2.0
// From lvm2's report to volumes and back, and what kioctl does with that.
#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <stdexcept>

#include <gtest/gtest.h>

#include "lib/lvm_plan.hpp"
#include "lib/output.hpp"
#include "tests/lvm2_reports.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

using lvm2::VolumeGroup;

/// The group of the report, with none of its volumes active.
VolumeGroup group()
{
    auto parsed = lvm2::parse(group_report);
    EXPECT_TRUE(parsed);
    VolumeGroup all = *parsed;
    for (auto& lv : all.logical)
        lv.active = false;
    return all;
}

lvm2::LogicalVolume& volume(VolumeGroup& all, const std::string& name)
{
    for (auto& lv : all.logical)
        if (lv.name == name)
            return lv;
    throw std::out_of_range(name);
}

/// The group without what cannot be activated.
VolumeGroup good_group()
{
    VolumeGroup all = group();
    std::erase_if(all.logical, [](const auto& lv) {
        return lv.hidden || lv.name == "r1" || lv.name == "ro" || lv.name == "thin";
    });
    return all;
}

LvmUnit unit_of(const VolumeGroup& all, const std::string& lv)
{
    const auto units = plan_activation(all, {all.name, lv});
    EXPECT_TRUE(units) << units.error().sentence;
    EXPECT_EQ(units ? units->size() : 0, 1U);
    return units ? units->front() : LvmUnit(1);
}

TEST(LvmPlan, Linear)
{
    const LvmUnit unit = unit_of(group(), "lin");
    ASSERT_EQ(unit.size(), 1U);
    EXPECT_EQ(unit[0].name, "vg-lin");
    EXPECT_EQ(unit[0].uuid, "LVM-kfTnv7xOeB6v82jduO6nsRNJPjotXZwGh0clQ0KofvHbYfw8aA1ofAahHL1xESVd");
    EXPECT_EQ(unit[0].table, "0 10240 linear /dev/nullb0 2048\n"
                             "10240 8192 linear /dev/nullb2 16384\n");
}

TEST(LvmPlan, Striped)
{
    const LvmUnit unit = unit_of(group(), "str-3");
    ASSERT_EQ(unit.size(), 1U);
    EXPECT_EQ(unit[0].name, "vg-str--3");
    EXPECT_EQ(unit[0].table, "0 18432 striped 3 128 /dev/nullb0 12288 /dev/nullb1 2048 "
                             "/dev/nullb2 2048\n");
}

TEST(LvmPlan, OriginComesWithAllItsSnapshots)
{
    for (const char* lv : {"org", "snap", "snap2"}) {
        const LvmUnit unit = unit_of(group(), lv);
        ASSERT_EQ(unit.size(), 6U) << lv;
        EXPECT_EQ(unit[0].name, "vg-org-real");
        EXPECT_EQ(unit[0].table, "0 16384 linear /dev/nullb0 18432\n");
        EXPECT_TRUE(unit[0].uuid.ends_with("bRzKet-real"));
        EXPECT_EQ(unit[1].name, "vg-snap-cow");
        EXPECT_EQ(unit[1].table, "0 8192 linear /dev/nullb0 34816\n");
        EXPECT_EQ(unit[2].name, "vg-snap");
        EXPECT_EQ(unit[2].table,
                  "0 16384 snapshot /dev/kio/vg-org-real /dev/kio/vg-snap-cow P 16\n");
        EXPECT_EQ(unit[3].name, "vg-snap2-cow");
        EXPECT_EQ(unit[4].table,
                  "0 16384 snapshot /dev/kio/vg-org-real /dev/kio/vg-snap2-cow P 128\n");
        EXPECT_EQ(unit[5].name, "vg-org");
        EXPECT_EQ(unit[5].table, "0 16384 snapshot-origin /dev/kio/vg-org-real\n");
    }
}

TEST(LvmPlan, WholeGroup)
{
    const auto units = plan_activation(good_group(), {"vg", ""});
    ASSERT_TRUE(units) << units.error().sentence;
    ASSERT_EQ(units->size(), 3U);
    EXPECT_EQ(units->at(0).back().name, "vg-lin");
    EXPECT_EQ(units->at(1).back().name, "vg-org");
    EXPECT_EQ(units->at(2).back().name, "vg-str--3");
}

TEST(LvmPlan, HyphensOfTheGroupAreDoubledToo)
{
    VolumeGroup all = group();
    all.name = "my-vg";
    EXPECT_EQ(unit_of(all, "str-3")[0].name, "my--vg-str--3");
}

TEST(LvmPlan, WhatCannotBeIsRefused)
{
    struct Case {
        const char* lv;
        std::function<void(VolumeGroup&)> change;
        int code;
        const char* why;
    };
    const auto nothing = [](VolumeGroup&) {};
    const std::string kinds = "'; only linear and striped volumes and their snapshots can be";
    const std::vector<Case> cases{
        {"thin", nothing, EOPNOTSUPP, "'vg/thin': it is of the kind 'thin'; only linear"},
        {"pool", nothing, EOPNOTSUPP, "'vg/pool': it is part of another volume"},
        {"r1", nothing, EOPNOTSUPP, "'vg/r1': it is of the kind 'raid1'"},
        {"r1_rimage_0", nothing, EOPNOTSUPP, "it is part of another volume"},
        {"ro", nothing, EROFS, "it is read-only"},
        {"none", nothing, ENOENT, "there is no logical volume 'vg/none'"},
        {"", nothing, EOPNOTSUPP, "'vg/r1'"},
        {"lin", [](auto& all) { all.exported = true; }, EPERM, "'vg': it is exported"},
        {"lin", [](auto& all) { all.shared = true; }, EOPNOTSUPP, "'vg': it is shared"},
        {"", [](auto& all) { all.logical.clear(); }, ENOENT, "'vg' has no logical volumes"},
        {"lin", [](auto& all) { volume(all, "lin").active = true; }, EBUSY,
         "active by device-mapper; deactivate it with lvchange -an vg/lin first"},
        {"lin", [](auto& all) { volume(all, "str-3").active = true; }, EBUSY,
         "'vg/str-3' is active by device-mapper on /dev/nullb"},
        {"lin", [](auto& all) { volume(all, "lin").partial = true; }, ENODEV, "is missing"},
        {"lin", [](auto& all) { volume(all, "lin").segments.clear(); }, EINVAL, "no segments"},
        {"lin", [](auto& all) { volume(all, "lin").segments[1].places[0].device = "[unknown]"; },
         ENODEV, "it lies on '[unknown]'"},
        {"lin", [](auto& all) { volume(all, "lin").segments[1].places[0].device = "pvmove0"; },
         ENODEV, "it lies on 'pvmove0', which is no physical volume"},
        {"lin",
         [](auto& all) {
             all.physical[0].device = volume(all, "lin").segments[0].places[0].device = "/dev/a b";
         },
         EINVAL, "the name of '/dev/a b' has a space in it"},
        {"lin", [](auto& all) { volume(all, "lin").segments[1].type = "cache"; }, EOPNOTSUPP,
         "kind 'cache'"},
        {"lin", [](auto& all) { volume(all, "lin").segments[1].places.clear(); }, EOPNOTSUPP,
         "kind 'linear'"},
        {"org", [](auto& all) { volume(all, "org").merging = true; }, EOPNOTSUPP, "merged"},
        {"org", [](auto& all) { volume(all, "snap2").merging = true; }, EOPNOTSUPP,
         "'vg/snap2': a snapshot is being merged"},
        {"snap", [](auto& all) { volume(all, "snap2").read_only = true; }, EROFS, "'vg/snap2'"},
        {"snap", [](auto& all) { volume(all, "org").active = true; }, EBUSY,
         "'vg/org': it is active"},
    };
    for (const auto& [lv, change, code, why] : cases) {
        VolumeGroup all = group();
        change(all);
        const auto units = plan_activation(all, {"vg", lv});
        ASSERT_FALSE(units) << why;
        EXPECT_EQ(units.error().code, code) << units.error().sentence;
        EXPECT_NE(units.error().sentence.find(why), std::string::npos) << units.error().sentence;
    }
}

TEST(LvmPlan, Targets)
{
    for (const char* good : {"vg", "my-vg/lv.1", "a/b_+"})
        EXPECT_TRUE(parse_target(good)) << good;
    for (const char* bad :
         {"", "/", "vg/", "/lv", "a/b/c", "-f", "a/-b", "..", "a/..", "a b", "/dev/a"})
        EXPECT_FALSE(parse_target(bad)) << bad;
    EXPECT_EQ(describe(*parse_target("a/b")), "a/b");
    EXPECT_EQ(describe(*parse_target("a")), "a");
}

/// Volumes as they are there after an activation, in the order of their names.
std::vector<LvmVolume> there(const VolumeGroup& all)
{
    std::vector<LvmVolume> volumes;
    const auto units = plan_activation(all, {all.name, ""});
    EXPECT_TRUE(units) << units.error().sentence;
    for (const auto& unit : *units)
        volumes.insert(volumes.end(), unit.begin(), unit.end());
    std::ranges::sort(volumes, {}, &LvmVolume::name);
    return volumes;
}

Words down(const std::vector<LvmVolume>& volumes, const LvmTarget& target)
{
    const auto names = plan_deactivation(volumes, target);
    EXPECT_TRUE(names) << names.error().sentence;
    return names ? *names : Words{};
}

TEST(LvmPlan, GoesDownInTheOppositeOrder)
{
    const auto volumes = there(good_group());
    const Words unit{"vg-org", "vg-snap", "vg-snap2", "vg-snap-cow", "vg-snap2-cow", "vg-org-real"};
    for (const char* lv : {"org", "snap", "snap2"})
        EXPECT_EQ(down(volumes, {"vg", lv}), unit) << lv;
    EXPECT_EQ(down(volumes, {"vg", "lin"}), Words{"vg-lin"});
    EXPECT_EQ(down(volumes, {"vg", "str-3"}), Words{"vg-str--3"});
    EXPECT_EQ(down(volumes, {"vg", ""}).size(), 8U);
    EXPECT_EQ(down(volumes, {"vg", ""}).back(), "vg-org-real");
}

TEST(LvmPlan, OriginGoesDownBeforeSnapshotsOfEarlierNames)
{
    auto volumes = there(good_group());
    const auto snap = std::ranges::find(volumes, "vg-snap", &LvmVolume::name);
    ASSERT_NE(snap, volumes.end());
    snap->name = "vg-a";
    std::ranges::sort(volumes, {}, &LvmVolume::name);
    const Words names = down(volumes, {"vg", ""});
    EXPECT_LT(std::ranges::find(names, "vg-org"), std::ranges::find(names, "vg-a"));
}

TEST(LvmPlan, OthersStayUp)
{
    auto volumes = there(good_group());
    volumes.push_back({"vg-mine", "", "0 8 zero"});
    volumes.push_back({"vg2-lin", "LVM-x", "0 8 zero"});
    volumes.push_back({"vg--lin-a", "LVM-x", "0 8 zero"});
    volumes.push_back({"vg", "LVM-x", "0 8 zero"});
    EXPECT_EQ(down(volumes, {"vg", ""}).size(), 8U);
    EXPECT_EQ(down(volumes, {"vg-lin", ""}), Words{"vg--lin-a"});
    for (const LvmTarget& target :
         {LvmTarget{"vg", "mine"}, {"vg", "li"}, {"v", ""}, {"vg", "real"}}) {
        const auto names = plan_deactivation(volumes, target);
        ASSERT_FALSE(names);
        EXPECT_EQ(names.error().sentence,
                  "no volume of '" + describe(target) + "' is active by kioctl");
    }
}

TEST(LvmPlan, WhatIsLeftOfAUnitGoesDown)
{
    auto volumes = there(good_group());
    std::erase_if(volumes, [](const auto& v) { return v.name == "vg-org" || v.name == "vg-snap"; });
    EXPECT_EQ(down(volumes, {"vg", "org"}), (Words{"vg-snap2", "vg-snap2-cow", "vg-org-real"}));
    EXPECT_EQ(down(volumes, {"vg", "snap"}), Words{"vg-snap-cow"});
}

// ---- kioctl ----

class LvmActivate : public testing::Test {
protected:
    LvmActivate() { fake.runner.programs["lvm"] = {0, group_report, ""}; }

    /// What the report says but `r1` is not.
    void none_is_active()
    {
        std::string& text = fake.runner.programs["lvm"].out;
        const std::string active = R"("lv_active":"active")";
        for (std::size_t at; (at = text.find(active)) != std::string::npos;)
            text.replace(at, active.size(), R"("lv_active":"")");
    }

    /// What is left when only what can be activated is there.
    void only_good_ones()
    {
        Json report = Json::parse(fake.runner.programs["lvm"].out);
        for (const char* part : {"lv", "seg"})
            report["report"][0][part] = good_of(report["report"][0][part]);
        fake.runner.programs["lvm"].out = report.dump();
    }

    static Json good_of(const Json& entries)
    {
        Json good = Json::array();
        std::ranges::copy_if(entries, std::back_inserter(good), is_good);
        return good;
    }

    static bool is_good(const Json& entry)
    {
        const std::string name = entry["lv_name"];
        return !name.starts_with('[') && name != "r1" && name != "ro" && name != "thin";
    }

    FakeWorld fake;
};

TEST_F(LvmActivate, MakesTheVolume)
{
    none_is_active();
    EXPECT_EQ(printed(fake, {"lvm", "activate", "vg/str-3"}), "");
    EXPECT_EQ(fake.control.files["lvm/vg-str--3/table"],
              "0 18432 striped 3 128 /dev/nullb0 12288 /dev/nullb1 2048 /dev/nullb2 2048\n");
    EXPECT_EQ(fake.control.files["lvm/vg-str--3/enable"], "1\n");
    EXPECT_TRUE(fake.control.files["lvm/vg-str--3/uuid"].starts_with("LVM-kfTnv7"));
}

TEST_F(LvmActivate, PrintsJson)
{
    none_is_active();
    const auto data = Json::parse(printed(fake, {"--json", "lvm", "activate", "vg/snap"}));
    ASSERT_EQ(data.size(), 6U);
    EXPECT_EQ(data[5]["kind"], "lvm");
    EXPECT_EQ(data[5]["name"], "vg-org");
    EXPECT_EQ(data[5]["path"], "/dev/kio/vg-org");
    EXPECT_EQ(Json::parse(printed(fake, {"--json", "lvm", "deactivate", "vg"})).size(), 6U);
}

TEST_F(LvmActivate, RefusalHasNoEffect)
{
    EXPECT_EQ(refused(fake, {"lvm", "activate", "vg/lin"}),
              "kioctl: cannot activate 'vg/lin': 'vg/pool_tdata' is active by device-mapper on "
              "/dev/nullb0 as well\n");
    EXPECT_EQ(refused(fake, {"lvm", "activate", "vg/x"}),
              "kioctl: there is no logical volume 'vg/x'\n");
    EXPECT_EQ(refused(fake, {"lvm", "activate", "a/b/c"}),
              "kioctl: 'a/b/c' names no volume group VG and no logical volume VG/LV\n");
    EXPECT_EQ(refused(fake, {"lvm", "deactivate", "vg/lin"}),
              "kioctl: no volume of 'vg/lin' is active by kioctl\n");
    EXPECT_EQ(fake.control.effects, Effects{});
}

TEST_F(LvmActivate, ThatFailsMidwayLeavesNothing)
{
    none_is_active();
    fake.control.refuse("write lvm/vg-snap2/enable 1", EIO, "The store cannot be read");
    EXPECT_EQ(refused(fake, {"lvm", "activate", "vg/org"}),
              "kioctl: lvm volume 'vg-snap2' refused enable=1: The store cannot be read\n");
    EXPECT_EQ(*fake.control.directories("lvm"), Words{});
}

TEST_F(LvmActivate, TellsWhatItCouldNotUndo)
{
    none_is_active();
    fake.control.refuse("write lvm/vg-snap/enable 1", EIO, "no");
    fake.control.refuse("write lvm/vg-org-real/enable 0", EBUSY, "in use");
    EXPECT_NE(refused(fake, {"lvm", "activate", "vg/org"}).find("; moreover, "), std::string::npos);
}

TEST_F(LvmActivate, SnapshotsStayWithAnOriginThatStays)
{
    none_is_active();
    only_good_ones();
    fake.control.refuse("write lvm/vg-str--3/enable 1", EIO, "no");
    fake.control.refuse("write lvm/vg-org/enable 0", EBUSY, "it is mounted");
    const std::string message = refused(fake, {"lvm", "activate", "vg"});
    EXPECT_NE(message.find("; moreover, lvm volume 'vg-org' refused enable=0: it is mounted"),
              std::string::npos);
    EXPECT_EQ(fake.control.files["lvm/vg-snap/enable"], "1\n");
    EXPECT_EQ(fake.control.files["lvm/vg-snap2-cow/enable"], "1\n");
    EXPECT_FALSE(fake.control.is_directory("lvm/vg-lin"));
}

TEST_F(LvmActivate, WhatIsUpStaysAsItIs)
{
    none_is_active();
    printed(fake, {"lvm", "activate", "vg/org"});
    printed(fake, {"lvm", "activate", "vg/lin"});
    fake.control.effects.clear();
    EXPECT_EQ(printed(fake, {"lvm", "activate", "vg/snap"}), "");
    EXPECT_EQ(printed(fake, {"lvm", "activate", "vg/lin"}), "");
    EXPECT_EQ(fake.control.effects, Effects{});
}

TEST_F(LvmActivate, FollowsLvm2)
{
    none_is_active();
    printed(fake, {"lvm", "activate", "vg/lin"});
    const std::string table = fake.control.files["lvm/vg-lin/table"];
    fake.control.files["lvm/vg-lin/table"] = "0 10240 linear /dev/nullb0 2048\n";
    EXPECT_EQ(printed(fake, {"lvm", "activate", "vg/lin"}), "");
    EXPECT_EQ(fake.control.files["lvm/vg-lin/table"], table);
}

TEST_F(LvmActivate, LeavesNothingStagedThatWasRefused)
{
    none_is_active();
    printed(fake, {"lvm", "activate", "vg/lin"});
    fake.control.files["lvm/vg-lin/table"] = "0 10240 linear /dev/nullb0 2048\n";
    fake.control.refuse("write lvm/vg-lin/enable 1", EBUSY, "it has other pieces");
    EXPECT_EQ(refused(fake, {"lvm", "activate", "vg/lin"}),
              "kioctl: lvm volume 'vg-lin' refused enable=1: it has other pieces\n");
    EXPECT_EQ(fake.control.effects.back(), "write lvm/vg-lin/table clear");
}

TEST_F(LvmActivate, ForeignVolumeOfTheNameIsLeftAlone)
{
    none_is_active();
    fake.control.add_object("lvm/vg-lin", {{"enable", "1"}, {"uuid", ""}, {"table", "0 8 zero"}});
    EXPECT_EQ(refused(fake, {"lvm", "activate", "vg/lin"}),
              "kioctl: cannot create lvm volume 'vg-lin': a device of this name exists\n");
    EXPECT_EQ(fake.control.files["lvm/vg-lin/table"], "0 8 zero\n");
}

TEST_F(LvmActivate, GoesDownWholeOrNotAtAll)
{
    none_is_active();
    printed(fake, {"lvm", "activate", "vg/org"});
    fake.control.refuse("write lvm/vg-snap2/enable 0", EBUSY, "it is mounted");
    EXPECT_EQ(refused(fake, {"lvm", "deactivate", "vg"}),
              "kioctl: lvm volume 'vg-snap2' refused enable=0: it is mounted\n");
    EXPECT_EQ(fake.control.directories("lvm")->size(), 6U);
    EXPECT_EQ(fake.control.files["lvm/vg-org/enable"], "1\n");
    EXPECT_EQ(fake.control.files["lvm/vg-snap/enable"], "1\n");
}

TEST_F(LvmActivate, NoOriginComesBackWithoutItsSnapshots)
{
    none_is_active();
    printed(fake, {"lvm", "activate", "vg/org"});
    fake.control.refuse("write lvm/vg-snap2-cow/enable 0", EBUSY, "it is read");
    fake.control.refuse("write lvm/vg-snap2/enable 1", EIO, "The store cannot be read");
    refused(fake, {"lvm", "deactivate", "vg"});
    EXPECT_EQ(fake.control.files["lvm/vg-org/enable"], "0\n");
}

} // namespace
} // namespace kio
