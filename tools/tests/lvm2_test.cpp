// SPDX-License-Identifier: GPL-2.0
// What lvm2 is asked, and what is made of its answer.
#include <algorithm>
#include <cerrno>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "lib/lvm2.hpp"
#include "tests/fake_world.hpp"
#include "tests/lvm2_reports.hpp"

namespace kio {
namespace {

std::string replaced(std::string text, const std::string& old, const std::string& by)
{
    const auto at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return text.replace(at, old.size(), by);
}

TEST(Lvm2, ReportIsUnderstood)
{
    const auto group = lvm2::parse(group_report);
    ASSERT_TRUE(group) << group.error().sentence;
    EXPECT_EQ(group->name, "vg");
    EXPECT_EQ(group->uuid, "kfTnv7-xOeB-6v82-jduO-6nsR-NJPj-otXZwG");
    EXPECT_EQ(group->extent_size, 2048U);
    EXPECT_FALSE(group->exported);
    EXPECT_FALSE(group->shared);
    ASSERT_EQ(group->physical.size(), 5U);
    EXPECT_EQ(group->physical[1].device, "/dev/nullb1");
    EXPECT_EQ(group->physical[1].first_extent, 2048U);
}

TEST(Lvm2, SegmentsAreInOrder)
{
    const auto group = lvm2::parse(group_report);
    ASSERT_TRUE(group);
    const auto* lin = group->find("lin");
    ASSERT_TRUE(lin);
    EXPECT_EQ(lin->uuid, "h0clQ0-Kofv-HbYf-w8aA-1ofA-ahHL-1xESVd");
    ASSERT_EQ(lin->segments.size(), 2U);
    EXPECT_EQ(lin->segments[0].start, 0U);
    EXPECT_EQ(lin->segments[0].size, 10240U);
    EXPECT_EQ(lin->segments[1].start, 10240U);
    EXPECT_EQ(lin->segments[1].places.at(0).device, "/dev/nullb2");
    EXPECT_EQ(lin->segments[1].places.at(0).extent, 7U);
}

TEST(Lvm2, StripesAreApart)
{
    const auto group = lvm2::parse(group_report);
    ASSERT_TRUE(group);
    const auto& segment = group->find("str-3")->segments.at(0);
    EXPECT_EQ(segment.type, "striped");
    EXPECT_EQ(segment.stripe_size, 128U);
    ASSERT_EQ(segment.places.size(), 3U);
    EXPECT_EQ(segment.places[0].extent, 5U);
    EXPECT_EQ(segment.places[2].device, "/dev/nullb2");
}

TEST(Lvm2, SnapshotsAreTold)
{
    const auto group = lvm2::parse(group_report);
    ASSERT_TRUE(group);
    const auto* snap = group->find("snap");
    EXPECT_EQ(snap->origin, "org");
    EXPECT_EQ(snap->origin_size, 16384U);
    EXPECT_EQ(snap->segments.at(0).chunk_size, 16U);
    EXPECT_EQ(group->find("org")->origin, "");
}

TEST(Lvm2, StatesAreTold)
{
    const auto group = lvm2::parse(group_report);
    ASSERT_TRUE(group);
    EXPECT_TRUE(group->find("ro")->read_only);
    EXPECT_TRUE(group->find("r1")->active);
    EXPECT_FALSE(group->find("lin")->active);
    EXPECT_TRUE(group->find("pool_tdata")->hidden);
    EXPECT_EQ(group->find("pool")->segments.at(0).places.at(0).device, "pool_tdata");
    EXPECT_EQ(group->find("none"), nullptr);
}

TEST(Lvm2, StateOfTheGroupIsTold)
{
    auto exported =
        lvm2::parse(replaced(group_report, R"("vg_exported":"")", R"("vg_exported":"exported")"));
    auto shared =
        lvm2::parse(replaced(group_report, R"("vg_shared":"")", R"("vg_shared":"shared")"));
    auto clustered = lvm2::parse(
        replaced(group_report, R"("vg_clustered":"")", R"("vg_clustered":"clustered")"));
    auto partial = lvm2::parse(
        replaced(group_report, R"("lv_health_status":"")", R"("lv_health_status":"partial")"));
    auto merging =
        lvm2::parse(replaced(group_report, R"("lv_merging":"")", R"("lv_merging":"merging")"));
    ASSERT_TRUE(exported && shared && clustered && partial && merging);
    EXPECT_TRUE(exported->exported);
    EXPECT_TRUE(shared->shared);
    EXPECT_TRUE(clustered->shared);
    EXPECT_TRUE(partial->find("lin")->partial);
    EXPECT_TRUE(merging->find("lin")->merging);
}

TEST(Lvm2, NonsenseIsRefused)
{
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "parse error"},
        {"{}", "no list 'report'"},
        {R"({"report":[]})", "index 0"},
        {R"({"report":[{"vg":[]}]})", "index 0"},
        {replaced(group_report, "\"pv\"", "\"xv\""), "no list 'pv'"},
        {replaced(group_report, "\"lv_uuid\"", "\"xv_uuid\""), "no text 'lv_uuid'"},
        {replaced(group_report, R"("pe_start":"2048")", R"("pe_start":"2048s")"),
         "'pe_start' is '2048s', which is no number"},
        {replaced(group_report, "/dev/nullb0(24)", "/dev/nullb0"), "'/dev/nullb0' is no place"},
        {replaced(group_report, "/dev/nullb0(24)", "/dev/nullb0(x)"), "no place"},
    };
    for (const auto& [text, why] : cases) {
        const auto group = lvm2::parse(text);
        ASSERT_FALSE(group) << why;
        EXPECT_TRUE(group.error().sentence.starts_with("cannot make sense of lvm2's report: "));
        EXPECT_NE(group.error().sentence.find(why), std::string::npos) << group.error().sentence;
    }
}

TEST(Lvm2, IsAskedForTheGroup)
{
    FakeRunner runner;
    runner.programs["lvm"] = {0, group_report, "  WARNING: something\n"};
    ASSERT_TRUE(lvm2::report(runner, "vg"));
    ASSERT_EQ(runner.runs.size(), 1U);
    EXPECT_EQ(runner.runs[0].at(1), "fullreport");
    EXPECT_EQ(runner.runs[0].back(), "vg");
    EXPECT_NE(std::ranges::find(runner.runs[0], "json"), runner.runs[0].end());
}

TEST(Lvm2, SaysWhyThereIsNoReport)
{
    FakeRunner runner;
    auto group = lvm2::report(runner, "vg");
    ASSERT_FALSE(group);
    EXPECT_EQ(group.error().code, ENOENT);
    EXPECT_EQ(group.error().sentence, "cannot ask lvm2: lvm: No such file or directory");

    runner.programs["lvm"] = {
        5, "{}",
        "  WARNING: Couldn't find device.\n"
        "  Volume group \"vg\" not found\n  Cannot process volume group vg\n"};
    group = lvm2::report(runner, "vg");
    ASSERT_FALSE(group);
    EXPECT_EQ(group.error().sentence,
              "lvm2 has no report on volume group 'vg': Volume group \"vg\" not found");

    runner.programs["lvm"] = {139, "", ""};
    group = lvm2::report(runner, "vg");
    ASSERT_FALSE(group);
    EXPECT_EQ(group.error().sentence,
              "lvm2 has no report on volume group 'vg': it ended with status 139");
}

} // namespace
} // namespace kio
