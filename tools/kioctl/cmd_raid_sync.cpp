// SPDX-License-Identifier: GPL-2.0
// What an array does by itself: checks, resyncs, its bitmap.
#include <memory>

#include <fmt/format.h>

#include "kioctl/command.hpp"
#include "lib/sync.hpp"
#include "lib/text.hpp"

namespace kio {

namespace {

struct CheckArguments {
    Id id{Kind::raid, {}};
    bool repair = false;
    bool wait = false;
};

std::string verdict(std::uint64_t sectors, bool repair)
{
    return fmt::format("{} {} {}\n", sectors, sectors == 1 ? "sector" : "sectors",
                       repair         ? "differed"
                       : sectors == 1 ? "differs"
                                      : "differ");
}

Result<Output> check_array(const World& world, const CheckArguments& args)
{
    const std::string action = args.repair ? "repair" : "check";
    const auto started = change(world.control, args.id, {{"sync_action", action}});
    if (!started || !args.wait)
        return changed(started, args.id);
    if (auto waited = wait_for_sync(world, args.id); !waited)
        return waited.error();
    const auto found = read_attribute(world.control, args.id, "mismatch_sectors");
    if (!found)
        return found.error();

    auto output = changed({}, args.id);
    const std::uint64_t sectors = parse_number(*found).value_or(0);
    Json data = output->data;
    data["mismatch_sectors"] = sectors;
    return Output{verdict(sectors, args.repair), std::move(data)};
}

/// A command that writes one word to one attribute.
CLI::Option* add_word(CLI::App& app, Id& id, std::string& word, const std::string& name,
                      const std::string& help)
{
    add_name(app, id.name);
    return app.add_option(name, word, help)->required()->type_name("");
}

struct WordArguments {
    Id id{Kind::raid, {}};
    std::string word;
};

} // namespace

Action raid_check(CLI::App& app)
{
    auto args = std::make_shared<CheckArguments>();
    add_name(app, args->id.name);
    app.add_flag("--repair", args->repair, "Make equal what differs");
    app.add_flag("--wait", args->wait, "Tell how far it is, and at the end what it found");
    return [args](World& world) { return check_array(world, *args); };
}

Action raid_wait(CLI::App& app)
{
    auto id = std::make_shared<Id>(Id{Kind::raid, {}});
    add_name(app, id->name);
    return [id](World& world) -> Result<Output> {
        if (auto exists = check_exists(world.control, *id); !exists)
            return exists.error();
        return changed(wait_for_sync(world, *id), *id);
    };
}

Action raid_bitmap(CLI::App& app)
{
    auto args = std::make_shared<WordArguments>();
    add_word(app, args->id, args->word, "KIND", "none or internal")
        ->check(CLI::IsMember({"none", "internal"}).description(""));
    return [args](World& world) {
        return changed(change(world.control, args->id, {{"bitmap", args->word}}), args->id);
    };
}

Action raid_speed(CLI::App& app)
{
    auto args = std::make_shared<WordArguments>();
    add_word(app, args->id, args->word, "KIB", "Most KiB a second; 0 for no limit")
        ->check(CLI::NonNegativeNumber.description(""));
    return [args](World& world) {
        return changed(change(world.control, args->id, {{"sync_speed_kib_max", args->word}}),
                       args->id);
    };
}

} // namespace kio
