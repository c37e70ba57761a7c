// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/control.hpp"

namespace kio {

/// A configfs of its own, in memory, that logs every effect and refuses those it is told to.
///
/// Effects read "modprobe M", "mkdir P", "rmdir P" and "write P TEXT", TEXT without the newline
/// at its end. Attributes need not exist before they are written.
class FakeControl final : public Control {
public:
    bool mounted = true;
    std::size_t page = 4095; ///< what one write takes at most
    std::set<std::string> folders{"", "lvm", "raid", "loop", "filter"};
    std::map<std::string, std::string> files;
    std::map<std::string, std::string> modules; ///< a module that loads, and the folder it makes
    std::vector<std::string> effects;

    /// The kernel refuses `effect`; for a write its sentence goes to the object's `error`.
    void refuse(const std::string& effect, int code, const std::string& sentence = "");
    /// A write is refused before it reaches the kernel, as when the file may not be opened.
    void refuse_open(const std::string& path, int code, const std::string& reason);
    /// An object that exists already.
    void add_object(const std::string& path, const std::map<std::string, std::string>& attributes);

    bool configfs_mounted() const override { return mounted; }
    Result<> modprobe(const std::string& module) override;
    Result<> mkdir(const std::string& path) override;
    Result<> rmdir(const std::string& path) override;
    bool is_directory(const std::string& path) const override { return folders.contains(path); }
    Result<std::vector<std::string>> directories(const std::string& path) const override;
    Result<std::string> read(const std::string& path) const override;
    Result<std::size_t> write(const std::string& path, std::string_view bytes) override;

private:
    /// Logs the effect and says whether and how it is refused.
    Result<> attempt(const std::string& effect);

    std::map<std::string, Error> refusals_; ///< by effect, or by path for what cannot be opened
};

} // namespace kio
