// SPDX-License-Identifier: GPL-2.0
#include "generate.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "kind.hpp"

namespace kio::model {

namespace {

constexpr unsigned most_layers = 4;
/// What a layer may still copy in one piece.
constexpr std::uint64_t most_bytes = 256 << 10;

constexpr std::array probe_ops{Op::read,  Op::read,  Op::read,    Op::read,   Op::write,
                               Op::write, Op::write, Op::discard, Op::zeroes, Op::flush,
                               Op::read,  Op::write, Op::write,   Op::write};
constexpr std::array bdev_ops{Op::read,  Op::read,    Op::read,   Op::write, Op::write,
                              Op::write, Op::discard, Op::zeroes, Op::flush};

struct Range {
    std::uint64_t pos;
    std::uint64_t length;
};

/// Requests for one stack.
class IoMaker {
public:
    IoMaker(Random& random, const Stack& stack, const ModelStack& models)
        : random_(random), top_(models.top())
    {
        for (const Node& node : stack.nodes)
            keeps_state_ = keeps_state_ || kind_of(node).keeps_state();
    }

    Io make()
    {
        const bool probe = !random_.one_in(4);
        const Op op = probe ? probe_ops[random_.below(probe_ops.size())]
                            : bdev_ops[random_.below(bdev_ops.size())];
        Io io{probe ? Via::probe : Via::bdev, op, 0, 0, 0, 0, false, false};

        // What is on its way when the cancel comes is not foretold where workers have a part.
        io.cancel =
            !keeps_state_ && random_.one_in(2) && (probe || op == Op::read || op == Op::write);
        if (io.op == Op::flush)
            return io;
        const Range range = make_range();
        io.pos = range.pos;
        io.length = range.length;
        io.cut = random_.one_in(3) ? 0 : random_.between(1, 1000);
        io.seed = io.op == Op::write ? random_.between(1, 1000000) : 0;
        io.fua = probe && io.op == Op::write && random_.one_in(8);
        return io;
    }

private:
    std::uint64_t make_length()
    {
        const std::uint64_t block = top_.block();
        const std::uint64_t most = std::min(most_bytes, top_.size()) / block;
        const std::uint64_t scale = std::min(most, std::uint64_t{1} << random_.below(10));
        return block * (1 + random_.below(scale));
    }

    /// Often begins or ends at a border, or close to one.
    Range make_range()
    {
        const std::uint64_t block = top_.block();
        const std::uint64_t length = make_length();
        const std::uint64_t last = top_.size() - length;
        const auto borders = top_.borders();
        std::uint64_t pos = random_.below(last / block + 1) * block;

        if (!borders.empty() && !random_.one_in(3)) {
            const std::uint64_t border = borders[random_.below(borders.size())] / block * block;
            const std::uint64_t before = block * random_.below(length / block + 1);
            pos = border > before ? border - before : 0;
        }
        return {std::min(pos, last), length};
    }

    Random& random_;
    const Device& top_;
    bool keeps_state_ = false;
};

/// For a node that has attributes to write; half of the time for the upper ones.
std::optional<Set> random_set(Random& random, const Stack& stack, const ModelStack& models)
{
    const Node& node = stack.nodes[random.below(stack.nodes.size())];
    return kind_of(node).random_set(random, node, *models.by_name.at(node.name));
}

bool tell(const ModelStack& models, const Set& set)
{
    return static_cast<bool>(models.by_name.at(set.node)->set(set.attribute, set.lines));
}

/// Once more without rules, which may be in its way.
void try_calm(Set set, const Stack& stack, const ModelStack& models, std::vector<Step>& steps)
{
    for (const Node& node : stack.nodes)
        for (Set& calm : kind_of(node).calm(node)) {
            static_cast<void>(tell(models, calm));
            steps.emplace_back(std::move(calm));
        }
    if (tell(models, set))
        steps.emplace_back(std::move(set));
}

} // namespace

Stack random_stack(std::uint64_t seed, const Words& kinds)
{
    Random random(seed);
    Grower grower(random, kinds);

    grower.grow_node({static_cast<unsigned>(random.between(1, most_layers)), sector_size, false});
    return grower.stack();
}

std::vector<Step> random_steps(std::uint64_t seed, const Stack& stack)
{
    Random random(seed);
    std::vector<Step> steps;
    const auto models = make_model(stack);

    // A grown stack can be modelled.
    if (!models)
        std::abort();
    IoMaker maker(random, stack, *models);
    for (std::uint64_t left = random.between(5, 30); left > 0; --left) {
        auto set = random.one_in(3) ? random_set(random, stack, *models) : std::nullopt;
        // The models are told, since rules have borders that requests are to meet.
        if (set && tell(*models, *set))
            steps.emplace_back(*std::move(set));
        else if (set)
            try_calm(*std::move(set), stack, *models, steps);
        steps.emplace_back(maker.make());
    }
    return steps;
}

} // namespace kio::model
