#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: file systems live on volumes: a stress of many threads, not one wrong
# byte, nothing for fsck to find.
#
#	vol	| 200 MiB of da | 200 MiB of db |
. "${0%/*}/test_common.sh"

SECONDS_OF_LOAD=$(longer 8 60)

set_up()
{
	null_disk da 256 discard=1 cache_size=64
	null_disk db 256 discard=1 cache_size=64
	volume vol '0 400000 linear /dev/da 2048' '400000 400000 linear /dev/db 0'
}

# stress FSCK...: on the mounted file system; it is found again as it was left
stress()
{
	note "$(fs_stress "$MNT" "$SECONDS_OF_LOAD" 4)"
	(cd "$MNT" && find . -type f -exec md5sum {} +) >"$WORK/sums"
	umount "$MNT"
	"$@" /dev/kio/vol
	mount /dev/kio/vol "$MNT"
	(cd "$MNT" && md5sum --quiet -c "$WORK/sums")
}

test_ext4()
{
	set_up
	mkfs.ext4 -q /dev/kio/vol
	mount -o discard /dev/kio/vol "$MNT"
	undo umount "$MNT"
	stress e2fsck -fn
}

test_xfs()
{
	need_modules xfs
	set_up
	mkfs.xfs -q /dev/kio/vol
	mounted /dev/kio/vol
	stress xfs_repair -n
}

need_kind lvm
need_tools mkfs.ext4 e2fsck mkfs.xfs xfs_repair
run_cases \
	test_ext4 'ext4 under stress' \
	test_xfs 'xfs under stress'
