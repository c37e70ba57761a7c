// SPDX-License-Identifier: GPL-2.0
#include <fmt/format.h>

#include "kind.hpp"
#include "run.hpp"

namespace kio::model {

namespace {

constexpr std::string_view head = R"(#!/bin/sh
modprobe null_blk nr_devices=0; modprobe -a klvm kraid kfilter kiobuf_probe
cd /sys/kernel/config
disk() { # NAME MIB BLOCK CONTENT
	mkdir "nullb/$1"; echo "$2" >"nullb/$1/size"; echo "$3" >"nullb/$1/blocksize"
	for a in memory_backed discard; do echo 1 >"nullb/$1/$a"; done
	echo 0 >"nullb/$1/irqmode"; echo 1 >"nullb/$1/power"
	kio_torture fill "$4" "$2" >"/dev/$1"
}
held() { # until a rule holds something
	until cat kiobuf/filter/*/state | grep -q ' [1-9][0-9]*$'; do sleep 0.1; done
}
release() { # PROCESS: until it ends, since one rule may hold what another has let go
	while kill -0 "$1" 2>/dev/null; do
		for f in kiobuf/filter/*/release; do echo all >"$f" 2>/dev/null; done; sleep 0.1
	done
}
)";

std::string quoted(const Lines& lines)
{
    std::string text;
    for (const Words& line : lines)
        text += fmt::format(" '{}'", fmt::join(line, " "));
    return text;
}

std::string device_lines(const Stack& stack, const Node& node)
{
    const Kind& kind = kind_of(node);
    const std::string at = fmt::format("kiobuf/{}/{}", folder(kind.folder()), node.name);
    const auto path = [&](const std::string& name) { return path_of(stack, name); };
    std::string text = fmt::format("mkdir {}\n", at);

    for (const Setting& setting : kind.settings(node, path)) {
        std::string value = setting.value;
        while (value.ends_with('\n'))
            value.pop_back();
        text += fmt::format("echo '{}' >{}/{}\n", value, at, setting.attribute);
    }
    return text + fmt::format("echo 1 >{}/enable\n", at);
}

std::string set_line(const Stack& stack, const Set& set)
{
    const auto path = [&](const std::string& name) { return path_of(stack, name); };

    for (const Node& node : stack.nodes) {
        if (node.name != set.node)
            continue;
        const Kind& kind = kind_of(node);
        const std::string at = fmt::format("kiobuf/{}/{}", folder(kind.folder()), node.name);
        std::string text = fmt::format("printf '%s\\n'{} >{}/{}\n",
                                       quoted(kind.on_device(set, path).lines), at, set.attribute);
        if (const auto wait = kind.awaited(set))
            text += fmt::format("until grep -qx {} {}/{}; do sleep 0.1; done\n", wait->value, at,
                                wait->attribute);
        return text;
    }
    return {};
}

class Writer {
public:
    Writer(const Case& test, ModelStack& models) : test_(test), models_(models)
    {
        for (const DiskSpec& disk : test.stack.disks)
            unit_ = std::max(unit_, disk.block);
    }

    std::string write(const Step& step)
    {
        if (const auto* set = std::get_if<Set>(&step)) {
            static_cast<void>(models_.by_name.at(set->node)->set(set->attribute, set->lines));
            return set_line(test_.stack, *set);
        }
        if (const auto* io = std::get_if<Io>(&step); io && fits(*io, models_.top()))
            return io_line(*io);
        return {};
    }

private:
    std::string io_line(const Io& io)
    {
        Bytes data(io.length), known(io.length, 1);
        if (io.op == Op::write)
            fill(data, io.seed);
        Journey journey{io.cancel, 0, 0, false};
        const Faults faults = foretell(models_.top(), io, data, known, journey);
        const std::string& top = test_.stack.nodes.back().name;
        const std::string line =
            fmt::format("kio_torture request /dev/kio/{} {} {}", top, unit_, to_text(Step(io)));
        std::string text = fmt::format("# wanted: {}\n", expectation(io, faults));
        if (io.op == Op::read)
            text += fmt::format("# wanted: {}\n", sum_text(data));
        if (journey.held == 0 && journey.may_hold)
            return text + line + " &\nrelease $!; wait\n";
        if (journey.held == 0)
            return text + line + "\n";
        return text + line + " &\nheld; " + end_of_hold(io, journey) + "; wait\n";
    }

    std::string end_of_hold(const Io& io, const Journey& journey) const
    {
        const Node& top = test_.stack.nodes.back();
        if (io.cancel)
            return fmt::format("echo all >kiobuf/{}/{}/cancel{}", folder(kind_of(top).folder()),
                               top.name, journey.kept ? "; release $!" : "");
        return "release $!";
    }

    const Case& test_;
    ModelStack& models_;
    std::uint32_t unit_ = sector_size;
};

} // namespace

std::string sum_text(std::span<const Byte> data)
{
    std::uint64_t sum = 0xcbf29ce484222325ULL;
    for (const Byte byte : data)
        sum = (sum ^ byte) * 0x100000001b3ULL;
    return fmt::format("data {:016x}", sum);
}

std::string to_script(const Case& test)
{
    auto made = make_model(test.stack);
    std::string text(head);

    if (!made)
        return "# " + made.error().sentence + "\n";
    ModelStack models = *std::move(made);
    for (const DiskSpec& disk : test.stack.disks)
        text +=
            fmt::format("disk {} {} {} {}\n", disk.name, disk.mib, disk.block, content_of(disk));
    for (const Node& node : test.stack.nodes)
        text += device_lines(test.stack, node);
    Writer writer(test, models);
    for (const Step& step : test.steps)
        text += writer.write(step);
    for (const Node& node : test.stack.nodes)
        for (const Set& set : kind_of(node).calm(node))
            text += writer.write(set);
    return text +
           writer.write(Io{Via::probe, Op::read, 0, models.top().size(), 0, 0, false, false});
}

} // namespace kio::model
