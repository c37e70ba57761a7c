// SPDX-License-Identifier: GPL-2.0
#include "pages.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <utility>

namespace kio::bench {

namespace {

constexpr std::size_t page_size = 4096;

} // namespace

Result<Pages> Pages::allocate(std::size_t bytes)
{
    const std::size_t size = (bytes + page_size - 1) / page_size * page_size;
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return Error{errno, "There is no memory for the blocks."};
    Pages pages{static_cast<std::byte*>(memory), size};
    ::madvise(memory, size, MADV_NOHUGEPAGE);
    pages.scatter();
    return pages;
}

Pages::Pages(Pages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0))
{
}

Pages& Pages::operator=(Pages&& other) noexcept
{
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Pages::~Pages()
{
    if (data_)
        ::munmap(data_, size_);
}

// The kernel hands pages out mostly in the order of their addresses, hence first use in another
// order than theirs.
void Pages::scatter()
{
    for (const std::size_t first : {std::size_t{1}, std::size_t{0}})
        for (std::size_t page = first; page < size_ / page_size; page += 2)
            data_[page * page_size] = std::byte{1};
}

} // namespace kio::bench
