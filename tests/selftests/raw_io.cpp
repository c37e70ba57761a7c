// SPDX-License-Identifier: GPL-2.0
// Asks a raw device for things, and tells what it answers.
//
//   raw_io [-r|-w] DEVICE COMMAND...
//
// A line for each command: bytes, or the name of an errno. "wrong" follows if what was read is
// not what `write` puts there. All commands go through one open file.
//
//   write:POS:LENGTH[:OPTION...]
//   read:POS:LENGTH[:OPTION...]   by pwritev2 and preadv2. Options: at=N, the memory begins N bytes
//                                 behind a page; pieces=N of memory; dsync, nowait, hipri
//   awrite:POS:LENGTH, aread:...  by libaio
//   cwrite:POS:LENGTH, cread:...  by a command of io_uring
//   rwrite:POS:LENGTH, rread:...  by io_uring's own write and read, of a registered buffer
//   flush, failure, sizes, end
//   splice:POS:LENGTH             to a pipe, and back to the device LENGTH behind it
//   fork:POS:LENGTH               a child writes to the memory while the read is on its way
//   slow:POS:LENGTH               writes at most a page whose content the shell keeps waiting for
//   drop:POS:LENGTH               begins a write by libaio and exits
//   cdrop:POS:LENGTH              likewise by a command
//   acancel:N, ccancel:N          begin N reads and writes, cancel each, tell how they ended
//   race:N:DEPTH                  N commands, DEPTH at a time, a third of them cancelled
//   fuzz:SEED:N                   N ioctls and commands full of nonsense

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <linux/aio_abi.h>
#include <linux/userfaultfd.h>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include "../../tools/lib/raw_queue.hpp"
#include "block_file.hpp"

using namespace selftest;

namespace {

/// The parts of a command between its colons.
class Words {
public:
    explicit Words(const std::string& text)
    {
        std::istringstream in(text);
        for (std::string word; std::getline(in, word, ':');)
            words_.push_back(word);
    }

    const std::string& name() const { return words_.at(0); }

    std::uint64_t number(std::size_t index) const
    {
        return std::strtoull(words_.at(index).c_str(), nullptr, 0);
    }

    bool has(std::string_view option) const
    {
        for (const std::string& word : words_)
            if (word == option)
                return true;
        return false;
    }

    /// Of an option NAME=N.
    std::uint64_t value(std::string_view option, std::uint64_t fallback) const
    {
        for (const std::string& word : words_)
            if (word.starts_with(std::string(option) + "="))
                return std::strtoull(word.c_str() + option.size() + 1, nullptr, 0);
        return fallback;
    }

private:
    std::vector<std::string> words_;
};

std::string name_of(int error)
{
    const char* name = ::strerrorname_np(error);

    return name ? name : std::to_string(error);
}

std::string said(Count result)
{
    return result < 0 ? name_of(static_cast<int>(-result)) : std::to_string(result);
}

std::byte byte_at(std::uint64_t pos)
{
    return static_cast<std::byte>((pos >> 9) * 131 + (pos & 511) * 7 + (pos >> 20) + 1);
}

void fill(std::span<std::byte> bytes, std::uint64_t pos)
{
    for (std::size_t i = 0; i < bytes.size(); i++)
        bytes[i] = byte_at(pos + i);
}

bool is_filled(std::span<const std::byte> bytes, std::uint64_t pos)
{
    for (std::size_t i = 0; i < bytes.size(); i++)
        if (bytes[i] != byte_at(pos + i))
            return false;
    return true;
}

/// One transfer: where, its memory, and what came of it.
struct Transfer {
    explicit Transfer(const Words& words)
        : write(words.name().find("write") != std::string::npos ||
                words.name().find("drop") != std::string::npos),
          pos(words.number(1)), at(words.value("at", 0)), memory(words.number(2) + at)
    {
        if (write)
            fill(bytes(), pos);
    }

