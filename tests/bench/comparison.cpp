// SPDX-License-Identifier: GPL-2.0
#include "comparison.hpp"

#include <algorithm>
#include <cmath>

namespace kio::bench {

namespace {

constexpr Workload read_4k{Op::read, 4 << 10, Mode::psync, 1};
constexpr Workload write_4k{Op::write, 4 << 10, Mode::psync, 1};
constexpr Workload first_write_4k{Op::write, 4 << 10, Mode::fresh, 1};
constexpr Workload write_128k{Op::write, 128 << 10, Mode::psync, 1};
constexpr Workload write_1m{Op::write, 1 << 20, Mode::psync, 1};
/// What is counted too much of a copy to user memory: that is one instruction a byte, where a copy
/// between pages of the kernel is one for eight.
constexpr double copy_4k_to_user = 4096 - 512;
constexpr Workload read_4k_qd32{Op::read, 4 << 10, Mode::libaio, 32};

Cost cost_of(const Contender& contender, const Workload& workload, unsigned layers,
             const Report& report)
{
    Cost cost;
    if (const Measurement* base = report.find(contender.base, workload))
        cost.base = base->best();
    if (const Measurement* total = report.find(contender.device, workload))
        cost.total = total->best();
    if (contender.base.empty())
        cost.above = cost.total;
    else if (cost.base && cost.total)
        cost.above = (*cost.total - *cost.base) / layers;
    return cost;
}

std::optional<double> limit_of(const Comparison& comparison, const Workload& workload)
{
    const auto budget = std::ranges::find(comparison.budgets, workload, &Budget::workload);
    if (budget == comparison.budgets.end())
        return std::nullopt;
    return budget->limit;
}

bool concerns(const Comparison& comparison, const Measurement& measurement)
{
    return measurement.name == comparison.ours.device ||
           std::ranges::find(comparison.peers, measurement.name, &Contender::device) !=
               comparison.peers.end();
}

std::vector<Workload> workloads_of(const Comparison& comparison, const Report& report)
{
    std::vector<Workload> workloads;
    const auto add = [&](const Workload& workload) {
        if (std::ranges::find(workloads, workload) == workloads.end())
            workloads.push_back(workload);
    };
    for (const Measurement& measurement : report.measurements)
        if (concerns(comparison, measurement))
            add(measurement.workload);
    for (const Budget& budget : comparison.budgets)
        add(budget.workload);
    return workloads;
}

} // namespace

const std::vector<Comparison>& comparisons()
{
    static const std::vector<Comparison> all{
        {.title = "1 linear layer, above the leg",
         .ours = {"klvm-1", "null"},
         .peers = {{"dm-linear-1", "null"}},
         .layers = 1,
         .budgets = {{read_4k, 700}}},
        {.title = "2 linear layers, above the leg",
         .ours = {"klvm-2", "null"},
         .peers = {{"dm-linear-2", "null"}},
         .layers = 1,
         .budgets = {}},
        {.title = "4 linear layers, above the leg",
         .ours = {"klvm-4", "null"},
         .peers = {{"dm-linear-4", "null"}},
         .layers = 1,
         .budgets = {}},
        {.title = "8 linear layers, above the leg",
         .ours = {"klvm-8", "null"},
         .peers = {{"dm-linear-8", "null"}, {"dm-linear-1", "null"}},
         .layers = 1,
         .budgets = {{read_4k, 1709}}},
        {.title = "each further linear layer: 8 above 1, by 7",
         .ours = {"klvm-8", "klvm-1"},
         .peers = {{"dm-linear-8", "dm-linear-1"}},
         .layers = 7,
         .budgets = {{read_4k, 150}}},
        {.title = "a filter without rules, above a linear layer",
         .ours = {"kfilter-klvm", "klvm-1"},
         .peers = {{"dm-linear-2", "dm-linear-1"}},
         .layers = 1,
         .budgets = {{read_4k, 150}}},
        {.title = "striped volume of 3 legs, chunk 64 KiB, above a leg",
         .ours = {"klvm-stripe", "null"},
         .peers = {{"dm-stripe", "null"}},
         .layers = 1,
         .budgets = {{read_4k, 750}, {write_1m, 18000}}},
        {.title = "an origin whose snapshot has all chunks, above one without",
         .ours = {"klvm-origin-copied", "klvm-origin"},
         .peers = {{"dm-origin-copied", "dm-origin"}},
         .layers = 1,
         .budgets = {{write_4k, 1000}}},
        {.title = "an origin whose snapshot has no chunk yet, in all",
         .ours = {"klvm-origin-fresh", ""},
         .peers = {{"dm-origin-fresh", ""}},
         .layers = 1,
         .budgets = {}},
        {.title = "RAID-0 of 3 legs, chunk 64 KiB, above a leg",
         .ours = {"kraid-raid0", "null"},
         .peers = {{"md-raid0", "null"}, {"dm-stripe", "null"}},
         .layers = 1,
         .budgets = {{read_4k, 750}, {write_1m, 18000}}},
        {.title = "RAID-1 of 2 legs, above a leg",
         .ours = {"kraid-raid1", "null"},
         .peers = {{"md-raid1", "null"}},
         .layers = 1,
         .budgets = {{read_4k, 750}, {write_4k, 1700}}},
        {.title = "RAID-10 of 4 legs, chunk 64 KiB, above a leg",
         .ours = {"kraid-raid10", "null"},
         .peers = {{"md-raid10", "null"}},
         .layers = 1,
         .budgets = {{write_4k, 1800}}},
        {.title = "RAID-5 of 3 legs, chunk 64 KiB, in all",
         .ours = {"kraid-raid5", ""},
         .peers = {{"dm-raid5", ""}},
         .layers = 1,
         .budgets = {{write_4k, 14000}, {write_128k, 40000}, {write_1m, 260000}}},
        {.title = "RAID-6 of 4 legs, chunk 64 KiB, in all",
         .ours = {"kraid-raid6", ""},
         .peers = {{"dm-raid6", ""}},
         .layers = 1,
         .budgets = {{write_128k, 60000}}},
        {.title = "loop, direct, above its file on ext4 on brd",
         .ours = {"kloop", "file"},
         .peers = {{"linux-loop", "file"}},
         .layers = 1,
         .budgets = {{read_4k, 1500}, {read_4k_qd32, 1500}}},
        {.title = "loop through the page cache, above its cached file",
         .ours = {"kloop-cached", "file-cached"},
         .peers = {{"linux-loop-cached", "file-cached"}},
         .layers = 1,
         .budgets = {{read_4k, 2500 - copy_4k_to_user}}},
    };
    return all;
}

Verdict Line::verdict() const
{
    if (!limit)
        return Verdict::no_budget;
    if (!ours.above)
        return Verdict::not_measured;
    return std::round(*ours.above) <= *limit ? Verdict::holds : Verdict::broken;
}

std::vector<Line> evaluate(const Comparison& comparison, const Report& report)
{
    std::vector<Line> lines;
    for (const Workload& workload : workloads_of(comparison, report)) {
        const auto cost = [&](const Contender& contender) {
            return cost_of(contender, workload, comparison.layers, report);
        };
        Line line{.workload = workload,
                  .ours = cost(comparison.ours),
                  .peers = {},
                  .limit = limit_of(comparison, workload)};
        std::ranges::transform(comparison.peers, std::back_inserter(line.peers), cost);
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace kio::bench
