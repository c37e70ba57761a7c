// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"

namespace kio::model {

enum class Target { linear, zero, error };

struct Segment {
    std::uint64_t length; ///< bytes
    Target target;
    Device* device;       ///< of a linear one
    std::uint64_t offset; ///< bytes on it
};

/// A volume of klvm: Documentation/lvm.rst.
class Volume final : public Device {
public:
    explicit Volume(std::vector<Segment> segments);

    Faults submit(const Request& request, Journey& journey) override;
    void claim(std::uint64_t pos, std::uint64_t length) override;
    void share() override;
    void maybe(const Request& request, Journey& journey) override;
    bool is_calm() const override;
    std::vector<std::uint64_t> borders() const override;

private:
    Faults flush(const Request& request, Journey& journey) const;

    std::vector<Segment> segments_;
    std::vector<Device*> devices_; ///< each once
};

} // namespace kio::model
