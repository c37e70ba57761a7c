// SPDX-License-Identifier: GPL-2.0
#include "monitor.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

#include <fmt/format.h>

namespace kio::bench {

namespace {

constexpr std::string_view prompt = "(qemu) ";

Error failed(std::string_view what)
{
    const int code = errno;
    return Error{code, fmt::format("The monitor {}: {}.", what, std::strerror(code))};
}

} // namespace

Result<Monitor> Monitor::connect(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path))
        return Error{ENAMETOOLONG, fmt::format("{} is too long for a socket.", path)};
    path.copy(address.sun_path, path.size());

    Monitor monitor{Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}};
    if (!monitor.socket_)
        return failed("has no socket");
    if (::connect(monitor.socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) != 0)
        return failed("does not take calls");
    if (const auto greeted = monitor.wait_for_prompt(); !greeted)
        return greeted.error();
    return monitor;
}

Result<> Monitor::command(const std::string& line)
{
    if (const auto sent = send(line); !sent)
        return sent;
    return wait_for_prompt();
}

Result<> Monitor::quit()
{
    return send("quit");
}

Result<> Monitor::send(const std::string& line)
{
    const std::string text = line + '\n';
    const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(text.size()))
        return failed("takes no command");
    return {};
}

// The socket echoes the command by single characters with escapes between, but never a prompt.
Result<> Monitor::wait_for_prompt()
{
    std::string answer;
    std::array<char, 4096> piece;
    while (!answer.ends_with(prompt)) {
        const ssize_t got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
        if (got <= 0)
            return failed("hung up");
        answer.append(piece.data(), static_cast<std::size_t>(got));
    }
    return {};
}

} // namespace kio::bench
