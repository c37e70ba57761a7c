// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <memory>
#include <vector>

#include "case.hpp"
#include "lib/result.hpp"
#include "pages.hpp"

namespace kio::bench {

/// A case made ready: the device open, with O_DIRECT unless cached, places drawn, requests
/// allocated.
class Engine {
public:
    virtual ~Engine() = default;

    /// Does the case's I/Os, at the same scattered places each time, or at fresh ones. Up to the
    /// first that fails this makes no other system calls and allocates nothing.
    virtual Result<> run() = 0;
};

/// Bytes of memory that the workload's requests need at one time.
std::uint64_t memory_needed(const Workload& workload);

/// `pages` must outlive the engine and hold memory_needed().
Result<std::unique_ptr<Engine>> make_engine(const Case& wanted, const Pages& pages);

/// Nanoseconds that each of `repeats` runs took, after one to warm up.
Result<std::vector<std::uint64_t>> measure(Engine& engine, unsigned repeats);

} // namespace kio::bench
