// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "report.hpp"
#include "workload.hpp"

namespace kio::bench {

/// A measured device, and what it is measured against.
struct Contender {
    std::string_view device;
    std::string_view base; ///< what lies below, whose cost is taken off; empty for nothing
};

struct Budget {
    Workload workload;
    double limit; ///< instructions above the base, for each layer
};

/// One section of the table: our device beside those that do the same.
struct Comparison {
    std::string_view title;
    Contender ours;
    std::vector<Contender> peers;
    unsigned layers; ///< between device and base
    std::vector<Budget> budgets;
};

/// All that is compared, with the budgets of the design.
const std::vector<Comparison>& comparisons();

struct Cost {
    std::optional<double> base;
    std::optional<double> total;
    std::optional<double> above; ///< the base, for each layer
};

enum class Verdict { no_budget, holds, broken, not_measured };

/// One workload of a comparison.
struct Line {
    Workload workload;
    Cost ours;
    std::vector<Cost> peers;
    std::optional<double> limit;

    Verdict verdict() const;
};

/// A line for each workload that any of the comparison's devices was measured with, or that has a
/// budget.
std::vector<Line> evaluate(const Comparison& comparison, const Report& report);

} // namespace kio::bench
