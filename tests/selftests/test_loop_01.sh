#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: a file as a device: each byte is where it belongs, directly and through
# the page cache, on every file system, wherever in the file the device begins.
#
#	dev	a file on ext4 on the disk carrier, or on tmpfs
. "${0%/*}/test_common.sh"

on_ext4()
{
	null_disk carrier 128
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	truncate -s 32M "$MNT/file"
}

is_direct()
{
	same "$1" "$(<"$KIO/loop/dev/direct_io")" direct_io
}

# through_device FILE: what the device and the file show each other
through_device()
{
	same $((32 << 20)) "$(size_of loop/dev)" size_bytes
	verify_io fill /dev/kio/dev --seed 1
	verify_io check /dev/kio/dev --seed 1
	verify_io check "$1" --seed 1 --buffered
	disable loop/dev
	verify_io check "$1" --seed 1 --buffered
	verify_io fill "$1" --seed 2 --buffered
	enable loop/dev
	verify_io check /dev/kio/dev --seed 2
	verify_io check /dev/kio/dev --seed 2 --buffered
}

any_shape()
{
	verify_io random /dev/kio/dev --ops "$(longer 25 1000)" --jobs 4
	verify_io random /dev/kio/dev --ops "$(longer 100 5000)" --length 8M --buffered
	frag_io /dev/kio/dev $((8 << 20)) $(((8 << 20) + 512))
}

test_ext4_direct()
{
	on_ext4
	loop dev "$MNT/file"
	is_direct 1
	through_device "$MNT/file"
	any_shape
}

test_ext4_buffered()
{
	on_ext4
	loop dev "$MNT/file" direct_io=0
	is_direct 0
	through_device "$MNT/file"
	any_shape
}

test_xfs()
{
	need_modules xfs
	null_disk carrier 320
	mkfs.xfs -q /dev/carrier
	mounted /dev/carrier
	truncate -s 32M "$MNT/file"
	loop dev "$MNT/file"
	is_direct 1
	any_shape
}

test_tmpfs()
{
	truncate -s 32M "$WORK/file"
	loop dev "$WORK/file"
	through_device "$WORK/file"
	any_shape
}

test_fio()
{
	local direct

	on_ext4
	for direct in 1 0; do
		loop "dev$direct" "$MNT/file" direct_io="$direct"
		fio_verify "/dev/kio/dev$direct" --io_size="$(longer 24m 1g)"
		disable "loop/dev$direct"
	done
}

# A window of the file, off the carrier's blocks too
test_offset()
{
	local offset

	on_ext4
	for offset in 1048576 4096 512 1536; do
		verify_io fill "$MNT/file" --buffered --seed 3
		loop "at$offset" "$MNT/file" offset_bytes="$offset" size_limit_bytes=8388608
		same 8388608 "$(size_of "loop/at$offset")" size_bytes
		verify_io fill "/dev/kio/at$offset" --seed 4
		verify_io random "/dev/kio/at$offset" --seed 4 --ops 50
		verify_io fill "/dev/kio/at$offset" --seed 4
		disable "loop/at$offset"
		verify_io check "$MNT/file" --buffered --seed 4 --as 0 \
			--offset "$offset" --length 8M
		verify_io check "$MNT/file" --buffered --seed 3 --length "$offset"
		verify_io check "$MNT/file" --buffered --seed 3 \
			--offset $((offset + 8388608))
	done
}

test_sizes()
{
	on_ext4
	loop rest "$MNT/file" offset_bytes=$((30 << 20))
	same $((2 << 20)) "$(size_of loop/rest)" 'size of the rest'
	loop wide "$MNT/file" size_limit_bytes=$((1 << 30))
	same $((32 << 20)) "$(size_of loop/wide)" 'size below the limit'
	truncate -s 1000000 "$MNT/odd"
	loop odd "$MNT/odd" direct_io=0
	same 999936 "$(size_of loop/odd)" 'size in whole blocks'
	loop big "$MNT/odd" block_size=4096
	same 999424 "$(size_of loop/big)" 'size in whole large blocks'
	same 4096 "$(blockdev --getss /dev/kio/big)" 'logical block'
	verify_io random /dev/kio/odd --ops 50
}

need_kind loop
run_cases \
	test_ext4_direct 'a file on ext4, directly' \
	test_ext4_buffered 'a file on ext4, through the page cache' \
	test_xfs 'a file on xfs' \
	test_tmpfs 'a file on tmpfs' \
	test_fio 'fio, directly and through the page cache' \
	test_offset 'a window of a file, the rest of it left alone' \
	test_sizes 'sizes follow file, offset, limit and block'
