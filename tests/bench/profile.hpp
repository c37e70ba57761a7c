// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>
#include <vector>

#include "lib/result.hpp"
#include "symbols.hpp"
#include "trace.hpp"

namespace kio::bench {

struct Share {
    std::string name;
    double instructions; ///< per I/O
};

/// Where the instructions of an I/O are, most first.
struct Profile {
    double instructions; ///< per I/O
    std::size_t samples;
    std::size_t interrupted; ///< samples left out for an interrupt
    std::vector<Share> modules;
    std::vector<Share> functions;
};

/// Whether the processor took an interrupt in it, which is no part of the I/O.
bool was_interrupted(const Sample& sample, const Symbols& symbols);

/// Refused when nothing is left to count.
Result<Profile> profile_of(const std::vector<Sample>& samples, const Symbols& symbols,
                           std::uint64_t ios_per_sample);

/// The profile for a person, with the `top` functions.
std::string text_of(const Profile& profile, std::size_t top);

} // namespace kio::bench
