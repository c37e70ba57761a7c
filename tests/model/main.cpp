// SPDX-License-Identifier: GPL-2.0
// Random stacks, faults and requests on the real devices, against the model.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <malloc.h>
#include <random>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "generate.hpp"
#include "kind.hpp"
#include "lib/text.hpp"
#include "real_rig.hpp"
#include "run.hpp"
#include "shrink.hpp"

namespace kio::model {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int all_well = 0;
constexpr int found_one = 1;
constexpr int no_good = 2;

struct Options {
    std::uint64_t seed = 0;
    std::uint64_t cases = 100;
    std::uint64_t seconds = 0;
    std::uint64_t cases_a_stack = 10;
    std::uint64_t shrink_seconds = 120;
    Words kinds;
    std::string replay;
    std::string script;
    bool no_shrink = false;
    bool verbose = false;
};

int complain(const Error& error)
{
    std::cerr << "kio_torture: " << error.sentence << '\n';
    return no_good;
}

/// What a case has to say: a rig that gives up in the middle of it counts as a difference too.
std::optional<Difference> judge(Rig& rig, const Case& test, Depth depth)
{
    auto outcome = run_case(rig, test, depth);
    if (!outcome)
        return Difference{0, outcome.error().sentence};
    return *outcome;
}

class Driver {
public:
    Driver(const Options& options, RealRig& rig) : options_(options), rig_(rig) {}

    int run()
    {
        std::cout << fmt::format("# first seed {}\n", options_.seed) << std::flush;
        for (std::uint64_t stack = 0; goes_on(); ++stack)
            if (!run_stack(options_.seed + stack))
                return found_one;
        std::cout << fmt::format("{} cases passed, seeds {} to {}, {:.1f} s\n", done_,
                                 options_.seed, last_seed_, seconds());
        return all_well;
    }

private:
    double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

    bool goes_on() const
    {
        return options_.seconds ? seconds() < static_cast<double>(options_.seconds)
                                : done_ < options_.cases;
    }

    /// Fewer where each case needs the whole stack to be made anew.
    std::uint64_t cases_of(const Stack& stack) const
    {
        const bool dear = std::ranges::any_of(
            stack.nodes, [](const Node& node) { return kind_of(node).keeps_state(); });
        return dear ? (options_.cases_a_stack + 3) / 4 : options_.cases_a_stack;
    }

    /// Cases of one seed have the stack in common.
    bool run_stack(std::uint64_t seed)
    {
        const Stack stack = random_stack(seed, options_.kinds);
        Case test{stack, {}};

        last_seed_ = seed;
        for (std::uint64_t i = 0; i < cases_of(stack) && goes_on(); ++i) {
            test.steps = random_steps(seed * 1000 + i, stack);
            if (options_.verbose)
                std::cout << fmt::format("# seed {} case {}\n{}", seed, i, to_text(test))
                          << std::flush;
            if (const auto difference = judge(rig_, test, Depth::sample))
                return report(seed, i, test, *difference);
            ++done_;
            show_progress();
        }
        return true;
    }

    void show_progress()
    {
        if (Clock::now() < next_word_)
            return;
        next_word_ = Clock::now() + std::chrono::seconds(10);
        std::cout << fmt::format("# {} cases, {:.0f} s, seed {}\n", done_, seconds(), last_seed_)
                  << std::flush;
    }

    bool report(std::uint64_t seed, std::uint64_t number, const Case& test,
                const Difference& difference)
    {
        std::cout << fmt::format("# found after {} cases: seed {} case {}, step {}: {}\n", done_,
                                 seed, number, difference.step, difference.what)
                  << to_text(test) << std::flush;
        if (!options_.no_shrink)
            shrink_it(test);
        return false;
    }

    void shrink_it(const Case& test)
    {
        const auto end = Clock::now() + std::chrono::seconds(options_.shrink_seconds);
        unsigned tries = 0;
        const Case small = shrink(
            test,
            [&](const Case& candidate) {
                ++tries;
                return judge(rig_, candidate, Depth::whole).has_value();
            },
            [&] { return Clock::now() < end; });
        const auto difference = judge(rig_, small, Depth::whole);

        std::cout << fmt::format("# shrunk to {} steps in {} tries; at step {}: {}\n",
                                 count_steps(small), tries, difference ? difference->step : 0,
                                 difference ? difference->what : "it does not fail every time")
                  << to_text(small) << "# as a script:\n"
                  << to_script(small) << std::flush;
    }

