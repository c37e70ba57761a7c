// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "case.hpp"

namespace kio::model {

/// What a device has answered. Through a block device only `error` is seen, and `bytes` that are
/// all or none.
struct Answer {
    int error = 0; ///< a positive errno
    std::uint64_t bytes = 0;
    Faults faults;
    unsigned held = 0;   ///< requests that waited for a release or a cancel
    bool vetoed = false; ///< a device would not have it cancelled
};

/// Stacks of devices to try: the real ones, or a fake of them. An Error from it means that the
/// device cannot be tried any further.
class Rig {
public:
    virtual ~Rig() = default;

    /// Every disk has its first content, every device is as new.
    virtual Result<> set_up(const Stack& stack) = 0;
    virtual Result<> set(const Set& set) = 0;
    virtual Result<std::string> attribute(const std::string& node, const std::string& name) = 0;
    /// `data` goes out or comes in. `journey` is what the model says: what is held is released or
    /// cancelled once so much of it is.
    virtual Result<Answer> submit(const Io& io, std::span<Byte> data, const Journey& journey) = 0;
    virtual Result<Bytes> read_disk(const std::string& name) = 0;
};

} // namespace kio::model
