// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "report.hpp"

namespace kio::bench {
namespace {

constexpr Workload read_4k{Op::read, 4096, Mode::psync, 1};
constexpr Workload write_aio{Op::write, 131072, Mode::libaio, 32};

Report sample()
{
    return {"6.1.0",
            {{"null", "/dev/nullb0", read_4k, 2000, {101.5, 100, 110}, {}},
             {"kloop", "/dev/kio/l", write_aio, 64, {}, "The write gave: 0 bytes."}},
            {{"kraid-raid0", "no module"}}};
}

TEST(Measurement, BestIsTheLeastAndSpreadIsToTheMost)
{
    const auto report = sample();
    EXPECT_EQ(report.measurements[0].best(), 100);
    EXPECT_NEAR(report.measurements[0].spread(), 10, 1e-9);
    EXPECT_EQ(report.measurements[1].best(), std::nullopt);
    EXPECT_EQ(report.measurements[1].spread(), 0);
}

TEST(Report, FindsOnlyWhatWasMeasured)
{
    const auto report = sample();
    EXPECT_EQ(report.find("null", read_4k), &report.measurements[0]);
    EXPECT_EQ(report.find("null", write_aio), nullptr);
    EXPECT_EQ(report.find("kloop", write_aio), nullptr);
    EXPECT_EQ(report.find("kraid-raid0", read_4k), nullptr);
}

TEST(Report, ComesBackFromItsJson)
{
    const auto back = report_from_json(dump(to_json(sample())));
    ASSERT_TRUE(back) << back.error().sentence;
    EXPECT_EQ(back->kernel, "6.1.0");
    ASSERT_EQ(back->measurements.size(), 2U);
    EXPECT_EQ(back->measurements[0].device, "/dev/nullb0");
    EXPECT_EQ(back->measurements[0].workload, read_4k);
    EXPECT_EQ(back->measurements[0].count, 2000U);
    EXPECT_EQ(back->measurements[0].per_io, (std::vector{101.5, 100.0, 110.0}));
    EXPECT_EQ(back->measurements[1].workload, write_aio);
    EXPECT_EQ(back->measurements[1].error, "The write gave: 0 bytes.");
    ASSERT_EQ(back->skips.size(), 1U);
    EXPECT_EQ(back->skips[0].reason, "no module");
}

TEST(ReportFromJson, RefusesWhatIsNoReport)
{
    EXPECT_FALSE(report_from_json(""));
    EXPECT_FALSE(report_from_json("[]"));
    EXPECT_FALSE(report_from_json("{}"));
    EXPECT_FALSE(report_from_json(R"({"kernel": 6, "measurements": [], "skipped": []})"));
    EXPECT_FALSE(report_from_json(R"({"kernel": "6.1", "measurements": {}, "skipped": []})"));
}

TEST(ReportFromJson, NamesTheMemberThatIsWrong)
{
    for (const char* key : {"name", "op", "block_size", "mode", "depth", "count", "per_io"}) {
        Json json = to_json(sample());
        json["measurements"][0][key] = nullptr;
        const auto report = report_from_json(dump(json));
        ASSERT_FALSE(report) << key;
        EXPECT_NE(report.error().sentence.find('\'' + std::string{key} + '\''), std::string::npos);
    }
}

} // namespace
} // namespace kio::bench
