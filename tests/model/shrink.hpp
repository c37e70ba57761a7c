// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <functional>

#include "case.hpp"

namespace kio::model {

/// Does the case still fail?
using Fails = std::function<bool(const Case&)>;
/// Is there still time?
using GoesOn = std::function<bool()>;

/// A case that fails and of which no part can be left out or made simpler by one of the ways that
/// are known here, or the best that was found in time.
Case shrink(Case test, const Fails& fails, const GoesOn& goes_on);

/// Requests and writes to attributes of a case.
std::size_t count_steps(const Case& test);

} // namespace kio::model
