// SPDX-License-Identifier: GPL-2.0
#include <memory>

#include "kioctl/command.hpp"

namespace kio {

namespace {

struct FilterArguments {
    Id id{Kind::filter, {}};
    std::string kind;
    std::string lower;
};

} // namespace

Action filter_create(CLI::App& app)
{
    auto args = std::make_shared<FilterArguments>();
    add_name(app, args->id.name);
    app.add_option("--kind,-k", args->kind, "What the filter does, such as flakey")
        ->required()
        ->type_name("KIND");
    app.add_option("LOWER", args->lower, "The block device to filter")->required()->type_name("");
    return [args](Control& control) {
        const Settings settings{{"kind", args->kind}, {"lower", absolute(args->lower)}};
        return changed(create(control, args->id, settings), args->id);
    };
}

Action filter_remove(CLI::App& app)
{
    return declare_remove(app, Kind::filter);
}

} // namespace kio
