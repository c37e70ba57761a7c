// SPDX-License-Identifier: GPL-2.0
#include "device.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace kio::model {

namespace {

constexpr std::array<std::string_view, 5> op_names{"read", "write", "flush", "discard", "zeroes"};

} // namespace

Request Request::part(std::uint64_t offset, std::uint64_t bytes) const
{
    Request result{op, pos + offset, bytes, {}, {}};

    if (has_data() && !data.empty())
        result.data = data.subspan(offset, bytes);
    if (op == Op::read && !known.empty())
        result.known = known.subspan(offset, bytes);
    return result;
}

Result<> Device::set(const std::string& attribute, const Lines&)
{
    return Error{ENOENT, "there is no attribute " + attribute};
}

std::optional<std::string> Device::attribute(const std::string&) const
{
    return std::nullopt;
}

void forget(const Request& request, std::uint64_t offset, std::uint64_t length)
{
    if (request.op == Op::read)
        std::ranges::fill(request.known.subspan(offset, length), Byte{0});
}

Faults fail(const Request& request, int error)
{
    forget(request, 0, request.length);
    return {{0, request.length, error}};
}

std::string_view op_name(Op op)
{
    return op_names[static_cast<std::size_t>(op)];
}

std::optional<Op> parse_op(std::string_view word)
{
    const auto name = std::ranges::find(op_names, word);
    return name != op_names.end() ? std::optional(static_cast<Op>(name - op_names.begin()))
                                  : std::nullopt;
}

} // namespace kio::model
