#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: what fails on a leg of a RAID-1 is not seen above while another leg is
# good, and is seen when none is.
#
#	array	ma = mb
#	ma, mb	dm devices on da, db that can be told to fail
. "${0%/*}/test_common.sh"

set_up()
{
	local disk

	need_tools dmsetup
	need_modules dm-flakey
	for disk in a b; do
		null_disk "d$disk" 32 "$@"
		breakable_disk "m$disk" "/dev/d$disk"
	done
	array array 1 '/dev/mapper/ma /dev/mapper/mb'
}

test_writes_fail()
{
	set_up
	during_load raid/array break_writes ma /dev/da
	leg_states array faulty in_sync
	[ "$(leg_errors array /dev/mapper/ma)" -gt 0 ] || fail 'no error was counted'
	same 1 "$(<"$KIO/raid/array/degraded")" degraded
	mend_disk ma /dev/da
	leg_states array faulty in_sync
}

test_all_fails()
{
	set_up
	during_load raid/array break_disk mb
	leg_states array in_sync faulty
	mend_disk mb /dev/db
}

test_told_to_fail()
{
	set_up
	during_load raid/array write_attr "$KIO/raid/array/fail" /dev/mapper/ma
	leg_states array faulty in_sync
	same 0 "$(leg_errors array /dev/mapper/mb)" 'errors of mb'
}

test_reads_fail()
{
	set_up
	verify_io fill /dev/kio/array
	break_disk ma
	verify_io check /dev/kio/array
	verify_io check /dev/kio/array --buffered
	[ "$(leg_errors array /dev/mapper/ma)" -gt 20 ] || fail 'errors were not counted'
	leg_states array faulty in_sync
	mend_disk ma /dev/da
	break_disk mb
	must_fail dd if=/dev/kio/array of=/dev/null bs=64k count=1 iflag=direct
	leg_states array faulty in_sync
	mend_disk mb /dev/db
	verify_io check /dev/kio/array
	cmp /dev/da /dev/db
}

test_both_reads_fail()
{
	set_up
	break_disk ma
	break_disk mb
	must_fail dd if=/dev/kio/array of=/dev/null bs=64k count=1 iflag=direct
	matches 'Input/output error' "$WHY" read
	leg_states array in_sync in_sync
	mend_disk ma /dev/da
	mend_disk mb /dev/db
	verify_io random /dev/kio/array --ops 50
}

# The last good leg is never given up: it is the caller who hears.
test_last_leg()
{
	set_up
	verify_io fill /dev/kio/array --seed 3
	write_attr "$KIO/raid/array/fail" /dev/mapper/ma
	break_writes mb /dev/db
	must_fail dd if=/dev/zero of=/dev/kio/array bs=64k count=1 oflag=direct
	matches 'Input/output error' "$WHY" write
	leg_states array faulty in_sync
	verify_io check /dev/kio/array --seed 3
	mend_disk mb /dev/db
	verify_io random /dev/kio/array --ops 50
}

test_both_writes_fail()
{
	set_up
	break_writes ma /dev/da
	break_writes mb /dev/db
	must_fail dd if=/dev/zero of=/dev/kio/array bs=64k count=1 oflag=direct
	matches 'Input/output error' "$WHY" write
	same 1 "$(<"$KIO/raid/array/degraded")" degraded
	mend_disk ma /dev/da
	mend_disk mb /dev/db
	verify_io random /dev/kio/array --ops 50
}

test_flush_fails()
{
	set_up cache_size=8
	dd if=/dev/zero of=/dev/kio/array bs=4k count=1 oflag=direct conv=fsync status=none
	leg_states array in_sync in_sync
	break_writes ma /dev/da
	blockdev --flushbufs /dev/kio/array
	sync -d /dev/kio/array
	leg_states array faulty in_sync
	break_writes mb /dev/db
	must_fail sync -d /dev/kio/array
	leg_states array faulty in_sync
	mend_disk ma /dev/da
	mend_disk mb /dev/db
}

test_bad_blocks()
{
	null_disk da 8 badblocks=+1000-1007
	null_disk db 8 badblocks=+5000-5007
	array array 1 '/dev/da /dev/db'
	dd if=/dev/kio/array of="$WORK/read" bs=1M count=8 iflag=direct status=none
	leg_states array in_sync in_sync
	verify_io fill /dev/kio/array --length 500K
	leg_states array in_sync in_sync
	verify_io fill /dev/kio/array --length 1M
	leg_states array faulty in_sync
	verify_io check /dev/kio/array --length 1M
	must_fail verify_io fill /dev/kio/array --offset 2M --length 1M
	leg_states array faulty in_sync
}

# One request, a bad block on each leg: each is good on the other.
test_bad_blocks_close()
{
	null_disk da 8 badblocks=+1000-1007
	null_disk db 8 badblocks=+2000-2007
	array array 1 '/dev/da /dev/db'
	dd if=/dev/kio/array of="$WORK/read" bs=1M count=8 iflag=direct status=none
	leg_states array in_sync in_sync
}

need_kind raid
need_tools dmsetup
run_cases \
	test_writes_fail 'a leg that fails writes under load is left out' \
	test_all_fails 'a leg that fails altogether under load is left out' \
	test_told_to_fail 'a leg that is told to fail under load is left out' \
	test_reads_fail 'failed reads are done elsewhere, after too many the leg is left out' \
	test_both_reads_fail 'a read that fails on both legs fails' \
	test_last_leg 'the last good leg stays, the caller hears of errors' \
	test_both_writes_fail 'a write that fails on both legs fails' \
	test_flush_fails 'a flush that fails on a leg fails the leg' \
	test_bad_blocks 'bad blocks at different places of the legs' \
	test_bad_blocks_close 'bad blocks of both legs within one read'
