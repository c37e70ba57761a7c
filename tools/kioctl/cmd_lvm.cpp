// SPDX-License-Identifier: GPL-2.0
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kioctl/command.hpp"

namespace kio {

namespace {

struct TableArguments {
    Id id{Kind::lvm, {}};
    std::string file;
    std::vector<std::string> lines;
};

std::shared_ptr<TableArguments> add_table(CLI::App& app)
{
    auto args = std::make_shared<TableArguments>();
    add_name(app, args->id.name);
    auto* source = app.add_option_group("table", "Where the table comes from");
    source->add_option("--table", args->file, "A file of table lines, or - for standard input")
        ->type_name("FILE");
    source->add_option("--table-line", args->lines, "One line of the table; may be repeated")
        ->allow_extra_args(false)
        ->type_name("LINE");
    source->require_option(1);
    return args;
}

Result<std::string> read_table(const Control& control, const TableArguments& args)
{
    if (!args.lines.empty())
        return fmt::format("{}\n", fmt::join(args.lines, "\n"));
    auto text = control.read(args.file == "-" ? args.file : absolute(args.file));
    if (text)
        return text;
    const auto& [code, reason] = text.error();
    return Error{code, fmt::format("cannot read the table from {}: {}", args.file, reason)};
}

} // namespace

Action lvm_create(CLI::App& app)
{
    return [args = add_table(app)](World& world) -> Result<Output> {
        const auto table = read_table(world.control, *args);
        if (!table)
            return table.error();
        return changed(create(world.control, args->id, {{"table", *table}}), args->id);
    };
}

Action lvm_load(CLI::App& app)
{
    return [args = add_table(app)](World& world) -> Result<Output> {
        const auto table = read_table(world.control, *args);
        if (!table)
            return table.error();
        const Settings swap{{"table", "clear"}, {"table", *table}, {"enable", "1"}};
        return changed(change(world.control, args->id, swap), args->id);
    };
}

Action lvm_remove(CLI::App& app)
{
    return declare_remove(app, Kind::lvm);
}

} // namespace kio
