// SPDX-License-Identifier: GPL-2.0
#include "lib/progress.hpp"

#include <ostream>

#include <fmt/format.h>

namespace kio {

namespace {

std::string share(std::uint64_t done, std::uint64_t total)
{
    if (total == 0)
        return {};
    const double percent = 100.0 * static_cast<double>(done) / static_cast<double>(total);
    return fmt::format(" {}%", static_cast<unsigned>(percent));
}

} // namespace

Progress::~Progress()
{
    if (out_ && rewrites_ && !last_.empty())
        *out_ << '\n' << std::flush;
}

void Progress::show(const std::string& what, std::uint64_t done, std::uint64_t total)
{
    const std::string line = what + share(done, total);
    if (!out_ || (!rewrites_ && line == last_))
        return;
    last_ = line;
    const std::string exact = total ? fmt::format(", {} of {} sectors", done, total) : "";
    constexpr std::string_view back = "\r", rest_of_line = "\x1b[K";
    if (rewrites_)
        *out_ << back << line << exact << rest_of_line << std::flush;
    else
        *out_ << line << exact << '\n' << std::flush;
}

} // namespace kio
