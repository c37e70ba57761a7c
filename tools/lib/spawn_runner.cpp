// SPDX-License-Identifier: GPL-2.0
#include "lib/spawn_runner.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>

#include "lib/fd.hpp"

namespace kio {

namespace {

Error failure(int code)
{
    return {code, std::generic_category().message(code)};
}

/// A file of its own for each stream: neither has to be read before the program ends. Behind the
/// standard descriptors, which we may have been started without, so that they can be replaced.
Fd open_memory(const char* name)
{
    const Fd file{::memfd_create(name, MFD_CLOEXEC)};
    return Fd{file ? ::fcntl(file.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1};
}

std::string contents(const Fd& fd)
{
    std::string text;
    std::array<char, 65536> chunk;
    ssize_t count;
    while ((count =
                ::pread(fd.get(), chunk.data(), chunk.size(), static_cast<off_t>(text.size()))) > 0)
        text.append(chunk.data(), static_cast<std::size_t>(count));
    return text;
}

std::vector<char*> pointers(std::vector<std::string>& words)
{
    std::vector<char*> list;
    for (std::string& word : words)
        list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

/// Ours but for the language, and without lvm2's remarks on files that we were given open.
std::vector<std::string> environment()
{
    std::vector<std::string> all{"LC_ALL=C", "LVM_SUPPRESS_FD_WARNINGS=1"};
    for (char** entry = environ; *entry; ++entry)
        if (std::strncmp(*entry, "LC_ALL=", 7) != 0)
            all.emplace_back(*entry);
    return all;
}

class Streams {
public:
    Streams(const Fd& out, const Fd& err)
    {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions_, out.get(), STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, err.get(), STDERR_FILENO);
    }
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;
    ~Streams() { ::posix_spawn_file_actions_destroy(&actions_); }

    const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
};

Result<int> wait_for(pid_t child)
{
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return failure(errno);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

Result<Ran> SpawnRunner::run(const std::vector<std::string>& words)
{
    const Fd out = open_memory("out"), err = open_memory("err");
    if (!out || !err)
        return failure(errno);
    std::vector<std::string> own_words = words, own_environment = environment();
    const Streams streams{out, err};
    pid_t child = 0;
    const int refused =
        ::posix_spawnp(&child, own_words.front().c_str(), streams.get(), nullptr,
                       pointers(own_words).data(), pointers(own_environment).data());
    if (refused)
        return failure(refused);
    const auto status = wait_for(child);
    if (!status)
        return status.error();
    return Ran{*status, contents(out), contents(err)};
}

} // namespace kio
