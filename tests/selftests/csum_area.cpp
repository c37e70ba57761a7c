// SPDX-License-Identifier: GPL-2.0
// Reads and spoils what the filter `checksum` keeps on its lower device, which must not be in use.
// Made from the format in Documentation/filter.rst, not from the driver.
//
//   csum_area check FILE                     the area as a whole, in one line:
//                                            blocks N unverified N settled N unsettled N wrong N
//                                            bad N
//   csum_area place FILE BLOCK               byte of FILE where the area's sector for BLOCK lies
//   csum_area entry FILE BLOCK               unverified, settled or unsettled, and what the data
//   is:
//                                            old, new, both or neither
//   csum_area unsettle FILE BLOCK CONTENT    as if a write of CONTENT had begun: its new checksum
//   is
//                                            that of the first 4 KiB of the file CONTENT
//
// wrong: settled blocks whose data does not fit; bad: sectors of the area that are damaged.
//
// Exit: 0, 1 after an error or if the header is wrong, 2 for bad usage.

#include <array>
#include <bit>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "block_file.hpp"

using namespace selftest;

namespace {

static_assert(std::endian::native == std::endian::little, "as the numbers on the device");

constexpr std::uint64_t entries_per_sector = 62;
constexpr std::uint64_t sectors_per_block = page_size / sector_size;
constexpr std::uint64_t entries_per_block = entries_per_sector * sectors_per_block;

struct Header {
    std::array<char, 8> magic;
    std::uint64_t data_blocks;
    std::uint64_t area_blocks;
    std::array<std::uint8_t, 16> uuid;
    std::uint32_t block_size;
    std::uint32_t entries;
    std::uint32_t clean;
    std::array<std::uint8_t, 4040> zeroes;
    std::uint32_t crc;
};
static_assert(sizeof(Header) == page_size);

struct Entry {
    std::uint32_t old_crc;
    std::uint32_t new_crc;
};

struct AreaSector {
    std::array<Entry, entries_per_sector> entries;
    std::uint64_t unverified;
    std::uint32_t number;
    std::uint32_t crc;
};
static_assert(sizeof(AreaSector) == sector_size);

constexpr std::array<std::uint32_t, 256> make_crc_table()
{
    constexpr std::uint32_t castagnoli = 0x82f63b78;
    std::array<std::uint32_t, 256> table{};

    for (std::uint32_t i = 0; i < table.size(); i++) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ castagnoli : value >> 1;
        table[i] = value;
    }
    return table;
}

std::uint32_t crc32c(std::span<const std::byte> bytes)
{
    static constexpr auto table = make_crc_table();
    std::uint32_t crc = ~0U;

    for (const std::byte byte : bytes)
        crc = crc >> 8 ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
    return ~crc;
}

/// The checksum that ends @p object, as it should be.
template <typename Object>
std::uint32_t own_crc(const Object& object)
{
    return crc32c(std::as_bytes(std::span{&object, 1}).first(sizeof(Object) - sizeof(object.crc)));
}

bool complain(const std::string& what)
{
    std::cerr << "csum_area: " << what << '\n';
    return false;
}

/// The lower device, through the page cache.
class Lower {
public:
    explicit Lower(const std::string& path) : file_(path, O_RDWR) {}

    /// Reads the header; false after a complaint if it is not as it should be.
    bool open()
    {
        if (!file_)
            return complain(std::strerror(errno));
        blocks_ = file_.size() / page_size;
        return blocks_ > 2 && get(header_, (blocks_ - 1) * page_size) && check_header();
    }

    std::uint64_t data_blocks() const { return header_.data_blocks; }
    std::uint64_t sectors() const
    {
        return (data_blocks() + entries_per_sector - 1) / entries_per_sector;
    }
    std::uint64_t place(std::uint64_t sector) const
    {
        return (blocks_ - 1 - header_.area_blocks) * page_size + sector * sector_size;
    }

    std::optional<AreaSector> sector(std::uint64_t number) const
    {
        AreaSector area{};
        if (!get(area, place(number)) || area.number != number || area.crc != own_crc(area))
            return {};
        return area;
    }

    bool put(AreaSector area) const
    {
        area.crc = own_crc(area);
        const auto bytes = std::as_bytes(std::span{&area, 1});
        return file_.write(bytes, place(area.number)) == static_cast<Count>(bytes.size()) &&
               file_.sync() == 0;
    }

    /// As it is while the filter is up, and after a crash.
    bool mark_unclean()
    {
        header_.clean = 0;
        header_.crc = own_crc(header_);
        const auto bytes = std::as_bytes(std::span{&header_, 1});
        return file_.write(bytes, (blocks_ - 1) * page_size) == static_cast<Count>(bytes.size()) &&
               file_.sync() == 0;
    }

    std::uint32_t data_crc(std::uint64_t block) const
    {
        std::array<std::byte, page_size> data{};
        get(data, block * page_size);
        return crc32c(data);
    }

private:
    template <typename Object>
    bool get(Object& object, std::uint64_t offset) const
    {
        const auto bytes = std::as_writable_bytes(std::span{&object, 1});
        return file_.read(bytes, offset) == static_cast<Count>(bytes.size()) ||
               complain("cannot read at " + std::to_string(offset));
    }

