// SPDX-License-Identifier: GPL-2.0
#include "report.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <type_traits>

#include <fmt/format.h>

namespace kio::bench {

namespace {

double rounded(double value)
{
    return std::round(value * 10) / 10;
}

Json to_json(const Measurement& measurement)
{
    Json json{{"name", measurement.name},
              {"device", measurement.device},
              {"op", name(measurement.workload.op)},
              {"block_size", measurement.workload.block_size},
              {"mode", name(measurement.workload.mode)},
              {"depth", measurement.workload.depth},
              {"count", measurement.count}};
    if (!measurement.error.empty()) {
        json["error"] = measurement.error;
        return json;
    }
    for (const double value : measurement.per_io)
        json["per_io"].push_back(rounded(value));
    json["best"] = rounded(measurement.best().value_or(0));
    json["spread_percent"] = rounded(measurement.spread());
    return json;
}

/// Takes members out of one JSON object and remembers the first that is not as it should be.
class Reader {
public:
    explicit Reader(const Json& object) : object_(object) {}

    std::string text(const char* key)
    {
        const Json& value = member(key);
        return value.is_string() ? value.get<std::string>() : wrong<std::string>(key);
    }

    std::uint64_t number(const char* key)
    {
        const Json& value = member(key);
        return value.is_number_unsigned() ? value.get<std::uint64_t>() : wrong<std::uint64_t>(key);
    }

    std::vector<double> numbers(const char* key)
    {
        const Json& values = member(key);
        const auto is_number = [](const Json& value) { return value.is_number(); };
        if (!values.is_array() || !std::ranges::all_of(values, is_number))
            return wrong<std::vector<double>>(key);
        return values.get<std::vector<double>>();
    }

    template <typename Parse>
    auto choice(const char* key, Parse parse)
    {
        const auto value = parse(text(key));
        using Value = std::remove_cvref_t<decltype(*value)>;
        return value ? *value : wrong<Value>(key);
    }

    Json list(const char* key)
    {
        const Json& values = member(key);
        return values.is_array() ? values : wrong<Json>(key);
    }

    bool has(const char* key) const { return object_.is_object() && object_.contains(key); }

    Result<> outcome() const
    {
        if (wrong_.empty())
            return {};
        return Error{EINVAL, fmt::format("'{}' is missing or malformed in the report", wrong_)};
    }

private:
    template <typename T>
    T wrong(const char* key)
    {
        if (wrong_.empty())
            wrong_ = key;
        return {};
    }

    const Json& member(const char* key) const
    {
        static const Json nothing;
        return has(key) ? object_[key] : nothing;
    }

    const Json& object_;
    std::string wrong_;
};

Result<Measurement> measurement_from_json(const Json& json)
{
    Reader reader{json};
    Measurement measurement{.name = reader.text("name"),
                            .device = reader.text("device"),
                            .workload = {.op = reader.choice("op", parse_op),
                                         .block_size = reader.number("block_size"),
                                         .mode = reader.choice("mode", parse_mode),
                                         .depth = reader.number("depth")},
                            .count = reader.number("count"),
                            .per_io = {},
                            .error = {}};
    if (reader.has("error"))
        measurement.error = reader.text("error");
    else
        measurement.per_io = reader.numbers("per_io");
    if (const auto outcome = reader.outcome(); !outcome)
        return outcome.error();
    return measurement;
}

Result<Skip> skip_from_json(const Json& json)
{
    Reader reader{json};
    Skip skip{reader.text("name"), reader.text("reason")};
    if (const auto outcome = reader.outcome(); !outcome)
        return outcome.error();
    return skip;
}

} // namespace

std::optional<double> Measurement::best() const
{
    if (per_io.empty())
        return std::nullopt;
    return std::ranges::min(per_io);
}

double Measurement::spread() const
{
    if (per_io.empty())
        return 0;
    const auto [least, most] = std::ranges::minmax(per_io);
    return least > 0 ? (most / least - 1) * 100 : 0;
}

const Measurement* Report::find(std::string_view name, const Workload& workload) const
{
    const auto found = std::ranges::find_if(measurements, [&](const Measurement& measurement) {
        return measurement.name == name && measurement.workload == workload &&
               !measurement.per_io.empty();
    });
    return found == measurements.end() ? nullptr : &*found;
}

Json to_json(const Report& report)
{
    Json json{{"kernel", report.kernel},
              {"unit", "nanoseconds per I/O, which under --icount are instructions"},
              {"measurements", Json::array()},
              {"skipped", Json::array()}};
    for (const Measurement& measurement : report.measurements)
        json["measurements"].push_back(to_json(measurement));
    for (const Skip& skip : report.skips)
        json["skipped"].push_back({{"name", skip.name}, {"reason", skip.reason}});
    return json;
}

Result<Report> report_from_json(const std::string& text)
{
    const Json json = Json::parse(text, nullptr, false);
    Reader reader{json};
    Report report{.kernel = reader.text("kernel"), .measurements = {}, .skips = {}};
    const Json measurements = reader.list("measurements");
    const Json skips = reader.list("skipped");
    if (const auto outcome = reader.outcome(); !outcome)
        return outcome.error();
    for (const Json& entry : measurements) {
        auto measurement = measurement_from_json(entry);
        if (!measurement)
            return measurement.error();
        report.measurements.push_back(*std::move(measurement));
    }
    for (const Json& entry : skips) {
        auto skip = skip_from_json(entry);
        if (!skip)
            return skip.error();
        report.skips.push_back(*std::move(skip));
    }
    return report;
}

} // namespace kio::bench
