// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

#include "report.hpp"

namespace kio::bench {

/// The report for a person: a section for each comparison, what is missing, and how the budgets do.
std::string table(const Report& report);

/// Whether no budget is broken and no case failed. What was not measured breaks nothing.
bool passes(const Report& report);

} // namespace kio::bench
