#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: levels 4, 5 and 6, both ways with md: what md made we assemble, write, degrade and
# rebuild, and md finds no mismatch; and the reverse.
. "${0%/*}/test_common.sh"
. "${0%/*}/md_common.sh"

# ---- both ways ----

test_4()
{
	both_ways 4 - - 3/64 4/4
}

test_5()
{
	local layout

	for layout in left-symmetric left-asymmetric right-symmetric \
		right-asymmetric; do
		both_ways 5 "$layout" - 3/64 4/4
	done
}

test_5_ends()
{
	both_ways 5 parity-first - 4/16
	both_ways 5 parity-last - 3/16
}

test_5_bitmap()
{
	both_ways 5 left-symmetric internal 4/64
}

test_6()
{
	local layout

	for layout in left-symmetric right-asymmetric ddf-N-continue; do
		both_ways 6 "$layout" - 5/16 4/64
	done
}

# ---- by parity ----

# without LEVEL LEGS SEED: what is on the array can be read without the first legs of USE
without()
{
	local leg

	for leg in "${USE[@]:0:$2}"; do
		tell fail "$leg"
	done
	verify_io check /dev/kio/array --seed "$3"
}

test_resync()
{
	local level

	for level in 4 5 6; do
		disks 4 8
		ours_create "$level" - 16 -
		eventually ours_is_whole
		ours_check 0
		verify_io fill /dev/kio/array --seed "$level"
		ours_check 0
		without "$level" $((level == 6 ? 2 : 1)) "$level"
		ours_down
	done
}

# Small writes of all sizes while a leg, or two, are missing; parity tells what is there.
test_degraded_writes()
{
	local level

	for level in 5 6; do
		disks 5 8
		ours_create "$level" - 16 - assume_clean=0
		eventually ours_is_whole
		tell fail "${USE[1]}"
		verify_io fill /dev/kio/array --seed 7
		fio --name=small --filename=/dev/kio/array --rw=randwrite \
			--bsrange=512-48k --size=8M --direct=1 --verify=crc32c \
			--ioengine=libaio --iodepth=16 --output=/dev/null ||
			fail 'what was written is not what is read'
		[ "$level" = 5 ] || tell fail "${USE[3]}"
		verify_io fill /dev/kio/array --seed 8
		tell remove "${USE[1]}"
		tell add "${FRESH[0]}"
		if [ "$level" = 6 ]; then
			tell remove "${USE[3]}"
			tell add "${FRESH[1]}"
		fi
		eventually ours_is_whole
		verify_io check /dev/kio/array --seed 8
		ours_check 0
		ours_down
	done
}

test_mismatches()
{
	local level

	for level in 5 6; do
		disks 4 8
		ours_create "$level" - 16 -
		eventually ours_is_whole
		verify_io fill /dev/kio/array --seed 1
		spoil "${USE[0]}" $((1048576 + 40960))
		spoil "${USE[2]}" $((1048576 + 81920))
		ours_check 16
		tell sync_action repair
		eventually ours_is_whole
		ours_check 0
		ours_down
	done
}

test_replace()
{
	disks 4 8
	ours_create 5 - 16 internal
	eventually ours_is_whole
	verify_io fill /dev/kio/array --seed 2
	tell spare "${FRESH[0]}"
	tell replace "${USE[1]} ${FRESH[0]}"
	eventually ours_is_whole
	verify_io check /dev/kio/array --seed 2
	ours_check 0
	tell remove "${USE[1]}"
	without 5 1 2
	ours_down
}

# rules RULE...: of the filter below the first leg
rules()
{
	write_attr "$KIO/filter/fa/rules" "$(printf '%s\n' clear "$@")"
}

# first_is STATE
first_is()
{
	same "$1" "$(awk '$2 == "/dev/kio/fa" { print $3 }' \
		"$KIO/raid/array/leg_state")" 'state of the first leg'
}

# A block of the second stripe, 20 KiB into the data of the leg
test_errors()
{
	local level

	for level in 5 6; do
		disks 4 8
		filter fa flakey "${USE[0]}"
		USE[0]=/dev/kio/fa
		ours_create "$level" - 16 -
		eventually ours_is_whole
		verify_io fill /dev/kio/array --seed 4
		rules 'read 2088 8 error EIO'
		verify_io check /dev/kio/array --seed 4
		first_is in_sync
		[ "$(leg_errors array /dev/kio/fa)" -gt 0 ] ||
			fail 'no read has failed'
		rules 'read 2088 8 error EIO count 1'
		ours_check 0
		rules 'write 2088 8 error EIO'
		verify_io fill /dev/kio/array --seed 5
		first_is faulty
		rules
		verify_io check /dev/kio/array --seed 5
		tell remove /dev/kio/fa
		tell spare /dev/kio/fa
		eventually ours_is_whole
		verify_io check /dev/kio/array --seed 5
		ours_check 0
		ours_down
		undo_all
	done
}

# Parity is not right yet behind where the resync was stopped, but where it was written to.
# One leg is missing, and another does not take a write: what the first had cannot be worked
# out in that stripe any more, and is not made up.
test_torn()
{
	disks 3 8
	filter fa flakey "${USE[0]}"
	USE[0]=/dev/kio/fa
	ours_create 5 - 16 -
	eventually ours_is_whole
	verify_io fill /dev/kio/array --seed 4
	tell fail "${USE[1]}"
	rules 'write 2048 8 error EIO'
	must_fail dd if=/dev/zero of=/dev/kio/array bs=4k count=1 oflag=direct
	rules
	same broken "$(<"$KIO/raid/array/array_state")" array_state
	first_is in_sync
	must_fail dd if=/dev/zero of=/dev/kio/array bs=4k seek=64 count=1 oflag=direct
	must_fail dd if=/dev/kio/array of=/dev/null bs=4k skip=4 count=1 iflag=direct
	verify_io check /dev/kio/array --seed 4 --length 16K
	verify_io check /dev/kio/array --seed 4 --offset 32K
	ours_down
	make_array
	write_attr "$KIO/raid/array/create" 0
	write_attr "$KIO/raid/array/legs" "${USE[0]} ${USE[2]}"
	refused 'was not shut down cleanly or resynced' raid/array enable 1
}

test_dirty_degraded()
{
	disks 4 24
	ours_create 5 - 16 - sync_speed_kib_max=1000
	tell sync_action idle
	verify_io fill /dev/kio/array --seed 3
	ours_down
	USE=("${USE[@]:1}")
	make_array
	write_attr "$KIO/raid/array/create" 0
	write_attr "$KIO/raid/array/legs" "${USE[*]}"
	refused 'was not shut down cleanly or resynced' raid/array enable 1
	write_attr "$KIO/raid/array/force" 1
	enable raid/array
	verify_io check /dev/kio/array --seed 3
	ours_down
}

need_kind raid
need_tools mdadm fio
need_modules raid456 kfilter
undo write_attr /proc/sys/dev/raid/speed_limit_min 1000
md_speed 200000
run_cases \
	test_resync 'a first resync, and what is there without a leg' \
	test_mismatches 'a check finds what is planted, a repair mends it' \
	test_degraded_writes 'writes without legs, and their rebuild' \
	test_replace 'a leg that is replaced' \
	test_errors 'reads and writes that fail on a leg' \
	test_torn 'a write that two legs cannot take' \
	test_dirty_degraded 'degraded and dirty: only by force' \
	test_5 'RAID-5, all its usual layouts' \
	test_4 'RAID-4' \
	test_6 'RAID-6' \
	test_5_ends 'RAID-5, parity first and last' \
	test_5_bitmap 'RAID-5 with a bitmap'
