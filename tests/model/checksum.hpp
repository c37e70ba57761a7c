// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"

namespace kio::model {

/// How a lower device of so many bytes is used: Documentation/filter.rst, Format.
struct ChecksumLayout {
    std::uint64_t data_blocks;
    std::uint64_t area_blocks;
};

inline constexpr std::uint32_t checksum_block = 4096;

ChecksumLayout checksum_layout(std::uint64_t lower_size);

/// A filter of the kind checksum, freshly created, on a device without a volatile cache. In place
/// of a checksum it keeps what was summed up.
class Checksum final : public Device {
public:
    explicit Checksum(Device& lower);

    Faults submit(const Request& request, Journey& journey) override;
    void claim(std::uint64_t pos, std::uint64_t length) override;
    void share() override { lower_.share(); }
    void maybe(const Request& request, Journey& journey) override;
    bool is_calm() const override { return lower_.is_calm(); }
    std::vector<std::uint64_t> borders() const override { return lower_.borders(); }

private:
    enum class State {
        unverified,
        settled, ///< can only be what was written
        vague,   ///< a write of it failed: may be old, new or torn, and is taken as it is
    };

    struct Entry {
        State state = State::unverified;
        Bytes data; ///< what can be read; of a vague one what was read, if it was
    };

    Faults read(const Request& request, Journey& journey);
    Faults write(const Request& request, Journey& journey);

    Device& lower_;
    std::vector<Entry> entries_;
};

} // namespace kio::model
