#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: stacks end somewhere: no deeper than 32, and never in themselves.
#
#	v31 on ... on v2 on v1 on da
. "${0%/*}/test_common.sh"

set_up()
{
	null_disk da 32
	volume v1 '0 65536 linear /dev/da 0'
	volume v2 '0 8192 linear /dev/kio/v1 0'
}

test_deepest()
{
	local i

	set_up
	for ((i = 3; i <= 31; i++)); do
		volume "v$i" "0 8192 linear /dev/kio/v$((i - 1)) 0"
	done
	make lvm/v32
	refused_table 'deeper than 32' v32 '0 8192 linear /dev/kio/v31 0'
	verify_io random /dev/kio/v31 --ops 50 --jobs 4
}

# Below a device that has many above it
test_deepest_from_below()
{
	local i

	set_up
	null_disk db 32
	volume low '0 8192 linear /dev/db 0'
	volume lower '0 8192 linear /dev/kio/low 0'
	for ((i = 3; i <= 31; i++)); do
		volume "v$i" "0 8192 linear /dev/kio/v$((i - 1)) 0"
	done
	refused_table 'deeper than 32' v1 '0 8192 linear /dev/kio/lower 0'
	verify_io random /dev/kio/v31 --ops 20
}

test_on_itself()
{
	set_up
	refused_table 'lie on itself' v2 '0 8192 linear /dev/kio/v2 0'
	refused_table 'lie on itself' v2 '0 8192 linear /dev/kio/v1 0' \
		'8192 8 linear /dev/kio/v2 0'
	verify_io random /dev/kio/v2 --ops 20
}

test_through_another()
{
	set_up
	volume v3 '0 8192 linear /dev/kio/v2 0'
	refused_table 'lie on itself' v1 '0 8192 linear /dev/kio/v3 0'
	disable lvm/v3
	refused_table 'lie on itself' v1 '0 8192 linear /dev/kio/v2 0'
	enable lvm/v3
	verify_io random /dev/kio/v3 --ops 20
}

test_through_partition()
{
	set_up
	disable lvm/v2
	echo 'start=2048' | sfdisk --quiet --no-tell-kernel --label dos /dev/kio/v1
	blockdev --rereadpt /dev/kio/v1
	eventually test -b /dev/kio/v1p1
	refused_table 'lie on itself' v1 '0 8192 linear /dev/kio/v1p1 0'
	stage v2 '0 8192 linear /dev/kio/v1p1 0'
	enable lvm/v2
	refused_table 'lie on itself' v1 '0 8192 linear /dev/kio/v2 0'
	verify_io random /dev/kio/v2 --ops 20
}

need_kind lvm
run_cases \
	test_deepest 'the 32nd layer is refused' \
	test_deepest_from_below 'also when it comes from below' \
	test_on_itself 'a volume on itself is refused' \
	test_through_another 'also through another' \
	test_through_partition 'also through a partition'
