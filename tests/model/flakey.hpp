// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "device.hpp"

namespace kio::model {

enum class Action { error, shorten, delay, hold, corrupt };

struct Rule {
    std::optional<Op> op; ///< none: any
    std::uint64_t start;  ///< bytes
    std::uint64_t length; ///< bytes
    Action action;
    std::uint64_t arg = 0; ///< errno, bytes or milliseconds
    std::optional<std::uint64_t> count;
    std::uint64_t every = 1;

    std::uint64_t met = 0;
    std::uint64_t acted = 0;
    bool vague = false; ///< the two above are not known
};

/// A filter of the kind flakey: Documentation/filter.rst.
class Flakey final : public Device {
public:
    explicit Flakey(Device& lower);

    Faults submit(const Request& request, Journey& journey) override;
    void claim(std::uint64_t pos, std::uint64_t length) override;
    void share() override;
    void maybe(const Request& request, Journey& journey) override;
    bool is_calm() const override { return rules_.empty() && lower_.is_calm(); }
    std::vector<std::uint64_t> borders() const override;
    Result<> set(const std::string& attribute, const Lines& lines) override;
    std::optional<std::string> attribute(const std::string& name) const override;

    /// Does a layer above keep something of its own in that range?
    bool is_claimed(std::uint64_t pos, std::uint64_t length) const;
    bool has_claims() const { return !claims_.empty(); }
    /// Does a layer above leave open what it reads here?
    bool is_shared() const { return shared_; }

private:
    const Rule* due(const Request& request, Journey& journey);
    Faults pass(const Request& request, Journey& journey);
    template <typename Middle>
    Faults pass_around(const Rule& rule, const Request& request, Journey& journey, Middle middle);
    Faults make_error(const Rule& rule, const Request& request, Journey& journey);
    Faults make_short(const Rule& rule, const Request& request, Journey& journey);
    Faults make_hold(const Request& request, Journey& journey);
    Faults make_corrupt(const Rule& rule, const Request& request, Journey& journey);

    Device& lower_;
    std::vector<Rule> rules_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> claims_;
    bool shared_ = false;
};

/// A line of `rules`, for a device of so many bytes.
Result<Rule> parse_rule(const Words& words, std::uint64_t size);

} // namespace kio::model
