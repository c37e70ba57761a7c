// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "profile.hpp"

namespace kio::bench {
namespace {

constexpr std::uint64_t read_call = 0xffffffff81000000;
constexpr std::uint64_t timer = 0xffffffff81001000;
constexpr std::uint64_t module_call = 0xffffffffc0000000;
constexpr std::uint64_t user = 0x7f0000000000;

Symbols some_symbols()
{
    auto symbols = Symbols::from_kallsyms("ffffffff81000000 T read_call\n"
                                          "ffffffff81001000 T asm_sysvec_apic_timer_interrupt\n"
                                          "ffffffffc0000000 t klvm_submit\t[klvm]\n");
    EXPECT_TRUE(symbols);
    return *std::move(symbols);
}

TEST(ProfileOf, CountsPerIo)
{
    const std::vector<Sample> samples{
        {read_call, read_call + 4, module_call, user},
        {read_call, read_call + 4, read_call + 8, module_call, module_call + 1, module_call + 2},
    };
    const auto profile = profile_of(samples, some_symbols(), 2);
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->instructions, 2.5);
    EXPECT_EQ(profile->samples, 2U);
    EXPECT_EQ(profile->interrupted, 0U);
    ASSERT_EQ(profile->functions.size(), 3U);
    EXPECT_EQ(profile->functions[0].name, "read_call");
    EXPECT_EQ(profile->functions[0].instructions, 1.25);
    EXPECT_EQ(profile->functions[1].name, "klvm_submit [klvm]");
    EXPECT_EQ(profile->functions[2].name, "user space");
    ASSERT_EQ(profile->modules.size(), 3U);
    EXPECT_EQ(profile->modules[0].name, "kernel");
    EXPECT_EQ(profile->modules[1].name, "klvm");
}

TEST(ProfileOf, LeavesInterruptedSamplesOut)
{
    const auto profile =
        profile_of({{read_call, timer}, {read_call, read_call + 4}}, some_symbols(), 1);
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->interrupted, 1U);
    EXPECT_EQ(profile->instructions, 2);
}

TEST(ProfileOf, RefusesWhenNothingIsLeft)
{
    EXPECT_FALSE(profile_of({}, some_symbols(), 1));
    EXPECT_FALSE(profile_of({{read_call, timer}}, some_symbols(), 1));
}

TEST(TextOf, ShowsTheTopFunctions)
{
    const auto profile = profile_of({{read_call, read_call, read_call, user}}, some_symbols(), 1);
    ASSERT_TRUE(profile);
    EXPECT_EQ(text_of(*profile, 1),
              "4.0 instructions per I/O; 1 samples, 0 of them left out for an interrupt\n"
              "       3.0  75.0 %  kernel\n"
              "       1.0  25.0 %  user space\n"
              "by function\n"
              "       3.0  75.0 %  read_call\n");
}

} // namespace
} // namespace kio::bench
