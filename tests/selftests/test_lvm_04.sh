#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: volumes can be partitioned; a partition is a device like any other,
# and a leg like any other; what passes is counted on each.
#
#	upper	| 0..4 MiB of vol2	|
#	vol	| vol1, 1 MiB at 1 MiB	| vol2, 8 MiB at 2 MiB	|
#	da	vol, from 1 MiB on
. "${0%/*}/test_common.sh"

partitioned()
{
	null_disk da 16
	volume vol '0 28672 linear /dev/da 2048'
	sfdisk --quiet --no-tell-kernel /dev/kio/vol <<-EOF
	label: dos
	start=2048, size=2048
	start=4096, size=16384
	EOF
	blockdev --rereadpt /dev/kio/vol
	eventually test -b /dev/kio/vol2
}

writes_of()
{
	ios "$1" | cut -d' ' -f2
}

test_nodes()
{
	partitioned
	same $((1 << 20)) "$(blockdev --getsize64 /dev/kio/vol1)" 'size of vol1'
	same $((8 << 20)) "$(blockdev --getsize64 /dev/kio/vol2)" 'size of vol2'
	same $'kio/vol disk\nkio/vol1 part\nkio/vol2 part' \
		"$(lsblk -nro NAME,TYPE /dev/kio/vol)" lsblk
}

test_place()
{
	partitioned
	verify_io fill /dev/kio/vol2
	verify_io check /dev/kio/vol --offset 2M --length 8M --as 0
	verify_io check /dev/da --offset 3M --length 8M --as 0
	verify_io random /dev/kio/vol1 --ops 200
	verify_io check /dev/kio/vol2
}

test_found_again()
{
	partitioned
	disable lvm/vol
	[ ! -e /dev/kio/vol1 ] || fail 'the partition outlives the volume'
	enable lvm/vol
	eventually test -b /dev/kio/vol1
}

test_busy_partition()
{
	partitioned
	exec 9</dev/kio/vol1
	refused 'in use' lvm/vol enable 0
	exec 9<&-
}

test_leg()
{
	partitioned
	volume upper '0 8192 linear /dev/kio/vol2 0'
	verify_io fill /dev/kio/upper
	verify_io check /dev/kio/upper
	verify_io check /dev/da --offset 3M --length 4M --as 0
	refused 'in use' lvm/vol enable 0
	same 'kio!upper' "$(ls /sys/class/block/kio\!vol2/holders)" holders
	same 'kio!vol2' "$(ls /sys/class/block/kio\!upper/slaves)" slaves
	matches 'kio/upper' "$(lsblk -nro NAME /dev/da)" lsblk
}

test_counted()
{
	local before after device

	partitioned
	volume upper '0 8192 linear /dev/kio/vol2 0'
	for device in upper vol2 vol; do
		before=$(writes_of "/dev/kio/$device")
		dd if=/dev/zero of=/dev/kio/upper bs=4k count=25 oflag=direct status=none
		after=$(writes_of "/dev/kio/$device")
		same 25 $((after - before)) "writes counted on $device"
	done
	before=$(writes_of /dev/kio/vol)
	dd if=/dev/zero of=/dev/kio/vol1 bs=4k count=25 oflag=direct status=none
	same 25 $(($(writes_of /dev/kio/vol) - before)) 'writes of a partition'
}

need_kind lvm
need_tools sfdisk lsblk
run_cases \
	test_nodes 'partitions of a volume appear' \
	test_place 'what goes through a partition lands in the right place' \
	test_found_again 'they go with the volume and come back with it' \
	test_busy_partition 'a volume with an open partition stays up' \
	test_leg 'a partition is a leg like any other' \
	test_counted 'requests are counted on every device they pass'