    std::span<std::byte> bytes() { return memory.bytes().subspan(at); }

    std::string tell(Count result)
    {
        const auto good = static_cast<std::size_t>(std::max<Count>(result, 0));
        const bool right = write || is_filled(bytes().first(good), pos);

        return said(result) + (right ? "" : " wrong");
    }

    bool write;
    std::uint64_t pos;
    std::size_t at;
    Memory memory;
};

std::vector<iovec> pieces_of(std::span<std::byte> bytes, std::uint64_t nr)
{
    std::vector<iovec> pieces;

    for (std::uint64_t i = 0; i < nr; i++) {
        const std::size_t begin = bytes.size() * i / nr;
        const std::size_t end = bytes.size() * (i + 1) / nr;

        pieces.push_back({bytes.data() + begin, end - begin});
        pieces.push_back({nullptr, 0});
    }
    return pieces;
}

std::string by_call(const kio::RawDevice& device, const Words& words)
{
    Transfer transfer(words);
    const auto pieces = pieces_of(transfer.bytes(), words.value("pieces", 1));
    const int flags = (words.has("dsync") ? RWF_DSYNC : 0) |
                      (words.has("nowait") ? RWF_NOWAIT : 0) | (words.has("hipri") ? RWF_HIPRI : 0);
    const auto call = transfer.write ? ::pwritev2 : ::preadv2;

    return transfer.tell(count_of(call(device.fd(), pieces.data(), static_cast<int>(pieces.size()),
                                       static_cast<off_t>(transfer.pos), flags)));
}

// ---- libaio ----

class Aio {
public:
    explicit Aio(unsigned depth) { ::syscall(__NR_io_setup, depth, &context_); }
    ~Aio()
    {
        if (context_)
            ::syscall(__NR_io_destroy, context_);
    }
    Aio(const Aio&) = delete;
    Aio& operator=(const Aio&) = delete;

    Count submit(iocb& request)
    {
        std::array<iocb*, 1> list{&request};
        return count_of(::syscall(__NR_io_submit, context_, 1, list.data()));
    }

    Count cancel(iocb& request)
    {
        io_event event;
        return count_of(::syscall(__NR_io_cancel, context_, &request, &event));
    }

