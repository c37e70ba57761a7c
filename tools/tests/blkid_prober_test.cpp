// SPDX-License-Identifier: GPL-2.0
// The real prober, on files of our own.
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "lib/blkid_prober.hpp"

namespace kio {
namespace {

class BlkidProberFile : public testing::Test {
protected:
    const std::string path_ = testing::TempDir() + "kioctl_prober_test";
    const BlkidProber prober_;

    void SetUp() override
    {
        std::ofstream{path_} << "first";
        std::filesystem::resize_file(path_, 1 << 20);
    }
    void TearDown() override { std::filesystem::remove(path_); }

    void put(std::streamoff at, const std::string& bytes)
    {
        std::fstream file{path_, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(at);
        file << bytes;
    }
};

TEST_F(BlkidProberFile, IsBlank)
{
    const auto contents = prober_.contents(path_);
    ASSERT_TRUE(contents);
    EXPECT_TRUE(contents->empty());
}

TEST_F(BlkidProberFile, HoldsAnEncryptedVolume)
{
    put(0, std::string{"LUKS\xba\xbe\0\1", 8});
    const auto contents = prober_.contents(path_);
    ASSERT_TRUE(contents);
    ASSERT_EQ(contents->size(), 1U);
    EXPECT_EQ(contents->front().usage, "crypto");
    EXPECT_EQ(contents->front().type, "crypto_LUKS");
}

TEST_F(BlkidProberFile, IsReadUpToItsEnd)
{
    EXPECT_EQ(prober_.read(path_, 0, 5).value_or(""), "first");
    EXPECT_EQ(prober_.read(path_, (1 << 20) - 3, 5).value_or("none"), std::string(3, '\0'));
    EXPECT_EQ(prober_.read(path_, 2 << 20, 5).value_or("none"), "");
}

TEST(BlkidProber, NamesWhyThereIsNothing)
{
    const BlkidProber prober;
    EXPECT_EQ(prober.contents("/nowhere/at/all").error().code, ENOENT);
    EXPECT_EQ(prober.read("/nowhere/at/all", 0, 1).error().sentence, "No such file or directory");
}

} // namespace
} // namespace kio
