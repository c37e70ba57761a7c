// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "case.hpp"
#include "lib/output.hpp"
#include "lib/result.hpp"
#include "workload.hpp"

namespace kio::bench {

/// What came out of a case: instructions per I/O of each repeat, or why there are none.
struct Measurement {
    std::string name;
    std::string device;
    Workload workload;
    std::uint64_t count;
    std::vector<double> per_io;
    std::string error;

    /// The least of the repeats: what disturbs a run only ever adds.
    std::optional<double> best() const;
    /// How much the worst repeat is above the best, in percent.
    double spread() const;
};

struct Report {
    std::string kernel;
    std::vector<Measurement> measurements;
    std::vector<Skip> skips;

    /// Null when the device was not measured so, or that failed.
    const Measurement* find(std::string_view name, const Workload& workload) const;
};

Json to_json(const Report& report);
Result<Report> report_from_json(const std::string& text);

} // namespace kio::bench
