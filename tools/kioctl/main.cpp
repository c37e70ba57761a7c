// SPDX-License-Identifier: GPL-2.0
#include <cstdlib>
#include <iostream>

#include "kioctl/kioctl.hpp"
#include "lib/configfs_control.hpp"

int main(int argc, char** argv)
{
    const char* root = std::getenv("KIO_CONFIGFS");
    kio::ConfigfsControl control{root ? root : "/sys/kernel/config/kiobuf"};
    return kio::run(argc, argv, control, std::cout, std::cerr);
}
