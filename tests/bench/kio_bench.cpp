// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sys/mman.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "case.hpp"
#include "engine.hpp"
#include "report.hpp"
#include "table.hpp"

namespace kio::bench {
namespace {

enum ExitStatus { done = 0, refused = 1, misused = 2, failed = 3 };

struct Arguments {
    unsigned repeats = 3;
    bool forever = false;
    std::string table;
    bool check = false;
};

int complain(const Error& error)
{
    std::cerr << "kio_bench: " << error.sentence << '\n';
    return refused;
}

std::string read_all(std::istream& stream)
{
    return {std::istreambuf_iterator<char>{stream}, {}};
}

std::string kernel_release()
{
    utsname names{};
    return ::uname(&names) == 0 ? names.release : "unknown";
}

Result<Pages> pages_for(const Spec& spec)
{
    std::uint64_t bytes = 0;
    for (const Case& wanted : spec.cases)
        bytes = std::max(bytes, memory_needed(wanted.workload));
    return Pages::allocate(bytes);
}

Measurement measure_case(const Case& wanted, const Pages& pages, unsigned repeats)
{
    Measurement measurement{wanted.name, wanted.device, wanted.workload, wanted.count, {}, {}};
    const auto engine = make_engine(wanted, pages);
    if (!engine) {
        measurement.error = engine.error().sentence;
        return measurement;
    }
    const auto intervals = measure(**engine, repeats);
    if (!intervals) {
        measurement.error = intervals.error().sentence;
        return measurement;
    }
    for (const std::uint64_t interval : *intervals)
        measurement.per_io.push_back(static_cast<double>(interval) /
                                     static_cast<double>(wanted.count));
    return measurement;
}

int measure_all(const Spec& spec, const Pages& pages, unsigned repeats)
{
    Report report{kernel_release(), {}, spec.skips};
    for (const Case& wanted : spec.cases)
        report.measurements.push_back(measure_case(wanted, pages, repeats));
    std::cout << dump(to_json(report)) << std::flush;
    return std::cout ? done : complain({EIO, "The report could not be written."});
}

/// For a profiler to look at: says so once the first case is warm, then does not stop.
int run_forever(const Spec& spec, const Pages& pages)
{
    const auto engine = make_engine(spec.cases.front(), pages);
    if (!engine)
        return complain(engine.error());
    auto ran = (*engine)->run();
    std::cout << "warm\n" << std::flush;
    while (ran)
        ran = (*engine)->run();
    return complain(ran.error());
}

int run_spec(const Arguments& arguments)
{
    const auto spec = parse_spec(read_all(std::cin));
    if (!spec)
        return complain(spec.error());
    if (spec->cases.empty())
        return complain({EINVAL, "There is no case to run."});
    const auto pages = pages_for(*spec);
    if (!pages)
        return complain(pages.error());
    // A page of this program read in during an interval would be counted.
    if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        std::cerr << "kio_bench: memory is not locked, the counts may be too high\n";
    if (arguments.forever)
        return run_forever(*spec, *pages);
    return measure_all(*spec, *pages, arguments.repeats);
}

int print_table(const Arguments& arguments)
{
    std::ifstream file{arguments.table};
    if (!file)
        return complain({ENOENT, fmt::format("{} cannot be read.", arguments.table)});
    const auto report = report_from_json(read_all(file));
    if (!report)
        return complain({EINVAL, fmt::format("{}: {}.", arguments.table, report.error().sentence)});
    std::cout << table(*report);
    return arguments.check && !passes(*report) ? failed : done;
}

int run_program(int argc, char** argv)
{
    CLI::App app{
        "Measures the time per I/O of the cases on standard input, each a line\n"
        "NAME DEVICE read|write BS psync|libaio|fresh QD COUNT [cached], and prints it as JSON."};
    Arguments arguments;
    app.add_option("--repeat", arguments.repeats, "Intervals per case, of which the least counts")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_flag("--forever", arguments.forever, "Run the first case without an end");
    const auto* table =
        app.add_option("--table", arguments.table, "Print this JSON as a table, measure nothing")
            ->type_name("FILE");
    app.add_flag("--check", arguments.check, "Exit with 3 when a budget is broken or a case failed")
        ->needs("--table");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? done : misused;
    }
    return table->count() != 0 ? print_table(arguments) : run_spec(arguments);
}

} // namespace
} // namespace kio::bench

int main(int argc, char** argv)
{
    return kio::bench::run_program(argc, argv);
}
