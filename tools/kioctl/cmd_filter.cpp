// SPDX-License-Identifier: GPL-2.0
#include <array>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kioctl/command.hpp"
#include "lib/device.hpp"
#include "lib/text.hpp"

namespace kio {

namespace {

struct FilterArguments {
    Id id{Kind::filter, {}};
    std::string kind;
    std::string lower;
    std::vector<std::string> rules;
    Settings settings;
};

struct RulesArguments {
    Id id{Kind::filter, {}};
    bool clear = false;
    std::string file;
    std::vector<std::string> lines;
};

std::string joined(const std::vector<std::string>& lines)
{
    return fmt::format("{}", fmt::join(lines, "\n"));
}

/// Rules come last: the kernel looks for partitions first, which must neither hang nor count.
Result<> create_with_rules(Control& control, const FilterArguments& args)
{
    Settings settings{{"kind", args.kind}, {"lower", absolute(args.lower)}};
    settings.insert(settings.end(), args.settings.begin(), args.settings.end());
    const Settings rules{{"rules", joined(args.rules)}};
    return create(control, args.id, settings, args.rules.empty() ? Settings{} : rules);
}

Result<std::string> read_rules(const Control& control, const RulesArguments& args)
{
    const bool standard_input = args.file == "-" || args.lines == std::vector<std::string>{"-"};
    if (args.file.empty() && !standard_input)
        return joined(args.lines);
    auto text = control.read(standard_input ? "-" : absolute(args.file));
    if (text)
        return text;
    const auto& [code, reason] = text.error();
    return Error{code, fmt::format("cannot read the rules from {}: {}",
                                   standard_input ? "-" : args.file, reason)};
}

/// `clear` and the new lines go in one write, so that one set takes the place of the other.
Result<Output> write_rules(Control& control, const RulesArguments& args)
{
    auto rules = read_rules(control, args);
    if (!rules)
        return rules.error();
    const std::string text = args.clear ? "clear\n" + *rules : *rules;
    return changed(change(control, args.id, {{"rules", text}}), args.id);
}

std::vector<std::string> rules_of(const Control& control, const Id& id)
{
    return split_lines(attribute(control, id, "rules"));
}

Result<Output> show_rules(const Control& control, const Id& id)
{
    if (auto exists = check_exists(control, id); !exists)
        return exists.error();
    const auto rules = rules_of(control, id);
    std::string text;
    for (const std::string& rule : rules)
        text += rule + '\n';
    return Output{text, {{"kind", folder(id.kind)}, {"name", id.name}, {"rules", rules}}};
}

/// The device, and what the filter is made of; "kind" is taken by the kind of device.
Json filter_json(const Control& control, const Id& id)
{
    Json data = to_json(read_device(control, id));
    data["filter"] = attribute(control, id, "kind");
    data["lower"] = attribute(control, id, "lower");
    return data;
}

/// `state` of flakey has lines "INDEX MET ACTED WAITING", one for each rule.
Json rules_json(const std::vector<std::string>& state, const std::vector<std::string>& rules)
{
    Json list = Json::array();
    for (const std::string& line : state) {
        std::istringstream fields{line};
        std::string index, met, acted, waiting;
        fields >> index >> met >> acted >> waiting;
        list.push_back({{"index", scalar(index)},
                        {"met", scalar(met)},
                        {"acted", scalar(acted)},
                        {"waiting", scalar(waiting)},
                        {"rule", list.size() < rules.size() ? rules[list.size()] : ""}});
    }
    return list;
}

/// `state` of other filters has lines "COUNTER VALUE".
Json counters_json(const std::vector<std::string>& state)
{
    Json counters = Json::object();
    for (const std::string& line : state) {
        std::istringstream fields{line};
        std::string counter, value;
        fields >> counter >> value;
        counters[counter] = scalar(value);
    }
    return counters;
}

std::string rules_text(const Json& rules)
{
    std::vector<Row> rows{{"INDEX", "MET", "ACTED", "WAITING", "RULE"}};
    for (const Json& rule : rules)
        rows.push_back({rule["index"].dump(), rule["met"].dump(), rule["acted"].dump(),
                        rule["waiting"].dump(), rule["rule"].get<std::string>()});
    return columns(rows);
}

Result<Output> show_state(const Control& control, const Id& id)
{
    if (auto exists = check_exists(control, id); !exists)
        return exists.error();
    const auto state = split_lines(attribute(control, id, "state"));
    Json data = filter_json(control, id);
    if (data["filter"] == "flakey") {
        data["rules"] = rules_json(state, rules_of(control, id));
        return Output{rules_text(data["rules"]), data};
    }
    std::string text;
    for (const std::string& line : state)
        text += line + '\n';
    data["counters"] = counters_json(state);
    return Output{text, data};
}

} // namespace

Action filter_create(CLI::App& app)
{
    auto args = std::make_shared<FilterArguments>();
    add_name(app, args->id.name);
    app.add_option("--kind,-k", args->kind, "What the filter does: flakey or checksum")
        ->required()
        ->type_name("KIND");
    app.add_option("--rule", args->rules, "flakey: a rule; may be repeated")
        ->allow_extra_args(false)
        ->type_name("LINE");
    const auto fresh = [args] { args->settings.push_back({"create", "1"}); };
    app.add_flag_callback("--create", fresh, "checksum: write a fresh area for the checksums");
    app.add_option("LOWER", args->lower, "The block device to filter")->required()->type_name("");
    return
        [args](World& world) { return changed(create_with_rules(world.control, *args), args->id); };
}

Action filter_rules(CLI::App& app)
{
    auto args = std::make_shared<RulesArguments>();
    add_name(app, args->id.name);
    app.add_flag("--clear", args->clear, "Remove the rules there are first");
    auto* file = app.add_option("--file", args->file, "A file of rules, or - for standard input")
                     ->type_name("FILE");
    app.add_option("LINE", args->lines, "Rules to add, or - for standard input")
        ->excludes(file)
        ->type_name("");
    return [args](World& world) {
        const bool writes = args->clear || !args->file.empty() || !args->lines.empty();
        return writes ? write_rules(world.control, *args) : show_rules(world.control, args->id);
    };
}

Action filter_state(CLI::App& app)
{
    auto id = std::make_shared<Id>(Id{Kind::filter, {}});
    add_name(app, id->name);
    return [id](World& world) { return show_state(world.control, *id); };
}

Action filter_release(CLI::App& app)
{
    auto id = std::make_shared<Id>(Id{Kind::filter, {}});
    add_name(app, id->name);
    return [id](World& world) {
        return changed(change(world.control, *id, {{"release", "all"}}), *id);
    };
}

Action filter_list(CLI::App&)
{
    return [](World& world) -> Result<Output> {
        const auto ids = objects(world.control, std::array{Kind::filter});
        if (!ids)
            return ids.error();
        std::vector<Row> rows{{"NAME", "SIZE", "STATE", "KIND", "LOWER"}};
        Json data = Json::array();
        for (const Id& id : *ids) {
            const Device device = read_device(world.control, id);
            rows.push_back({device.name, human_size(device.size_bytes), device.state,
                            attribute(world.control, id, "kind"),
                            attribute(world.control, id, "lower")});
            data.push_back(filter_json(world.control, id));
        }
        return Output{columns(rows), std::move(data)};
    };
}

Action filter_remove(CLI::App& app)
{
    return declare_remove(app, Kind::filter);
}

} // namespace kio
