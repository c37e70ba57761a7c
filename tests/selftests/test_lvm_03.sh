#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: 10,000 segments load, the right one is found at every place, and the
# live table can be read back.
#
#	vol	10,000 segments of 8 sectors, mirrored end to end:
#		segment i -> da at the place of segment 9999 - i
. "${0%/*}/test_common.sh"

NR=10000
SECTORS=8

many_segments()
{
	null_disk da 64
	seq 0 $((NR - 1)) | awk -v n="$NR" -v s="$SECTORS" \
		'{ print $1 * s, s, "linear /dev/da", (n - 1 - $1) * s }' >"$WORK/table"
	make lvm/vol
	write_table vol "$WORK/table"
	enable lvm/vol
	undo disable lvm/vol
}

test_lookup()
{
	local i

	same $((NR * SECTORS * 512)) "$(size_of lvm/vol)" size_bytes
	verify_io fill /dev/kio/vol
	for i in 0 1 2 4999 5000 9998 9999 $(shuf -i 0-9999 -n 30 --random-source=<(yes)); do
		verify_io check /dev/da --offset $(((NR - 1 - i) * SECTORS * 512)) \
			--length $((SECTORS * 512)) --as $((i * SECTORS))
	done
	verify_io random /dev/kio/vol --ops "$(longer 200 10000)"
}

test_read_back()
{
	local table

	table=$(<"$KIO/lvm/vol/table")
	same "$(head -n 50 "$WORK/table")" "$(head -n 50 <<<"$table")" table
	matches '^# [0-9]+ more lines$' "$(tail -n 1 <<<"$table")" 'last line'
	same "$NR" $(($(wc -l <<<"$table") - 1 + $(tail -n 1 <<<"$table" | tr -dc 0-9))) \
		'lines shown and lines announced'
}

test_short_table_read_back()
{
	null_disk db 8
	volume short '0 8 linear /dev/db 16' '8 24 zero' '32 8 error'
	same $'0 8 linear /dev/db 16\n8 24 zero\n32 8 error' \
		"$(<"$KIO/lvm/short/table")" table
	write_attr "$KIO/lvm/short/table" '0 8 zero'
	same 3 "$(wc -l <"$KIO/lvm/short/table")" 'lines of the live table'
}

test_shared_leg()
{
	same 1 "$(find /sys/block/kio\!vol/slaves -type l | wc -l)" slaves
	same 'kio!vol' "$(ls /sys/block/da/holders)" holders
}

need_kind lvm
many_segments
run_cases \
	test_lookup 'the right segment of 10,000 is found' \
	test_read_back 'a long table is read back as far as a page goes' \
	test_short_table_read_back 'a live table is read back, not the staged one' \
	test_shared_leg 'a leg named 10,000 times is claimed once'
