// SPDX-License-Identifier: GPL-2.0
// Transfers that fail half-way must end as failures, whichever half it is and whoever asks.
//
//   partial_bio DEVICE BEGIN END
//
// Bytes BEGIN to END of DEVICE fail, what lies before and after them works.

#include <array>
#include <cerrno>
#include <cstdint>
#include <linux/aio_abi.h>
#include <string>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <vector>

#include "block_file.hpp"
#include "ktap.hpp"
#include "pattern.hpp"

using namespace selftest;

namespace {

constexpr std::uint64_t seed = 7;

struct Setup {
    std::string path;
    std::uint64_t begin;
    std::uint64_t end;
};

void stamp(std::span<std::byte> bytes, std::uint64_t offset)
{
    for (std::size_t i = 0; i < bytes.size(); i += sector_size)
        put_sector(bytes.subspan(i, sector_size), {seed, (offset + i) / sector_size, 1});
}

ktap::Outcome wants_eio(Count result)
{
    if (result == -EIO)
        return ktap::pass();
    return ktap::fail("an I/O error expected, the answer was " + describe(result));
}

ktap::Outcome wants_all(Count result, std::size_t length)
{
    if (result == static_cast<Count>(length))
        return ktap::pass();
    return ktap::fail(std::to_string(length) + " bytes expected, the answer was " +
                      describe(result));
}

ktap::Outcome write_direct(const Setup& setup, std::uint64_t offset, std::size_t length)
{
    const BlockFile file(setup.path, O_WRONLY | O_DIRECT);
    Memory memory(length);

    stamp(memory.bytes(), offset);
    return wants_eio(file.write(memory.bytes(), offset));
}

ktap::Outcome read_direct(const Setup& setup, std::uint64_t offset, std::size_t length)
{
    const BlockFile file(setup.path, O_RDONLY | O_DIRECT);
    Memory memory(length);

    return wants_eio(file.read(memory.bytes(), offset));
}

/// The border falls inside of one fragment of several.
ktap::Outcome write_fragments(const Setup& setup)
{
    constexpr std::size_t fragment = 3 * sector_size;
    constexpr std::size_t count = 8;
    const std::uint64_t offset = setup.begin - count / 2 * fragment - sector_size;
    const BlockFile file(setup.path, O_WRONLY | O_DIRECT);
    Memory memory(count * page_size);
    std::array<iovec, count> parts{};

    for (std::size_t i = 0; i < count; i++)
        parts[i] = {memory.bytes().subspan(i * page_size).data(), fragment};
    return wants_eio(count_of(
        ::pwritev(file.fd(), parts.data(), static_cast<int>(count), static_cast<off_t>(offset))));
}

/// The page cache takes the write; the failure is for whoever asks whether it is safe.
ktap::Outcome write_buffered(const Setup& setup)
{
    constexpr std::size_t length = 16 * page_size;
    const std::uint64_t offset = setup.begin - length / 2;
    const BlockFile file(setup.path, O_WRONLY);
    Memory memory(length);

    stamp(memory.bytes(), offset);
    if (const Count written = file.write(memory.bytes(), offset); written < 0)
        return wants_eio(written);
    return wants_eio(file.sync());
}

/// One request handed to the kernel's own asynchronous interface.
class Aio {
public:
    Aio() : error_(count_of(::syscall(SYS_io_setup, 1, &context_))) {}
    Aio(const Aio&) = delete;
    Aio& operator=(const Aio&) = delete;
    ~Aio()
    {
        if (error_ == 0)
            ::syscall(SYS_io_destroy, context_);
    }

    Count run(const BlockFile& file, std::uint16_t op, std::span<std::byte> bytes,
              std::uint64_t offset) const
    {
        iocb request{};
        iocb* requests = &request;
        io_event event{};

        if (error_ != 0)
            return error_;
        request.aio_fildes = static_cast<std::uint32_t>(file.fd());
        request.aio_lio_opcode = op;
        request.aio_buf = reinterpret_cast<std::uintptr_t>(bytes.data());
        request.aio_nbytes = bytes.size();
        request.aio_offset = static_cast<std::int64_t>(offset);
        if (const Count sent = count_of(::syscall(SYS_io_submit, context_, 1, &requests)); sent < 0)
            return sent;
        ::syscall(SYS_io_getevents, context_, 1, 1, &event, nullptr);
        return static_cast<Count>(event.res);
    }

private:
    aio_context_t context_ = 0;
    Count error_;
};

ktap::Outcome aio_across(const Setup& setup, std::uint16_t op)
{
    constexpr std::size_t length = 64 * page_size;
    const BlockFile file(setup.path, O_RDWR | O_DIRECT);
    Memory memory(length);
    const Aio aio;

    return wants_eio(aio.run(file, op, memory.bytes(), setup.begin - length / 2));
}

/// A failure next door is none of a good transfer's business.
ktap::Outcome good_neighbour(const Setup& setup, std::uint64_t offset)
{
    const BlockFile file(setup.path, O_RDWR | O_DIRECT);
    Memory memory(page_size);

    stamp(memory.bytes(), offset);
    if (const Count written = file.write(memory.bytes(), offset);
        written != static_cast<Count>(page_size))
        return wants_all(written, page_size);
    std::ranges::fill(memory.bytes(), std::byte{});
    if (const Count got = file.read(memory.bytes(), offset); got != static_cast<Count>(page_size))
        return wants_all(got, page_size);
    const Stamp first{seed, offset / sector_size, 1};
    if (!has_sector(memory.bytes().first(sector_size), first))
        return ktap::fail(describe_mismatch(memory.bytes().first(sector_size), first));
    return ktap::pass();
}

std::vector<ktap::Case> make_cases(const Setup& setup)
{
    constexpr std::size_t large = 512 * 1024;
    const std::uint64_t begin = setup.begin;
    const std::uint64_t end = setup.end;

    return {
        {"a write whose second half fails",
         [=] { return write_direct(setup, begin - page_size, 2 * page_size); }},
        {"a write whose first half fails",
         [=] { return write_direct(setup, end - page_size, 2 * page_size); }},
        {"a write that fails in its middle",
         [=] { return write_direct(setup, begin - page_size, end - begin + 2 * page_size); }},
        {"a write of which only the last sector fails",
         [=] { return write_direct(setup, begin + sector_size - large, large); }},
        {"a write of which only the first sector fails",
         [=] { return write_direct(setup, end - sector_size, large); }},
        {"a read whose second half fails",
         [=] { return read_direct(setup, begin - page_size, 2 * page_size); }},
        {"a read whose first half fails",
         [=] { return read_direct(setup, end - page_size, 2 * page_size); }},
        {"a write of fragments with the border inside of one",
         [=] { return write_fragments(setup); }},
        {"a buffered write is found out by fsync", [=] { return write_buffered(setup); }},
        {"an asynchronous write", [=] { return aio_across(setup, IOCB_CMD_PWRITE); }},
        {"an asynchronous read", [=] { return aio_across(setup, IOCB_CMD_PREAD); }},
        {"what ends at the border works", [=] { return good_neighbour(setup, begin - page_size); }},
        {"what begins after the border works", [=] { return good_neighbour(setup, end); }},
    };
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        std::cerr << "usage: partial_bio DEVICE BEGIN END\n";
        return 2;
    }
    return ktap::run(make_cases({argv[1], std::stoull(argv[2]), std::stoull(argv[3])}));
}
