// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "lib/terminal.hpp"

namespace kio {

/// The real Terminal: standard output and Ctrl-C. From the first sleep on SIGINT and SIGTERM are
/// blocked, and wait for the next one.
class StandardTerminal final : public Terminal {
public:
    bool rewrites() const override;
    bool sleep(std::chrono::milliseconds time) override;
};

} // namespace kio
