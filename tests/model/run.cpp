// SPDX-License-Identifier: GPL-2.0
#include "run.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "kind.hpp"
#include "lib/text.hpp"

namespace kio::model {

namespace {

using Found = std::optional<Difference>;
using Outcome = Result<std::optional<std::string>>;

constexpr std::uint64_t check_bytes = 256 << 10;

/// The first byte that is known and differs.
std::optional<std::string> compare_bytes(std::span<const Byte> want, std::span<const Byte> known,
                                         std::span<const Byte> got)
{
    if (std::memcmp(want.data(), got.data(), want.size()) == 0)
        return std::nullopt;
    for (std::size_t i = 0; i < want.size(); ++i)
        if (known[i] && want[i] != got[i])
            return fmt::format("byte {} is {:#04x}, not {:#04x}", i, got[i], want[i]);
    return std::nullopt;
}

std::optional<std::string> compare_answers(const Io& io, const Answer& want, const Answer& got)
{
    const bool exact =
        io.via == Via::bdev || (want.bytes == got.bytes && want.faults == got.faults);
    if (want.error == got.error && exact)
        return std::nullopt;
    return fmt::format("answered {}; wanted {}", answer_text(io, got), answer_text(io, want));
}

/// Word by word; "?" may be anything.
bool fits_text(const std::string& want, const std::string& got)
{
    const Words wanted = split_words(want);
    return want == got ||
           std::ranges::equal(wanted, split_words(got),
                              [](const auto& a, const auto& b) { return a == "?" || a == b; });
}

class Runner {
public:
    Runner(Rig& rig, const Case& test, ModelStack& models, Depth depth)
        : rig_(rig), test_(test), models_(models), pieces_(depth == Depth::sample ? 4 : 1)
    {
        for (const Node& node : test.stack.nodes)
            if (kind_of(node).keeps_state())
                pieces_ = 1;
    }

    Result<Found> run()
    {
        for (at_ = 0; at_ < test_.steps.size() && !lost_; ++at_)
            if (auto found = to_found(step(test_.steps[at_])); !found || *found)
                return found;
        return lost_ ? Result<Found>(Found{}) : to_found(check());
    }

private:
    Result<Found> to_found(Outcome outcome) const
    {
        if (!outcome)
            return outcome.error();
        return *outcome ? Found(Difference{at_, **outcome}) : Found();
    }

    Outcome step(const Step& step)
    {
        if (const auto* set = std::get_if<Set>(&step))
            return apply(*set);
        if (const auto* io = std::get_if<Io>(&step))
            return fits(*io, models_.top()) ? submit(*io) : Outcome(std::nullopt);
        return check();
    }

    Outcome apply(const Set& set)
    {
        const auto device = models_.by_name.find(set.node);
        if (device == models_.by_name.end())
            return Error{EINVAL, "there is no device " + set.node};
        // As a request that does not fit.
        if (!device->second->set(set.attribute, set.lines))
            return std::optional<std::string>();
        if (const auto done = rig_.set(set); !done)
            return std::optional("refused: " + done.error().sentence);
        return std::optional<std::string>();
    }

    Outcome submit(const Io& io)
    {
        Bytes want(io.length), known(io.length, 1);
        if (io.op == Op::write)
            fill(want, io.seed);
        Bytes got = want;
        Journey journey{io.cancel, 0, 0, false};
        const Answer wanted =
            expected_answer(io, foretell(models_.top(), io, want, known, journey));
        if (journey.unpredictable || (journey.may_hold && journey.cancelled)) {
            lost_ = true;
            return std::optional<std::string>();
        }
        const auto answer = rig_.submit(io, got, journey);
        if (!answer)
            return answer.error();
        if (answer->held != journey.held && journey.cancelled)
            return std::optional(
                fmt::format("{} requests were held, not {}", answer->held, journey.held));
        if (journey.cancelled && answer->vetoed != journey.kept)
            return std::optional<std::string>(journey.kept ? "a cancel met no veto"
                                                           : "a cancel met a veto");
        auto what = compare_answers(io, wanted, *answer);
        const bool readable = io.op == Op::read && (io.via == Via::probe || !answer->error);
        if (!what && readable)
            what = compare_bytes(want, known, got);
        return what;
    }

