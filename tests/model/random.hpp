// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kio::model {

/// splitmix64: the same numbers from the same seed, whatever the library.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next()
    {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
    }

    /// 0 to `bound` - 1; `bound` is not 0.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// `least` to `most`, both among them.
    std::uint64_t between(std::uint64_t least, std::uint64_t most)
    {
        return least + below(most - least + 1);
    }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    template <typename T>
    const T& pick(std::span<const T> items)
    {
        return items[static_cast<std::size_t>(below(items.size()))];
    }

private:
    std::uint64_t state_;
};

} // namespace kio::model
