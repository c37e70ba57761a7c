// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "comparison.hpp"
#include "table.hpp"

namespace kio::bench {
namespace {

constexpr Workload read_4k{Op::read, 4096, Mode::psync, 1};
constexpr Workload write_4k{Op::write, 4096, Mode::psync, 1};

Measurement measured(std::string name, const Workload& workload, double per_io)
{
    return {std::move(name), "/dev/x", workload, 1, {per_io, per_io + 1}, {}};
}

Comparison against_peer(unsigned layers, double limit)
{
    return {.title = "title",
            .ours = {"ours", "base"},
            .peers = {{"peer", "base"}},
            .layers = layers,
            .budgets = {{read_4k, limit}}};
}

TEST(Evaluate, TakesTheBaseOffAndSharesAmongLayers)
{
    const Report report{"6.1",
                        {measured("base", read_4k, 1000), measured("ours", read_4k, 1700),
                         measured("peer", read_4k, 2400)},
                        {}};
    const auto lines = evaluate(against_peer(7, 100), report);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].ours.base, 1000);
    EXPECT_EQ(lines[0].ours.total, 1700);
    EXPECT_EQ(lines[0].ours.above, 100);
    EXPECT_EQ(lines[0].peers.at(0).above, 200);
    EXPECT_EQ(lines[0].verdict(), Verdict::holds);
}

TEST(Evaluate, JudgesByTheBudgetInWholeInstructions)
{
    const Report report{
        "6.1", {measured("base", read_4k, 1000), measured("ours", read_4k, 1100.4)}, {}};
    EXPECT_EQ(evaluate(against_peer(1, 100), report)[0].verdict(), Verdict::holds);
    EXPECT_EQ(evaluate(against_peer(1, 99), report)[0].verdict(), Verdict::broken);
}

TEST(Evaluate, HasALineForEachBudgetAndEachWorkload)
{
    const Report report{"6.1", {measured("peer", write_4k, 1000)}, {}};
    const auto lines = evaluate(against_peer(1, 100), report);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].workload, write_4k);
    EXPECT_EQ(lines[0].peers.at(0).total, 1000);
    EXPECT_EQ(lines[0].peers.at(0).above, std::nullopt);
    EXPECT_EQ(lines[0].verdict(), Verdict::no_budget);
    EXPECT_EQ(lines[1].workload, read_4k);
    EXPECT_EQ(lines[1].verdict(), Verdict::not_measured);
}

TEST(Table, ShowsOursBesideThePeer)
{
    const Report report{"6.1.0",
                        {measured("null", read_4k, 4333), measured("klvm-1", read_4k, 5015),
                         measured("dm-linear-1", read_4k, 6042)},
                        {}};
    const std::string text = table(report);
    EXPECT_EQ(text.substr(0, text.find("\n8 linear")),
              "Instructions per I/O, kernel 6.1.0\n\n"
              "1 linear layer, above the leg\n"
              "                  null  klvm-1  above  budget         dm-linear-1  above\n"
              "  4K read psync  4,333   5,015    682     700  holds        6,042  1,709\n");
    EXPECT_TRUE(passes(report));
}

TEST(Table, HasNoBaseWhereAllCounts)
{
    const Workload write_128k{Op::write, 128 << 10, Mode::psync, 1};
    const std::string text = table({"6.1.0", {measured("kraid-raid6", write_128k, 60001)}, {}});
    EXPECT_NE(text.find("RAID-6 of 4 legs, chunk 64 KiB, in all\n"
                        "                    kraid-raid6  budget             dm-raid6\n"
                        "  128K write psync       60,001  60,000  over by 1         -\n"),
              std::string::npos)
        << text;
}

TEST(Table, SaysByHowMuchABudgetIsBroken)
{
    const Report report{
        "6.1.0", {measured("null", read_4k, 4000), measured("klvm-1", read_4k, 5735)}, {}};
    EXPECT_NE(table(report).find("over by 1,035"), std::string::npos);
    EXPECT_NE(table(report).find("Budgets: 0 hold, 1 broken, "), std::string::npos);
    EXPECT_FALSE(passes(report));
}

TEST(Table, SaysWhatIsMissing)
{
    Measurement failed = measured("loop", read_4k, 0);
    failed.per_io.clear();
    failed.error = "The read gave: 0 bytes.";
    const Report report{"6.1.0", {failed}, {{"kloop", "no module"}}};
    const std::string text = table(report);
    EXPECT_NE(text.find("skipped: kloop: no module\n"), std::string::npos);
    EXPECT_NE(text.find("failed: loop, 4K read psync: The read gave: 0 bytes.\n"),
              std::string::npos);
    EXPECT_FALSE(passes(report));
}

TEST(Comparisons, EachHaveADeviceAndAPeer)
{
    for (const Comparison& comparison : comparisons()) {
        EXPECT_FALSE(comparison.ours.device.empty()) << comparison.title;
        EXPECT_FALSE(comparison.peers.empty()) << comparison.title;
        EXPECT_GE(comparison.layers, 1U) << comparison.title;
        for (const Budget& budget : comparison.budgets)
            EXPECT_EQ(objection(budget.workload), std::nullopt) << comparison.title;
    }
}

} // namespace
} // namespace kio::bench
