// SPDX-License-Identifier: GPL-2.0
#include "lib/output.hpp"

#include "lib/text.hpp"

namespace kio {

Json scalar(const std::string& text)
{
    if (const auto number = parse_number(text))
        return *number;
    return text;
}

std::string dump(const Json& data)
{
    return data.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

} // namespace kio
