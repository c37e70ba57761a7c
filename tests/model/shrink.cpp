// SPDX-License-Identifier: GPL-2.0
#include "shrink.hpp"

#include <algorithm>

#include "kind.hpp"
#include "lib/text.hpp"

namespace kio::model {

namespace {

using Index = std::ptrdiff_t;

class Shrinker {
public:
    Shrinker(Case test, const Fails& fails, const GoesOn& goes_on)
        : best_(std::move(test)), fails_(fails), goes_on_(goes_on)
    {
    }

    Case run()
    {
        Case before;
        do {
            before = best_;
            drop_steps();
            drop_lines();
            drop_layers();
            simplify_nodes();
            simplify_requests();
            simplify_rules();
            drop_disks();
        } while (goes_on_() && !(before == best_));
        return best_;
    }

private:
    bool attempt(Case test)
    {
        if (test == best_ || !goes_on_() || !make_model(test.stack) || !fails_(test))
            return false;
        best_ = std::move(test);
        return true;
    }

    /// Half of them, a quarter, ..., each.
    void drop_steps()
    {
        for (std::size_t chunk = std::max<std::size_t>(best_.steps.size() / 2, 1); chunk > 0;
             chunk /= 2)
            for (std::size_t end = best_.steps.size(); end > 0; end = end > chunk ? end - chunk : 0)
                drop_chunk(end > chunk ? end - chunk : 0, end);
    }

    void drop_chunk(std::size_t from, std::size_t to)
    {
        Case test = best_;
        to = std::min(to, test.steps.size());
        if (from >= to)
            return;
        test.steps.erase(test.steps.begin() + static_cast<Index>(from),
                         test.steps.begin() + static_cast<Index>(to));
        attempt(std::move(test));
    }

    /// Single rules of a write.
    void drop_lines()
    {
        for (std::size_t i = 0; i < best_.steps.size(); ++i) {
            const auto* set = std::get_if<Set>(&best_.steps[i]);
            for (std::size_t line = set ? set->lines.size() : 0; line > 0; --line)
                drop_line(i, line - 1);
        }
    }

    void drop_line(std::size_t step, std::size_t line)
    {
        Case test = best_;
        Lines& lines = std::get<Set>(test.steps[step]).lines;
        if (lines.size() < 2 || line >= lines.size())
            return;
        lines.erase(lines.begin() + static_cast<Index>(line));
        attempt(std::move(test));
    }

    /// Puts one of its lowers in the place of a device, from the top down.
    void drop_layers()
    {
        for (std::size_t i = best_.stack.nodes.size(); i > 0; --i)
            if (i <= best_.stack.nodes.size())
                drop_layer(Node(best_.stack.nodes[i - 1]));
    }

    void drop_layer(const Node& node)
    {
        for (const std::string& lower : kind_of(node).lowers(node))
            if (attempt(without(node.name, lower)))
                return;
    }

    Case without(const std::string& name, const std::string& instead) const
    {
        Case test = best_;
        const auto is_it = [&](const Node& node) { return node.name == name; };
        const auto sets_it = [&](const Step& step) {
            const auto* set = std::get_if<Set>(&step);
            return set && set->node == name;
        };

        std::erase_if(test.stack.nodes, is_it);
        std::erase_if(test.steps, sets_it);
        const auto rename = [&](Lines& lines) {
            for (Words& line : lines)
                std::ranges::replace(line, name, instead);
        };
        for (Node& node : test.stack.nodes)
            rename(node.lines);
        for (Step& step : test.steps)
            if (auto* set = std::get_if<Set>(&step))
                rename(set->lines);
        return without_strays(std::move(test));
    }

    /// Leaves out what nothing lies on, but the top.
    static Case without_strays(Case test)
    {
        for (std::size_t i = test.stack.nodes.size(); i > 1; --i) {
            const std::string name = test.stack.nodes[i - 2].name;
            if (is_below(test.stack, name))
                continue;
            test.stack.nodes.erase(test.stack.nodes.begin() + static_cast<Index>(i - 2));
            std::erase_if(test.steps, [&](const Step& step) {
                const auto* set = std::get_if<Set>(&step);
                return set && set->node == name;
            });
        }
        return test;
    }

    static bool is_below(const Stack& stack, const std::string& name)
    {
        return std::ranges::any_of(stack.nodes, [&](const Node& node) {
            const Words lowers = kind_of(node).lowers(node);
            return std::ranges::find(lowers, name) != lowers.end();
        });
    }

    void simplify_nodes()
    {
        for (std::size_t i = 0; i < best_.stack.nodes.size(); ++i)
            while (simplify_node(i)) {
            }
    }

    bool simplify_node(std::size_t i)
    {
        if (i >= best_.stack.nodes.size())
            return false;
        const Node node = best_.stack.nodes[i];
        for (Lines& lines : kind_of(node).simpler(node)) {
            Case test = best_;
            test.stack.nodes[i].lines = std::move(lines);
            if (attempt(without_strays(std::move(test))))
                return true;
        }
        return false;
    }

    void simplify_requests()
    {
        for (std::size_t i = 0; i < best_.steps.size(); ++i)
            if (std::holds_alternative<Io>(best_.steps[i]))
                simplify_request(i);
    }

    void simplify_request(std::size_t step)
    {
        const auto change = [&](auto how) {
            Case test = best_;
            how(std::get<Io>(test.steps[step]));
            return attempt(std::move(test));
        };
        constexpr std::uint64_t unit = 4096;

        change([](Io& io) { io.cut = 0; });
        change([](Io& io) { io.fua = false; });
        change([](Io& io) { io.cancel = false; });
        change([](Io& io) { io.via = Via::probe; });
        for (std::uint64_t step_size = std::uint64_t{1} << 17; step_size >= sector_size;
             step_size /= 2) {
            while (change([&](Io& io) { io.length -= io.length > step_size ? step_size : 0; })) {
            }
            // From the front.
            while (change([&](Io& io) {
                const std::uint64_t by = io.length > step_size ? step_size : 0;
                io.pos += by;
                io.length -= by;
            })) {
            }
        }
        change([](Io& io) { io.pos = 0; });
        change([](Io& io) { io.pos = io.pos / unit * unit; });
    }

    void simplify_rules()
    {
        for (std::size_t i = 0; i < best_.steps.size(); ++i) {
            const auto* set = std::get_if<Set>(&best_.steps[i]);
            for (std::size_t line = 0; set && line < set->lines.size(); ++line)
                simplify_rule(i, line);
        }
    }

    /// Without its last two words, a limit as a rule.
    void simplify_rule(std::size_t step, std::size_t line)
    {
        for (;;) {
            Case test = best_;
            Words& words = std::get<Set>(test.steps[step]).lines[line];
            if (words.size() < 6)
                return;
            words.resize(words.size() - 2);
            if (!attempt(std::move(test)))
                return;
        }
    }

    void drop_disks()
    {
        for (std::size_t i = best_.stack.disks.size(); i > 0; --i) {
            Case test = best_;
            test.stack.disks.erase(test.stack.disks.begin() + static_cast<Index>(i - 1));
            attempt(std::move(test));
        }
    }

    Case best_;
    const Fails& fails_;
    const GoesOn& goes_on_;
};

} // namespace

Case shrink(Case test, const Fails& fails, const GoesOn& goes_on)
{
    return Shrinker(std::move(test), fails, goes_on).run();
}

std::size_t count_steps(const Case& test)
{
    return static_cast<std::size_t>(std::ranges::count_if(
        test.steps, [](const Step& step) { return !std::holds_alternative<Check>(step); }));
}

} // namespace kio::model
