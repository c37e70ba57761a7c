#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: the table of a live volume changes under load, and neither a byte nor
# a request is lost; users hear of a new size.
#
#	top	| all of vol |
#	vol	table A: one segment on da; table B: the same bytes in three pieces
. "${0%/*}/test_common.sh"

TABLE_A=('0 65536 linear /dev/da 0')
TABLE_B=('0 20000 linear /dev/da 0' '20000 16 linear /dev/da 20000'
	'20016 45520 linear /dev/da 20016')

set_up()
{
	null_disk da 64
	null_disk db 64
	volume vol "${TABLE_A[@]}"
}

swap()
{
	local i

	for ((i = 0; i < $1; i += 2)); do
		reload vol "${TABLE_B[@]}"
		reload vol "${TABLE_A[@]}"
	done
}

# As often as it takes fio to end
swap_under_fio()
{
	local pid n=0

	fio_verify "$1" --io_size="$(longer 24m 512m)" &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		swap 4
		n=$((n + 4))
	done
	wait "$pid"
	note "$n swaps under fio"
	[ "$n" -ge "$(longer 20 200)" ] || fail "fio ended after $n swaps"
}

test_swaps()
{
	set_up
	swap_under_fio /dev/kio/vol
}

test_swaps_below()
{
	set_up
	volume mid '0 65536 linear /dev/kio/vol 0'
	volume top '0 65536 linear /dev/kio/mid 0'
	during_load lvm/top swap "$(longer 20 200)"
}

# I/O of the very task that swaps, before and after
test_data_follows_table()
{
	set_up
	verify_io fill /dev/da --seed 1
	verify_io fill /dev/db --seed 2
	verify_io check /dev/kio/vol --seed 1
	reload vol '0 65536 linear /dev/db 0'
	verify_io check /dev/kio/vol --seed 2
	verify_io check /dev/kio/vol --seed 2 --buffered
	reload vol '0 32768 linear /dev/db 0' '32768 32768 linear /dev/da 32768'
	verify_io check /dev/kio/vol --seed 2 --length 16M
	verify_io check /dev/kio/vol --seed 1 --offset 16M
}

refuse()
{
	local i

	for ((i = 0; i < 4; i++)); do
		refused_table overlap vol '0 16 linear /dev/da 0' '8 8 zero'
		refused_table 'no such device' vol '0 65536 linear /dev/nowhere 0'
	done
}

test_refused_under_load()
{
	set_up
	during_load lvm/vol refuse
	same "${TABLE_A[0]}" "$(<"$KIO/lvm/vol/table")" table
}

test_grow()
{
	local pid

	need_tools udevadm
	set_up
	udevadm monitor --kernel --property --subsystem-match=block >"$WORK/events" &
	pid=$!
	undo kill "$pid"
	eventually grep -q KERNEL "$WORK/events"
	reload vol '0 65536 linear /dev/da 0' '65536 65536 linear /dev/db 0'
	same $((64 << 20)) "$(size_of lvm/vol)" size_bytes
	same $((64 << 20)) "$(blockdev --getsize64 /dev/kio/vol)" size
	eventually grep -q RESIZE=1 "$WORK/events"
	verify_io random /dev/kio/vol --ops 100
}

test_shrink()
{
	set_up
	reload vol '0 16 linear /dev/da 0'
	same 8192 "$(blockdev --getsize64 /dev/kio/vol)" size
	verify_io random /dev/kio/vol --ops 10
	must_fail dd if=/dev/zero of=/dev/kio/vol bs=4k seek=2 count=1 oflag=direct
}

test_resize2fs()
{
	local before

	set_up
	mkfs.ext4 -q /dev/kio/vol
	mounted /dev/kio/vol
	cp -r "$SELFTESTS" "$MNT/files"
	before=$(df --output=size "$MNT" | tail -n 1)
	reload vol "${TABLE_B[@]}" '65536 65536 linear /dev/db 0'
	resize2fs /dev/kio/vol
	[ "$(df --output=size "$MNT" | tail -n 1)" -gt $((before * 3 / 2)) ] ||
		fail 'the file system did not grow'
	diff -r "$SELFTESTS" "$MNT/files"
	umount "$MNT"
	e2fsck -fn /dev/kio/vol
	mount /dev/kio/vol "$MNT"
}

in_flight()
{
	[ "$(<"$(sysfs_of "$1")/inflight")" != '       0        0' ]
}

end_load()
{
	kill "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

# Disks that take a tenth of a second for all: some is always in flight.
test_drains()
{
	local i

	null_disk slow 8 irqmode=2 completion_nsec=100000000
	null_disk other 8 irqmode=2 completion_nsec=100000000
	volume vol '0 16384 linear /dev/slow 0'
	volume top '0 16384 linear /dev/kio/vol 0'
	for i in 1 2 3 4; do
		dd if=/dev/kio/top of=/dev/null bs=4k iflag=direct status=none &
		undo end_load $!
	done
	for i in 1 2 3; do
		eventually in_flight slow
		reload vol '0 16384 linear /dev/other 0'
		must_fail in_flight slow
		eventually in_flight other
		reload vol '0 16384 linear /dev/slow 0'
		must_fail in_flight other
	done
}

need_kind lvm
need_tools fio
run_cases \
	test_swaps 'a load sees nothing of many swaps' \
	test_swaps_below 'nor does one on top of others' \
	test_drains 'a swap waits for what is in flight' \
	test_data_follows_table 'after a swap the new table counts' \
	test_refused_under_load 'a load sees nothing of refused swaps' \
	test_grow 'growing is announced' \
	test_shrink 'what lies beyond a new end is gone' \
	test_resize2fs 'a mounted file system grows with its volume'
