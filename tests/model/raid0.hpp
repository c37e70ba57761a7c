// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"
#include "raid_layout.hpp"

namespace kio::model {

/// An array of level 0: raid in Documentation/uapi.rst, md(4) for where chunks lie.
class Raid0 final : public Device {
public:
    Raid0(std::vector<Device*> legs, std::uint64_t chunk);

    Faults submit(const Request& request, Journey& journey) override;
    void claim(std::uint64_t pos, std::uint64_t length) override;
    void share() override;
    void maybe(const Request& request, Journey& journey) override;
    bool is_calm() const override;
    std::vector<std::uint64_t> borders() const override;
    std::optional<std::string> attribute(const std::string& name) const override;

private:
    Faults flush(const Request& request, Journey& journey) const;
    std::vector<std::vector<Stretch>> gather(const Request& request) const;
    Faults submit_shares(const Request& request, Journey& journey) const;
    Faults submit_share(const Request& request, const std::vector<Stretch>& share,
                        Journey& journey) const;

    std::vector<Device*> legs_;
    std::uint64_t chunk_;
    StripeLayout layout_;
};

} // namespace kio::model