    io_event wait()
    {
        io_event event{};
        while (::syscall(__NR_io_getevents, context_, 1, 1, &event, nullptr) != 1)
            ;
        return event;
    }

private:
    aio_context_t context_ = 0;
};

iocb request_of(const kio::RawDevice& device, Transfer& transfer)
{
    iocb request{};

    request.aio_fildes = static_cast<std::uint32_t>(device.fd());
    request.aio_lio_opcode = transfer.write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
    request.aio_buf = reinterpret_cast<std::uintptr_t>(transfer.bytes().data());
    request.aio_nbytes = transfer.bytes().size();
    request.aio_offset = static_cast<std::int64_t>(transfer.pos);
    return request;
}

std::string by_aio(const kio::RawDevice& device, const Words& words)
{
    Transfer transfer(words);
    Aio aio(1);
    iocb request = request_of(device, transfer);

    if (const Count taken = aio.submit(request); taken != 1)
        return "not taken: " + said(taken);
    return transfer.tell(static_cast<Count>(aio.wait().res));
}

// ---- io_uring ----

Count count_of(const kio::Moved& moved)
{
    return moved.bytes ? static_cast<Count>(moved.bytes) : -moved.error;
}

std::unique_ptr<kio::KernelRing> new_ring(unsigned entries)
{
    auto ring = kio::KernelRing::make(entries);

    if (!ring) {
        std::cerr << ring.error().sentence << '\n';
        std::exit(2);
    }
    return *std::move(ring);
}

void begin(kio::RawQueue& queue, Transfer& transfer, kio::RawQueue::Ended ended)
{
    if (transfer.write)
        queue.write(transfer.bytes(), transfer.pos, std::move(ended));
    else
        queue.read(transfer.bytes(), transfer.pos, std::move(ended));
}

std::string by_command(const kio::RawDevice& device, const Words& words)
{
    Transfer transfer(words);
    const auto ring = new_ring(1);
    kio::RawQueue queue(device, *ring);
    Count result = 0;

    begin(queue, transfer, [&](kio::Moved moved) { result = count_of(moved); });
    queue.run();
    return transfer.tell(result);
}

/// io_uring with one buffer registered.
std::string by_ring(const kio::RawDevice& device, const Words& words)
{
    Transfer transfer(words);
    const auto ring = new_ring(1);
    const iovec buffer{transfer.bytes().data(), transfer.bytes().size()};
    io_uring_sqe entry{};
    io_uring_cqe completion{};

    if (const int error = ring->register_buffers({&buffer, 1}))
        return "not registered: " + name_of(error);
    entry.opcode = transfer.write ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
    entry.fd = device.fd();
    entry.off = transfer.pos;
    entry.addr = reinterpret_cast<std::uintptr_t>(buffer.iov_base);
    entry.len = static_cast<std::uint32_t>(buffer.iov_len);
    ring->push(entry);
    while (!ring->pop(completion))
        ring->enter(1);
    return transfer.tell(completion.res);
}

// ---- what is asked beside I/O ----

std::string tell_failure(const kio::RawDevice& device)
{
    static constexpr std::array ops{"read", "write", "flush"};
    const auto failure = device.failure();
    std::ostringstream out;

    if (!failure)
        return name_of(failure.error().code);
    if (!failure->count)
        return "none";
    out << failure->count << ' ' << ops.at(failure->op) << ' ' << failure->pos << '+'
        << failure->length << ' ' << failure->bytes << ' ' << name_of(failure->error);
    for (const kio::FailedRange& range : failure->ranges)
        out << ' ' << range.pos << '+' << range.length << ':' << name_of(range.error);
    return out.str();
}

std::string tell_sizes(const kio::RawDevice& device)
{
    unsigned long sectors = 0;
    int read_only = -1;
    std::ostringstream out;

    if (::ioctl(device.fd(), BLKGETSIZE, &sectors) || ::ioctl(device.fd(), BLKROGET, &read_only))
        return name_of(errno);
    out << device.size().value_or(0) << ' ' << sectors << ' ' << device.block_size().value_or(0)
        << ' ' << read_only;
    return out.str();
}

std::string splice_on(const kio::RawDevice& device, const Words& words)
{
    auto from = static_cast<off64_t>(words.number(1));
    const std::size_t length = words.number(2);
    auto to = from + static_cast<off64_t>(length);
    std::array<int, 2> pipe;

    if (::pipe(pipe.data()))
        return name_of(errno);
    for (std::size_t done = 0; done < length;) {
        const ssize_t got = ::splice(device.fd(), &from, pipe[1], nullptr, length - done, 0);
        if (got <= 0)
            return said(selftest::count_of(got));
        for (ssize_t put = 0; put < got;) {
            const ssize_t now = ::splice(pipe[0], nullptr, device.fd(), &to,
                                         static_cast<std::size_t>(got - put), 0);
            if (now <= 0)
                return said(selftest::count_of(now));
            put += now;
        }
        done += static_cast<std::size_t>(got);
    }
    return std::to_string(length);
}

// ---- processes ----

std::string read_across_fork(const kio::RawDevice& device, const Words& words)
{
    Transfer transfer(words);
    Aio aio(1);
    iocb request = request_of(device, transfer);

    if (aio.submit(request) != 1)
        return "not taken";
    // Touched by both before the data comes: whoever has the page to himself must be the reader.
    const pid_t child = ::fork();
    std::memset(transfer.bytes().data(), child ? 0x55 : 0xaa, transfer.bytes().size());
    if (!child)
        ::_exit(0);
    ::waitpid(child, nullptr, 0);
    std::cout << "forked" << std::endl;
    return transfer.tell(static_cast<Count>(aio.wait().res));
}

[[noreturn]] void exit_without_it(const kio::RawDevice& device, const Words& words)
{
    Transfer transfer(words);
    // Neither is closed by hand: what the kernel does at exit is what is looked at.
    static Aio aio(1);
    static const auto ring = new_ring(1);
    static iocb request = request_of(device, transfer);
    auto* queue = new kio::RawQueue(device, *ring);

    if (words.name() == "drop") {
        aio.submit(request);
    } else {
        begin(*queue, transfer, [](kio::Moved) {});
        queue->submit();
    }
    ::_exit(0);
}

// ---- many at once ----

class Tally {
public:
    void add(Count result) { results_[result]++; }

