// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <filesystem>

#include "lib/control.hpp"

namespace kio {

/// The real Control: configfs below `root`, sysfs, and modprobe(8).
class ConfigfsControl final : public Control {
public:
    explicit ConfigfsControl(std::filesystem::path root) : root_(std::move(root)) {}

    bool configfs_mounted() const override;
    Result<> modprobe(const std::string& module) override;
    Result<> mkdir(const std::string& path) override;
    Result<> rmdir(const std::string& path) override;
    bool is_directory(const std::string& path) const override;
    Result<std::vector<std::string>> directories(const std::string& path) const override;
    Result<std::string> read(const std::string& path) const override;
    Result<std::size_t> write(const std::string& path, std::string_view bytes) override;

private:
    std::filesystem::path at(const std::string& path) const { return root_ / path; }

    std::filesystem::path root_;
};

} // namespace kio
