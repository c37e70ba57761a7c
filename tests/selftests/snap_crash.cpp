// SPDX-License-Identifier: GPL-2.0
// What a crash at any point leaves of an origin and its snapshot.
//
//   snap_crash fill ORIGIN                       what the origin holds at first
//   snap_crash work ORIGIN SNAPSHOT LOG OPS      writes to both, one after the other, each durable
//                                                and then marked in LOG, a dm-log-writes device
//   snap_crash check LOG ORIGIN COW OPS [AT VIEW]
//
// check reads the log from the block device LOG, of a dm-log-writes device that held the origin and
// then the COW device, whose sizes are those of ORIGIN and COW. After every entry it opens the
// store in its own way, and compares origin and snapshot with what was acknowledged by then. With
// AT it compares nothing, but writes what was there after that many entries to ORIGIN and COW, and
// what the snapshot then holds to the file VIEW.
//
// Exit: 0, 1 after a difference or an error, 2 for bad usage.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <linux/dm-ioctl.h>
#include <map>
#include <optional>
#include <random>
#include <string_view>
#include <sys/ioctl.h>
#include <vector>

#include "block_file.hpp"
#include "pattern.hpp"

using namespace selftest;

namespace {

constexpr std::uint64_t seed = 23;
constexpr std::uint64_t most_sectors = 40;

using Bytes = std::vector<std::byte>;

[[noreturn]] void die(const std::string& what)
{
    std::cerr << "snap_crash: " << what << '\n';
    std::exit(1);
}

/// A device, opened for transfers through O_DIRECT.
class Disk {
public:
    Disk(const std::string& path, int flags) : path_(path), fd_(::open(path.c_str(), flags))
    {
        if (fd_ < 0)
            die(path + ": " + std::strerror(errno));
        size_ = static_cast<std::uint64_t>(::lseek(fd_, 0, SEEK_END));
    }
    ~Disk() { ::close(fd_); }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    std::uint64_t sectors() const { return size_ / sector_size; }

    void write(std::uint64_t sector, std::span<const std::byte> bytes) const
    {
        Memory memory(bytes.size());

        std::memcpy(memory.bytes().data(), bytes.data(), bytes.size());
        const ssize_t done = ::pwrite(fd_, memory.bytes().data(), bytes.size(),
                                      static_cast<off_t>(sector * sector_size));
        if (done != static_cast<ssize_t>(bytes.size()))
            die(path_ + ": write: " + describe(count_of(done)));
    }