    std::string text() const
    {
        std::ostringstream out;

        for (const auto& [result, times] : results_)
            out << (out.tellp() ? " " : "") << said(result) << '*' << times;
        return out.str();
    }

private:
    std::map<Count, unsigned> results_;
};

std::vector<Transfer> transfers(std::uint64_t nr)
{
    std::vector<Transfer> list;

    list.reserve(nr);
    for (std::uint64_t i = 0; i < nr; i++)
        list.emplace_back(Words((i % 2 ? "read:" : "write:") + std::to_string(i * 4096) + ":4096"));
    return list;
}

/// The shell looks at what is in flight, and lets us go on.
void wait_for_shell()
{
    std::cout << "begun" << std::endl;
    std::string line;
    std::getline(std::cin, line);
}

std::string cancel_aio(const kio::RawDevice& device, const Words& words)
{
    auto list = transfers(words.number(1));
    Aio aio(static_cast<unsigned>(list.size()));
    std::vector<iocb> requests;
    Tally tally;

    for (Transfer& transfer : list)
        requests.push_back(request_of(device, transfer));
    for (iocb& request : requests)
        if (const Count taken = aio.submit(request); taken != 1)
            return "not taken: " + said(taken);
    wait_for_shell();
    for (iocb& request : requests)
        if (const Count answer = aio.cancel(request); answer != -EINPROGRESS)
            return "not cancelled: " + said(answer);
    for (std::size_t i = 0; i < list.size(); i++)
        tally.add(static_cast<Count>(aio.wait().res));
    return tally.text();
}

std::string cancel_commands(const kio::RawDevice& device, const Words& words)
{
    auto list = transfers(words.number(1));
    const auto ring = new_ring(1024);
    kio::RawQueue queue(device, *ring);
    std::vector<kio::RawQueue::Id> ids;
    Tally tally;

    for (Transfer& transfer : list) {
        const auto ended = [&](kio::Moved moved) { tally.add(count_of(moved)); };
        ids.push_back(transfer.write ? queue.write(transfer.bytes(), transfer.pos, ended)
                                     : queue.read(transfer.bytes(), transfer.pos, ended));
    }
    queue.submit();
    wait_for_shell();
    for (const auto id : ids)
        queue.cancel(id);
    if (const int error = queue.run())
        return name_of(error);
    return tally.text();
}

/// Keeps so many commands going until all were begun and have ended.
class Race {
public:
    Race(const kio::RawDevice& device, std::uint64_t nr, unsigned depth)
        : ring_(new_ring(2 * depth)), queue_(device, *ring_), left_(nr)
    {
        for (unsigned i = 0; i < depth; i++)
            memory_.emplace_back(page_size);
    }

    std::string run()
    {
        for (Memory& memory : memory_)
            next(memory.bytes());
        const int error = queue_.run();
        return error ? name_of(error) : tally_.text();
    }

private:
    void next(std::span<std::byte> bytes)
    {
        if (!left_)
            return;
        // No two are neighbours, which the block layer would make one of.
        const std::uint64_t pos = --left_ % 256 * 2 * page_size;
        const auto ended = [this, bytes](kio::Moved moved) {
            tally_.add(count_of(moved));
            next(bytes);
        };
        const auto id =
            left_ % 2 ? queue_.read(bytes, pos, ended) : queue_.write(bytes, pos, ended);

        if (left_ % 3 == 0)
            queue_.cancel(id);
    }

