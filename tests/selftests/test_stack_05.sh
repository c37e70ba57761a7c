#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: the whole stack over all borders: a volume over RAID over a disk and a
# file; a leg fails under load, and not one byte is wrong.
#
#	vol	| most of array	| 16 MiB of dc	|
#	array	RAID-1 or RAID-0 of da and file
#	file	loop, on ext4 on the disk carrier
. "${0%/*}/test_common.sh"

# set_up LEVEL SECTORS: how many the volume takes of the array
set_up()
{
	null_disk carrier 128
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	truncate -s 48M "$MNT/file"
	null_disk da 48
	null_disk dc 32
	loop file "$MNT/file"
	array array "$1" '/dev/da /dev/kio/file' chunk_kib=64
	volume vol "0 $2 linear /dev/kio/array 2048" \
		"$2 32768 linear /dev/dc 16"
}

test_raid1()
{
	set_up 1 81920
	fio_verify /dev/kio/vol --io_size="$(longer 32m 1g)"
	cmp /dev/da /dev/kio/file
	leg_states array in_sync in_sync
}

fail_leg()
{
	write_attr "$KIO/raid/array/fail" "$1"
}

# fio_with_failing_leg LEG: in the middle of its writes
fio_with_failing_leg()
{
	local pid before

	before=$(written lvm/vol)
	fio_verify /dev/kio/vol --io_size="$(longer 48m 1g)" &
	pid=$!
	eventually has_written lvm/vol $((before + 8))
	before=$(written lvm/vol)
	fail_leg "$1"
	eventually has_written lvm/vol $((before + 8))
	wait "$pid"
}

test_raid1_disk_fails()
{
	set_up 1 81920
	fio_with_failing_leg /dev/da
	leg_states array faulty in_sync
}

test_raid1_file_fails()
{
	set_up 1 81920
	during_load lvm/vol fail_leg /dev/kio/file
	leg_states array in_sync faulty
}

# The file's carrier runs out of space: the file fails, the array goes on.
test_raid1_no_space()
{
	null_disk carrier 24
	mkfs.ext4 -q -m 0 /dev/carrier
	mounted /dev/carrier
	truncate -s 48M "$MNT/file"
	null_disk da 48
	loop file "$MNT/file"
	array array 1 '/dev/kio/file /dev/da'
	volume vol '0 98304 linear /dev/kio/array 0'
	verify_io fill /dev/kio/vol
	leg_states array faulty in_sync
	verify_io check /dev/kio/vol
	verify_io random /dev/kio/vol --ops 50
}

test_raid0()
{
	set_up 0 163840
	fio_verify /dev/kio/vol --io_size="$(longer 48m 1g)"
	verify_io random /dev/kio/vol --ops 100 --buffered
}

# files_survive COMMAND...: in the middle of a copy onto a file system on vol
files_survive()
{
	local inner=$WORK/inner pid

	mkdir -p "$inner"
	mkfs.ext4 -q /dev/kio/vol
	mount /dev/kio/vol "$inner"
	undo umount "$inner"
	fs_stress "$inner" "$(longer 4 60)" 3 &
	pid=$!
	pause 2
	"$@"
	wait "$pid"
	(cd "$inner" && find . -type f -exec md5sum {} +) >"$WORK/sums"
	umount "$inner"
	e2fsck -fn /dev/kio/vol
	mount /dev/kio/vol "$inner"
	(cd "$inner" && md5sum --quiet -c "$WORK/sums")
}

test_files_raid1()
{
	set_up 1 81920
	files_survive fail_leg /dev/da
	leg_states array faulty in_sync
}

test_files_raid0()
{
	set_up 0 163840
	files_survive true
}

test_tree()
{
	set_up 1 81920
	same $'da\ndc\nkio/array\nkio/file\nkio/vol' \
		"$(lsblk -nrso NAME /dev/kio/vol | sort)" 'lsblk -s'
	refused 'in use' raid/array enable 0
	refused 'in use' loop/file enable 0
}

need_kind raid
need_modules kloop klvm
need_tools fio
run_cases \
	test_raid1 'a volume over RAID-1 over a disk and a file' \
	test_raid1_disk_fails 'the disk fails under load' \
	test_raid1_file_fails 'the file fails under load' \
	test_raid1_no_space 'the file finds no space' \
	test_raid0 'a volume over RAID-0 over a disk and a file' \
	test_files_raid1 'files survive the end of the disk' \
	test_files_raid0 'files on RAID-0' \
	test_tree 'the tree is seen, and held'
