// SPDX-License-Identifier: GPL-2.0
#include "lib/configfs_control.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <system_error>

#include <fmt/format.h>

#include "lib/fd.hpp"

namespace kio {

namespace fs = std::filesystem;

namespace {

constexpr auto configfs_magic = 0x62656570;

Error failure(int code)
{
    return {code, std::generic_category().message(code)};
}

Result<> outcome(int returned)
{
    if (returned < 0)
        return failure(errno);
    return {};
}

Fd open_input(const fs::path& path)
{
    return Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
}

Result<std::string> read_all(const Fd& fd)
{
    std::string text;
    std::array<char, 65536> chunk;
    for (;;) {
        const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
        if (count < 0)
            return failure(errno);
        if (count == 0)
            return text;
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

} // namespace

bool ConfigfsControl::configfs_mounted() const
{
    struct statfs info;
    return is_directory("") ||
           (::statfs(root_.parent_path().c_str(), &info) == 0 && info.f_type == configfs_magic);
}

Result<> ConfigfsControl::modprobe(const std::string& module)
{
    std::string program = "modprobe", quiet = "-q", name = module;
    const std::array<char*, 4> argv{program.data(), quiet.data(), name.data(), nullptr};
    pid_t child = 0;
    const int refused =
        ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, argv.data(), environ);
    if (refused)
        return failure(refused);

    int status = 0;
    if (::waitpid(child, &status, 0) < 0)
        return failure(errno);
    if (status != 0)
        return Error{ENODEV, fmt::format("modprobe {} failed", module)};
    return {};
}

Result<> ConfigfsControl::mkdir(const std::string& path)
{
    return outcome(::mkdir(at(path).c_str(), 0755));
}

Result<> ConfigfsControl::rmdir(const std::string& path)
{
    return outcome(::rmdir(at(path).c_str()));
}

bool ConfigfsControl::is_directory(const std::string& path) const
{
    std::error_code ignored;
    return fs::is_directory(at(path), ignored);
}

Result<std::vector<std::string>> ConfigfsControl::directories(const std::string& path) const
{
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator entry{at(path), error}, end; !error && entry != end;
         entry.increment(error)) {
        std::error_code vanished;
        if (entry->is_directory(vanished))
            names.push_back(entry->path().filename());
    }
    if (error)
        return failure(error.value());
    std::ranges::sort(names);
    return names;
}

Result<std::string> ConfigfsControl::read(const std::string& path) const
{
    const Fd fd = path == "-" ? Fd{::dup(STDIN_FILENO)} : open_input(at(path));
    if (!fd)
        return failure(errno);
    return read_all(fd);
}

Result<std::size_t> ConfigfsControl::write(const std::string& path, std::string_view bytes)
{
    const Fd fd{::open(at(path).c_str(), O_WRONLY | O_CLOEXEC)};
    if (!fd)
        return failure(errno);
    const ssize_t count = ::write(fd.get(), bytes.data(), bytes.size());
    if (count < 0)
        return Error{errno, ""};
    return static_cast<std::size_t>(count);
}

} // namespace kio