    std::unique_ptr<kio::KernelRing> ring_;
    std::vector<Memory> memory_;
    Tally tally_;
    kio::RawQueue queue_;
    std::uint64_t left_;
};

std::string race(const kio::RawDevice& device, const Words& words)
{
    return Race(device, words.number(1), static_cast<unsigned>(words.number(2))).run();
}

// ---- a fault that somebody keeps waiting ----

/// The memory is lent to a userfaultfd, so that whoever touches it waits for us.
class Slow {
public:
    explicit Slow(std::span<std::byte> bytes) : bytes_(bytes)
    {
        uffdio_api api{};
        uffdio_register range{};

        api.api = UFFD_API;
        range.range = {reinterpret_cast<std::uintptr_t>(bytes.data()), bytes.size()};
        range.mode = UFFDIO_REGISTER_MODE_MISSING;
        ok_ = fd_ && !::ioctl(fd_.get(), UFFDIO_API, &api) &&
              !::ioctl(fd_.get(), UFFDIO_REGISTER, &range);
    }

    bool ok() const { return ok_; }

    /// Waits until somebody does, lets the shell know, and gives him @p content when it says so.
    void serve(std::span<const std::byte> content)
    {
        uffd_msg message{};
        uffdio_copy copy{};

        if (::read(fd_.get(), &message, sizeof(message)) != sizeof(message))
            return;
        wait_for_shell();
        copy.dst = reinterpret_cast<std::uintptr_t>(bytes_.data());
        copy.src = reinterpret_cast<std::uintptr_t>(content.data());
        copy.len = bytes_.size();
        ::ioctl(fd_.get(), UFFDIO_COPY, &copy);
    }

private:
    std::span<std::byte> bytes_;
    kio::Fd fd_{static_cast<int>(::syscall(__NR_userfaultfd, O_CLOEXEC))};
    bool ok_ = false;
};

std::string write_slowly(const kio::RawDevice& device, const Words& words)
{
    const std::uint64_t pos = words.number(1);
    const std::size_t length = words.number(2);
    Memory content(page_size);
    void* const page =
        ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Slow slow({static_cast<std::byte*>(page), page_size});

    if (!slow.ok())
        return "none";
    fill(content.bytes(), pos);
    std::thread server([&] { slow.serve(content.bytes()); });
    const Count result =
        selftest::count_of(::pwrite(device.fd(), page, length, static_cast<off_t>(pos)));
    server.join();
    return said(result);
}

// ---- nonsense ----

class Fuzz {
public:
    Fuzz(const kio::RawDevice& device, std::uint64_t seed)
        : device_(device), random_(seed), memory_(memory_size)
    {
    }

    void call()
    {
        static constexpr std::array<unsigned long, 4> known{
            KIOBUF_RAW_FAILURE, KIOBUF_RAW_CANCEL_ALL, BLKGETSIZE64, BLKSSZGET};

        scribble();
        ::ioctl(device_.fd(), one_in(4) ? random_() : known.at(random_() % known.size()),
                address());
    }

    void command(kio::KernelRing& ring)
    {
        static constexpr std::array<std::uint32_t, 3> known{
            KIOBUF_RAW_CMD_READ, KIOBUF_RAW_CMD_WRITE, KIOBUF_RAW_CMD_CANCEL};
        const kiobuf_raw_cmd what{address(), random_() % 8};
        io_uring_sqe entry{};
        io_uring_cqe completion;

        scribble();
        entry.opcode = IORING_OP_URING_CMD;
        entry.fd = device_.fd();
        entry.cmd_op =
            one_in(4) ? static_cast<std::uint32_t>(random_()) : known.at(random_() % known.size());
        entry.uring_cmd_flags = one_in(8) ? static_cast<std::uint32_t>(random_()) : 0;
        std::memcpy(reinterpret_cast<std::byte*>(&entry) + offsetof(io_uring_sqe, addr3), &what,
                    sizeof(what));
        ring.push(entry);
        while (!ring.pop(completion))
            ring.enter(1);
    }

private:
    bool one_in(unsigned n) { return random_() % n == 0; }

