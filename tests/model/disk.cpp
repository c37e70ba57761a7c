// SPDX-License-Identifier: GPL-2.0
#include "disk.hpp"

#include <algorithm>
#include <cerrno>

namespace kio::model {

namespace {

std::span<Byte> window(Bytes& bytes, std::uint64_t pos, std::uint64_t length)
{
    return std::span(bytes).subspan(pos, length);
}

} // namespace

Disk::Disk(Bytes content, std::uint32_t block)
    : Device(content.size(), block, false), content_(std::move(content)), known_(content_.size(), 1)
{
}

Faults Disk::submit(const Request& request, Journey&)
{
    if (request.op == Op::flush)
        return {};
    if (request.op == Op::zeroes)
        return fail(request, EOPNOTSUPP);
    const auto content = window(content_, request.pos, request.length);
    const auto known = window(known_, request.pos, request.length);
    if (request.op == Op::read) {
        std::ranges::copy(content, request.data.begin());
        std::ranges::copy(known, request.known.begin());
        return {};
    }
    if (request.op == Op::write)
        std::ranges::copy(request.data, content.begin());
    else
        std::ranges::fill(content, Byte{0});
    const bool sure = request.op == Op::write || block() == sector_size;
    std::ranges::fill(known, sure ? Byte{1} : Byte{0});
    return {};
}

void Disk::maybe(const Request& request, Journey&)
{
    if (request.op == Op::read || request.op == Op::flush)
        return;
    const auto known = window(known_, request.pos, request.length);
    if (request.op == Op::write && !request.data.empty()) {
        const auto content = window(content_, request.pos, request.length);
        for (std::size_t i = 0; i < known.size(); ++i)
            known[i] = known[i] && content[i] == request.data[i];
    } else {
        std::ranges::fill(known, Byte{0});
    }
}

void Disk::claim(std::uint64_t pos, std::uint64_t length)
{
    std::ranges::fill(window(known_, pos, length), Byte{0});
}

} // namespace kio::model
