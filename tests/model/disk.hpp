// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"

namespace kio::model {

/// A disk of null_blk with memory. It knows no write zeroes and has no volatile cache. What was
/// discarded reads as zeroes; with blocks larger than a sector null_blk forgets only parts of them.
class Disk final : public Device {
public:
    Disk(Bytes content, std::uint32_t block);

    Faults submit(const Request& request, Journey& journey) override;
    void claim(std::uint64_t pos, std::uint64_t length) override;
    void maybe(const Request& request, Journey& journey) override;

    const Bytes& content() const { return content_; }
    const Bytes& known() const { return known_; }

private:
    Bytes content_;
    Bytes known_;
};

} // namespace kio::model
