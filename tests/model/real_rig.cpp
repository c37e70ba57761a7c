// SPDX-License-Identifier: GPL-2.0
#include "real_rig.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <linux/fs.h>
#include <sstream>
#include <sys/ioctl.h>
#include <thread>

#include <fmt/format.h>

#include "kind.hpp"
#include "kind_raid.hpp"
#include "kiobuf_probe.h"
#include "lib/text.hpp"

namespace kio::model {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t page = 4096;
constexpr std::size_t memory_bytes = 2 << 20;
constexpr std::size_t fill_bytes = 64 << 10;
constexpr std::size_t most_faults = 4096;
constexpr auto patience = 20s;

constexpr std::array probe_ops{KIOBUF_PROBE_READ, KIOBUF_PROBE_WRITE, KIOBUF_PROBE_FLUSH,
                               KIOBUF_PROBE_DISCARD, KIOBUF_PROBE_ZEROES};

Error failed(const std::string& what, int error)
{
    return Error{error, what + ": " + std::strerror(error)};
}

/// Looks again and again, less often with time.
template <typename Done>
bool comes_true(Done done)
{
    const auto end = Clock::now() + patience;
    auto pause = 50us;

    while (!done()) {
        if (Clock::now() > end)
            return false;
        std::this_thread::sleep_for(pause);
        pause = std::min<std::chrono::microseconds>(2 * pause, 5ms);
    }
    return true;
}

std::string join(const Lines& lines)
{
    std::string text;
    for (const Words& line : lines)
        text += fmt::format("{}\n", fmt::join(line, " "));
    return text;
}

/// All bytes or an errno.
int transfer(int fd, const Io& io, std::span<Byte> data)
{
    const auto pos = static_cast<off_t>(io.pos);
    const ssize_t done = io.op == Op::read ? ::pread(fd, data.data(), data.size(), pos)
                                           : ::pwrite(fd, data.data(), data.size(), pos);
    if (done < 0)
        return errno;
    return static_cast<std::size_t>(done) == data.size() ? 0 : ENODATA;
}

int request(int fd, const Io& io, std::span<Byte> data)
{
    const std::array<std::uint64_t, 2> range{io.pos, io.length};

    switch (io.op) {
    case Op::flush:
        return ::fsync(fd) == 0 ? 0 : errno;
    case Op::discard:
        return ::ioctl(fd, BLKDISCARD, range.data()) == 0 ? 0 : errno;
    case Op::zeroes:
        return ::ioctl(fd, BLKZEROOUT, range.data()) == 0 ? 0 : errno;
    default:
        return transfer(fd, io, data);
    }
}

} // namespace

DirectMemory::DirectMemory(std::size_t size)
    : bytes_(static_cast<Byte*>(std::aligned_alloc(page, size + page)))
{
    if (!bytes_)
        std::abort();
}

std::span<Byte> DirectMemory::at(std::size_t offset, std::size_t length) const
{
    return {bytes_.get() + offset, length};
}

RealRig::RealRig()
    : control_("/sys/kernel/config/kiobuf"), nullb_("/sys/kernel/config/nullb"),
      memory_(memory_bytes)
{
}

RealRig::~RealRig()
{
    static_cast<void>(stop());
}

Result<> RealRig::start()
{
    for (const char* module : {"klvm", "kraid", "kfilter", "kiobuf_probe"})
        if (auto loaded = control_.modprobe(module); !loaded)
            return Error{loaded.error().code,
                         fmt::format("{}: {}", module, loaded.error().sentence)};
    if (!nullb_.is_directory("/sys/module/null_blk") &&
        std::system("modprobe null_blk nr_devices=0") != 0)
        return Error{ENODEV, "null_blk cannot be loaded"};
    probe_ = Fd(::open("/dev/kiobuf_probe", O_RDWR | O_CLOEXEC));
    if (!probe_)
        return failed("/dev/kiobuf_probe", errno);
    return find_abilities();
}

/// What the arrays of this kernel can do.
Result<> RealRig::find_abilities()
{
    const std::string at = "raid/kio_torture.try";
    RaidAbilities& abilities = raid_abilities();

    if (auto made = control_.mkdir(at); !made)
        return Error{made.error().code, at + ": " + made.error().sentence};
    abilities.level10 = control_.write(at + "/level", "10") && control_.read(at + "/layout");
    abilities.unequal = static_cast<bool>(control_.read(at + "/layout"));
    abilities.rebuild = static_cast<bool>(control_.read(at + "/sync_action"));
    return control_.rmdir(at);
}

