// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "case.hpp"
#include "random.hpp"

namespace kio::model {

/// A stack of these kinds and no steps; at least one device of ours.
Stack random_stack(std::uint64_t seed, const Words& kinds);

/// Steps for a stack: 5 to 30 requests, and writes to attributes between them.
std::vector<Step> random_steps(std::uint64_t seed, const Stack& stack);

} // namespace kio::model
