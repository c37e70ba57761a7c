// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

#include "lib/fd.hpp"
#include "lib/result.hpp"

namespace kio::bench {

/// QEMU's human monitor on a Unix socket.
class Monitor {
public:
    static Result<Monitor> connect(const std::string& path);

    /// Sends the command and waits until QEMU has done it.
    Result<> command(const std::string& line);

    /// Ends QEMU, which does not answer any more.
    Result<> quit();

private:
    explicit Monitor(Fd socket) : socket_(std::move(socket)) {}
    Result<> send(const std::string& line);
    Result<> wait_for_prompt();

    Fd socket_;
};

} // namespace kio::bench
