// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>

#include "lib/result.hpp"

namespace kio::bench {

/// Memory to do I/O with. All of it is present, and hardly two neighbouring pages of it are
/// neighbours in the machine: so a block costs what it does on a machine that has run for long, on
/// every boot the same.
class Pages {
public:
    static Result<Pages> allocate(std::size_t bytes);

    Pages(Pages&& other) noexcept;
    Pages& operator=(Pages&& other) noexcept;
    ~Pages();

    std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    Pages(std::byte* data, std::size_t size) : data_(data), size_(size) {}
    void scatter();

    std::byte* data_;
    std::size_t size_;
};

} // namespace kio::bench
