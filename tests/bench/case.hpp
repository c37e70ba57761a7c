// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>
#include <vector>

#include "lib/result.hpp"
#include "workload.hpp"

namespace kio::bench {

/// One thing to measure: a workload on a device that the table knows by its name.
struct Case {
    std::string name;
    std::string device;
    Workload workload;
    std::uint64_t count; ///< I/Os in one interval
    bool cached = false; ///< opened without O_DIRECT
};

/// A device that could not be set up, and why.
struct Skip {
    std::string name;
    std::string reason;
};

struct Spec {
    std::vector<Case> cases;
    std::vector<Skip> skips;
};

/// Lines of `NAME DEVICE OP BS MODE QD COUNT [cached]` or `skip NAME REASON...`; empty lines and
/// those that start with # say nothing. BS is in bytes, or ends in K or M.
Result<Spec> parse_spec(const std::string& text);

} // namespace kio::bench
