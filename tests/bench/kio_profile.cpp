// SPDX-License-Identifier: GPL-2.0
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "lib/fd.hpp"
#include "monitor.hpp"
#include "path.hpp"
#include "profile.hpp"
#include "symbols.hpp"
#include "trace.hpp"

namespace kio::bench {
namespace {

enum ExitStatus { done = 0, refused = 1, misused = 2 };

struct Arguments {
    std::string monitor;
    std::string trace;
    std::string kallsyms;
    std::string marker;
    std::uint64_t ios_per_sample = 1;
    std::size_t samples = 100;
    std::size_t top = 40;
    std::string path;
    std::string disassembly;
};

std::string read_file(const std::string& path)
{
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

Result<> fill(Sampler& sampler, const Fd& trace)
{
    constexpr int patience_ms = 30000;

    std::array<char, 65536> piece;
    while (!sampler.full()) {
        pollfd wanted{.fd = trace.get(), .events = POLLIN, .revents = 0};
        if (::poll(&wanted, 1, patience_ms) <= 0)
            return Error{ETIMEDOUT, "QEMU logs nothing."};
        const ssize_t got = ::read(trace.get(), piece.data(), piece.size());
        if (got <= 0)
            return Error{
                EPIPE, fmt::format("QEMU's log ended after {} samples.", sampler.samples().size())};
        sampler.feed({piece.data(), static_cast<std::size_t>(got)});
    }
    return {};
}

/// Has the guest log each instruction until there are enough, then ends it.
Result<> collect(const Arguments& arguments, Sampler& sampler)
{
    const Fd trace{::open(arguments.trace.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    if (!trace)
        return Error{errno, fmt::format("{}: {}.", arguments.trace, std::strerror(errno))};
    auto monitor = Monitor::connect(arguments.monitor);
    if (!monitor)
        return monitor.error();
    auto qemu = *std::move(monitor);
    for (const std::string& line : {std::string{"singlestep on"}, "logfile " + arguments.trace,
                                    std::string{"log exec,nochain"}})
        if (const auto obeyed = qemu.command(line); !obeyed)
            return obeyed;
    const auto filled = fill(sampler, trace);
    const auto ended = qemu.quit();
    return filled ? ended : filled;
}

Result<std::string> path_text(const Arguments& arguments, const std::vector<Sample>& samples,
                              const Symbols& symbols)
{
    const auto path = path_through(samples, symbols, arguments.path);
    if (!path)
        return path.error();
    const std::string objdump =
        arguments.disassembly.empty() ? "" : read_file(arguments.disassembly);
    return text_of(*path, arguments.path, disassembly_of(objdump, arguments.path));
}

Result<std::string> profile_text(const Arguments& arguments, const std::vector<Sample>& samples,
                                 const Symbols& symbols)
{
    const auto profile = profile_of(samples, symbols, arguments.ios_per_sample);
    if (!profile)
        return profile.error();
    return text_of(*profile, arguments.top);
}

Result<std::string> analyse(const Arguments& arguments)
{
    const auto symbols = Symbols::from_kallsyms(read_file(arguments.kallsyms));
    if (!symbols)
        return symbols.error();
    const auto marker = symbols->address_of(arguments.marker);
    if (!marker)
        return Error{ENOENT, fmt::format("The kernel has no function {}.", arguments.marker)};
    Sampler sampler{*marker, arguments.samples};
    if (const auto collected = collect(arguments, sampler); !collected)
        return collected.error();
    return arguments.path.empty() ? profile_text(arguments, sampler.samples(), *symbols)
                                  : path_text(arguments, sampler.samples(), *symbols);
}

int run_program(int argc, char** argv)
{
    CLI::App app{"Counts the instructions of I/Os by function, in a QEMU whose guest does nothing\n"
                 "else, and ends that QEMU. tests/bench/profile does all around it."};
    Arguments arguments;
    app.add_option("--monitor", arguments.monitor, "QEMU's monitor, a socket")->required();
    app.add_option("--trace", arguments.trace, "A named pipe for QEMU's log")->required();
    app.add_option("--kallsyms", arguments.kallsyms, "The guest's /proc/kallsyms")->required();
    app.add_option("--marker", arguments.marker, "The function that starts a sample")->required();
    app.add_option("--ios", arguments.ios_per_sample, "I/Os in a sample")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--samples", arguments.samples, "Samples to take")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--top", arguments.top, "Functions to show")->capture_default_str();
    app.add_option("--path", arguments.path,
                   "Show the instructions that one I/O ran in this function instead")
        ->type_name("FUNCTION");
    app.add_option("--disassembly", arguments.disassembly,
                   "What objdump -d prints for the function")
        ->needs(app.get_option("--path"));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? done : misused;
    }
    const auto text = analyse(arguments);
    if (!text) {
        std::cerr << "kio_profile: " << text.error().sentence << '\n';
        return refused;
    }
    std::cout << *text;
    return done;
}

} // namespace
} // namespace kio::bench

int main(int argc, char** argv)
{
    return kio::bench::run_program(argc, argv);
}
