// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

#include "report.hpp"

namespace kio::bench {

/// The report for a person: a section for each comparison, what is missing, and how the budgets do.
std::string table(const Report& report);

/// How many budgets our devices are over; those not measured are none of them.
std::size_t broken_budgets(const Report& report);

} // namespace kio::bench
