// SPDX-License-Identifier: GPL-2.0
// Writes contents that say where they belong, and verifies them.
//
//   verify_io fill FILE [OPTION...]    write every sector of the range
//   verify_io check FILE [OPTION...]   read them all and compare
//   verify_io zero FILE [OPTION...]    read them all, none may hold anything but zeroes
//   verify_io random FILE [OPTION...]  write and read at random places against a model kept in
//                                      memory, then read everything back
//
//   --seed N        tells apart what several fills wrote (1)
//   --offset BYTES  where in FILE (0)
//   --length BYTES  how much (to the end)
//   --as SECTOR     the number of the first sector, for data that lies elsewhere than it was
//                   written (offset / 512)
//   --ops N         random: transfers of each job, 0 to go on until SIGTERM comes (1000)
//   --jobs N        random: that many at a time, each in a part of its own (1)
//   --max BYTES     random: the largest transfer (1 MiB)
//   --block BYTES   random: the logical block, which all transfers are multiples of (512)
//   --buffered      through the page cache instead of O_DIRECT
//
// A number may end in K, M or G.
//
// Exit: 0, 1 after a wrong byte or an error, 2 for bad usage.

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "block_file.hpp"
#include "pattern.hpp"

using namespace selftest;

namespace {

constexpr std::uint64_t chunk_size = 1 << 20;

struct Options {
    std::string command;
    std::string path;
    std::map<std::string, std::optional<std::uint64_t>, std::less<>> numbers{
        {"--seed", 1},   {"--offset", 0}, {"--length", {}},      {"--as", {}},
        {"--ops", 1000}, {"--jobs", 1},   {"--max", chunk_size}, {"--block", sector_size},
    };
    bool buffered = false;

    std::uint64_t number(std::string_view name) const { return *numbers.find(name)->second; }
    bool has(std::string_view name) const { return numbers.find(name)->second.has_value(); }
};

/// The sectors that a run is about, and how they were numbered when they were written.
struct Range {
    std::uint64_t offset;
    std::uint64_t sectors;
    std::uint64_t first;
};

bool complain(const std::string& what)
{
    std::cerr << "verify_io: " << what << '\n';
    return false;
}

std::optional<std::uint64_t> parse_number(std::string_view text)
{
    constexpr std::string_view units = "KMG";
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit = text.substr(static_cast<std::size_t>(rest - text.data()));

    if (error != std::errc{} || unit.size() > 1)
        return {};
    if (unit.empty())
        return value;
    const std::size_t power = units.find(unit);
    if (power == units.npos)
        return {};
    return value << 10 * (power + 1);
}

bool parse_option(std::span<char*>& words, Options& options)
{
    const std::string_view word = words.front();

    words = words.subspan(1);
    if (word == "--buffered") {
        options.buffered = true;
        return true;
    }
    const auto slot = options.numbers.find(word);
    if (slot == options.numbers.end() || words.empty())
        return false;
    slot->second = parse_number(words.front());
    words = words.subspan(1);
    return slot->second.has_value();
}

std::optional<Options> parse(std::span<char*> words)
{
    Options options;

    if (words.size() < 3)
        return {};
    options.command = words[1];
    options.path = words[2];
    words = words.subspan(3);
    while (!words.empty())
        if (!parse_option(words, options))
            return {};
    return options;
}

Range find_range(const Options& options, const BlockFile& file)
{
    const std::uint64_t offset = options.number("--offset");
    const std::uint64_t length =
        options.has("--length") ? options.number("--length") : file.size() - offset;

    return {offset, length / sector_size,
            options.has("--as") ? options.number("--as") : offset / sector_size};
}

bool transferred(Count result, std::size_t wanted, const char* what, std::uint64_t offset)
{
    if (result == static_cast<Count>(wanted))
        return true;
    return complain(std::string(what) + " of " + std::to_string(wanted) + " bytes at " +
                    std::to_string(offset) + " gave " + describe(result));
}

bool write_at(const BlockFile& file, std::span<const std::byte> bytes, std::uint64_t offset)
{
    return transferred(file.write(bytes, offset), bytes.size(), "write", offset);
}

bool read_at(const BlockFile& file, std::span<std::byte> bytes, std::uint64_t offset)
{
    return transferred(file.read(bytes, offset), bytes.size(), "read", offset);
}

/// Calls @p step (bytes of memory, first sector of the range) for the whole range, in chunks.
template <typename Step>
bool for_each_chunk(const Range& range, Step step)
{
    constexpr std::uint64_t per_chunk = chunk_size / sector_size;
    Memory memory(std::min(chunk_size, range.sectors * sector_size));

    for (std::uint64_t at = 0; at < range.sectors; at += per_chunk) {
        const std::uint64_t count = std::min(per_chunk, range.sectors - at);
        if (!step(memory.bytes().first(count * sector_size), at))
            return false;
    }
    return true;
}

std::span<std::byte> nth_sector(std::span<std::byte> bytes, std::uint64_t n)
{
    return bytes.subspan(n * sector_size, sector_size);
}

bool fill(const BlockFile& file, const Range& range, std::uint64_t seed)
{
    const auto step = [&](std::span<std::byte> bytes, std::uint64_t at) {
        for (std::uint64_t i = 0; i < bytes.size() / sector_size; i++)
            put_sector(nth_sector(bytes, i), {seed, range.first + at + i, 1});
        return write_at(file, bytes, range.offset + at * sector_size);
    };

    return for_each_chunk(range, step) && file.sync() == 0;
}

/// @p generation tells what sector of the range should hold which generation.
template <typename Generation>
bool check(const BlockFile& file, const Range& range, std::uint64_t seed, Generation generation)
{
    const auto step = [&](std::span<std::byte> bytes, std::uint64_t at) {
        if (!read_at(file, bytes, range.offset + at * sector_size))
            return false;
        for (std::uint64_t i = 0; i < bytes.size() / sector_size; i++) {
            const Stamp stamp{seed, range.first + at + i, generation(at + i)};
            if (!has_sector(nth_sector(bytes, i), stamp))
                return complain(describe_mismatch(nth_sector(bytes, i), stamp));
        }
        return true;
    };

    return for_each_chunk(range, step);
}

std::atomic<bool> told_to_stop;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

/// Random writes and reads, and what every sector must hold after them.
class Model {
public:
    /// @p range was filled. @p job makes the random choices of several models differ.
    Model(const BlockFile& file, const Range& range, const Options& options, std::uint64_t job)
        : file_(file), range_(range), seed_(options.number("--seed")),
          unit_(options.number("--block") / sector_size),
          most_(std::min(options.number("--max") / sector_size, range.sectors) / unit_),
          random_(seed_ + mix(job)), generations_(range.sectors, 1),
          memory_(most_ * unit_ * sector_size)
    {
    }

