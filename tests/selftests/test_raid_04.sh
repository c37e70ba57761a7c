#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: an array that cannot be is refused with a sentence that says why, and
# all stays as it was.
#
#	down	not enabled; attributes as each case sets them
#	up	RAID-1 of dc and dd
. "${0%/*}/test_common.sh"

set_up()
{
	null_disk da 8
	null_disk db 8
	make raid/down "$@"
}

# refused_legs PATTERN LEVEL "LEG LEG...": at enable
refused_legs()
{
	write_attr "$KIO/raid/down/level" "$2"
	write_attr "$KIO/raid/down/legs" "$3"
	refused "$1" raid/down enable 1
}

test_words()
{
	local word

	set_up level=1 'legs=/dev/da /dev/db' chunk_kib=32
	for word in x '' -1 7 1.0 18446744073709551617 '1 0'; do
		refused 'level takes' raid/down level "$word"
	done
	for word in x '' 0 -4 3 6 4k 18446744073709551616 4294967300; do
		refused 'chunk_kib takes a multiple of 4' raid/down chunk_kib "$word"
	done
	for word in '' ' '; do
		refused 'legs takes' raid/down legs "$word"
	done
	refused 'metadata takes' raid/down metadata 0.42
	same 32 "$(<"$KIO/raid/down/chunk_kib")" chunk_kib
	same 1 "$(<"$KIO/raid/down/level")" level
}

test_not_described()
{
	set_up
	refused 'no level' raid/down enable 1
	write_attr "$KIO/raid/down/level" 1
	refused '2 to .* legs, not 0' raid/down enable 1
}

test_numbers_of_legs()
{
	local level

	set_up
	for level in 0 1; do
		refused_legs '2 to [0-9]+ legs, not 1' "$level" /dev/da
	done
	refused_legs '2 to 16 legs, not 17' 1 "$(printf '/dev/da%.0s ' {1..17})"
}

test_twice()
{
	local level

	set_up
	ln -s /dev/da "$WORK/other"
	for level in 0 1; do
		refused_legs 'named twice' "$level" '/dev/da /dev/da'
		refused_legs 'twice.*same device' "$level" "/dev/da $WORK/other"
	done
}

test_missing()
{
	set_up
	refused_legs 'cannot do with 1 of 2' 0 '/dev/da missing'
	refused_legs 'cannot do with 0 of 2' 1 'missing missing'
}

test_no_device()
{
	local level

	set_up
	truncate -s 8M "$WORK/file"
	for level in 0 1; do
		refused_legs 'no such device' "$level" '/dev/da /dev/nowhere'
		refused_legs 'no such device' "$level" '/dev/da db'
		refused_legs 'not a block device' "$level" "/dev/da $WORK/file"
		refused_legs 'not a block device' "$level" '/dev/null /dev/da'
	done
}

test_not_free()
{
	set_up
	null_disk dc 8
	volume vol '0 8 linear /dev/dc 0'
	refused_legs 'in use' 1 '/dev/da /dev/dc'
	refused_legs 'in use' 0 '/dev/dc /dev/da'
	disable lvm/vol
	blockdev --setro /dev/dc
	refused_legs 'read-only' 1 '/dev/da /dev/dc'
	enable_free
}

# After all those refusals the legs are still free.
enable_free()
{
	write_attr "$KIO/raid/down/legs" '/dev/da /dev/db'
	enable raid/down
	disable raid/down
}

test_sizes()
{
	set_up
	write_attr "$KIO/raid/down/chunk_kib" 16384
	refused_legs 'too small' 0 '/dev/da /dev/db'
	write_attr "$KIO/raid/down/chunk_kib" 64
	write_attr "$KIO/raid/down/level" 0
	enable_free
}

test_on_itself()
{
	set_up
	refused_legs 'no such device' 1 '/dev/da /dev/kio/down'
}

test_up()
{
	local name

	null_disk dc 8
	null_disk dd 8
	array up 1 '/dev/dc /dev/dd'
	for name in level=0 chunk_kib=4 layout=original metadata=none 'legs=/dev/dc /dev/dd'; do
		refused 'only while it is down' raid/up "${name%%=*}" "${name#*=}"
		matches 'busy' "$WHY" errno
	done
	enable raid/up
	exec 9</dev/kio/up
	refused 'in use' raid/up enable 0
	exec 9<&-
	disable raid/up
	refused 'down' raid/up fail /dev/dc
	enable raid/up
}

need_kind raid
need_modules klvm
run_cases \
	test_words 'values that make no sense' \
	test_not_described 'an array that was not described' \
	test_numbers_of_legs 'too few and too many legs' \
	test_twice 'a leg that is named twice' \
	test_missing 'more missing legs than the level bears' \
	test_no_device 'legs that are no block devices' \
	test_not_free 'legs in use, legs that are read-only' \
	test_sizes 'sizes that do not fit' \
	test_on_itself 'an array on itself' \
	test_up 'changes while the array is up'
