// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/world.hpp"
#include "tests/fake_control.hpp"

namespace kio {

/// Devices in memory: those that are not listed do not exist.
class FakeProber final : public Prober {
public:
    struct Disk {
        std::vector<Content> contents;
        std::string bytes;
    };
    std::map<std::string, Disk> disks;

    Result<std::vector<Content>> contents(const std::string& path) const override
    {
        const auto found = disks.find(path);
        if (found == disks.end())
            return Error{ENOENT, "No such file or directory"};
        return found->second.contents;
    }

    Result<std::string> read(const std::string& path, std::uint64_t offset,
                             std::size_t length) const override
    {
        const auto found = disks.find(path);
        if (found == disks.end())
            return Error{ENOENT, "No such file or directory"};
        const std::string& bytes = found->second.bytes;
        return offset < bytes.size() ? bytes.substr(offset, length) : "";
    }
};

/// Sleeps last no time: at each the next thing happens. After the last one the user is fed up.
class FakeTerminal final : public Terminal {
public:
    bool tty = false;
    std::vector<std::function<void()>> happens;
    std::size_t sleeps = 0;

    bool rewrites() const override { return tty; }
    bool sleep(std::chrono::milliseconds) override
    {
        if (sleeps == happens.size())
            return false;
        happens[sleeps++]();
        return true;
    }
};

/// Programs that have said beforehand what they print; others are not installed.
class FakeRunner final : public Runner {
public:
    std::map<std::string, Ran> programs;
    std::vector<std::vector<std::string>> runs;

    Result<Ran> run(const std::vector<std::string>& words) override
    {
        runs.push_back(words);
        const auto found = programs.find(words.front());
        if (found == programs.end())
            return Error{ENOENT, "No such file or directory"};
        return found->second;
    }
};

struct FakeWorld {
    FakeControl control;
    FakeProber prober;
    FakeTerminal terminal;
    FakeRunner runner;
};

} // namespace kio
