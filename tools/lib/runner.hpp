// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>
#include <vector>

#include "lib/result.hpp"

namespace kio {

/// How a program ended, and what it wrote.
struct Ran {
    int status; ///< as the shell has it: 128 and more where a signal ended it
    std::string out;
    std::string err;
};

/// Runs other programs, so that tests can put a fake in its place.
struct Runner {
    virtual ~Runner() = default;

    /// Waits for the end of the program, which is looked up in PATH and gets no input. An Error
    /// means that it could not be started.
    virtual Result<Ran> run(const std::vector<std::string>& words) = 0;
};

} // namespace kio
