// SPDX-License-Identifier: GPL-2.0
#include "lib/standard_terminal.hpp"

#include <csignal>
#include <ctime>
#include <unistd.h>

namespace kio {

bool StandardTerminal::rewrites() const
{
    return ::isatty(STDOUT_FILENO) == 1;
}

bool StandardTerminal::sleep(std::chrono::milliseconds time)
{
    sigset_t stops;
    ::sigemptyset(&stops);
    ::sigaddset(&stops, SIGINT);
    ::sigaddset(&stops, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &stops, nullptr);

    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const std::chrono::nanoseconds rest = time - seconds;
    const std::timespec longest{.tv_sec = seconds.count(), .tv_nsec = rest.count()};
    return ::sigtimedwait(&stops, nullptr, &longest) < 0;
}

} // namespace kio
