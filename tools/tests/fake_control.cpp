// SPDX-License-Identifier: GPL-2.0
#include "tests/fake_control.hpp"

#include <cerrno>
#include <system_error>

namespace kio {

namespace {

Error failure(int code)
{
    return {code, std::generic_category().message(code)};
}

std::string parent(const std::string& path)
{
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

/// What the kernel takes of one write: a page at most, and of a longer text only whole lines.
std::string_view page_of_lines(std::string_view bytes, std::size_t page)
{
    if (bytes.size() <= page)
        return bytes;
    const auto newline = bytes.substr(0, page).rfind('\n');
    return newline == std::string_view::npos ? "" : bytes.substr(0, newline + 1);
}

} // namespace

void FakeControl::refuse(const std::string& effect, int code, const std::string& sentence)
{
    refusals_[effect] = {code, sentence};
}

void FakeControl::refuse_open(const std::string& path, int code, const std::string& reason)
{
    refusals_[path] = {code, reason};
}

void FakeControl::add_object(const std::string& path,
                             const std::map<std::string, std::string>& attributes)
{
    folders.insert(path);
    for (const auto& [name, value] : attributes)
        files[path + '/' + name] = value + '\n';
}

Result<> FakeControl::attempt(const std::string& effect)
{
    effects.push_back(effect);
    if (const auto found = refusals_.find(effect); found != refusals_.end())
        return found->second;
    return {};
}

Result<> FakeControl::modprobe(const std::string& module)
{
    effects.push_back("modprobe " + module);
    const auto found = modules.find(module);
    if (found == modules.end())
        return Error{ENODEV, "modprobe " + module + " failed"};
    folders.insert(found->second);
    return {};
}

Result<> FakeControl::mkdir(const std::string& path)
{
    if (auto attempted = attempt("mkdir " + path); !attempted)
        return failure(attempted.error().code);
    if (!folders.contains(parent(path)))
        return failure(ENOENT);
    if (!folders.insert(path).second)
        return failure(EEXIST);
    return {};
}

Result<> FakeControl::rmdir(const std::string& path)
{
    if (auto attempted = attempt("rmdir " + path); !attempted)
        return failure(attempted.error().code);
    if (folders.erase(path) == 0)
        return failure(ENOENT);
    return {};
}

Result<std::vector<std::string>> FakeControl::directories(const std::string& path) const
{
    if (!folders.contains(path))
        return failure(ENOENT);
    std::vector<std::string> names;
    for (const std::string& folder : folders)
        if (!folder.empty() && parent(folder) == path)
            names.push_back(folder.substr(path.empty() ? 0 : path.size() + 1));
    return names;
}

Result<std::string> FakeControl::read(const std::string& path) const
{
    const auto found = files.find(path);
    if (found == files.end())
        return failure(ENOENT);
    return found->second;
}

Result<std::size_t> FakeControl::write(const std::string& path, std::string_view bytes)
{
    if (const auto found = refusals_.find(path); found != refusals_.end())
        return found->second;

    const std::string taken{page_of_lines(bytes, page)};
    const auto attempted =
        attempt("write " + path + ' ' + taken.substr(0, taken.find_last_not_of('\n') + 1));
    if (!attempted) {
        files[parent(path) + "/error"] = attempted.error().sentence + '\n';
        return Error{attempted.error().code, ""};
    }
    if (!path.ends_with("/table") || taken == "clear\n")
        files[path].clear();
    if (taken != "clear\n")
        files[path] += taken;
    return taken.size();
}

} // namespace kio
