#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: who calls the file system: the submitter, where the file need not wait and
# the task is in nothing that could bite; else a worker, with the same result.
#
#	dev	a file on ext4 on the disk carrier
#	upper	a file on the file system on dev
. "${0%/*}/test_common.sh"

WORKERS='workqueue_execute_start.*kloop_cmd_work'

on_ext4()
{
	null_disk carrier 192
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	head -c 96M /dev/zero >"$MNT/file"
	sync
}

read_dev()
{
	dd if="/dev/kio/$1" of=/dev/null bs=4k count=64 iflag=direct status=none
}

# by_workers COMMAND...: how many commands workers ran for it
by_workers()
{
	trace_on workqueue/workqueue_execute_start
	"$@"
	trace_off
	trace_reset
	traced "$WORKERS"
}

test_direct_read()
{
	on_ext4
	loop dev "$MNT/file"
	read_dev dev
	same 0 "$(by_workers read_dev dev)" 'reads that workers did'
}

test_cached_read()
{
	on_ext4
	loop dev "$MNT/file" direct_io=0
	read_dev dev
	same 0 "$(by_workers read_dev dev)" 'reads of the cache that workers did'
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(by_workers read_dev dev)" -gt 0 ] ||
		fail 'the submitter waited for the disk'
}

write_dev()
{
	dd if=/dev/urandom of="/dev/kio/$1" bs=4k count=4 oflag=direct \
		conv=notrunc status=none "${@:2}"
}

# What must wait, or is throttled, is not for the submitter.
test_workers()
{
	on_ext4
	loop dev "$MNT/file"
	[ "$(by_workers write_dev dev oflag=dsync)" -ge 4 ] || fail 'FUA in the submitter'
	disable loop/dev
	loop cached "$MNT/file" direct_io=0
	same 4 "$(by_workers write_dev cached)" 'writes into the cache that workers did'
}

# The file is not the writer's: it may be larger than his files may become.
test_file_limit()
{
	on_ext4
	loop dev "$MNT/file"
	(ulimit -f 8 && write_dev dev seek=16)
	same 4 "$(by_workers limited_write)" 'writes that workers did'
}

limited_write()
{
	(ulimit -f 8 && write_dev dev seek=1)
}

unmount()
{
	! mountpoint -q "$1" || umount "$1"
}

# A file system's blocks are not where its file system below looks for its own.
test_nested()
{
	local outer=$WORK/outer inner=$WORK/inner

	mkdir -p "$outer" "$inner"
	on_ext4
	loop dev "$MNT/file"
	mkfs.ext4 -q /dev/kio/dev
	mount /dev/kio/dev "$outer"
	undo unmount "$outer"
	truncate -s 64M "$outer/file"
	loop upper "$outer/file"
	mkfs.ext4 -q /dev/kio/upper
	mount /dev/kio/upper "$inner"
	undo unmount "$inner"
	fs_stress "$inner" "$(longer 4 60)" 3
	(cd "$inner" && find . -type f -exec md5sum {} +) >"$WORK/sums"
	umount "$inner"
	e2fsck -fn /dev/kio/upper
	mount /dev/kio/upper "$inner"
	(cd "$inner" && md5sum --quiet -c "$WORK/sums")
	umount "$inner"
	disable loop/upper
	umount "$outer"
	e2fsck -fn /dev/kio/dev
}

need_kind loop
run_cases \
	test_direct_read 'direct reads by the submitter' \
	test_cached_read 'the cache read by the submitter, the disk by a worker' \
	test_workers 'what must wait, by a worker' \
	test_file_limit 'a writer whose own files may not be that large' \
	test_nested 'a file system on a file on a file system on a file'
