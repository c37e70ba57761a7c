// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "symbols.hpp"

namespace kio::bench {
namespace {

Symbols some_symbols()
{
    auto symbols = Symbols::from_kallsyms("0000000000000000 A fixed_percpu_data\n"
                                          "ffffffff81000200 T second\n"
                                          "ffffffff81000000 T first\n"
                                          "ffffffff81000180 D data\n"
                                          "ffffffff81000210 t second_alias\n"
                                          "ffffffffc0000000 t klvm_submit\t[klvm]\n");
    EXPECT_TRUE(symbols);
    return *std::move(symbols);
}

TEST(Symbols, FindTheFunctionAroundAnAddress)
{
    const Symbols symbols = some_symbols();
    EXPECT_EQ(symbols.at(0xffffffff81000000)->name, "first");
    EXPECT_EQ(symbols.at(0xffffffff810001ff)->name, "first");
    EXPECT_EQ(symbols.at(0xffffffff81000200)->name, "second");
    EXPECT_EQ(symbols.at(0xffffffff81000210)->name, "second_alias");
    EXPECT_EQ(symbols.at(0xffffffff80ffffff), nullptr);
}

TEST(Symbols, KnowTheModule)
{
    const Symbols symbols = some_symbols();
    EXPECT_EQ(symbols.at(0xffffffff81000000)->module, "");
    EXPECT_EQ(symbols.at(0xffffffffc0000010)->name, "klvm_submit");
    EXPECT_EQ(symbols.at(0xffffffffc0000010)->module, "klvm");
}

TEST(Symbols, FindAFunctionByItsName)
{
    const Symbols symbols = some_symbols();
    EXPECT_EQ(symbols.address_of("second"), 0xffffffff81000200);
    EXPECT_EQ(symbols.address_of("data"), std::nullopt);
    EXPECT_EQ(symbols.address_of("secon"), std::nullopt);
}

TEST(Symbols, RefuseHiddenAddresses)
{
    EXPECT_FALSE(Symbols::from_kallsyms("0000000000000000 T first\n0000000000000000 T second\n"));
    EXPECT_FALSE(Symbols::from_kallsyms(""));
    EXPECT_FALSE(Symbols::from_kallsyms("garbage\nzz T name\n12 TT name\n12 T\n"));
}

} // namespace
} // namespace kio::bench
