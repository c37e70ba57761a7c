// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"

namespace kio::model {

enum class Target { linear, striped, zero, error };

/// Where a segment, or a column of it, is on a device below.
struct SegmentPart {
    Device* device;
    std::uint64_t offset; ///< bytes
};

struct Segment {
    std::uint64_t length; ///< bytes
    Target target;
    std::vector<SegmentPart> parts; ///< one of a linear segment, one a column of a striped one
    std::uint64_t chunk;            ///< bytes; of a striped one
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
