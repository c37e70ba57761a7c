#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: a file that cannot be a device is refused with a sentence that says
# why, and all stays as it was.
#
#	down	not enabled; attributes as each case sets them
. "${0%/*}/test_common.sh"

set_up()
{
	truncate -s 4M "$WORK/file"
	make loop/down "$@"
}

refused_file()
{
	write_attr "$KIO/loop/down/file" "$2"
	refused "$1" loop/down enable 1
}

test_files()
{
	set_up
	null_disk da 8
	: >"$WORK/empty"
	mkfifo "$WORK/fifo"
	refused 'No file' loop/down enable 1
	refused_file 'no such file' "$WORK/nowhere"
	refused_file 'no such file' "$WORK/no/where"
	refused_file 'directory' "$WORK"
	refused_file 'block device' /dev/da
	refused_file 'not a regular file' /dev/null
	refused_file 'no whole block' "$WORK/empty"
	truncate -s 511 "$WORK/empty"
	refused_file 'no whole block' "$WORK/empty"
	refused_file 'cannot be (opened|used)' "$WORK/file/x"
	write_attr "$KIO/loop/down/file" "$WORK/file"
	enable loop/down
	disable loop/down
}

test_words()
{
	local name word

	set_up "file=$WORK/file"
	refused 'absolute path' loop/down file file
	refused 'absolute path' loop/down file ''
	refused 'absolute path' loop/down file ./file
	for name in offset_bytes size_limit_bytes; do
		for word in x '' -512 1 511 1k 9223372036854775808 18446744073709551616; do
			refused "$name takes a multiple of 512" loop/down "$name" "$word"
		done
	done
	for word in x '' -1 1 511 513 1000 8192 4294967808; do
		refused 'block_size takes' loop/down block_size "$word"
	done
	for name in direct_io read_only partscan; do
		for word in x '' 2 -1; do
			refused "$name takes 0 or 1" loop/down "$name" "$word"
		done
	done
	enable loop/down
	disable loop/down
}

test_offset()
{
	set_up "file=$WORK/file" offset_bytes=4194304
	refused 'no whole block' loop/down enable 1
	write_attr "$KIO/loop/down/offset_bytes" 9223372036854775296
	refused 'no whole block' loop/down enable 1
	write_attr "$KIO/loop/down/offset_bytes" 4193792
	enable loop/down
	same 512 "$(size_of loop/down)" size_bytes
	disable loop/down
}

# Only where it was asked for outright.
test_no_direct()
{
	null_disk carrier 64
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	truncate -s 4M "$MNT/file"
	null_disk big 64 blocksize=4096
	mkdir -p "$WORK/big"
	mkfs.ext4 -q /dev/big
	mount /dev/big "$WORK/big"
	undo umount "$WORK/big"
	truncate -s 4M "$WORK/big/file"
	make loop/down direct_io=1 offset_bytes=512
	refused_file 'Direct I/O' "$WORK/big/file"
	write_attr "$KIO/loop/down/direct_io" 0
	enable loop/down
	verify_io random /dev/kio/down --ops 20
	disable loop/down
	write_attr "$KIO/loop/down/direct_io" 1
	write_attr "$KIO/loop/down/file" "$MNT/file"
	enable loop/down
	disable loop/down
}

test_swap()
{
	null_disk carrier 64
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	dd if=/dev/zero of="$MNT/swap" bs=1M count=8 status=none
	chmod 600 "$MNT/swap"
	mkswap -q "$MNT/swap"
	swapon "$MNT/swap"
	undo swapoff "$MNT/swap"
	make loop/down
	refused_file 'swap' "$MNT/swap"
}

test_up()
{
	local setting

	set_up "file=$WORK/file"
	enable loop/down
	undo disable loop/down
	for setting in "file=$WORK/file" offset_bytes=512 size_limit_bytes=512 \
		block_size=4096 read_only=1 partscan=1; do
		refused 'only while it is down' loop/down "${setting%%=*}" "${setting#*=}"
		matches 'busy' "$WHY" errno
	done
	enable loop/down
	exec 9</dev/kio/down
	refused 'in use' loop/down enable 0
	exec 9<&-
}

# The device's own content as its carrier: the mount holds it, so it never ends.
test_own_carrier()
{
	local inner=$WORK/inner

	mkdir -p "$inner"
	null_disk carrier 128
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	truncate -s 64M "$MNT/file"
	loop outer "$MNT/file"
	mkfs.ext4 -q /dev/kio/outer
	mount /dev/kio/outer "$inner"
	undo umount "$inner"
	truncate -s 16M "$inner/file"
	loop inner "$inner/file"
	verify_io random /dev/kio/inner --ops 30 --jobs 8
	must_be_busy umount "$inner"
	refused 'in use' loop/outer enable 0
}

# refused_below DEVICE: the volume may not come to lie on it
refused_below()
{
	stage vol '0 65536 linear /dev/da 0' "65536 2048 linear $1 0"
	refused 'lie on itself' lvm/vol enable 1
	matches 'Too many levels' "$WHY" errno
	echo clear >"$KIO/lvm/vol/table"
}

# A device on a file on a file system on a volume on that device
test_cycle()
{
	need_modules klvm
	null_disk da 64
	volume vol '0 65536 linear /dev/da 0'
	mkfs.ext4 -q /dev/kio/vol
	mounted /dev/kio/vol
	truncate -s 16M "$MNT/file"
	loop dev "$MNT/file"
	refused_below /dev/kio/dev
	volume between '0 8192 linear /dev/kio/dev 0'
	refused_below /dev/kio/between
	disable lvm/between
	# What is no cycle goes on, and the volume's own tables with it.
	stage vol '0 65536 linear /dev/da 0' '65536 2048 linear /dev/da 65536'
	enable lvm/vol
	verify_io random /dev/kio/dev --ops 30
	disable loop/dev
}

need_kind loop
run_cases \
	test_files 'what is no usable file' \
	test_words 'values that make no sense' \
	test_offset 'offsets at and beyond the end' \
	test_no_direct 'direct I/O where it cannot be had' \
	test_swap 'a file in use as swap' \
	test_up 'changes while the device is up' \
	test_own_carrier 'a device on a file on a device' \
	test_cycle 'a device below the file system of its file'
