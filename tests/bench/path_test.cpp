// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "path.hpp"

namespace kio::bench {
namespace {

constexpr const char* objdump = "kblk.ko:     file format elf64-x86-64\n"
                                "\n"
                                "0000000000000010 <other>:\n"
                                "      10:\tret\n"
                                "\n"
                                "0000000000000020 <kblk_submit>:\n"
                                "      20:\tpush   %rbx\n"
                                "      21:\tje     26 <kblk_submit+0x6>\n"
                                "\t\t\t22: R_X86_64_PLT32\tmemset-0x4\n"
                                "      26:\tret    \n";

Symbols some_symbols()
{
    auto symbols = Symbols::from_kallsyms("ffffffff81000000 T read_call\n"
                                          "ffffffff81001000 T asm_common_interrupt\n"
                                          "ffffffffc0000000 t kblk_submit\t[kblk]\n");
    EXPECT_TRUE(symbols);
    return *std::move(symbols);
}

TEST(DisassemblyOf, TakesOneFunctionByOffsets)
{
    EXPECT_EQ(disassembly_of(objdump, "kblk_submit"),
              (Disassembly{{0, "push   %rbx"}, {1, "je     26 <kblk_submit+0x6>"}, {6, "ret"}}));
    EXPECT_EQ(disassembly_of(objdump, "kblk"), Disassembly{});
}

TEST(PathThrough, IsThatOfTheFirstUndisturbedRun)
{
    const std::vector<Sample> samples{
        {0xffffffff81000000},
        {0xffffffffc0000000, 0xffffffff81001000, 0xffffffffc0000001},
        {0xffffffffc0000000, 0xffffffff81000000, 0xffffffffc0000006},
    };
    const auto path = path_through(samples, some_symbols(), "kblk_submit");
    ASSERT_TRUE(path);
    EXPECT_EQ(*path, (std::vector<std::uint64_t>{0, 6}));
    EXPECT_FALSE(path_through(samples, some_symbols(), "kblk_endio"));
}

TEST(PathText, HasWordsWhereTheyAreKnown)
{
    EXPECT_EQ(text_of({0, 6, 18}, "kblk_submit", disassembly_of(objdump, "kblk_submit")),
              "kblk_submit+0x0    push   %rbx\n"
              "kblk_submit+0x6    ret\n"
              "kblk_submit+0x12\n");
}

} // namespace
} // namespace kio::bench
