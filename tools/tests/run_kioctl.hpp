// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kioctl/kioctl.hpp"
#include "tests/fake_world.hpp"

namespace kio {

using Words = std::vector<std::string>;

struct Outcome {
    int status;
    std::string out;
    std::string err;
};

inline Outcome run_kioctl(World world, const Words& words)
{
    std::vector<const char*> arguments{"kioctl"};
    for (const std::string& word : words)
        arguments.push_back(word.c_str());
    std::ostringstream out, err;
    const int status = run(static_cast<int>(arguments.size()), arguments.data(), world, out, err);
    return {status, out.str(), err.str()};
}

inline Outcome run_kioctl(FakeWorld& fake, const Words& words)
{
    return run_kioctl(World{fake.control, fake.prober, fake.terminal, fake.runner}, words);
}

/// Where nothing but configfs matters.
inline Outcome run_kioctl(Control& control, const Words& words)
{
    const FakeProber prober;
    FakeTerminal terminal;
    FakeRunner runner;
    return run_kioctl(World{control, prober, terminal, runner}, words);
}

/// What a command prints that must succeed.
template <typename Fake>
std::string printed(Fake& fake, const Words& words)
{
    const Outcome outcome = run_kioctl(fake, words);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
}

/// What a command says that must be refused.
template <typename Fake>
std::string refused(Fake& fake, const Words& words)
{
    const Outcome outcome = run_kioctl(fake, words);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
}

using Effects = std::vector<std::string>;

} // namespace kio
