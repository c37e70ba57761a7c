// SPDX-License-Identifier: GPL-2.0
// The driver on a fake of the devices: what it makes is well formed, what is right passes, and a
// bug is found and made small.
#include <algorithm>
#include <cerrno>

#include <gtest/gtest.h>

#include "generate.hpp"
#include "kind.hpp"
#include "run.hpp"
#include "shrink.hpp"

namespace kio::model {
namespace {

const Words all_kinds{"volume", "flakey", "checksum", "raid"};

enum class Bug { none, writes_too_far, counts_past_hole, wrong_errno, loses_rules };

/// A model in the place of the devices, with a bug.
class FakeRig final : public Rig {
public:
    explicit FakeRig(Bug bug) : bug_(bug) {}

    Result<> set_up(const Stack& stack) override
    {
        auto made = make_model(stack);
        if (!made)
            return made.error();
        stack_ = stack;
        models_ = *std::move(made);
        return {};
    }

    Result<> set(const Set& set) override
    {
        if (bug_ == Bug::loses_rules && set.lines.size() > 1)
            return models_.by_name.at(set.node)->set(set.attribute, {set.lines.front()});
        return models_.by_name.at(set.node)->set(set.attribute, set.lines);
    }

    Result<std::string> attribute(const std::string& node, const std::string& name) override
    {
        return models_.by_name.at(node)->attribute(name).value_or("");
    }

    Result<Answer> submit(const Io& io, std::span<Byte> data, const Journey& journey) override
    {
        Bytes known(data.size(), 1);
        Journey mine{journey.cancelled, 0, 0, false};
        Io changed = io;

        if (bug_ == Bug::writes_too_far && io.op == Op::write && io.length == 4096 && io.pos >= 512)
            changed.pos -= 512;
        const Faults faults = foretell(models_.top(), changed, data, known, mine);
        Answer answer = expected_answer(io, faults);
        answer.held = mine.held;
        answer.vetoed = mine.kept;
        if (bug_ == Bug::counts_past_hole && faults.size() > 1)
            answer.bytes += faults[1].offset - faults[0].length;
        if (bug_ == Bug::wrong_errno && !faults.empty() && io.via == Via::probe)
            answer.error = faults.back().error;
        return answer;
    }

    Result<Bytes> read_disk(const std::string& name) override
    {
        return static_cast<Disk&>(*models_.by_name.at(name)).content();
    }

private:
    Bug bug_;
    Stack stack_;
    ModelStack models_;
};

Case random_case(std::uint64_t seed)
{
    Case test{random_stack(seed, all_kinds), {}};
    test.steps = random_steps(seed, test.stack);
    return test;
}

bool fails(Bug bug, const Case& test)
{
    FakeRig rig(bug);
    const auto outcome = run_case(rig, test, Depth::whole);
    return !outcome || *outcome;
}

TEST(Generate, MakesTheSameOfTheSameSeed)
{
    for (std::uint64_t seed = 0; seed < 50; ++seed)
        EXPECT_EQ(random_case(seed), random_case(seed)) << seed;
    EXPECT_FALSE(random_case(1) == random_case(2));
}

TEST(Generate, MakesStacksThatCanBe)
{
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const Stack stack = random_stack(seed, all_kinds);
        EXPECT_TRUE(make_model(stack)) << seed;
        EXPECT_FALSE(stack.nodes.empty()) << seed;
        EXPECT_LE(stack.disks.size(), 5U) << seed;
    }
}

TEST(Generate, MakesArraysInAboutHalf)
{
    unsigned with = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const Stack stack = random_stack(seed, all_kinds);
        with += std::ranges::find(stack.nodes, "raid", &Node::kind) != stack.nodes.end() ? 1 : 0;
    }
    EXPECT_GT(with, 80U);
    EXPECT_LT(with, 130U);
}

TEST(MakeModel, RefusesArraysThatCannotBe)
{
    const std::vector<DiskSpec> disks{{"s0", 1, 512}, {"s1", 1, 512}, {"s2", 1, 512}};
    const std::vector<std::pair<Lines, bool>> cases{
        {{{"0", "64"}, {"s0"}, {"s1"}}, true},
        {{{"0", "64"}, {"s0"}}, false},
        {{{"0", "64"}, {"s0"}, {"s0"}}, false},
        {{{"0", "64"}, {"s0"}, {"missing"}}, false},
        {{{"0", "2048"}, {"s0"}, {"s1"}}, false},
        {{{"1", "64"}, {"s0"}, {"missing"}}, true},
        {{{"1", "64"}, {"missing"}, {"missing"}}, false},
        {{{"1", "64"}, {"s0"}, {"s1"}, {"spare", "s2"}}, true},
        {{{"1", "64"}, {"s0"}, {"s1"}, {"spare", "s1"}}, false},
        {{{"5", "64"}, {"s0"}, {"s1"}, {"s2"}}, false},
        {{{"10", "64"}, {"s0"}, {"s1"}, {"s2"}}, false},
        {{{"10", "64", "n2"}, {"s0"}, {"s1"}, {"s2"}}, true},
        {{{"10", "64", "f3"}, {"s0"}, {"s1"}}, false},
        {{{"10", "64", "x2"}, {"s0"}, {"s1"}}, false},
    };

    for (const auto& [lines, good] : cases) {
        const Case test{{disks, {{"raid", "n0", lines}}}, {}};
        EXPECT_EQ(static_cast<bool>(make_model(test.stack)), good) << to_text(test);
    }
}