    Bytes read(std::uint64_t sector, std::uint64_t count) const
    {
        Memory memory(count * sector_size);
        const ssize_t done = ::pread(fd_, memory.bytes().data(), count * sector_size,
                                     static_cast<off_t>(sector * sector_size));

        if (done != static_cast<ssize_t>(count * sector_size))
            die(path_ + ": read: " + describe(count_of(done)));
        return {memory.bytes().begin(), memory.bytes().begin() + done};
    }

private:
    std::string path_;
    int fd_;
    std::uint64_t size_ = 0;
};

// ---- the workload ----

struct Op {
    bool to_snapshot;
    std::uint64_t sector;
    std::uint64_t count;
};

std::vector<Op> make_ops(std::uint64_t sectors, std::size_t nr)
{
    std::mt19937_64 random(seed);
    std::vector<Op> ops;

    while (ops.size() < nr) {
        // Every other one small, so that chunks are copied; some write chunks whole.
        const std::uint64_t most = random() % 2 ? most_sectors : 3;
        Op op{random() % 3 == 0, random() % sectors, 1 + random() % most};

        if (random() % 4 == 0) {
            op.sector = op.sector / 8 * 8;
            op.count = 8;
        }
        op.count = std::min(op.count, sectors - op.sector);
        ops.push_back(op);
    }
    return ops;
}

/// What operation @nr, from 0 on, writes; generation 1 is what the origin holds at first.
Bytes payload(const Op& op, std::size_t nr)
{
    Bytes bytes(op.count * sector_size);

    for (std::uint64_t i = 0; i < op.count; i++)
        put_sector(std::span(bytes).subspan(i * sector_size, sector_size),
                   {seed, op.sector + i, nr + 2});
    return bytes;
}

Bytes first_content(std::uint64_t sectors)
{
    Bytes bytes(sectors * sector_size);

    for (std::uint64_t i = 0; i < sectors; i++)
        put_sector(std::span(bytes).subspan(i * sector_size, sector_size), {seed, i, 1});
    return bytes;
}

/// Notes in the log that all before was acknowledged.
void mark(int control, const std::string& name, std::size_t nr)
{
    alignas(8) char buffer[sizeof(dm_ioctl) + sizeof(dm_target_msg) + 64]{};
    auto* head = reinterpret_cast<dm_ioctl*>(buffer);
    auto* message = reinterpret_cast<dm_target_msg*>(buffer + sizeof(*head));

    head->version[0] = DM_VERSION_MAJOR;
    head->data_size = sizeof(buffer);
    head->data_start = sizeof(*head);
    std::snprintf(head->name, sizeof(head->name), "%s", name.c_str());
    std::snprintf(buffer + sizeof(*head) + sizeof(*message), 64, "mark %zu", nr);
    message->sector = 0;
    if (::ioctl(control, DM_TARGET_MSG, buffer))
        die("mark: " + std::string(std::strerror(errno)));
}

void work(const std::string& origin_path, const std::string& snapshot_path, const std::string& log,
          std::size_t nr)
{
    const int flags = O_RDWR | O_DIRECT | O_DSYNC;
    const Disk origin(origin_path, flags), snapshot(snapshot_path, flags);
    const std::vector<Op> ops = make_ops(origin.sectors(), nr);
    const int control = ::open("/dev/mapper/control", O_RDWR);

    for (std::size_t i = 0; i < ops.size(); i++) {
        (ops[i].to_snapshot ? snapshot : origin).write(ops[i].sector, payload(ops[i], i));
        mark(control, log, i);
    }
    ::close(control);
}

// ---- the log ----

struct Super {
    std::uint64_t magic, version, nr_entries;
    std::uint32_t sector_size;
};

struct Entry {
    std::uint64_t sector, nr_sectors, flags, data_len;
};

constexpr std::uint64_t log_magic = 0x6a736677736872ULL;
constexpr std::uint64_t log_discard = 1 << 2, log_mark = 1 << 3;

template <typename T>
T take(const Bytes& bytes, std::size_t at = 0)
{
    T value;

    std::memcpy(&value, bytes.data() + at, sizeof(value));
    return value;
}

// ---- the store, opened in our own way ----

/// The chunks that a snapshot has, old to new; nothing before there is a store.
std::optional<std::map<std::uint64_t, std::uint64_t>> open_store(const Bytes& cow,
                                                                 std::uint64_t& chunk)
{
    std::map<std::uint64_t, std::uint64_t> exceptions;

    if (take<std::uint32_t>(cow) == 0)
        return {};
    if (take<std::uint32_t>(cow) != 0x70416e53 || take<std::uint32_t>(cow, 8) != 1)
        die("no store");
    if (take<std::uint32_t>(cow, 4) != 1)
        die("the store is invalid");
    chunk = take<std::uint32_t>(cow, 12) * std::uint64_t{sector_size};
    const std::uint64_t entries = chunk / 16;

    for (std::uint64_t n = 0;; n++) {
        const std::uint64_t at = (n / entries * (entries + 1) + 1) * chunk + n % entries * 16;

        if (at + 16 > cow.size())
            die("the store has no end");
        const auto old_chunk = take<std::uint64_t>(cow, at);
        const auto new_chunk = take<std::uint64_t>(cow, at + 8);
        if (!new_chunk)
            return exceptions;
        if ((new_chunk + 1) * chunk > cow.size() ||
            !exceptions.emplace(old_chunk, new_chunk).second)
            die("exception " + std::to_string(n) + " is wrong");
    }
}

Bytes view_of(const Bytes& origin, const Bytes& cow)
{
    std::uint64_t chunk = 0;
    const auto exceptions = open_store(cow, chunk);
    Bytes view = origin;

    if (!exceptions)
        return view;
    for (const auto& [old_chunk, new_chunk] : *exceptions)
        std::memcpy(view.data() + old_chunk * chunk, cow.data() + new_chunk * chunk,
                    std::min(chunk, view.size() - old_chunk * chunk));
    return view;
}

// ---- what must be there ----

/// Origin and snapshot as acknowledged, and the one operation that may be under way.
class Expected {
public:
    Expected(std::uint64_t sectors, std::size_t nr)
        : ops_(make_ops(sectors, nr)), origin_(first_content(sectors)), snapshot_(origin_)
    {
    }

    void acknowledge(std::size_t nr)
    {
        if (nr != done_)
            die("mark " + std::to_string(nr) + " comes out of order");
        apply(side(ops_[done_].to_snapshot), ops_[done_], done_);
        done_++;
    }

    bool all_done() const { return done_ == ops_.size(); }

    void compare(const Bytes& origin, const Bytes& view, std::uint64_t entry) const
    {
        compare_side("origin", false, origin, entry);
        compare_side("snapshot", true, view, entry);
    }

private:
    Bytes& side(bool snapshot) { return snapshot ? snapshot_ : origin_; }

