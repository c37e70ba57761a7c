#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: what lies below one of our devices is taken, and everybody can see by
# whom.
#
#	top	| all of vol		|
#	vol	| da		| db	|
. "${0%/*}/test_common.sh"

set_up()
{
	null_disk da 32
	null_disk db 32
	mkfs.ext4 -q /dev/da
	volume vol '0 65536 linear /dev/da 0' '65536 65536 linear /dev/db 0'
	volume top '0 131072 linear /dev/kio/vol 0'
}

test_claimed()
{
	local device

	set_up
	for device in /dev/da /dev/db /dev/kio/vol; do
		must_be_busy mkfs.ext4 -q "$device"
		must_be_busy mkfs.xfs -q -f "$device"
		must_be_busy wipefs -a "$device"
		must_be_busy dmsetup create --noudevsync taken \
			--table "0 8 linear $device 0"
	done
	must_be_busy mount /dev/da "$MNT"
	mkfs.ext4 -q /dev/kio/top
	must_be_busy mount /dev/kio/vol "$MNT"
}

test_released()
{
	set_up
	disable lvm/top
	disable lvm/vol
	mkfs.ext4 -q /dev/da
	mounted /dev/da
}

test_tree()
{
	set_up
	same $'da 0\nkio/vol 0\nkio/top 0' "$(lsblk -nro NAME,RO /dev/da)" 'lsblk'
	same $'kio/top\nkio/vol\nda\ndb' "$(lsblk -nrso NAME /dev/kio/top)" 'lsblk -s'
}

test_links()
{
	set_up
	same 'kio!vol' "$(ls /sys/block/da/holders)" 'holders of da'
	same 'kio!vol' "$(ls /sys/block/db/holders)" 'holders of db'
	same $'da\ndb' "$(ls /sys/block/kio\!vol/slaves)" 'slaves of vol'
	same 'kio!top' "$(ls /sys/block/kio\!vol/holders)" 'holders of vol'
	same 'kio!vol' "$(ls /sys/block/kio\!top/slaves)" 'slaves of top'
	disable lvm/top
	same '' "$(ls /sys/block/kio\!vol/holders)" 'holders of vol without top'
	disable lvm/vol
	same '' "$(ls /sys/block/da/holders)" 'holders of da without vol'
}

test_links_follow_table()
{
	set_up
	null_disk dc 32
	reload vol '0 65536 linear /dev/da 0' '65536 65536 linear /dev/dc 0'
	same $'da\ndc' "$(ls /sys/block/kio\!vol/slaves)" 'slaves of vol'
	same '' "$(ls /sys/block/db/holders)" 'holders of db'
	mkfs.ext4 -q /dev/db
	must_be_busy mkfs.ext4 -q /dev/dc
	reload vol '0 131072 zero'
	same '' "$(ls /sys/block/kio\!vol/slaves)" 'slaves of vol'
}

test_identified()
{
	set_up
	mkfs.ext4 -q -L some-label /dev/kio/top
	same 'some-label ext4' \
		"$(blkid -o value -s LABEL /dev/kio/top) $(blkid -o value -s TYPE /dev/kio/top)" \
		blkid
	same disk "$(lsblk -ndro TYPE /dev/kio/top)" type
}

need_kind lvm
need_tools lsblk blkid wipefs dmsetup mkfs.ext4 mkfs.xfs
run_cases \
	test_claimed 'mkfs, mount and others find a leg busy' \
	test_released 'a leg is free again when the device is down' \
	test_tree 'lsblk draws the tree' \
	test_links 'holders and slaves name each other' \
	test_links_follow_table 'claims and links follow a table swap' \
	test_identified 'blkid sees what is on a device'
