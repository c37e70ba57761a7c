// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "lib/prober.hpp"

namespace kio {

/// The real Prober: libblkid's low-level probing, without its cache.
class BlkidProber final : public Prober {
public:
    Result<std::vector<Content>> contents(const std::string& path) const override;
    Result<std::string> read(const std::string& path, std::uint64_t offset,
                             std::size_t length) const override;
};

} // namespace kio
