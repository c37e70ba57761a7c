// SPDX-License-Identifier: GPL-2.0
#include "lib/sync.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "lib/progress.hpp"
#include "lib/text.hpp"

namespace kio {

Result<Sync> read_sync(const Control& control, const Id& id)
{
    const auto action = read_attribute(control, id, "sync_action");
    if (!action)
        return action.error();
    Sync sync{.action = *action};
    // "DONE / TOTAL"
    const auto words = split_words(attribute(control, id, "sync_completed"));
    if (words.size() == 3) {
        sync.done = parse_number(words[0]).value_or(0);
        sync.total = parse_number(words[2]).value_or(0);
    }
    return sync;
}

Result<> wait_for_sync(const World& world, const Id& id)
{
    constexpr std::chrono::milliseconds pause{500};
    Progress progress{world};
    for (;;) {
        const auto sync = read_sync(world.control, id);
        if (!sync)
            return sync.error();
        if (sync->action.empty() || sync->action == "idle")
            return {};
        progress.show(sync->action, sync->done, sync->total);
        if (!world.terminal.sleep(pause))
            return Error{EINTR, fmt::format("interrupted, but {} goes on with its {}", describe(id),
                                            sync->action)};
    }
}

} // namespace kio