    const Options& options_;
    RealRig& rig_;
    std::uint64_t done_ = 0;
    std::uint64_t last_seed_ = 0;
    Clock::time_point begin_ = Clock::now();
    Clock::time_point next_word_ = begin_ + std::chrono::seconds(10);
};

Result<Case> read_case(const std::string& path)
{
    std::ifstream file(path);
    std::stringstream text;

    if (!file)
        return Error{errno, path + ": " + std::strerror(errno)};
    text << file.rdbuf();
    return parse_case(text.str());
}

int replay(const Options& options, RealRig& rig)
{
    const auto test = read_case(options.replay);
    if (!test)
        return complain(test.error());
    auto outcome = run_case(rig, *test, Depth::whole);
    if (!outcome)
        return complain(outcome.error());
    if (!*outcome) {
        std::cout << "no difference\n";
        return all_well;
    }
    std::cout << fmt::format("step {}: {}\n", (*outcome)->step, (*outcome)->what);
    return found_one;
}

int print_script(const std::string& path)
{
    const auto test = read_case(path);
    if (!test)
        return complain(test.error());
    std::cout << to_script(*test);
    return all_well;
}

int print_fill(const std::string& name, std::uint64_t mib)
{
    const Bytes& content = first_content({name, mib, 512, ""});
    std::fwrite(content.data(), 1, content.size(), stdout);
    return all_well;
}

/// One request of a script, its answer in a line.
int one_request(const std::vector<std::string>& words)
{
    RealRig rig;
    const std::string unit = words[1];
    const auto test =
        parse_case(fmt::format("{}\n", fmt::join(words.begin() + 2, words.end(), " ")));
    if (!test)
        return complain(test.error());
    const auto* io = test->steps.empty() ? nullptr : std::get_if<Io>(&test->steps[0]);
    const auto up = io ? rig.start() : Result<>(Error{EINVAL, "that is no request"});
    if (!up)
        return complain(up.error());
    if (auto open =
            rig.open_device(words[0], static_cast<std::uint32_t>(parse_number(unit).value_or(512)));
        !open)
        return complain(open.error());
    Bytes data(io->length);
    fill(data, io->seed);
    const auto answer = rig.submit(*io, data, {});
    if (!answer)
        return complain(answer.error());
    std::cout << answer_text(*io, *answer) << '\n';
    if (io->op == Op::read)
        std::cout << sum_text(data) << '\n';
    return all_well;
}

void add_options(CLI::App& app, Options& options)
{
    app.add_option("--seed", options.seed, "first seed, one for each stack (a fresh one)");
    app.add_option("--cases", options.cases, "cases to run (100)");
    app.add_option("--seconds", options.seconds, "run so long instead");
    app.add_option("--cases-a-stack", options.cases_a_stack, "cases before the next stack (10)");
    app.add_option("--kinds", options.kinds, "kinds of devices, apart by commas (all)")
        ->delimiter(',');
    app.add_option("--shrink-seconds", options.shrink_seconds, "most time to shrink a case (120)");
    app.add_option("--replay", options.replay, "run the case in this file");
    app.add_option("--script", options.script, "print the case in this file as a shell script");
    app.add_flag("--no-shrink", options.no_shrink, "show a failing case as it is");
    app.add_flag("--verbose", options.verbose, "print each case before it is run");
    app.footer("exit: 0, 1 after a difference from the model, 2 if it could not be run");
}

int check_kinds(Options& options)
{
    if (options.kinds.empty())
        for (const Kind* kind : kinds())
            options.kinds.emplace_back(kind->name());
    for (const std::string& name : options.kinds)
        if (!find_kind(name))
            return complain(Error{EINVAL, "there is no kind " + name});
    return all_well;
}

int torture(Options& options)
{
    RealRig rig;

    if (const int bad = check_kinds(options))
        return bad;
    if (const auto ready = rig.start(); !ready)
        return complain(ready.error());
    const int status = options.replay.empty() ? Driver(options, rig).run() : replay(options, rig);
    const auto stopped = rig.stop();
    if (!stopped && status == all_well)
        return complain(stopped.error());
    return status;
}

int run(int argc, char** argv)
{
    CLI::App app{"Random stacks, faults and requests, against a model of what must come back"};
    Options options;
    std::vector<std::string> request;
    std::string name;
    std::uint64_t mib = 1;

    options.seed = std::random_device{}() % 1000000;
    add_options(app, options);
    auto* const fill = app.add_subcommand("fill", "print what a disk holds at first");
    fill->add_option("NAME", name)->required();
    fill->add_option("MIB", mib)->required();
    auto* const io = app.add_subcommand("request", "send one request, print its answer");
    io->add_option("DEVICE UNIT io WORD", request)->required()->expected(11, 13);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) ? no_good : all_well;
    }
    if (*fill)
        return print_fill(name, mib);
    if (*io)
        return one_request(request);
    return options.script.empty() ? torture(options) : print_script(options.script);
}

} // namespace

} // namespace kio::model

int main(int argc, char** argv)
{
    // Megabytes come and go with each case: to keep them costs fewer page faults, which are dear
    // in an emulated machine.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return kio::model::run(argc, argv);
}
