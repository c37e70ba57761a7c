// SPDX-License-Identifier: GPL-2.0
#include "flakey.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "lib/text.hpp"

namespace kio::model {

namespace {

constexpr std::array<std::string_view, 5> action_names{"error", "short", "delay", "hold",
                                                       "corrupt"};

struct Overlap {
    std::uint64_t from; ///< in the request
    std::uint64_t to;
};

Overlap overlap(const Rule& rule, const Request& request)
{
    const std::uint64_t from = std::max(rule.start, request.pos);
    const std::uint64_t to = std::min(rule.start + rule.length, request.pos + request.length);
    return from < to ? Overlap{from - request.pos, to - request.pos} : Overlap{0, 0};
}

bool meets(const Rule& rule, const Request& request)
{
    if (rule.op && *rule.op != request.op)
        return false;
    if (rule.action == Action::corrupt && !request.has_data())
        return false;
    if (rule.action == Action::shorten && request.length <= rule.arg)
        return false;
    if (request.op == Op::flush)
        return true;
    const Overlap both = overlap(rule, request);
    return both.from < both.to;
}

/// Would a piece of the request meet the rule?
bool may_meet(const Rule& rule, const Request& request)
{
    if ((rule.op && *rule.op != request.op) ||
        (rule.action == Action::corrupt && !request.has_data()))
        return false;
    const Overlap both = overlap(rule, request);
    return request.op == Op::flush || both.from < both.to;
}

/// The rule has been met; counts that.
bool is_due(Rule& rule, Journey& journey)
{
    if (rule.vague && (rule.count || rule.every != 1))
        journey.unpredictable = true;
    const std::uint64_t met = rule.met + 1;
    const bool due = met % rule.every == 0 && (!rule.count || rule.acted < *rule.count);
    if (!journey.quiet) {
        rule.met = met;
        rule.acted += due ? 1 : 0;
    }
    return due;
}

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

void invert(std::span<Byte> bytes)
{
    for (Byte& byte : bytes)
        byte = static_cast<Byte>(~byte);
}

Error refuse(const Words& words)
{
    return Error{EINVAL, fmt::format("'{}' is no rule", fmt::join(words, " "))};
}

/// The argument of `action`, an errno by its name.
std::optional<std::uint64_t> parse_arg(Action action, const std::string& word)
{
    if (action != Action::error)
        return parse_number(word);
    const auto error = parse_errno(word);
    return error ? std::optional<std::uint64_t>(static_cast<std::uint64_t>(*error)) : std::nullopt;
}

bool parse_limits(Rule& rule, std::span<const std::string> words)
{
    for (; words.size() >= 2; words = words.subspan(2)) {
        const auto number = parse_number(words[1]);
        if (!number || *number == 0)
            return false;
        if (words[0] == "count")
            rule.count = number;
        else if (words[0] == "every")
            rule.every = *number;
        else
            return false;
    }
    return words.empty();
}

} // namespace

Result<Rule> parse_rule(const Words& words, std::uint64_t size)
{
    if (words.size() < 4)
        return refuse(words);
    const auto op = parse_op(words[0]);
    const auto start = parse_number(words[1]);
    const auto length = words[2] == "-" ? std::optional(size) : parse_number(words[2]);
    const auto name = std::ranges::find(action_names, words[3]);
    if ((!op && words[0] != "any") || !start || !length || name == action_names.end())
        return refuse(words);
    const auto action = static_cast<Action>(name - action_names.begin());
    Rule rule{op,
              *start * sector_size,
              words[2] == "-" ? size : *length * sector_size,
              action,
              0,
              {},
              1,
              0,
              0};
    std::size_t next = 4;
    if (action != Action::hold && action != Action::corrupt) {
        const auto arg = words.size() > 4 ? parse_arg(action, words[4]) : std::nullopt;
        if (!arg)
            return refuse(words);
        rule.arg = *arg;
        next = 5;
    }
    return parse_limits(rule, std::span(words).subspan(next)) ? Result<Rule>(rule) : refuse(words);
}

Flakey::Flakey(Device& lower)
    : Device(lower.size(), lower.block(), lower.takes_zeroes()), lower_(lower)
{
}

const Rule* Flakey::due(const Request& request, Journey& journey)
{
    for (Rule& rule : rules_)
        if (meets(rule, request) && is_due(rule, journey))
            return &rule;
    return nullptr;
}

Faults Flakey::submit(const Request& request, Journey& journey)
{
    const Rule* rule = due(request, journey);

    if (!rule)
        return pass(request, journey);
    switch (rule->action) {
    case Action::error:
        return make_error(*rule, request, journey);
    case Action::shorten:
        return make_short(*rule, request, journey);
    case Action::delay:
        journey.delay_ms += static_cast<unsigned>(rule->arg);
        return pass(request, journey);
    case Action::hold:
        return make_hold(request, journey);
    case Action::corrupt:
        return make_corrupt(*rule, request, journey);
    }
    return {};
}

Faults Flakey::pass(const Request& request, Journey& journey)
{
    return lower_.submit(request, journey);
}

/// What lies before the range, what lies in it, and what lies behind it go on each by itself; of
/// the middle `middle` tells what comes.
template <typename Middle>
Faults Flakey::pass_around(const Rule& rule, const Request& request, Journey& journey,
                           Middle middle)
{
    const Overlap both = overlap(rule, request);
    const std::uint64_t length = both.to - both.from;
    Faults faults;

    if (both.from > 0)
        append(faults, pass(request.part(0, both.from), journey), 0);
    append(faults, middle(request.part(both.from, length)), both.from);
    if (both.to < request.length)
        append(faults, pass(request.part(both.to, request.length - both.to), journey), both.to);
    return told(std::move(faults));
}

Faults Flakey::make_error(const Rule& rule, const Request& request, Journey& journey)
{
    const int error = static_cast<int>(rule.arg);

    if (request.op == Op::flush)
        return fail(request, error);
    return pass_around(rule, request, journey,
                       [&](const Request& middle) { return fail(middle, error); });
}

Faults Flakey::make_short(const Rule& rule, const Request& request, Journey& journey)
{
    Faults faults;

    const std::uint64_t carried = std::min(round_up(rule.arg, block()), request.length);
    if (carried > 0)
        append(faults, pass(request.part(0, carried), journey), 0);
    forget(request, rule.arg, request.length - rule.arg);
    faults.push_back({rule.arg, request.length - rule.arg, EIO});
    return told(std::move(faults));
}

Faults Flakey::make_hold(const Request& request, Journey& journey)
{
    // Behind one that stays held, nothing is held yet when the cancel comes.
    if (!journey.behind)
        ++journey.held;
    if (!journey.cancelled)
        return pass(request, journey);
    if (!journey.vetoed)
        return fail(request, ECANCELED);
    const bool before = std::exchange(journey.behind, true);
    journey.kept = true;
    Faults faults = pass(request, journey);
    journey.behind = before;
    return faults;
}

Faults Flakey::make_corrupt(const Rule& rule, const Request& request, Journey& journey)
{
    if (request.op == Op::read) {
        const Overlap both = overlap(rule, request);
        Faults faults = pass(request, journey);
        invert(request.data.subspan(both.from, both.to - both.from));
        return faults;
    }
    return pass_around(rule, request, journey, [&](Request middle) {
        Bytes copy(middle.data.begin(), middle.data.end());
        invert(copy);
        middle.data = copy;
        return pass(middle, journey);
    });
}

void Flakey::claim(std::uint64_t pos, std::uint64_t length)
{
    claims_.emplace_back(pos, length);
    lower_.claim(pos, length);
}

void Flakey::share()
{
    shared_ = true;
    lower_.share();
}

void Flakey::maybe(const Request& request, Journey& journey)
{
    Request below = request;

    for (Rule& rule : rules_) {
        if (!may_meet(rule, request))
            continue;
        rule.vague = true;
        journey.may_hold = journey.may_hold || rule.action == Action::hold;
        if (rule.action == Action::corrupt)
            below.data = {};
    }
    lower_.maybe(below, journey);
}

std::vector<std::uint64_t> Flakey::borders() const
{
    std::vector<std::uint64_t> result = lower_.borders();

    for (const Rule& rule : rules_) {
        result.push_back(rule.start);
        result.push_back(rule.start + rule.length);
    }
    return result;
}

bool Flakey::is_claimed(std::uint64_t pos, std::uint64_t length) const
{
    return std::ranges::any_of(claims_, [&](const auto& claim) {
        return claim.first < pos + length && pos < claim.first + claim.second;
    });
}

Result<> Flakey::set(const std::string& attribute, const Lines& lines)
{
    std::vector<Rule> rules = rules_;

    if (attribute != "rules")
        return Device::set(attribute, lines);
    for (const Words& words : lines) {
        if (words == Words{"clear"}) {
            rules.clear();
            continue;
        }
        auto rule = parse_rule(words, size());
        if (!rule)
            return rule.error();
        rules.push_back(*std::move(rule));
    }
    rules_ = std::move(rules);
    return {};
}

std::optional<std::string> Flakey::attribute(const std::string& name) const
{
    std::string text;

    if (name != "state" || has_claims())
        return std::nullopt;
    for (std::size_t i = 0; i < rules_.size(); ++i)
        text += rules_[i].vague ? fmt::format("{} ? ? 0\n", i)
                                : fmt::format("{} {} {} 0\n", i, rules_[i].met, rules_[i].acted);
    return text;
}

} // namespace kio::model
