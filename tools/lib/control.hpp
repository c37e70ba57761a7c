// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.hpp"

namespace kio {

/// Everything kioctl does to the world outside, so that tests can put a fake in its place.
///
/// A relative path lies below the configfs root (".../kiobuf"), an absolute one stands for itself.
/// An Error carries the errno and the bare reason in words, without path or operation; only a
/// write() that reached the kernel and was refused there carries no words, because the object's
/// `error` attribute has better ones.
struct Control {
    virtual ~Control() = default;

    virtual bool configfs_mounted() const = 0;
    virtual Result<> modprobe(const std::string& module) = 0;

    virtual Result<> mkdir(const std::string& path) = 0;
    virtual Result<> rmdir(const std::string& path) = 0;

    virtual bool is_directory(const std::string& path) const = 0;
    /// Names of the directories in `path`, sorted; links to directories count.
    virtual Result<std::vector<std::string>> directories(const std::string& path) const = 0;

    /// The whole file; "-" is standard input.
    virtual Result<std::string> read(const std::string& path) const = 0;
    /// One write(2): the count may be short.
    virtual Result<std::size_t> write(const std::string& path, std::string_view bytes) = 0;
};

} // namespace kio
