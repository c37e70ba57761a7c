// SPDX-License-Identifier: GPL-2.0
#include "lib/lvm2.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

#include <fmt/format.h>

#include "lib/output.hpp"
#include "lib/text.hpp"

namespace kio::lvm2 {

namespace {

/// One command, so that all parts are of the same moment; in a form that lvm.conf cannot change.
const std::vector<std::string> question{
    "lvm", "fullreport", "--config",
    "report{compact_output=0 compact_output_cols=\"\" binary_values_as_numeric=0 "
    "list_item_separator=\",\"}",
    "--all", "--reportformat", "json", "--units", "s", "--nosuffix", "--configreport", "vg", "-o",
    "vg_name,vg_uuid,vg_extent_size,vg_exported,vg_shared,vg_clustered", "--configreport", "pv",
    "-o", "pv_name,pe_start", "--configreport", "lv", "-o",
    "lv_name,lv_uuid,lv_active,lv_permissions,lv_layout,lv_role,origin,origin_size,lv_merging,"
    "lv_health_status",
    "--configreport", "seg", "-o",
    "lv_name,segtype,seg_start,seg_size,stripe_size,chunk_size,devices",
    // This part cannot be left out, but made empty.
    "--configreport", "pvseg", "-o", "pvseg_start", "--select", "pvseg_size=0"};

/// Thrown by what reads the report, and caught in parse().
struct Unexpected {
    std::string what;
};

const Json& part(const Json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_array())
        throw Unexpected{fmt::format("it has no list '{}'", name)};
    return *found;
}

std::string text(const Json& row, const char* field)
{
    const auto found = row.find(field);
    if (found == row.end() || !found->is_string())
        throw Unexpected{fmt::format("it has no text '{}'", field)};
    return found->get<std::string>();
}

std::uint64_t number(const Json& row, const char* field)
{
    const std::string value = text(row, field);
    if (value.empty())
        return 0;
    if (const auto parsed = parse_number(value))
        return *parsed;
    throw Unexpected{fmt::format("'{}' is '{}', which is no number", field, value)};
}

/// "/dev/sda(25)"
Place place(std::string_view word)
{
    const auto open = word.rfind('(');
    if (open == std::string_view::npos || !word.ends_with(')'))
        throw Unexpected{fmt::format("'{}' is no place on a device", word)};
    const auto extent = parse_number(word.substr(open + 1, word.size() - open - 2));
    if (!extent)
        throw Unexpected{fmt::format("'{}' is no place on a device", word)};
    return {std::string{word.substr(0, open)}, *extent};
}

std::vector<Place> places(std::string_view list)
{
    std::vector<Place> all;
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        all.push_back(place(list.substr(0, end)));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return all;
}

Segment segment(const Json& row)
{
    return {.type = text(row, "segtype"),
            .start = number(row, "seg_start"),
            .size = number(row, "seg_size"),
            .stripe_size = number(row, "stripe_size"),
            .chunk_size = number(row, "chunk_size"),
            .places = places(text(row, "devices"))};
}

/// lvm2 puts the names of hidden ones in brackets.
std::string bare(const std::string& name)
{
    return name.starts_with('[') && name.ends_with(']') ? name.substr(1, name.size() - 2) : name;
}

bool has_word(std::string_view list, std::string_view word)
{
    return fmt::format(",{},", list).find(fmt::format(",{},", word)) != std::string::npos;
}

LogicalVolume logical(const Json& row)
{
    return {.name = bare(text(row, "lv_name")),
            .uuid = text(row, "lv_uuid"),
            .hidden = has_word(text(row, "lv_role"), "private"),
            .active = text(row, "lv_active") == "active",
            .partial = text(row, "lv_health_status") == "partial",
            .read_only = text(row, "lv_permissions").starts_with("read-only"),
            .merging = !text(row, "lv_merging").empty(),
            .layout = text(row, "lv_layout"),
            .origin = bare(text(row, "origin")),
            .origin_size = number(row, "origin_size"),
            .segments = {}};
}

/// The report names them in any order.
std::map<std::string, std::vector<Segment>> segments(const Json& rows)
{
    std::map<std::string, std::vector<Segment>> by_volume;
    for (const Json& row : rows)
        by_volume[bare(text(row, "lv_name"))].push_back(segment(row));
    for (auto& [name, list] : by_volume)
        std::ranges::sort(list, {}, &Segment::start);
    return by_volume;
}

VolumeGroup group(const Json& report)
{
    const Json& row = part(report, "vg").at(0);
    VolumeGroup group{.name = text(row, "vg_name"),
                      .uuid = text(row, "vg_uuid"),
                      .extent_size = number(row, "vg_extent_size"),
                      .exported = !text(row, "vg_exported").empty(),
                      .shared =
                          !text(row, "vg_shared").empty() || !text(row, "vg_clustered").empty(),
                      .physical = {},
                      .logical = {}};
    for (const Json& pv : part(report, "pv"))
        group.physical.push_back({text(pv, "pv_name"), number(pv, "pe_start")});
    auto by_volume = segments(part(report, "seg"));
    for (const Json& lv : part(report, "lv")) {
        group.logical.push_back(logical(lv));
        group.logical.back().segments = by_volume[group.logical.back().name];
    }
    std::ranges::sort(group.logical, {}, &LogicalVolume::name);
    return group;
}

/// What lvm2 complains of, apart from warnings, which it gives where nothing is refused too.
std::string complaint(const Ran& ran)
{
    for (const std::string& line : split_lines(ran.err))
        if (line.find("WARNING") == std::string::npos && !trimmed(line).empty())
            return trimmed(line);
    return fmt::format("it ended with status {}", ran.status);
}

} // namespace

const LogicalVolume* VolumeGroup::find(std::string_view lv) const
{
    const auto found = std::ranges::find(logical, lv, &LogicalVolume::name);
    return found == logical.end() ? nullptr : &*found;
}

Result<VolumeGroup> parse(const std::string& report_text)
{
    try {
        return group(part(Json::parse(report_text), "report").at(0));
    } catch (const Unexpected& unexpected) {
        return Error{EPROTO,
                     fmt::format("cannot make sense of lvm2's report: {}", unexpected.what)};
    } catch (const Json::exception& exception) {
        return Error{EPROTO,
                     fmt::format("cannot make sense of lvm2's report: {}", exception.what())};
    }
}

Result<VolumeGroup> report(Runner& runner, const std::string& name)
{
    std::vector<std::string> words = question;
    words.push_back(name);
    const auto ran = runner.run(words);
    if (!ran)
        return Error{ran.error().code,
                     fmt::format("cannot ask lvm2: lvm: {}", ran.error().sentence)};
    if (ran->status != 0)
        return Error{
            EIO, fmt::format("lvm2 has no report on volume group '{}': {}", name, complaint(*ran))};
    return parse(ran->out);
}

} // namespace kio::lvm2
