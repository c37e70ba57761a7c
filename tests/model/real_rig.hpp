// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>

#include "lib/configfs_control.hpp"
#include "lib/fd.hpp"
#include "rig.hpp"

namespace kio::model {

/// Memory that O_DIRECT takes.
class DirectMemory {
public:
    explicit DirectMemory(std::size_t size);

    /// `offset` bytes into a page.
    std::span<Byte> at(std::size_t offset, std::size_t length) const;

private:
    struct Free {
        void operator()(Byte* bytes) const { std::free(bytes); }
    };

    std::unique_ptr<Byte, Free> bytes_;
};

/// The modules of the running kernel, on disks of null_blk. What it makes goes when it does.
class RealRig final : public Rig {
public:
    RealRig();
    ~RealRig() override;

    /// Loads what is needed, says what is missing.
    Result<> start();
    /// Takes the stack and the disks down.
    Result<> stop();

    Result<> set_up(const Stack& stack) override;
    Result<> set(const Set& set) override;
    Result<std::string> attribute(const std::string& node, const std::string& name) override;
    Result<Answer> submit(const Io& io, std::span<Byte> data, const Journey& journey) override;
    Result<Bytes> read_disk(const std::string& name) override;

    /// One request to a device that is up, whoever made it.
    Result<> open_device(const std::string& path, std::uint32_t unit);

private:
    struct NullDisk {
        DiskSpec spec;
        Fd fd;
        Bytes last; ///< what it is known to hold, empty if nothing is
    };

    Result<> write_attribute(const std::string& path, const std::string& text);
    Result<> power_on(const DiskSpec& disk);
    Result<> power_off(const std::string& name);
    Result<> fill_disk(const DiskSpec& disk);
    Result<> write_first(const std::string& name, std::uint64_t pos);
    Result<> fill_disks(const Stack& stack);
    Result<> bring_up(const Stack& stack, const Node& node);
    Result<> bring_up_all(const Stack& stack);
    Result<> tear_down();
    Result<> calm();
    bool can_stay(const Stack& stack);
    Result<> find_abilities();
    std::string wear();
    std::string object(const std::string& node) const;

    Result<Answer> submit_probe(const Io& io, std::span<Byte> data, const Journey& journey);
    Result<Answer> submit_bdev(const Io& io, std::span<Byte> data, const Journey& journey);
    Result<bool> reap(Answer& answer, std::span<Byte> data, bool read);
    Result<> deal_with_held(const Journey& journey, Answer& answer,
                            const std::function<bool()>& ended);
    unsigned waiting();
    void release();

    ConfigfsControl control_;
    ConfigfsControl nullb_;
    std::map<std::string, NullDisk> disks_;
    Stack live_;
    std::string fresh_;           ///< what of `live_` tells wear, when it came up
    std::vector<std::string> up_; ///< objects, KIND/NAME, in the order they came
    Fd probe_;
    Fd top_;
    std::uint32_t unit_ = 512; ///< of the memory's fragments
    DirectMemory memory_;
};

} // namespace kio::model
