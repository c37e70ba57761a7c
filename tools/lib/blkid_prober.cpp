// SPDX-License-Identifier: GPL-2.0
#include "lib/blkid_prober.hpp"

#include <blkid/blkid.h>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <system_error>

#include "lib/fd.hpp"

namespace kio {

namespace {

using Probe = std::unique_ptr<blkid_struct_probe, decltype(&blkid_free_probe)>;

Error failure(int code)
{
    return {code, std::generic_category().message(code)};
}

/// A drive without a medium must not be waited for.
Fd open_device(const std::string& path)
{
    return Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
}

std::string value(blkid_probe probe, const char* name)
{
    const char* text = nullptr;
    return blkid_probe_lookup_value(probe, name, &text, nullptr) == 0 ? text : "";
}

/// What the probe stopped at: a partition table or a superblock.
Content found(blkid_probe probe)
{
    if (std::string table = value(probe, "PTTYPE"); !table.empty())
        return {.usage = "partitions",
                .type = std::move(table),
                .version = {},
                .label = {},
                .uuid = value(probe, "PTUUID")};
    return {.usage = value(probe, "USAGE"),
            .type = value(probe, "TYPE"),
            .version = value(probe, "VERSION"),
            .label = value(probe, "LABEL"),
            .uuid = value(probe, "UUID")};
}

void set_up(blkid_probe probe)
{
    blkid_probe_enable_superblocks(probe, 1);
    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
                                                 BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID |
                                                 BLKID_SUBLKS_VERSION);
    blkid_probe_enable_partitions(probe, 1);
}

} // namespace

Result<std::vector<Content>> BlkidProber::contents(const std::string& path) const
{
    const Fd fd = open_device(path);
    if (!fd)
        return failure(errno);
    const Probe probe{blkid_new_probe(), &blkid_free_probe};
    if (!probe)
        return failure(ENOMEM);
    errno = 0;
    if (blkid_probe_set_device(probe.get(), fd.get(), 0, 0) != 0)
        return failure(errno ? errno : EIO);

    set_up(probe.get());
    std::vector<Content> contents;
    int outcome;
    while ((outcome = blkid_do_probe(probe.get())) == 0)
        contents.push_back(found(probe.get()));
    if (outcome < 0)
        return failure(errno ? errno : EIO);
    return contents;
}

Result<std::string> BlkidProber::read(const std::string& path, std::uint64_t offset,
                                      std::size_t length) const
{
    const Fd fd = open_device(path);
    if (!fd)
        return failure(errno);
    std::string bytes(length, '\0');
    std::size_t filled = 0;
    while (filled < length) {
        const ssize_t count = ::pread(fd.get(), bytes.data() + filled, length - filled,
                                      static_cast<off_t>(offset + filled));
        if (count < 0)
            return failure(errno);
        if (count == 0)
            break;
        filled += static_cast<std::size_t>(count);
    }
    bytes.resize(filled);
    return bytes;
}

} // namespace kio
