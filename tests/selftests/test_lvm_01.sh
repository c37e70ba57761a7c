#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: each sector of a volume is where its table says, for every length and
# shape of request, also one that lies on many segments.
#
#	vol	| 0..20 MiB	| 20..36 MiB	| 36..52 MiB	|
#		  da at 8 MiB	  db at 0	  da at 40 MiB
#
#	bits	segments of 1 to 40 sectors, over d0 and d1 in turns
. "${0%/*}/test_common.sh"

three_segments()
{
	null_disk da 64
	null_disk db 64
	volume vol '0 40960 linear /dev/da 16384' \
		'40960 32768 linear /dev/db 0' \
		'73728 32768 linear /dev/da 81920'
}

# Pieces of many lengths; those of a disk lie in reverse order, with gaps.
bits_table()
{
	local start=0 length i at=20000

	for ((i = 0; start < 16384; i++)); do
		length=$((i % 40 + 1))
		at=$((i % 2 ? at : at - 41))
		echo "$start $length linear /dev/d$((i % 2)) $((at + 30000))"
		start=$((start + length))
	done
}

bits()
{
	null_disk d0 64
	null_disk d1 64
	bits_table >"$WORK/table"
	make lvm/bits
	write_table bits "$WORK/table"
	enable lvm/bits
	undo disable lvm/bits
}

test_write()
{
	three_segments
	same $((52 << 20)) "$(size_of lvm/vol)" size_bytes
	same $((52 << 20)) "$(blockdev --getsize64 /dev/kio/vol)" size
	verify_io fill /dev/kio/vol
	verify_io check /dev/da --offset 8M --length 20M --as 0
	verify_io check /dev/db --length 16M --as 40960
	verify_io check /dev/da --offset 40M --length 16M --as 73728
	verify_io zero /dev/da --length 8M
	verify_io zero /dev/da --offset 28M --length 12M
	verify_io zero /dev/da --offset 56M --length 8M
	verify_io zero /dev/db --offset 16M --length 48M
}

test_read()
{
	three_segments
	verify_io fill /dev/da --offset 8M --length 20M --as 0
	verify_io fill /dev/db --length 16M --as 40960
	verify_io fill /dev/da --offset 40M --length 16M --as 73728
	verify_io check /dev/kio/vol
	verify_io check /dev/kio/vol --buffered
}

# The legs are compared piece by piece with what each line of the table says.
test_bits()
{
	local start length path offset n=0

	bits
	verify_io fill /dev/kio/bits
	verify_io check /dev/kio/bits
	while read -r start length _ path offset; do
		n=$((n + 1))
		[ $((n % 12)) = 0 ] || continue
		verify_io check "$path" --offset $((offset * 512)) \
			--length $((length * 512)) --as "$start"
	done <"$WORK/table"
}

test_random()
{
	bits
	verify_io random /dev/kio/bits --ops "$(longer 400 10000)" --seed 1
	verify_io random /dev/kio/bits --ops "$(longer 400 10000)" --seed 2 \
		--buffered
}

test_fragments()
{
	bits
	frag_io /dev/kio/bits $((4 << 20))
}

test_zero()
{
	null_disk da 8
	volume vol '0 2048 zero' '2048 2048 linear /dev/da 0' '4096 2048 zero'
	verify_io fill /dev/kio/vol
	verify_io zero /dev/kio/vol --length 1M
	verify_io check /dev/kio/vol --offset 1M --length 1M
	verify_io zero /dev/kio/vol --offset 2M --length 1M
}

test_offset_of_a_disk()
{
	null_disk da 8
	volume vol '0 8 linear /dev/da 16376'
	verify_io fill /dev/kio/vol
	verify_io check /dev/da --offset $((16376 * 512)) --length 4096 --as 0
}

need_kind lvm
run_cases \
	test_write 'what is written lands where the table says, and nowhere else' \
	test_read 'what is read comes from where the table says' \
	test_bits 'requests over many segments land piece by piece' \
	test_random 'random transfers over many segments keep every byte' \
	test_fragments 'memory in many pieces meets segments in many pieces' \
	test_zero 'zero reads as zeroes and forgets what is written' \
	test_offset_of_a_disk 'a segment may end with its disk'