    static std::uint64_t area_for(std::uint64_t data)
    {
        return (data + entries_per_block - 1) / entries_per_block;
    }

    bool check_header() const
    {
        const std::string_view magic{header_.magic.data(), header_.magic.size()};
        const std::uint64_t data = header_.data_blocks;

        if (magic != "kiocsum1" || header_.crc != own_crc(header_))
            return complain("no header, or a wrong checksum of it");
        if (header_.block_size != page_size || header_.entries != entries_per_sector)
            return complain("the header tells other sizes than those of the format");
        if (header_.area_blocks != area_for(data) || data + area_for(data) > blocks_ - 1 ||
            data + 1 + area_for(data + 1) <= blocks_ - 1)
            return complain("data and area are not as large as they can be");
        for (const std::uint8_t byte : header_.zeroes)
            if (byte)
                return complain("the header has no zeroes before its checksum");
        return true;
    }

    BlockFile file_;
    std::uint64_t blocks_ = 0;
    Header header_{};
};

struct Place {
    std::uint64_t sector;
    std::uint64_t index;
};

Place place_of(std::uint64_t block)
{
    return {block / entries_per_sector, block % entries_per_sector};
}

bool is_unverified(const AreaSector& area, std::uint64_t index)
{
    return area.unverified >> index & 1;
}

struct Counts {
    std::uint64_t unverified = 0;
    std::uint64_t settled = 0;
    std::uint64_t unsettled = 0;
    std::uint64_t wrong = 0;
    std::uint64_t bad = 0;
};

void count_sector(const Lower& lower, std::uint64_t number, Counts& counts)
{
    const auto area = lower.sector(number);

    if (!area) {
        counts.bad++;
        return;
    }
    for (std::uint64_t i = 0; i < entries_per_sector; i++) {
        const std::uint64_t block = number * entries_per_sector + i;
        const Entry& entry = area->entries[i];
        if (block >= lower.data_blocks())
            break;
        if (is_unverified(*area, i)) {
            counts.unverified++;
        } else if (entry.old_crc != entry.new_crc) {
            counts.unsettled++;
        } else {
            counts.settled++;
            counts.wrong += entry.new_crc != lower.data_crc(block);
        }
    }
}

bool check(const Lower& lower)
{
    Counts counts;

    for (std::uint64_t i = 0; i < lower.sectors(); i++)
        count_sector(lower, i, counts);
    std::cout << "blocks " << lower.data_blocks() << " unverified " << counts.unverified
              << " settled " << counts.settled << " unsettled " << counts.unsettled << " wrong "
              << counts.wrong << " bad " << counts.bad << '\n';
    return true;
}

bool show_place(const Lower& lower, std::uint64_t block)
{
    std::cout << lower.place(place_of(block).sector) << '\n';
    return true;
}

std::string_view data_is(const Entry& entry, std::uint32_t crc)
{
    if (crc == entry.old_crc)
        return crc == entry.new_crc ? "both" : "old";
    return crc == entry.new_crc ? "new" : "neither";
}

bool show_entry(const Lower& lower, std::uint64_t block)
{
    const auto [sector, index] = place_of(block);
    const auto area = lower.sector(sector);

    if (!area)
        return complain("the sector of the area is damaged");
    const Entry& entry = area->entries[index];
    if (is_unverified(*area, index))
        std::cout << "unverified";
    else
        std::cout << (entry.old_crc == entry.new_crc ? "settled" : "unsettled");
    std::cout << ' ' << data_is(entry, lower.data_crc(block)) << '\n';
    return true;
}

bool unsettle(Lower& lower, std::uint64_t block, const std::string& content)
{
    const auto [sector, index] = place_of(block);
    const BlockFile file(content, O_RDONLY);
    std::array<std::byte, page_size> data{};
    auto area = lower.sector(sector);

    if (!area)
        return complain("the sector of the area is damaged");
    if (!file || file.read(data, 0) != static_cast<Count>(data.size()))
        return complain("cannot read " + content);
    area->entries[index].new_crc = crc32c(data);
    return lower.put(*area) && lower.mark_unclean();
}

} // namespace

int main(int argc, char** argv)
{
    const std::string_view command = argc > 2 ? argv[1] : "";
    const std::uint64_t block = argc > 3 ? std::stoull(argv[3]) : 0;
    Lower lower(argc > 2 ? argv[2] : "");

    if (argc == 3 && command == "check")
        return lower.open() && check(lower) ? 0 : 1;
    if (argc == 4 && command == "place")
        return lower.open() && show_place(lower, block) ? 0 : 1;
    if (argc == 4 && command == "entry")
        return lower.open() && show_entry(lower, block) ? 0 : 1;
    if (argc == 5 && command == "unsettle")
        return lower.open() && unsettle(lower, block, argv[4]) ? 0 : 1;
    std::cerr << "usage: csum_area check|place|entry|unsettle FILE [BLOCK [CONTENT]]\n";
    return 2;
}
