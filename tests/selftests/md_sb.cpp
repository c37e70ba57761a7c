// SPDX-License-Identifier: GPL-2.0
// Reads and changes fields of md's superblock 1.2 on a device that is not in use; the checksum is
// right afterwards. Made from what mdadm shows, not from the driver.
//
//   md_sb get FILE FIELD
//   md_sb set FILE FIELD=VALUE...
//
// Exit: 0, 1 after an error or if there is no superblock, 2 for bad usage.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

#include "block_file.hpp"

using namespace selftest;

namespace {

static_assert(std::endian::native == std::endian::little, "as the numbers on the device");

constexpr std::uint64_t place = 4096;
constexpr std::uint32_t magic = 0xa92b4efc;

struct Field {
    std::string_view name;
    std::size_t offset;
    std::size_t bytes;
};

constexpr Field checksum{"checksum", 216, 4};
constexpr Field max_dev{"max_dev", 220, 4};

constexpr auto fields = std::to_array<Field>({
    {"magic", 0, 4},
    {"major", 4, 4},
    {"features", 8, 4},
    {"ctime", 64, 8},
    {"level", 72, 4},
    {"layout", 76, 4},
    {"size", 80, 8},
    {"chunk", 88, 4},
    {"raid_disks", 92, 4},
    {"bitmap_offset", 96, 4},
    {"data_offset", 128, 8},
    {"data_size", 136, 8},
    {"recovery_offset", 152, 8},
    {"dev_number", 160, 4},
    {"bblog_shift", 185, 1},
    {"bblog_size", 186, 2},
    {"bblog_offset", 188, 4},
    {"events", 200, 8},
    {"resync_offset", 208, 8},
    checksum,
    max_dev,
});

using Page = std::array<std::byte, page_size>;

std::uint64_t get(const Page& page, const Field& field)
{
    std::uint64_t value = 0;

    std::memcpy(&value, page.data() + field.offset, field.bytes);
    return value;
}

void put(Page& page, const Field& field, std::uint64_t value)
{
    std::memcpy(page.data() + field.offset, &value, field.bytes);
}

/// All words added up, the sum itself as none, and what overflows added once more.
std::uint32_t sum_of(Page page)
{
    const std::size_t bytes = 256 + 2 * std::min<std::uint64_t>(get(page, max_dev), 1920);
    std::uint64_t sum = 0;

    put(page, checksum, 0);
    for (std::size_t i = 0; i + 4 <= bytes; i += 4)
        sum += get(page, {"word", i, 4});
    if (bytes % 4)
        sum += get(page, {"half", bytes - 2, 2});
    return static_cast<std::uint32_t>(sum + (sum >> 32));
}

bool change(Page& page, std::string_view setting)
{
    const std::size_t equals = setting.find('=');
    const auto* const field = std::ranges::find(fields, setting.substr(0, equals), &Field::name);

    if (equals == setting.npos || field == fields.end())
        return false;
    put(page, *field, std::stoull(std::string(setting.substr(equals + 1)), nullptr, 0));
    return true;
}

int usage()
{
    std::cerr << "usage: md_sb get FILE FIELD | md_sb set FILE FIELD=VALUE...\n";
    return 2;
}

int complain(const char* what)
{
    std::cerr << "md_sb: " << what << '\n';
    return 1;
}

int set(const BlockFile& file, Page& page, std::span<char*> settings)
{
    for (const char* setting : settings)
        if (!change(page, setting))
            return usage();
    put(page, checksum, sum_of(page));
    if (file.write(page, place) != static_cast<Count>(page_size) || file.sync())
        return complain(std::strerror(errno));
    return 0;
}

int show(const Page& page, std::string_view name)
{
    const auto* const field = std::ranges::find(fields, name, &Field::name);

    if (field == fields.end())
        return usage();
    std::cout << get(page, *field) << '\n';
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    const std::string_view command = argc > 3 ? argv[1] : "";
    Page page{};

    if (command != "get" && command != "set")
        return usage();
    const BlockFile file(argv[2], command == "set" ? O_RDWR : O_RDONLY);
    if (!file || file.read(page, place) != static_cast<Count>(page_size))
        return complain(std::strerror(errno));
    if (get(page, fields.front()) != magic)
        return complain("there is no superblock");
    if (get(page, checksum) != sum_of(page))
        return complain("the checksum is wrong");
    return command == "get" ? show(page, argv[3])
                            : set(file, page, std::span(argv, argc).subspan(3));
}
