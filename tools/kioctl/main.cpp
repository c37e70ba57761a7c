// SPDX-License-Identifier: GPL-2.0
#include <cstdlib>
#include <iostream>

#include "kioctl/kioctl.hpp"
#include "lib/blkid_prober.hpp"
#include "lib/configfs_control.hpp"
#include "lib/spawn_runner.hpp"
#include "lib/standard_terminal.hpp"

int main(int argc, char** argv)
{
    const char* root = std::getenv("KIO_CONFIGFS");
    kio::ConfigfsControl control{root ? root : "/sys/kernel/config/kiobuf"};
    const kio::BlkidProber prober;
    kio::StandardTerminal terminal;
    kio::SpawnRunner runner;
    return kio::run(argc, argv, {control, prober, terminal, runner}, std::cout, std::cerr);
}
