// SPDX-License-Identifier: GPL-2.0
// Many threads at the files of one folder, each knowing what its own files must hold.
//
//   fs_stress DIRECTORY [SECONDS [THREADS [SEED]]]
//
// Every thread has a folder of its own, where it creates, writes, reads and compares, truncates,
// punches, renames, links, unlinks and syncs files against a model in memory; now and then it
// creates, renames and unlinks in a folder that all share, where only the kernel keeps order.
// At the end every file is compared once more, and stays for whoever mounts it next.
// Exit: 0, 1 after a wrong byte or an error, 2 for bad usage.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "block_file.hpp"

using namespace selftest;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_files = 40;
constexpr std::size_t largest_file = 512 * 1024;
constexpr std::size_t largest_write = 64 * 1024;

using Content = std::vector<std::byte>;

std::atomic<bool> failed;

void complain(const fs::path& path, const std::string& what)
{
    static std::mutex one_at_a_time;
    const std::scoped_lock lock(one_at_a_time);

    failed = true;
    std::cerr << "fs_stress: " << path.native() << ": " << what << '\n';
}

/// A full carrier is no failure: the file then is as it was, or shorter than asked for.
bool is_full(Count result)
{
    return result == -ENOSPC || result == -EDQUOT;
}

class Worker {
public:
    Worker(fs::path top, unsigned number, std::uint64_t seed)
        : own_(top / ("own" + std::to_string(number))), shared_(top / "shared"),
          random_(seed + number)
    {
        fs::create_directories(own_);
        fs::create_directories(shared_);
    }

    void run(std::chrono::steady_clock::time_point end)
    {
        while (!failed && std::chrono::steady_clock::now() < end) {
            step();
            steps_++;
        }
        for (const auto& [name, content] : files_)
            compare(name, content);
    }

    std::uint64_t steps() const { return steps_; }

private:
    using Files = std::map<std::string, Content>;

    std::size_t pick(std::size_t low, std::size_t high)
    {
        return std::uniform_int_distribution<std::size_t>(low, high)(random_);
    }

    std::string new_name() { return "f" + std::to_string(next_name_++); }

    Files::iterator some_file()
    {
        return std::next(files_.begin(), static_cast<std::ptrdiff_t>(pick(0, files_.size() - 1)));
    }

    BlockFile open(const std::string& name, int flags = O_RDWR)
    {
        BlockFile file(own_ / name, flags);

        if (!file)
            complain(own_ / name, std::string("open: ") + std::strerror(errno));
        return file;
    }

    bool well(const std::string& name, const char* what, Count result)
    {
        if (result < 0 && !is_full(result))
            complain(own_ / name, std::string(what) + ": " + describe(result));
        return result >= 0;
    }

    void step()
    {
        if (files_.size() < most_files / 4)
            return create();
        const std::size_t choice = pick(0, 99);
        if (choice < 45)
            write();
        else if (choice < 65)
            read();
        else if (choice < 71)
            create();
        else if (choice < 77)
            remove();
        else if (choice < 83)
            rename();
        else if (choice < 88)
            truncate();
        else if (choice < 91)
            punch();
        else if (choice < 94)
            sync();
        else
            play_in_shared();
    }

    void create()
    {
        if (files_.size() >= most_files)
            return remove();
        const std::string name = new_name();
        const BlockFile file(own_ / name, O_RDWR | O_CREAT | O_EXCL);
        if (file)
            files_.try_emplace(name);
        else
            well(name, "create", -errno);
    }

    void remove()
    {
        const auto file = some_file();

        if (well(file->first, "unlink", count_of(::unlink((own_ / file->first).c_str()))))
            files_.erase(file);
    }

    void rename()
    {
        const auto file = some_file();
        const std::string to = pick(0, 3) ? new_name() : some_file()->first;

        if (to == file->first ||
            !well(file->first, "rename",
                  count_of(::rename((own_ / file->first).c_str(), (own_ / to).c_str()))))
            return;
        files_[to] = std::move(file->second);
        files_.erase(file);
    }