    std::uint64_t address()
    {
        const auto base = reinterpret_cast<std::uintptr_t>(memory_.bytes().data());

        return one_in(4) ? random_() : one_in(4) ? random_() % 4096 : base + random_() % 4096;
    }

    /// More than any device here has: what is read has to stay in it.
    static constexpr std::size_t memory_size = 1 << 24;

    /// Half of it such that more than the first check is met.
    void scribble()
    {
        for (std::size_t i = 0; i < 8192; i += sizeof(std::uint64_t)) {
            const std::uint64_t word = one_in(2)   ? 0
                                       : one_in(2) ? random_() % 65536
                                       : one_in(2) ? address()
                                                   : random_();
            std::memcpy(memory_.bytes().data() + i, &word, sizeof(word));
        }
    }

    const kio::RawDevice& device_;
    std::mt19937_64 random_;
    Memory memory_;
};

std::string fuzz(const kio::RawDevice& device, const Words& words)
{
    Fuzz fuzz(device, words.number(1));
    const auto ring = new_ring(1);

    for (std::uint64_t i = 0; i < words.number(2); i++) {
        fuzz.call();
        fuzz.command(*ring);
    }
    return std::to_string(words.number(2));
}

// ---- the commands ----

using Run = std::string (*)(const kio::RawDevice&, const Words&);

std::string flush(const kio::RawDevice& device, const Words&)
{
    return said(-device.flush());
}

std::string failure(const kio::RawDevice& device, const Words&)
{
    return tell_failure(device);
}

std::string sizes(const kio::RawDevice& device, const Words&)
{
    return tell_sizes(device);
}

std::string end_of(const kio::RawDevice& device, const Words&)
{
    return said(selftest::count_of(::lseek(device.fd(), 0, SEEK_END)));
}

std::string drop(const kio::RawDevice& device, const Words& words)
{
    exit_without_it(device, words);
}

const std::map<std::string, Run, std::less<>> commands{
    {"write", by_call},    {"read", by_call},          {"awrite", by_aio},
    {"aread", by_aio},     {"cwrite", by_command},     {"cread", by_command},
    {"rwrite", by_ring},   {"rread", by_ring},         {"flush", flush},
    {"failure", failure},  {"sizes", sizes},           {"end", end_of},
    {"splice", splice_on}, {"fork", read_across_fork}, {"drop", drop},
    {"cdrop", drop},       {"acancel", cancel_aio},    {"ccancel", cancel_commands},
    {"race", race},        {"slow", write_slowly},     {"fuzz", fuzz}};

int usage()
{
    std::cerr << "usage: raw_io [-r|-w] DEVICE COMMAND...\n";
    return 2;
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<std::string> args(argv + 1, argv + argc);
    int flags = O_RDWR;

    if (!args.empty() && (args[0] == "-r" || args[0] == "-w")) {
        flags = args[0] == "-r" ? O_RDONLY : O_WRONLY;
        args.erase(args.begin());
    }
    if (args.empty())
        return usage();
    const auto device = kio::RawDevice::open(args[0], flags);
    if (!device) {
        std::cout << name_of(device.error().code) << std::endl;
        return 1;
    }
    for (std::size_t i = 1; i < args.size(); i++) {
        const Words words(args[i]);
        const auto found = commands.find(words.name());

        if (found == commands.end())
            return usage();
        std::cout << found->second(*device, words) << std::endl;
    }
    return 0;
}