TEST(MakeModel, RefusesWhatCannotBe)
{
    const DiskSpec disk{"s0", 1, 512};
    const Node top{"flakey", "n0", {{"s0"}}};

    EXPECT_TRUE(make_model({{disk}, {top}}));
    EXPECT_FALSE(make_model({{disk}, {}}));
    EXPECT_FALSE(make_model({{}, {top}}));
    EXPECT_FALSE(make_model({{disk, disk}, {top}}));
    EXPECT_FALSE(make_model({{disk}, {top, top}}));
    EXPECT_FALSE(make_model({{disk}, {{"raid5", "n0", {{"s0"}}}}}));
    EXPECT_FALSE(make_model({{disk}, {{"volume", "n0", {{"4096", "linear", "s0", "0"}}}}}));
}

TEST(Generate, MakesRequestsThatFit)
{
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const Case test = random_case(seed);
        const auto models = make_model(test.stack);
        ASSERT_TRUE(models) << seed;
        for (const Step& step : test.steps) {
            const auto* io = std::get_if<Io>(&step);
            EXPECT_TRUE(!io || fits(*io, models->top())) << seed << ": " << to_text(step);
        }
    }
}

TEST(CaseText, IsReadAsItWasPrinted)
{
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Case test = random_case(seed);
        test.steps.emplace_back(Check{});
        const auto parsed = parse_case("# a comment\n\n" + to_text(test));
        ASSERT_TRUE(parsed) << parsed.error().sentence;
        EXPECT_EQ(*parsed, test) << seed;
    }
}

TEST(CaseText, RefusesWhatItDoesNotUnderstand)
{
    for (const char* line :
         {"disk a", "disk a 1 1000", "node volume", "node volume n0", "set n0 rules",
          "io probe trim 0 512 seed 0 cut 0", "io probe read 0 512",
          "io file read 0 512 seed 0 cut 0", "check it", "what"})
        EXPECT_FALSE(parse_case(std::string(line) + "\n")) << line;
    EXPECT_EQ(parse_case("check\nwhat\n").error().sentence, "line 2: 'what' is not understood");
}

TEST(Run, FindsNoDifferenceWhereThereIsNone)
{
    for (std::uint64_t seed = 0; seed < 100; ++seed)
        EXPECT_FALSE(fails(Bug::none, random_case(seed))) << seed;
}

struct BugCase {
    const char* what;
    Bug bug;
};

TEST(Shrink, MakesEachBugSmall)
{
    const std::vector<BugCase> bugs{{"writes too far", Bug::writes_too_far},
                                    {"counts past a hole", Bug::counts_past_hole},
                                    {"errno of the last failure", Bug::wrong_errno},
                                    {"loses rules", Bug::loses_rules}};

    for (const BugCase& item : bugs) {
        std::uint64_t seed = 0;
        while (seed < 500 && !fails(item.bug, random_case(seed)))
            ++seed;
        ASSERT_LT(seed, 500U) << item.what;
        const Case small = shrink(
            random_case(seed), [&](const Case& test) { return fails(item.bug, test); },
            [] { return true; });
        EXPECT_TRUE(fails(item.bug, small)) << item.what;
        EXPECT_LE(count_steps(small), 5U) << item.what << "\n" << to_text(small);
    }
}

TEST(Shrink, StopsWhenTimeIsUp)
{
    const Case test = random_case(1);
    unsigned tries = 0;

    EXPECT_EQ(shrink(
                  test, [](const Case&) { return true; }, [] { return false; }),
              test);
    shrink(
        test,
        [&](const Case&) {
            ++tries;
            return true;
        },
        [&] { return tries < 3; });
    EXPECT_EQ(tries, 3U);
}

TEST(Script, HasALineForEachRequest)
{
    Case test{{{{"s0", 1, 512}}, {{"flakey", "n0", {{"s0"}}}}}, {}};

    test.steps.emplace_back(Set{"n0", "rules", {{"write", "0", "8", "hold"}}});
    test.steps.emplace_back(Io{Via::probe, Op::write, 0, 512, 7, 0, false, true});
    const std::string script = to_script(test);
    EXPECT_NE(script.find("echo 'flakey' >kiobuf/filter/n0/kind\n"), script.npos);
    EXPECT_NE(script.find("printf '%s\\n' 'write 0 8 hold' >kiobuf/filter/n0/rules\n"),
              script.npos);
    EXPECT_NE(script.find("# wanted: 0 bytes, ECANCELED, failed ranges: 0+512:ECANCELED\n"
                          "kio_torture request /dev/kio/n0 512 io probe write 0 512 seed 7 cut 0 "
                          "cancel &\nheld; echo all >kiobuf/filter/n0/cancel; wait\n"),
              script.npos)
        << script;
}

TEST(Script, NamesLegsByPathAndWaitsForASync)
{
    Case test{{{{"s0", 1, 512, "alike"}, {"s1", 1, 512, "alike"}, {"s2", 1, 512}},
               {{"raid", "n0", {{"1", "64"}, {"s0"}, {"s1"}, {"spare", "s2"}}}}},
              {}};

    test.steps.emplace_back(Set{"n0", "fail", {{"s1"}}});
    test.steps.emplace_back(Set{"n0", "spare", {{"s2"}}});
    const std::string script = to_script(test);
    for (const char* line :
         {"disk s0 1 512 alike\n", "disk s2 1 512 s2\n",
          "echo '/dev/s0 /dev/s1' >kiobuf/raid/n0/legs\n",
          "printf '%s\\n' '/dev/s1' >kiobuf/raid/n0/fail\n",
          "printf '%s\\n' '/dev/s2' >kiobuf/raid/n0/spare\n"
          "until grep -qx idle kiobuf/raid/n0/sync_action; do sleep 0.1; done\n"})
        EXPECT_NE(script.find(line), script.npos) << line << script;
}

} // namespace
} // namespace kio::model