    void write()
    {
        auto& [name, content] = *some_file();
        const std::size_t offset = pick(0, std::min(content.size(), largest_file));
        Content bytes(pick(1, largest_write));
        const BlockFile file = open(name);

        for (std::byte& byte : bytes)
            byte = static_cast<std::byte>(random_());
        if (!file)
            return;
        const Count written = file.write(bytes, offset);
        if (!well(name, "write", written))
            return;
        bytes.resize(static_cast<std::size_t>(written));
        content.resize(std::max(content.size(), offset + bytes.size()));
        std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(offset));
    }

    void read()
    {
        const auto& [name, content] = *some_file();

        compare(name, content);
    }

    void compare(const std::string& name, const Content& content)
    {
        Content bytes(content.size() + 1);
        const BlockFile file = open(name, O_RDONLY);

        if (!file || !well(name, "read", file.read(bytes, 0)))
            return;
        if (file.size() != content.size())
            complain(own_ / name, "size " + std::to_string(file.size()) + " instead of " +
                                      std::to_string(content.size()));
        bytes.resize(content.size());
        if (bytes != content)
            complain(own_ / name,
                     "wrong bytes, the first at " +
                         std::to_string(std::ranges::mismatch(bytes, content).in1 - bytes.begin()));
    }

    void truncate()
    {
        auto& [name, content] = *some_file();
        const std::size_t size = pick(0, largest_file);

        if (well(name, "truncate",
                 count_of(::truncate((own_ / name).c_str(), static_cast<off_t>(size)))))
            content.resize(size);
    }

    void punch()
    {
        auto& [name, content] = *some_file();
        const BlockFile file = open(name);

        if (!file || content.empty())
            return;
        const std::size_t begin = pick(0, content.size() - 1);
        const std::size_t end = pick(begin + 1, content.size());
        const Count result =
            count_of(::fallocate(file.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                 static_cast<off_t>(begin), static_cast<off_t>(end - begin)));
        if (result != -EOPNOTSUPP && well(name, "punch", result))
            std::fill(content.begin() + static_cast<std::ptrdiff_t>(begin),
                      content.begin() + static_cast<std::ptrdiff_t>(end), std::byte{});
    }

    void sync()
    {
        const std::string& name = some_file()->first;
        const BlockFile file = open(name);

        if (file)
            well(name, "fsync", file.sync());
    }

    /// Who loses a race here finds a name gone or taken, which is fine.
    void play_in_shared()
    {
        const auto some_path = [this] { return shared_ / ("s" + std::to_string(pick(0, 15))); };
        const fs::path from = some_path();

        switch (pick(0, 4)) {
        case 0:
            BlockFile(from, O_RDWR | O_CREAT).write(Content(pick(1, 8192)), 0);
            break;
        case 1:
            ::unlink(from.c_str());
            break;
        case 2:
            ::link(from.c_str(), some_path().c_str());
            break;
        case 3:
            ::mkdir((from.native() + ".d").c_str(), 0755);
            ::rmdir((some_path().native() + ".d").c_str());
            break;
        default:
            ::rename(from.c_str(), some_path().c_str());
        }
    }

    fs::path own_;
    fs::path shared_;
    std::mt19937_64 random_;
    Files files_;
    std::uint64_t next_name_ = 0;
    std::uint64_t steps_ = 0;
};

unsigned long argument(int argc, char** argv, int at, unsigned long otherwise)
{
    return argc > at ? std::stoul(argv[at]) : otherwise;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2 || argc > 5) {
        std::cerr << "usage: fs_stress DIRECTORY [SECONDS [THREADS [SEED]]]\n";
        return 2;
    }
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(argument(argc, argv, 2, 15));
    std::vector<Worker> workers;
    for (unsigned i = 0; i < argument(argc, argv, 3, 4); i++)
        workers.emplace_back(argv[1], i, argument(argc, argv, 4, 1));
    {
        std::vector<std::jthread> threads;
        for (Worker& worker : workers)
            threads.emplace_back(&Worker::run, &worker, end);
    }
    std::uint64_t steps = 0;
    for (const Worker& worker : workers)
        steps += worker.steps();
    std::cout << steps << " steps\n";
    return failed ? 1 : 0;
}