    Outcome check()
    {
        if (auto what = check_attributes(); !what || *what)
            return what;
        if (auto what = calm(); !what || *what)
            return what;
        const std::uint64_t first = test_.steps.size() % pieces_ * check_bytes;
        for (std::uint64_t pos = first; pos < models_.top().size(); pos += pieces_ * check_bytes) {
            const std::uint64_t length = std::min(check_bytes, models_.top().size() - pos);
            auto what = submit({Via::probe, Op::read, pos, length, 0, 0, false, false});
            if (!what)
                return what;
            if (*what)
                return std::optional(fmt::format("at the end, of all from {} on: {}", pos, **what));
        }
        return check_disks();
    }

    Outcome check_attributes()
    {
        for (const Node& node : test_.stack.nodes)
            for (const std::string& name : kind_of(node).watched())
                if (auto what = check_attribute(node.name, name); !what || *what)
                    return what;
        return std::optional<std::string>();
    }

    Outcome check_attribute(const std::string& node, const std::string& name)
    {
        const auto want = models_.by_name.at(node)->attribute(name);
        if (!want)
            return std::optional<std::string>();
        const auto got = rig_.attribute(node, name);
        if (!got)
            return got.error();
        if (fits_text(*want, *got))
            return std::optional<std::string>();
        return std::optional(
            fmt::format("{} of {} reads\n{}and should read\n{}", name, node, *got, *want));
    }

    Outcome calm()
    {
        for (const Node& node : test_.stack.nodes)
            for (const Set& set : kind_of(node).calm(node))
                if (auto what = apply(set); !what || *what)
                    return what;
        return std::optional<std::string>();
    }

    Outcome check_disks()
    {
        for (std::size_t i = 0; i < test_.stack.disks.size(); ++i) {
            const Disk& disk = *models_.disks[i];
            const std::string& name = test_.stack.disks[i].name;
            const auto got = rig_.read_disk(name);
            if (!got)
                return got.error();
            if (const auto what = compare_bytes(disk.content(), disk.known(), *got))
                return std::optional(fmt::format("at the end, on {}: {}", name, *what));
        }
        return std::optional<std::string>();
    }

    Rig& rig_;
    const Case& test_;
    ModelStack& models_;
    std::size_t at_ = 0;
    std::uint64_t pieces_; ///< of so many of the device on top one is read at the end
    bool lost_ = false;    ///< the model cannot tell what is there any more
};

} // namespace

std::string answer_text(const Io& io, const Answer& answer)
{
    const std::string error = answer.error ? errno_name(answer.error) : "no error";
    if (io.via == Via::bdev)
        return error;
    return fmt::format("{} bytes, {}, failed ranges:{}", answer.bytes, error,
                       describe(answer.faults));
}

bool fits(const Io& io, const Device& device)
{
    if (io.op == Op::flush)
        return io.length == 0;
    return io.length > 0 && (io.pos | io.length) % device.block() == 0 && io.pos <= device.size() &&
           io.length <= device.size() - io.pos;
}

Faults foretell(Device& top, const Io& io, std::span<Byte> data, std::span<Byte> known,
                Journey& journey)
{
    const bool probe = io.via == Via::probe;

    // Without a volatile cache the block layer sends no flush.
    if (!probe && io.op == Op::flush)
        return {};
    if (probe || io.op != Op::zeroes)
        return top.submit({io.op, io.pos, io.length, data, known}, journey);
    if (top.takes_zeroes() && top.submit({io.op, io.pos, io.length, {}, {}}, journey).empty())
        return {};
    return top.submit({Op::write, io.pos, io.length, data, known}, journey);
}

Answer expected_answer(const Io& io, const Faults& faults)
{
    Answer answer{0, io.length, faults, 0};

    if (faults.empty())
        return answer;
    answer.error = faults.front().error;
    answer.bytes = faults.front().offset;
    if (io.op == Op::flush)
        answer.faults.clear();
    if (io.via == Via::probe)
        return answer;
    answer.error = through_block_layer(answer.error);
    // A hint that could not be taken.
    if (io.op == Op::discard && answer.error == EOPNOTSUPP)
        answer.error = 0;
    return answer;
}

std::string expectation(const Io& io, const Faults& faults)
{
    return answer_text(io, expected_answer(io, faults));
}

Result<std::optional<Difference>> run_case(Rig& rig, const Case& test, Depth depth)
{
    auto models = make_model(test.stack);
    if (!models)
        return models.error();
    if (const auto up = rig.set_up(test.stack); !up)
        return up.error();
    ModelStack stack = *std::move(models);
    return Runner(rig, test, stack, depth).run();
}

} // namespace kio::model
