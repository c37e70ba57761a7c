// SPDX-License-Identifier: GPL-2.0
// The real Control, on a folder of ordinary files in place of configfs.
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "lib/configfs_control.hpp"
#include "lib/fd.hpp"

namespace kio {
namespace {

class OnOrdinaryFiles : public testing::Test {
protected:
    ~OnOrdinaryFiles() override { std::filesystem::remove_all(root_); }

    void put(const std::string& path, const std::string& text) const
    {
        std::ofstream{root_ / path} << text;
    }

    static std::filesystem::path make_root()
    {
        std::string pattern = testing::TempDir() + "kioctl.XXXXXX";
        return ::mkdtemp(pattern.data());
    }

    std::filesystem::path root_ = make_root();
    ConfigfsControl control_{root_};
};

TEST_F(OnOrdinaryFiles, DirectoriesComeAndGo)
{
    ASSERT_TRUE(control_.mkdir("lvm"));
    ASSERT_TRUE(control_.mkdir("lvm/b"));
    ASSERT_TRUE(control_.mkdir("lvm/a"));
    put("lvm/attribute", "");
    EXPECT_TRUE(control_.is_directory("lvm/a"));
    EXPECT_FALSE(control_.is_directory("lvm/attribute"));
    EXPECT_EQ(*control_.directories("lvm"), (std::vector<std::string>{"a", "b"}));

    EXPECT_EQ(control_.mkdir("lvm/a").error().code, EEXIST);
    EXPECT_TRUE(control_.rmdir("lvm/a"));
    EXPECT_EQ(control_.rmdir("lvm/a").error().code, ENOENT);
    EXPECT_EQ(control_.directories("raid").error().code, ENOENT);
}

TEST_F(OnOrdinaryFiles, LinksToDirectoriesAreListed)
{
    ASSERT_TRUE(control_.mkdir("slaves"));
    std::filesystem::create_directory_symlink(root_, root_ / "slaves/sda");
    std::filesystem::create_symlink("nowhere", root_ / "slaves/gone");
    EXPECT_EQ(*control_.directories("slaves"), std::vector<std::string>{"sda"});
}

TEST_F(OnOrdinaryFiles, AttributesAreReadAndWritten)
{
    put("enable", "");
    EXPECT_EQ(*control_.write("enable", "1\n"), 2U);
    EXPECT_EQ(*control_.read("enable"), "1\n");
    EXPECT_EQ(*control_.read((root_ / "enable").string()), "1\n");
}

TEST_F(OnOrdinaryFiles, LongFilesAreReadWhole)
{
    const std::string text(200'000, 'x');
    put("table", text);
    EXPECT_EQ(*control_.read("table"), text);
}

TEST_F(OnOrdinaryFiles, DashIsStandardInput)
{
    put("table", "0 8 zero\n");
    const Fd saved{::dup(STDIN_FILENO)};
    const Fd table{::open((root_ / "table").c_str(), O_RDONLY | O_CLOEXEC)};
    ::dup2(table.get(), STDIN_FILENO);
    EXPECT_EQ(*control_.read("-"), "0 8 zero\n");
    ::dup2(saved.get(), STDIN_FILENO);
}

TEST_F(OnOrdinaryFiles, WritingMakesNoFile)
{
    const auto written = control_.write("enable", "1\n");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ENOENT);
    EXPECT_EQ(written.error().sentence, "No such file or directory");
}

TEST_F(OnOrdinaryFiles, RefusedByTheKernelCarriesNoWords)
{
    const auto written = control_.write("/dev/full", "1\n");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ENOSPC);
    EXPECT_EQ(written.error().sentence, "");
}

TEST_F(OnOrdinaryFiles, RootThatExistsCountsAsMounted)
{
    EXPECT_TRUE(control_.configfs_mounted());
    EXPECT_FALSE(ConfigfsControl{root_ / "kiobuf"}.configfs_mounted());
}

TEST_F(OnOrdinaryFiles, UnknownModuleIsRefused)
{
    EXPECT_FALSE(control_.modprobe("no-such-module-of-kioctl"));
}

TEST(FdTest, MovesAndCloses)
{
    Fd first{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    ASSERT_TRUE(first);
    const int number = first.get();
    {
        const Fd second = std::move(first);
        EXPECT_EQ(second.get(), number);
    }
    EXPECT_EQ(::fcntl(number, F_GETFD), -1);
    EXPECT_EQ(errno, EBADF);
}

} // namespace
} // namespace kio
