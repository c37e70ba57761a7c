// SPDX-License-Identifier: GPL-2.0
// Transfers from and to memory in pieces, which make vectors of many fragments.
//
//   frag_io DEVICE OFFSET [OFFSET...]
//
// Each shape of memory is tried with its middle at every OFFSET, in bytes: written in pieces and
// read back in one, then written in one and read back in pieces.

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <sys/uio.h>
#include <vector>

#include "block_file.hpp"
#include "ktap.hpp"
#include "pattern.hpp"

using namespace selftest;

namespace {

/// A piece of memory: where it begins in an arena, and how long it is. All in bytes.
struct Piece {
    std::size_t at;
    std::size_t length;
};

using Shape = std::vector<Piece>;

constexpr std::size_t most_pieces = 1024; // IOV_MAX

std::size_t total(const Shape& shape)
{
    std::size_t sum = 0;

    for (const Piece& piece : shape)
        sum += piece.length;
    return sum;
}

std::size_t arena_size(const Shape& shape)
{
    std::size_t end = 0;

    for (const Piece& piece : shape)
        end = std::max(end, piece.at + piece.length);
    return end;
}

/// Sectors of the same pages, last first: neighbours on the device never are in memory.
Shape reversed_sectors(std::size_t count)
{
    Shape shape;

    for (std::size_t i = count; i-- > 0;)
        shape.push_back({i * sector_size, sector_size});
    return shape;
}

/// One sector at a different place of each page.
Shape scattered_sectors(std::size_t count)
{
    Shape shape;

    for (std::size_t i = 0; i < count; i++)
        shape.push_back({i * page_size + i % 8 * sector_size, sector_size});
    return shape;
}

/// Pieces that begin in one page and end in the next.
Shape straddling_pages(std::size_t count)
{
    Shape shape;

    for (std::size_t i = 0; i < count; i++)
        shape.push_back({i * 3 * page_size + page_size - sector_size, page_size});
    return shape;
}

Shape random_pieces(std::size_t count, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<std::size_t> sectors(1, 20);
    Shape shape;
    std::size_t at = 0;

    for (std::size_t i = 0; i < count; i++) {
        at += sectors(random) % 4 * sector_size;
        shape.push_back({at, sectors(random) * sector_size});
        at += shape.back().length;
    }
    std::ranges::shuffle(shape, random);
    return shape;
}

std::vector<iovec> vector_of(const Shape& shape, Memory& arena)
{
    std::vector<iovec> parts;

    for (const Piece& piece : shape)
        parts.push_back({arena.bytes().subspan(piece.at).data(), piece.length});
    return parts;
}

/// Calls @p step (sector in the arena, its number on the device) for every sector of the shape.
template <typename Step>
void for_each_sector(const Shape& shape, Memory& arena, std::uint64_t offset, Step step)
{
    std::uint64_t sector = offset / sector_size;

    for (const Piece& piece : shape)
        for (std::size_t i = 0; i < piece.length; i += sector_size)
            step(arena.bytes().subspan(piece.at + i, sector_size), sector++);
}

Count write_pieces(const BlockFile& file, const Shape& shape, std::uint64_t offset,
                   std::uint64_t generation)
{
    Memory arena(arena_size(shape));
    const auto parts = vector_of(shape, arena);

    for_each_sector(shape, arena, offset, [=](std::span<std::byte> bytes, std::uint64_t sector) {
        put_sector(bytes, {0, sector, generation});
    });
    return count_of(::pwritev(file.fd(), parts.data(), static_cast<int>(parts.size()),
                              static_cast<off_t>(offset)));
}

ktap::Outcome check_pieces(const BlockFile& file, const Shape& shape, std::uint64_t offset,
                           std::uint64_t generation)
{
    Memory arena(arena_size(shape));
    const auto parts = vector_of(shape, arena);
    ktap::Outcome outcome;
    const Count got = count_of(::preadv(file.fd(), parts.data(), static_cast<int>(parts.size()),
                                        static_cast<off_t>(offset)));

    if (got != static_cast<Count>(total(shape)))
        return ktap::fail("reading " + std::to_string(total(shape)) + " bytes at " +
                          std::to_string(offset) + " gave " + describe(got));
    for_each_sector(shape, arena, offset, [&](std::span<std::byte> bytes, std::uint64_t sector) {
        const Stamp stamp{0, sector, generation};
        if (!has_sector(bytes, stamp) && outcome.verdict == ktap::Verdict::pass)
            outcome = ktap::fail(describe_mismatch(bytes, stamp));
    });
    return outcome;
}

/// Written in the shape @p from, read back in the shape @p to.
ktap::Outcome carry(const BlockFile& file, const Shape& from, const Shape& to, std::uint64_t middle,
                    std::uint64_t generation)
{
    const std::uint64_t offset = middle - total(from) / 2 / sector_size * sector_size;
    const Count written = write_pieces(file, from, offset, generation);

    if (written != static_cast<Count>(total(from)))
        return ktap::fail("writing " + std::to_string(total(from)) + " bytes at " +
                          std::to_string(offset) + " gave " + describe(written));
    return check_pieces(file, to, offset, generation);
}

struct Setup {
    std::string path;
    std::vector<std::uint64_t> offsets;
};

ktap::Outcome both_ways(const Setup& setup, const Shape& shape)
{
    const BlockFile file(setup.path, O_RDWR | O_DIRECT);
    const Shape whole{{0, total(shape)}};
    std::uint64_t generation = 1;

    for (const std::uint64_t offset : setup.offsets) {
        ktap::Outcome outcome = carry(file, shape, whole, offset, generation++);
        if (outcome.verdict == ktap::Verdict::pass)
            outcome = carry(file, whole, shape, offset, generation++);
        if (outcome.verdict != ktap::Verdict::pass)
            return outcome;
    }
    return ktap::pass();
}

/// One page as the source of everything: legal for a write.
ktap::Outcome same_page(const Setup& setup)
{
    const BlockFile file(setup.path, O_RDWR | O_DIRECT);
    const std::uint64_t offset = setup.offsets.front() / page_size * page_size;
    Memory page(page_size);
    Memory back(64 * page_size);
    std::vector<iovec> parts(64, {page.bytes().data(), page_size});

    for (std::size_t i = 0; i < page_size; i += sector_size)
        put_sector(page.bytes().subspan(i, sector_size), {9, i, 1});
    if (::pwritev(file.fd(), parts.data(), 64, static_cast<off_t>(offset)) != 64 * page_size)
        return ktap::fail("the write failed");
    file.read(back.bytes(), offset);
    for (std::size_t i = 0; i < 64; i++)
        if (!std::ranges::equal(back.bytes().subspan(i * page_size, page_size), page.bytes()))
            return ktap::fail("page " + std::to_string(i) + " differs");
    return ktap::pass();
}

/// Memory off its alignment: the kernel may refuse it, or get it right, and nothing else.
ktap::Outcome unaligned(const Setup& setup, std::size_t shift)
{
    const BlockFile file(setup.path, O_RDWR | O_DIRECT);
    const Shape shape{{shift, page_size}, {4 * page_size + shift, 3 * page_size}};
    const Shape whole{{0, total(shape)}};
    const Count written = write_pieces(file, shape, setup.offsets.front(), 77);

    if (written == -EINVAL)
        return ktap::pass();
    if (written != static_cast<Count>(total(shape)))
        return ktap::fail("the write gave " + describe(written));
    return check_pieces(file, whole, setup.offsets.front(), 77);
}

ktap::Outcome odd_length(const Setup& setup)
{
    const BlockFile file(setup.path, O_RDWR | O_DIRECT);
    const Shape shape{{0, page_size}, {page_size, sector_size - 1}};
    Memory arena(arena_size(shape));
    const auto parts = vector_of(shape, arena);
    const Count written =
        count_of(::pwritev(file.fd(), parts.data(), 2, static_cast<off_t>(setup.offsets.front())));

    if (written == -EINVAL)
        return ktap::pass();
    return ktap::fail("part of a sector was written: " + describe(written));
}

std::vector<ktap::Case> make_cases(const Setup& setup)
{
    return {
        {"eight sectors of a page, last first",
         [=] { return both_ways(setup, reversed_sectors(8)); }},
        {"1024 sectors of shared pages, last first",
         [=] { return both_ways(setup, reversed_sectors(most_pieces)); }},
        {"1024 sectors, each of another page",
         [=] { return both_ways(setup, scattered_sectors(most_pieces)); }},
        {"pieces that straddle pages", [=] { return both_ways(setup, straddling_pages(100)); }},
        {"pieces of random lengths in random order",
         [=] { return both_ways(setup, random_pieces(200, 1)); }},
        {"more pages than a bio has room for",
         [=] { return both_ways(setup, random_pieces(most_pieces, 2)); }},
        {"one page as the source of 64", [=] { return same_page(setup); }},
        {"memory off by half a sector", [=] { return unaligned(setup, sector_size / 2); }},
        {"memory off by a byte", [=] { return unaligned(setup, 1); }},
        {"a length that is no multiple of a sector", [=] { return odd_length(setup); }},
    };
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 3) {
        std::cerr << "usage: frag_io DEVICE OFFSET [OFFSET...]\n";
        return 2;
    }
    Setup setup{argv[1], {}};
    for (int i = 2; i < argc; i++)
        setup.offsets.push_back(std::stoull(argv[i]));
    return ktap::run(make_cases(setup));
}
