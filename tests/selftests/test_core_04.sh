#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: flush, FUA, discard and write-zeroes reach every device that they
# concern, mean there what they meant above, and fail above when they fail there.
#
#	vol	| 16 MiB of da	| 16 MiB of db	|
#	da, db	disks with a cache that take discards
. "${0%/*}/test_common.sh"

set_up()
{
	null_disk da 32 cache_size=16 discard=1
	null_disk db 32 cache_size=16 "$@"
	volume vol '0 32768 linear /dev/da 8' '32768 32768 linear /dev/db 8'
}

flushes()
{
	ios "$1" | cut -d' ' -f4
}

discards()
{
	ios "$1" | cut -d' ' -f3
}

# grows COUNTER COMMAND... -- DEVICE...: COMMAND makes it grow on each
grows()
{
	local counter=$1 before=() after device
	local -a command=()

	shift
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	for device; do
		before+=("$("$counter" "$device")")
	done
	"${command[@]}"
	for device; do
		after=$("$counter" "$device")
		[ "$after" -gt "${before[0]}" ] ||
			fail "no $counter of $device: ${before[0]}, then $after"
		before=("${before[@]:1}")
	done
}

direct_write()
{
	dd if=/dev/zero of="$1" bs=4k count=1 oflag=direct status=none \
		conv=notrunc "${@:2}"
}

# A journal's commit: data with a flush before it
commit()
{
	echo x >"$MNT/file"
	sync -f "$MNT/file"
}

test_flush()
{
	set_up
	matches 'write back' "$(<"$(sysfs_of kio/vol)/queue/write_cache")" cache
	grows flushes direct_write /dev/kio/vol conv=fsync -- \
		/dev/kio/vol /dev/da /dev/db
}

test_flush_through_layers()
{
	set_up
	volume mid '0 65536 linear /dev/kio/vol 0'
	volume top '0 100 zero' '100 65000 linear /dev/kio/mid 0'
	grows flushes direct_write /dev/kio/top conv=fsync -- \
		/dev/kio/top /dev/kio/mid /dev/kio/vol /dev/da /dev/db
}

# The second leg came after the upper volume had looked.
test_flush_after_swap()
{
	null_disk da 32 cache_size=16
	null_disk db 32 cache_size=16
	volume vol '0 32768 linear /dev/da 0'
	volume top '0 32768 linear /dev/kio/vol 0'
	reload vol '0 16384 linear /dev/da 0' '16384 16384 linear /dev/db 0'
	mkfs.ext4 -q /dev/kio/top
	mounted /dev/kio/top
	grows flushes commit -- /dev/da /dev/db
}

test_preflush()
{
	set_up
	mkfs.ext4 -q /dev/kio/vol
	mounted /dev/kio/vol
	grows flushes commit -- /dev/da /dev/db
}

test_no_cache_no_flush()
{
	local before

	null_disk da 32
	volume vol '0 32768 linear /dev/da 0'
	matches 'write through' "$(<"$(sysfs_of kio/vol)/queue/write_cache")" cache
	before=$(flushes /dev/da)
	direct_write /dev/kio/vol conv=fsync
	same "$before" "$(flushes /dev/da)" 'flushes of da'
}

test_fua()
{
	set_up
	trace_on block/block_rq_issue
	direct_write /dev/kio/vol oflag=dsync
	trace_off
	within 1 1 "$(traced "block_rq_issue: $(number_of da) WF")" 'FUA writes of da'
	same 0 "$(traced "block_rq_issue: $(number_of db) W")" 'writes of db'
}

# Nothing is written to the second leg; its cache must be asked all the same.
test_failed_flush()
{
	need_modules dm-flakey
	null_disk da 32 cache_size=16
	null_disk db 32 cache_size=16
	breakable_disk mb /dev/db
	volume vol '0 32768 linear /dev/da 0' '32768 32768 linear /dev/mapper/mb 0'
	direct_write /dev/kio/vol conv=fsync
	break_writes mb /dev/db
	direct_write /dev/kio/vol
	must_fail direct_write /dev/kio/vol conv=fsync
	matches 'Input/output error' "$WHY" 'fsync'
	mend_disk mb /dev/db
	direct_write /dev/kio/vol conv=fsync
}

test_discard()
{
	set_up discard=1
	verify_io fill /dev/kio/vol
	grows discards blkdiscard -o 10M -l 12M /dev/kio/vol -- \
		/dev/kio/vol /dev/da /dev/db
	verify_io zero /dev/kio/vol --offset 10M --length 12M
	verify_io check /dev/kio/vol --length 10M
	verify_io check /dev/kio/vol --offset 22M
}

# A hint that one leg cannot use is no error, and no harm.
test_discard_on_one()
{
	set_up
	verify_io fill /dev/kio/vol
	blkdiscard -o 10M -l 12M /dev/kio/vol
	verify_io zero /dev/kio/vol --offset 10M --length 6M
	verify_io check /dev/kio/vol --offset 16M
}

test_fstrim()
{
	set_up discard=1
	mkfs.ext4 -q -E nodiscard /dev/kio/vol
	mounted /dev/kio/vol
	grows discards fstrim "$MNT" -- /dev/da /dev/db
}

test_zeroes()
{
	set_up
	verify_io fill /dev/kio/vol
	blkdiscard -z -o 10M -l 12M /dev/kio/vol
	verify_io zero /dev/kio/vol --offset 10M --length 12M
	verify_io check /dev/kio/vol --length 10M
	verify_io check /dev/kio/vol --offset 22M
}

# Legs that can write zeroes without data: the kernel's loop devices
test_zeroes_offloaded()
{
	local i loops=()

	need_modules loop
	null_disk carrier 128
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	for i in 0 1; do
		truncate -s 16M "$MNT/file$i"
		loops+=("$(losetup --find --show "$MNT/file$i")")
		undo losetup -d "${loops[i]}"
	done
	volume vol "0 32768 linear ${loops[0]} 0" "32768 32768 linear ${loops[1]} 0"
	[ "$(<"$(sysfs_of kio/vol)/queue/write_zeroes_max_bytes")" != 0 ] ||
		fail 'the volume cannot write zeroes, its legs can'
	verify_io fill /dev/kio/vol
	blkdiscard -z -o 10M -l 12M /dev/kio/vol
	verify_io zero /dev/kio/vol --offset 10M --length 12M
	verify_io check /dev/kio/vol --length 10M
	verify_io check /dev/kio/vol --offset 22M
	grows discards blkdiscard -o 1M -l 30M /dev/kio/vol -- "${loops[@]}"
}

need_kind lvm
need_tools blkdiscard fstrim
run_cases \
	test_flush 'a flush reaches every leg' \
	test_flush_through_layers 'a flush reaches every leg below every layer' \
	test_flush_after_swap 'a flush reaches a leg that came later' \
	test_preflush 'a flush that comes with data reaches every leg' \
	test_no_cache_no_flush 'without caches nothing is flushed' \
	test_fua 'FUA goes where the data goes' \
	test_failed_flush 'a flush that fails on any leg fails' \
	test_discard 'a discard over two legs' \
	test_discard_on_one 'a discard that one of two legs cannot do' \
	test_fstrim 'fstrim reaches the legs' \
	test_zeroes 'zeroes over two legs' \
	test_zeroes_offloaded 'zeroes over two legs that need no data for it'
