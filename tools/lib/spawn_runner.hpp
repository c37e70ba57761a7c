// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "lib/runner.hpp"

namespace kio {

/// The real Runner. Programs speak English, whatever the user does.
class SpawnRunner final : public Runner {
public:
    Result<Ran> run(const std::vector<std::string>& words) override;
};

} // namespace kio