    /// So many transfers, or, for 0, until told to stop.
    bool run(std::uint64_t ops)
    {
        for (std::uint64_t i = 0; ops ? i < ops : !told_to_stop; i++)
            if (!transfer(i + 2))
                return false;
        return file_.sync() == 0 && check(file_, range_, seed_, [this](std::uint64_t sector) {
                   return generations_[sector];
               });
    }

private:
    std::uint64_t pick(std::uint64_t low, std::uint64_t high)
    {
        return std::uniform_int_distribution<std::uint64_t>(low, high)(random_);
    }

    /// In blocks. Half of the lengths are below eight, where borders are met most often.
    std::uint64_t pick_length()
    {
        return pick(1, pick(0, 1) ? std::min<std::uint64_t>(most_, 8) : most_);
    }

    bool transfer(std::uint64_t generation)
    {
        const std::uint64_t count = pick_length() * unit_;
        const std::uint64_t at = pick(0, (range_.sectors - count) / unit_) * unit_;

        return pick(0, 1) ? write(at, count, generation) : read(at, count);
    }

    bool write(std::uint64_t at, std::uint64_t count, std::uint64_t generation)
    {
        const std::span bytes = memory_.bytes().first(count * sector_size);

        for (std::uint64_t i = 0; i < count; i++) {
            generations_[at + i] = generation;
            put_sector(nth_sector(bytes, i), {seed_, range_.first + at + i, generation});
        }
        return write_at(file_, bytes, range_.offset + at * sector_size);
    }

    bool read(std::uint64_t at, std::uint64_t count)
    {
        const Range part{range_.offset + at * sector_size, count, range_.first + at};

        return check(file_, part, seed_, [&](std::uint64_t i) { return generations_[at + i]; });
    }

    const BlockFile& file_;
    Range range_;
    std::uint64_t seed_;
    std::uint64_t unit_; ///< sectors of a block
    std::uint64_t most_; ///< blocks of a transfer
    std::mt19937_64 random_;
    std::vector<std::uint64_t> generations_;
    Memory memory_;
};

bool run_fill(const BlockFile& file, const Range& range, const Options& options)
{
    return fill(file, range, options.number("--seed"));
}

bool run_check(const BlockFile& file, const Range& range, const Options& options)
{
    return check(file, range, options.number("--seed"),
                 [](std::uint64_t) -> std::uint64_t { return 1; });
}

bool run_zero(const BlockFile& file, const Range& range, const Options&)
{
    return check(file, range, 0, [](std::uint64_t) -> std::uint64_t { return 0; });
}

/// The @p nth of so many equal parts, of whole blocks of @p unit sectors.
Range part_of(const Range& range, std::uint64_t nth, std::uint64_t parts, std::uint64_t unit)
{
    const std::uint64_t sectors = range.sectors / parts / unit * unit;

    return {range.offset + nth * sectors * sector_size, sectors, range.first + nth * sectors};
}

bool run_random(const BlockFile& file, const Range& range, const Options& options)
{
    const std::uint64_t jobs = options.number("--jobs");
    const std::uint64_t unit = options.number("--block") / sector_size;
    std::atomic<bool> well = run_fill(file, range, options);

    std::signal(SIGTERM, [](int) { told_to_stop = true; });
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; well && i < jobs; i++)
        threads.emplace_back([&, i] {
            if (!Model(file, part_of(range, i, jobs, unit), options, i)
                     .run(options.number("--ops")))
                well = false;
        });
    threads.clear();
    return well;
}

struct Command {
    std::string_view name;
    int access;
    bool (*run)(const BlockFile&, const Range&, const Options&);
};

constexpr std::array commands{
    Command{"fill", O_RDWR, run_fill},
    Command{"check", O_RDONLY, run_check},
    Command{"zero", O_RDONLY, run_zero},
    Command{"random", O_RDWR, run_random},
};

} // namespace

int main(int argc, char** argv)
{
    const auto options = parse({argv, static_cast<std::size_t>(argc)});
    const auto* const command = std::ranges::find_if(
        commands, [&](const Command& item) { return options && item.name == options->command; });

    if (command == commands.end()) {
        std::cerr << "usage: verify_io fill|check|zero|random FILE [OPTION...]\n";
        return 2;
    }
    const BlockFile file(options->path, command->access | (options->buffered ? 0 : O_DIRECT));
    if (!file) {
        complain(options->path + ": " + std::strerror(errno));
        return 1;
    }
    return command->run(file, find_range(*options, file), *options) ? 0 : 1;
}
