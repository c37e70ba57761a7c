// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>

#include "rig.hpp"

namespace kio::model {

/// Where a device and its model part.
struct Difference {
    std::size_t step; ///< number of steps, if it showed at the end
    std::string what;
};

/// How much of the device on top is read at the end; of the disks below it is always all. A sample
/// is a fourth, unless a layer keeps data of its own.
enum class Depth { sample, whole };

/// Runs a case on a rig and compares. An Error: the rig, or the case, is no good.
Result<std::optional<Difference>> run_case(Rig& rig, const Case& test, Depth depth);

/// What the model says of a request: for a person to read.
std::string expectation(const Io& io, const Faults& faults);

/// An answer for a person to read.
std::string answer_text(const Io& io, const Answer& answer);

/// A short sum of data, the same in a script and in what it is compared with.
std::string sum_text(std::span<const Byte> data);

/// Does the request lie on the device, in whole blocks?
bool fits(const Io& io, const Device& device);

/// What the model says of a request; through a block device, of those that come of it.
Faults foretell(Device& top, const Io& io, std::span<Byte> data, std::span<Byte> known,
                Journey& journey);

/// All that a request says, as a block device or the probe would.
Answer expected_answer(const Io& io, const Faults& faults);

} // namespace kio::model
