// SPDX-License-Identifier: GPL-2.0
#include "table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "comparison.hpp"
#include "lib/text.hpp"

namespace kio::bench {

namespace {

/// "1,234,567"; a dash for nothing.
std::string grouped(std::optional<double> value)
{
    if (!value)
        return "-";
    std::string digits = fmt::format("{:.0f}", std::abs(std::round(*value)));
    for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
        digits.insert(static_cast<std::size_t>(i), 1, ',');
    return (std::round(*value) < 0 ? "-" : "") + digits;
}

std::string verdict_text(const Line& line)
{
    switch (line.verdict()) {
    case Verdict::no_budget:
        return "";
    case Verdict::holds:
        return "holds";
    case Verdict::broken:
        return fmt::format("over by {}", grouped(*line.ours.above - *line.limit));
    case Verdict::not_measured:
        return "not measured";
    }
    return "";
}

bool has_base(const Comparison& comparison)
{
    return !comparison.ours.base.empty();
}

/// Columns of words have no name.
Row heading(const Comparison& comparison)
{
    Row row{""};
    const auto add = [&](const Contender& contender) {
        row.emplace_back(contender.device);
        if (has_base(comparison))
            row.emplace_back("above");
    };
    if (has_base(comparison))
        row.emplace_back(comparison.ours.base);
    add(comparison.ours);
    row.insert(row.end(), {"budget", ""});
    std::ranges::for_each(comparison.peers, add);
    return row;
}

Row cells(const Comparison& comparison, const Line& line)
{
    Row row{label(line.workload)};
    const auto add = [&](const Cost& cost) {
        row.push_back(grouped(cost.total));
        if (has_base(comparison))
            row.push_back(grouped(cost.above));
    };
    if (has_base(comparison))
        row.push_back(grouped(line.ours.base));
    add(line.ours);
    row.insert(row.end(), {line.limit ? grouped(line.limit) : "", verdict_text(line)});
    std::ranges::for_each(line.peers, add);
    return row;
}

std::vector<std::size_t> widths_of(const std::vector<Row>& rows)
{
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    return widths;
}

/// One line a row, the words to the left and the numbers to the right of their columns.
std::string aligned(const std::vector<Row>& rows)
{
    const auto widths = widths_of(rows);
    std::string text;
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += rows.front()[i].empty() ? fmt::format("  {:<{}}", row[i], widths[i])
                                            : fmt::format("  {:>{}}", row[i], widths[i]);
        text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    return text;
}

std::string section(const Comparison& comparison, const Report& report)
{
    std::vector<Row> rows{heading(comparison)};
    for (const Line& line : evaluate(comparison, report))
        rows.push_back(cells(comparison, line));
    return rows.size() == 1 ? "" : fmt::format("{}\n{}\n", comparison.title, aligned(rows));
}

std::size_t count_verdicts(const Report& report, Verdict wanted)
{
    std::size_t count = 0;
    for (const Comparison& comparison : comparisons())
        for (const Line& line : evaluate(comparison, report))
            count += line.verdict() == wanted ? 1 : 0;
    return count;
}

std::string what_is_missing(const Report& report)
{
    std::string text;
    for (const Skip& skip : report.skips)
        text += fmt::format("skipped: {}: {}\n", skip.name, skip.reason);
    for (const Measurement& measurement : report.measurements)
        if (!measurement.error.empty())
            text += fmt::format("failed: {}, {}: {}\n", measurement.name,
                                label(measurement.workload), measurement.error);
    return text;
}

std::string largest_spread(const Report& report)
{
    const auto worst = std::ranges::max_element(report.measurements, {}, &Measurement::spread);
    if (worst == report.measurements.end())
        return "";
    return fmt::format("Repeats differ by at most {:.1f} % ({}, {}).\n", worst->spread(),
                       worst->name, label(worst->workload));
}

std::string summary(const Report& report)
{
    return fmt::format(
        "Budgets: {} hold, {} broken, {} not measured.\n", count_verdicts(report, Verdict::holds),
        count_verdicts(report, Verdict::broken), count_verdicts(report, Verdict::not_measured));
}

} // namespace

std::string table(const Report& report)
{
    std::string text = fmt::format("Instructions per I/O, kernel {}\n\n", report.kernel);
    for (const Comparison& comparison : comparisons())
        text += section(comparison, report);
    return text + what_is_missing(report) + largest_spread(report) + summary(report);
}

bool passes(const Report& report)
{
    return count_verdicts(report, Verdict::broken) == 0 &&
           std::ranges::all_of(report.measurements, &std::string::empty, &Measurement::error);
}

} // namespace kio::bench