Result<> RealRig::stop()
{
    Result<> result = tear_down();
    while (result && !disks_.empty())
        result = power_off(disks_.begin()->first);
    return result;
}

/* ---- disks ---- */

Result<> RealRig::write_attribute(const std::string& path, const std::string& text)
{
    const bool ours = !path.starts_with("/");
    const auto written = control_.write(path, text);
    if (written && *written == text.size())
        return {};
    const std::string where = ours ? path.substr(0, path.rfind('/')) : "";
    auto why = ours ? control_.read(where + "/error") : Result<std::string>(std::string());
    return Error{written ? EIO : written.error().code,
                 fmt::format("{}: {}", path, trimmed(std::move(why).value_or("")))};
}

Result<> RealRig::power_on(const DiskSpec& disk)
{
    const std::string at = "/sys/kernel/config/nullb/" + disk.name;
    const std::array<std::pair<const char*, std::uint64_t>, 6> settings{{{"size", disk.mib},
                                                                         {"blocksize", disk.block},
                                                                         {"memory_backed", 1},
                                                                         {"discard", 1},
                                                                         {"irqmode", 0},
                                                                         {"power", 1}}};

    if (auto made = nullb_.mkdir(disk.name); !made)
        return Error{made.error().code, at + ": " + made.error().sentence};
    disks_[disk.name].spec = disk;
    for (const auto& [name, value] : settings)
        if (auto done = write_attribute(fmt::format("{}/{}", at, name), std::to_string(value));
            !done)
            return done;
    disks_[disk.name].fd = Fd(::open(("/dev/" + disk.name).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    return disks_[disk.name].fd ? Result<>() : failed("/dev/" + disk.name, errno);
}

Result<> RealRig::power_off(const std::string& name)
{
    disks_.erase(name);
    return nullb_.rmdir(name);
}

Result<> RealRig::fill_disk(const DiskSpec& disk)
{
    const Bytes& content = first_content(disk);
    const auto known = disks_.find(disk.name);

    if (known != disks_.end() && !(known->second.spec == disk))
        if (auto gone = power_off(disk.name); !gone)
            return gone;
    if (!disks_.contains(disk.name))
        if (auto on = power_on(disk); !on)
            return on;
    Bytes& last = disks_[disk.name].last;
    for (std::size_t pos = 0; pos < content.size(); pos += fill_bytes)
        if (last.empty() || std::memcmp(&content[pos], &last[pos], fill_bytes) != 0)
            if (auto done = write_first(disk.name, pos); !done)
                return done;
    last.clear();
    return {};
}

/// `fill_bytes` of the first content.
Result<> RealRig::write_first(const std::string& name, std::uint64_t pos)
{
    const NullDisk& disk = disks_.at(name);
    const auto data = memory_.at(0, fill_bytes);
    const Io io{Via::bdev, Op::write, pos, fill_bytes, 0, 0, false, false};

    std::memcpy(data.data(), &first_content(disk.spec)[pos], fill_bytes);
    const int error = transfer(disk.fd.get(), io, data);
    return error ? failed("/dev/" + name, error) : Result<>();
}

Result<> RealRig::fill_disks(const Stack& stack)
{
    for (const DiskSpec& disk : stack.disks)
        if (auto filled = fill_disk(disk); !filled)
            return filled;
    return {};
}

Result<Bytes> RealRig::read_disk(const std::string& name)
{
    NullDisk& disk = disks_.at(name);
    Bytes content(disk.spec.mib << 20);

    for (std::size_t pos = 0; pos < content.size(); pos += memory_bytes) {
        const std::size_t length = std::min(memory_bytes, content.size() - pos);
        const auto data = memory_.at(0, length);
        const Io io{Via::bdev, Op::read, pos, length, 0, 0, false, false};
        if (const int error = transfer(disk.fd.get(), io, data))
            return failed("/dev/" + name, error);
        std::memcpy(&content[pos], data.data(), length);
    }
    disk.last = content;
    return content;
}

/* ---- stacks ---- */

std::string RealRig::object(const std::string& node) const
{
    const auto found = std::ranges::find(live_.nodes, node, &Node::name);
    return fmt::format("{}/{}", folder(kind_of(*found).folder()), node);
}

Result<> RealRig::bring_up(const Stack& stack, const Node& node)
{
    const Kind& kind = kind_of(node);
    const std::string at = fmt::format("{}/{}", folder(kind.folder()), node.name);
    const auto path = [&](const std::string& name) { return path_of(stack, name); };

    if (auto made = control_.mkdir(at); !made)
        return Error{made.error().code, at + ": " + made.error().sentence};
    up_.push_back(at);
    for (const Setting& setting : kind.settings(node, path))
        if (auto done = write_attribute(at + "/" + setting.attribute, setting.value); !done)
            return done;
    return write_attribute(at + "/enable", "1");
}

Result<> RealRig::bring_up_all(const Stack& stack)
{
    live_ = stack;
    for (const Node& node : stack.nodes)
        if (auto up = bring_up(stack, node); !up)
            return up;
    fresh_ = wear();
    std::uint32_t unit = sector_size;
    for (const DiskSpec& disk : stack.disks)
        unit = std::max(unit, disk.block);
    return open_device(path_of(stack, stack.nodes.back().name), unit);
}

Result<> RealRig::open_device(const std::string& path, std::uint32_t unit)
{
    top_ = Fd(::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    unit_ = unit;
    return top_ ? Result<>() : failed(path, errno);
}

Result<> RealRig::tear_down()
{
    top_ = Fd();
    // What keeps data of its own may write it now.
    for (auto& [name, disk] : disks_)
        if (!up_.empty())
            disk.last.clear();
    while (!up_.empty()) {
        const std::string at = up_.back();
        if (auto down = write_attribute(at + "/enable", "0"); !down)
            return down;
        if (auto gone = control_.rmdir(at); !gone)
            return Error{gone.error().code, at + ": " + gone.error().sentence};
        up_.pop_back();
    }
    live_ = {};
    return {};
}

Result<> RealRig::calm()
{
    for (const Node& node : live_.nodes)
        for (const Set& step : kind_of(node).calm(node))
            if (auto done = set(step); !done)
                return done;
    return {};
}

/// Reads otherwise than at first once a device is not as new.
std::string RealRig::wear()
{
    std::string text;
    for (const Node& node : live_.nodes)
        for (const std::string& name : kind_of(node).worn())
            text += attribute(node.name, name).value_or("");
    return text;
}

bool RealRig::can_stay(const Stack& stack)
{
    return stack == live_ && top_ && wear() == fresh_ &&
           std::ranges::none_of(stack.nodes,
                                [](const Node& node) { return kind_of(node).keeps_state(); });
}

Result<> RealRig::set_up(const Stack& stack)
{
    const bool stay = can_stay(stack);

    if (auto done = stay ? calm() : tear_down(); !done)
        return done;
    if (auto filled = fill_disks(stack); !filled)
        return filled;
    return stay ? Result<>() : bring_up_all(stack);
}

Result<> RealRig::set(const Set& set)
{
    const auto node = std::ranges::find(live_.nodes, set.node, &Node::name);
    const Kind& kind = kind_of(*node);
    const auto path = [&](const std::string& name) { return path_of(live_, name); };
    const auto wait = kind.awaited(set);

    if (auto done = write_attribute(object(set.node) + "/" + set.attribute,
                                    join(kind.on_device(set, path).lines));
        !done || !wait)
        return done;
    const bool came = comes_true(
        [&] { return trimmed(attribute(set.node, wait->attribute).value_or("")) == wait->value; });
    return came ? Result<>() : Error{ETIMEDOUT, set.attribute + " comes to no end"};
}

Result<std::string> RealRig::attribute(const std::string& node, const std::string& name)
{
    return control_.read(object(node) + "/" + name);
}

/* ---- requests ---- */

/// Requests that wait in any device.
unsigned RealRig::waiting()
{
    unsigned sum = 0;

    for (const Node& node : live_.nodes) {
        if (node.kind != "flakey")
            continue;
        std::istringstream lines{control_.read(object(node.name) + "/state").value_or("")};
        for (unsigned index = 0, met = 0, acted = 0, now = 0;
             lines >> index >> met >> acted >> now;)
            sum += now;
    }
    return sum;
}

void RealRig::release()
{
    for (const Node& node : live_.nodes)
        if (node.kind == "flakey")
            static_cast<void>(control_.write(object(node.name) + "/release", "all"));
}

/// Until the request has ended. What is held below something held comes after it.
Result<> RealRig::deal_with_held(const Journey& journey, Answer& answer,
                                 const std::function<bool()>& ended)
{
    const bool cancel = journey.cancelled && journey.held > 0;

    if (cancel) {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(journey.delay_ms ? 30 + journey.delay_ms : 0));
        comes_true([&] { return ended() || waiting() >= journey.held; });
        answer.held = waiting();
        const std::string at = object(live_.nodes.back().name) + "/cancel";
        const auto done = write_attribute(at, "all");
        answer.vetoed = !done && done.error().code == EBUSY;
        if (!done && !answer.vetoed)
            return done;
    }
    const bool end = comes_true([&] {
        if (ended())
            return true;
        if ((!cancel || journey.kept || answer.vetoed) && (journey.held > 0 || journey.may_hold))
            release();
        return false;
    });
    return end ? Result<>() : Error{ETIMEDOUT, "a request does not end"};
}

Result<bool> RealRig::reap(Answer& answer, std::span<Byte> data, bool read)
{
    static std::array<kiobuf_probe_fault, most_faults> faults;
    kiobuf_probe_result result{};

    result.flags = KIOBUF_PROBE_NOWAIT;
    result.max_faults = most_faults;
    result.faults = reinterpret_cast<std::uintptr_t>(faults.data());
    result.buffer = read ? reinterpret_cast<std::uintptr_t>(data.data()) : 0;
    if (::ioctl(probe_.get(), KIOBUF_PROBE_REAP, &result) < 0)
        return errno == EAGAIN ? Result<bool>(false) : failed("reap", errno);
    answer.bytes = result.bytes;
    answer.error = -result.error;
    for (std::size_t i = 0; i < std::min<std::size_t>(result.nr_faults, most_faults); ++i)
        answer.faults.push_back({faults[i].offset, faults[i].length, -faults[i].error});
    return true;
}

Result<Answer> RealRig::submit_probe(const Io& io, std::span<Byte> data, const Journey& journey)
{
    kiobuf_probe_io request{};
    Answer answer;
    Result<bool> reaped = false;

    request.fd = top_.get();
    request.op = probe_ops[static_cast<std::size_t>(io.op)];
    request.flags = io.fua ? KIOBUF_PROBE_FUA : 0;
    request.unit = unit_;
    request.pos = io.pos;
    request.length = io.length;
    request.buffer = reinterpret_cast<std::uintptr_t>(data.data());
    request.seed = io.cut;
    if (::ioctl(probe_.get(), KIOBUF_PROBE_SUBMIT, &request) < 0)
        return failed("submit", errno);
    const auto done = deal_with_held(journey, answer, [&] {
        if (reaped && !*reaped)
            reaped = reap(answer, data, io.op == Op::read);
        return !reaped || *reaped;
    });
    if (!reaped)
        return reaped.error();
    if (!done)
        return done.error();
    return answer;
}

Result<Answer> RealRig::submit_bdev(const Io& io, std::span<Byte> data, const Journey& journey)
{
    const auto memory = memory_.at(io.cut * unit_ % page, data.size());
    Answer answer;

    std::ranges::copy(data, memory.begin());
    if (journey.held == 0 && !journey.may_hold) {
        answer.error = request(top_.get(), io, memory);
    } else {
        std::atomic<bool> ended = false;
        std::jthread other([&] {
            answer.error = request(top_.get(), io, memory);
            ended = true;
        });
        if (auto done = deal_with_held(journey, answer, [&] { return ended.load(); }); !done) {
            release();
            return done.error();
        }
    }
    std::ranges::copy(memory, data.begin());
    answer.bytes = answer.error ? 0 : io.length;
    return answer;
}

Result<Answer> RealRig::submit(const Io& io, std::span<Byte> data, const Journey& journey)
{
    if (io.op != Op::read)
        for (auto& [name, disk] : disks_)
            disk.last.clear();
    return io.via == Via::probe ? submit_probe(io, data, journey) : submit_bdev(io, data, journey);
}

} // namespace kio::model
