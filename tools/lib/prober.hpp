// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/result.hpp"

namespace kio {

/// Something recognised on a block device, in libblkid's words; what does not apply is empty.
struct Content {
    std::string usage; ///< filesystem, raid, crypto, partitions, other
    std::string type;  ///< ext4, linux_raid_member, gpt
    std::string version;
    std::string label;
    std::string uuid; ///< of the file system or the array
};

/// Looks at what lies on block devices, so that tests can put a fake in its place. Changes
/// nothing. An Error carries the errno and the bare reason in words.
struct Prober {
    virtual ~Prober() = default;

    virtual Result<std::vector<Content>> contents(const std::string& path) const = 0;

    /// Fewer bytes than asked for where the device ends.
    virtual Result<std::string> read(const std::string& path, std::uint64_t offset,
                                     std::size_t length) const = 0;
};

} // namespace kio
