// SPDX-License-Identifier: GPL-2.0
#include "fault.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "lib/text.hpp"

namespace kio::model {

namespace {

constexpr std::array<std::pair<std::string_view, int>, 18> names{{
    {"EIO", EIO},
    {"ENOSPC", ENOSPC},
    {"ETIMEDOUT", ETIMEDOUT},
    {"ENOLINK", ENOLINK},
    {"EREMOTEIO", EREMOTEIO},
    {"EBADE", EBADE},
    {"ENODATA", ENODATA},
    {"EILSEQ", EILSEQ},
    {"ENODEV", ENODEV},
    {"EROFS", EROFS},
    {"ENOMEM", ENOMEM},
    {"EAGAIN", EAGAIN},
    {"EINTR", EINTR},
    {"EINVAL", EINVAL},
    {"EOPNOTSUPP", EOPNOTSUPP},
    {"EBUSY", EBUSY},
    {"ECANCELED", ECANCELED},
    {"EOVERFLOW", EOVERFLOW},
}};

constexpr std::array known_to_block_layer{
    EOPNOTSUPP, ETIMEDOUT, ENOSPC, ENOLINK, EREMOTEIO, EBADE,
    ENODATA,    EILSEQ,    ENOMEM, EAGAIN,  EBUSY,     ENODEV,
};

bool worth_a_retry(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EINTR;
}

bool told_before(const Fault& a, const Fault& b)
{
    return a.offset != b.offset ? a.offset < b.offset : outranks(a.error, b.error);
}

} // namespace

bool outranks(int a, int b)
{
    if (worth_a_retry(a) != worth_a_retry(b))
        return worth_a_retry(b);
    return a < b;
}

Faults told(Faults faults)
{
    Faults result;

    std::ranges::stable_sort(faults, told_before);
    for (const Fault& fault : faults) {
        const bool first = result.empty();
        const std::uint64_t covered = first ? 0 : result.back().offset + result.back().length;
        const std::uint64_t end = fault.offset + fault.length;
        const std::uint64_t start = std::max(fault.offset, covered);
        if (!first && end <= start)
            continue;
        if (!first && start == covered && result.back().error == fault.error)
            result.back().length += end - start;
        else
            result.push_back({start, end - start, fault.error});
    }
    return result;
}

void append(Faults& whole, const Faults& part, std::uint64_t offset)
{
    for (const Fault& fault : part)
        whole.push_back({fault.offset + offset, fault.length, fault.error});
}

int through_block_layer(int error)
{
    const auto known = std::ranges::find(known_to_block_layer, error);
    return error == 0 || known != known_to_block_layer.end() ? error : EIO;
}

std::string errno_name(int error)
{
    const auto entry = std::ranges::find(names, error, &decltype(names)::value_type::second);
    return entry != names.end() ? std::string(entry->first) : std::to_string(error);
}

std::optional<int> parse_errno(std::string_view word)
{
    const auto entry = std::ranges::find(names, word, &decltype(names)::value_type::first);
    if (entry != names.end())
        return entry->second;
    const auto number = parse_number(word);
    return number && *number > 0 && *number < 4096 ? std::optional(static_cast<int>(*number))
                                                   : std::nullopt;
}

std::string describe(const Faults& faults)
{
    std::string text;

    for (const Fault& fault : faults)
        text += fmt::format(" {}+{}:{}", fault.offset, fault.length, errno_name(fault.error));
    return text.empty() ? " none" : text;
}

} // namespace kio::model
