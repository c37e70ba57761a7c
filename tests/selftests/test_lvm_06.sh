#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: a request that fails in any part fails, never succeeds; what has no
# part in it is left alone.
#
#	vol	| 1 MiB of da	| 512 KiB: fails	| 1 MiB of db	|
#		what fails is an error segment, a broken leg, or a volume on one
. "${0%/*}/test_common.sh"

BEGIN=$((1 << 20))
END=$((BEGIN + (1 << 19)))

legs()
{
	null_disk da 8
	null_disk db 8
}

around()
{
	volume vol '0 2048 linear /dev/da 0' "2048 1024 $1" '3072 2048 linear /dev/db 0'
}

eio()
{
	must_fail "$@"
	matches 'Input/output error' "$WHY" "$*"
}

test_error_segment()
{
	legs
	around error
	eio dd if=/dev/kio/vol of=/dev/null bs=4k skip=256 count=1 iflag=direct
	eio dd if=/dev/zero of=/dev/kio/vol bs=4k seek=256 count=1 oflag=direct
	eio blkdiscard -o 1M -l 64k -z /dev/kio/vol
	partial_bio /dev/kio/vol "$BEGIN" "$END"
}

test_broken_leg()
{
	legs
	null_disk dc 8
	breakable_disk mc /dev/dc
	around 'linear /dev/mapper/mc 0'
	partial_bio /dev/kio/vol "$((3 << 19))" "$((5 << 19))" >"$WORK/sound" &&
		fail 'partial_bio finds errors where there are none'
	break_disk mc
	partial_bio /dev/kio/vol "$BEGIN" "$END"
	mend_disk mc /dev/dc
	verify_io random /dev/kio/vol --ops 100
}

test_below_layers()
{
	legs
	volume bad '0 500 error' '500 524 error'
	around 'linear /dev/kio/bad 0'
	volume mid '0 5120 linear /dev/kio/vol 0'
	volume top '0 2000 linear /dev/kio/mid 0' '2000 3120 linear /dev/kio/mid 2000'
	partial_bio /dev/kio/top "$BEGIN" "$END"
}

test_neighbours()
{
	legs
	around error
	verify_io fill /dev/kio/vol --length 1M
	verify_io fill /dev/kio/vol --offset "$END"
	must_fail dd if=/dev/zero of=/dev/kio/vol bs="$END" count=1 oflag=direct
	verify_io fill /dev/kio/vol --length 1M
	verify_io check /dev/kio/vol --length 1M
	verify_io check /dev/kio/vol --offset "$END"
}

# The file system must hear of it, not find out later.
test_fsync_tells()
{
	need_modules dm-flakey
	null_disk da 32
	null_disk db 32
	breakable_disk mb /dev/db
	volume vol '0 16384 linear /dev/da 0' '16384 49152 linear /dev/mapper/mb 0'
	mkfs.ext4 -q -O ^has_journal /dev/kio/vol
	mounted /dev/kio/vol
	break_writes mb /dev/db
	must_fail dd if=/dev/zero of="$MNT/file" bs=1M count=12 conv=fsync status=none
	mend_disk mb /dev/db
}

need_kind lvm
need_tools dmsetup
run_cases \
	test_error_segment 'transfers that meet an error segment fail' \
	test_broken_leg 'transfers that meet a broken leg fail' \
	test_below_layers 'transfers that meet an error below layers fail' \
	test_neighbours 'what lies beside is left alone' \
	test_fsync_tells 'a file system hears of a failed write'
