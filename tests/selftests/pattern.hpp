// SPDX-License-Identifier: GPL-2.0
// Contents that say where they belong: each sector tells its number, seed and generation, and no
// two sectors, seeds or generations share a word, so that a byte in the wrong place is seen.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "block_file.hpp"

namespace selftest {

/// One way to fill a sector. Generation 0 stands for a sector full of zeroes.
struct Stamp {
    std::uint64_t seed;
    std::uint64_t sector;
    std::uint64_t generation;
};

using Sector = std::array<std::uint64_t, sector_size / sizeof(std::uint64_t)>;

/// splitmix64's finaliser: every bit of the result depends on every bit of the argument.
constexpr std::uint64_t mix(std::uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

inline Sector make_sector(const Stamp& stamp)
{
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15ULL;
    Sector words{};

    if (stamp.generation == 0)
        return words;
    const std::uint64_t key = mix(stamp.seed * odd + stamp.sector) + mix(stamp.generation + odd);
    words[0] = stamp.sector;
    words[1] = stamp.generation;
    for (std::size_t i = 2; i < words.size(); i++)
        words[i] = key + i * odd;
    return words;
}

inline void put_sector(std::span<std::byte> bytes, const Stamp& stamp)
{
    const Sector words = make_sector(stamp);

    std::memcpy(bytes.data(), words.data(), sector_size);
}

inline bool has_sector(std::span<const std::byte> bytes, const Stamp& stamp)
{
    const Sector words = make_sector(stamp);

    return std::memcmp(bytes.data(), words.data(), sector_size) == 0;
}

/// What a sector that should bear @p stamp seems to be instead.
inline std::string describe_mismatch(std::span<const std::byte> bytes, const Stamp& stamp)
{
    Sector words{};

    std::memcpy(words.data(), bytes.data(), sector_size);
    return "sector " + std::to_string(stamp.sector) + " generation " +
           std::to_string(stamp.generation) + " expected, found words " + std::to_string(words[0]) +
           " " + std::to_string(words[1]);
}

} // namespace selftest