    static void apply(Bytes& bytes, const Op& op, std::size_t nr)
    {
        const Bytes data = payload(op, nr);

        std::memcpy(bytes.data() + op.sector * sector_size, data.data(), data.size());
    }

    void compare_side(const char* name, bool snapshot, const Bytes& found,
                      std::uint64_t entry) const
    {
        const Bytes& old = snapshot ? snapshot_ : origin_;

        if (std::memcmp(found.data(), old.data(), old.size()) == 0)
            return;
        Bytes fresh = old;
        if (!all_done() && ops_[done_].to_snapshot == snapshot)
            apply(fresh, ops_[done_], done_);
        for (std::size_t at = 0; at < old.size(); at += sector_size)
            if (std::memcmp(&found[at], &old[at], sector_size) != 0 &&
                std::memcmp(&found[at], &fresh[at], sector_size) != 0)
                die(std::string(name) + ", sector " + std::to_string(at / sector_size) +
                    ", after entry " + std::to_string(entry) + ", " + std::to_string(done_) +
                    " operations acknowledged: has generation " +
                    std::to_string(take<std::uint64_t>(found, at + 8)) + ", not " +
                    std::to_string(take<std::uint64_t>(old, at + 8)));
    }

    std::vector<Op> ops_;
    std::size_t done_ = 0;
    Bytes origin_, snapshot_;
};

/// The devices as the log has them so far.
struct Images {
    Bytes origin, cow;

    void write(std::uint64_t sector, const Bytes& bytes)
    {
        const std::uint64_t at = sector * sector_size;
        const bool is_cow = at >= origin.size();
        Bytes& image = is_cow ? cow : origin;
        const std::uint64_t offset = is_cow ? at - origin.size() : at;

        if (offset + bytes.size() > image.size())
            die("an entry lies on both devices");
        std::memcpy(image.data() + offset, bytes.data(), bytes.size());
    }
};

void store_images(const Images& images, const Disk& origin, const Disk& cow, const char* path)
{
    const Bytes view = view_of(images.origin, images.cow);
    std::FILE* file = std::fopen(path, "w");

    origin.write(0, images.origin);
    cow.write(0, images.cow);
    if (!file || std::fwrite(view.data(), 1, view.size(), file) != view.size() || std::fclose(file))
        die(std::string(path) + " cannot be written");
}

void check(char** args, std::size_t nr, std::optional<std::uint64_t> stop, const char* view_path)
{
    const Disk log(args[0], O_RDONLY | O_DIRECT);
    const Disk origin(args[1], O_RDWR | O_DIRECT), cow(args[2], O_RDWR | O_DIRECT);
    const auto super = take<Super>(log.read(0, 1));
    Images images{first_content(origin.sectors()), Bytes(cow.sectors() * sector_size)};
    Expected expected(origin.sectors(), nr);
    std::uint64_t at = 1, writes = 0;

    if (super.magic != log_magic || super.sector_size != sector_size)
        die("no log");
    for (std::uint64_t i = 0; i < super.nr_entries; i++) {
        const Bytes head = log.read(at++, 1);
        const auto entry = take<Entry>(head);

        if (stop && *stop == i) {
            store_images(images, origin, cow, view_path);
            return;
        }
        if (entry.flags & log_mark) {
            const char* name = reinterpret_cast<const char*>(head.data()) + sizeof(Entry);

            if (std::string_view(name, 7) != "dm-log-")
                expected.acknowledge(std::strtoull(name, nullptr, 10));
        } else if (entry.nr_sectors && !(entry.flags & log_discard)) {
            images.write(entry.sector, log.read(at, entry.nr_sectors));
            at += entry.nr_sectors;
            writes++;
        }
        if (!stop)
            expected.compare(images.origin, view_of(images.origin, images.cow), i);
    }
    if (!expected.all_done())
        die("the log does not have all operations");
    std::cout << super.nr_entries << " entries, " << writes << " writes\n";
}

} // namespace

int main(int argc, char** argv)
{
    const std::string_view command = argc > 1 ? argv[1] : "";

    if (command == "fill" && argc == 3) {
        const Disk origin(argv[2], O_RDWR | O_DIRECT);

        origin.write(0, first_content(origin.sectors()));
    } else if (command == "work" && argc == 6) {
        work(argv[2], argv[3], argv[4], std::strtoull(argv[5], nullptr, 10));
    } else if (command == "check" && argc == 6) {
        check(argv + 2, std::strtoull(argv[5], nullptr, 10), {}, nullptr);
    } else if (command == "check" && argc == 8) {
        check(argv + 2, std::strtoull(argv[5], nullptr, 10), std::strtoull(argv[6], nullptr, 10),
              argv[7]);
    } else {
        std::cerr << "usage: snap_crash fill|work|check ARGUMENT...\n";
        return 2;
    }
    return 0;
}
