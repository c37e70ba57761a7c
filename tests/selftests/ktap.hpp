// SPDX-License-Identifier: GPL-2.0
// KTAP for the test programs: a table of cases in, the lines and the exit status out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ktap {

enum class Verdict { pass, fail, skip };

/// How a case ended, and why unless it passed.
struct Outcome {
    Verdict verdict = Verdict::pass;
    std::string why;
};

inline Outcome pass()
{
    return {};
}

inline Outcome fail(std::string why)
{
    return {Verdict::fail, std::move(why)};
}

inline Outcome skip(std::string why)
{
    return {Verdict::skip, std::move(why)};
}

struct Case {
    std::string_view name;
    std::function<Outcome()> run;
};

constexpr int exit_fail = 1;
constexpr int exit_skip = 4;

inline void print(std::size_t number, std::string_view name, const Outcome& outcome)
{
    if (outcome.verdict == Verdict::fail)
        std::cout << "# " << outcome.why << "\nnot ";
    std::cout << "ok " << number << " - " << name;
    if (outcome.verdict == Verdict::skip)
        std::cout << " # SKIP " << outcome.why;
    std::cout << std::endl;
}

/// Runs all cases. Returns what main() should: 0, or 1 after a failure, or 4 if all were skipped.
inline int run(std::span<const Case> cases)
{
    std::size_t number = 0;
    std::size_t failed = 0;
    std::size_t skipped = 0;

    std::cout << "TAP version 13\n1.." << cases.size() << std::endl;
    for (const Case& item : cases) {
        const Outcome outcome = item.run();
        print(++number, item.name, outcome);
        failed += outcome.verdict == Verdict::fail;
        skipped += outcome.verdict == Verdict::skip;
    }
    if (failed)
        return exit_fail;
    return skipped == cases.size() ? exit_skip : 0;
}

} // namespace ktap
