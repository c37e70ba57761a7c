#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: what a device does beyond reads and writes comes through to the file,
# and the file's troubles come through to the device.
#
#	dev	a file on ext4 on the disk carrier
. "${0%/*}/test_common.sh"

# on_ext4 MIB SIZE: a carrier of MIB, a file of SIZE
on_ext4()
{
	null_disk carrier "$1" cache_size=16
	mkfs.ext4 -q -m 0 /dev/carrier
	mounted /dev/carrier
	truncate -s "$2" "$MNT/file"
}

blocks_kib()
{
	du -k "$MNT/file" | cut -f1
}

test_flush()
{
	local direct before

	on_ext4 64 16M
	for direct in 1 0; do
		loop "dev$direct" "$MNT/file" direct_io="$direct"
		matches 'write back' \
			"$(<"$(sysfs_of "kio/dev$direct")/queue/write_cache")" cache
		before=$(ios /dev/carrier | cut -d' ' -f4)
		dd if=/dev/zero of="/dev/kio/dev$direct" bs=4k count=1 oflag=direct \
			conv=fsync status=none
		[ "$(ios /dev/carrier | cut -d' ' -f4)" -gt "$before" ] ||
			fail 'the carrier was not flushed'
		disable "loop/dev$direct"
	done
}

# Through the page cache nothing has reached the carrier but what FUA sent.
test_fua()
{
	local before

	on_ext4 64 16M
	loop dev "$MNT/file" direct_io=0
	dd if=/dev/zero of=/dev/kio/dev bs=64k count=1 oflag=direct conv=fsync status=none
	before=$(ios /dev/carrier | cut -d' ' -f2)
	dd if=/dev/zero of=/dev/kio/dev bs=4k count=1 oflag=direct,dsync status=none
	[ "$(ios /dev/carrier | cut -d' ' -f2)" -gt "$before" ] ||
		fail 'the write did not reach the carrier'
}

test_discard()
{
	local before

	on_ext4 64 16M
	loop dev "$MNT/file"
	verify_io fill /dev/kio/dev
	sync
	before=$(blocks_kib)
	blkdiscard -o 4M -l 8M /dev/kio/dev
	verify_io zero /dev/kio/dev --offset 4M --length 8M
	verify_io check /dev/kio/dev --length 4M
	verify_io check /dev/kio/dev --offset 12M
	sync
	within 0 $((before - 8000)) "$(blocks_kib)" 'KiB of the file'
	same $((16 << 20)) "$(stat -c %s "$MNT/file")" 'size of the file'
}

test_zeroes()
{
	on_ext4 64 16M
	loop dev "$MNT/file"
	verify_io fill /dev/kio/dev
	blkdiscard -z -o 1M -l 5M /dev/kio/dev
	verify_io zero /dev/kio/dev --offset 1M --length 5M
	verify_io check /dev/kio/dev --length 1M
	verify_io check /dev/kio/dev --offset 6M
	sync
	verify_io zero "$MNT/file" --buffered --offset 1M --length 5M
}

test_fstrim()
{
	mkdir -p "$WORK/inner"
	on_ext4 128 64M
	loop dev "$MNT/file"
	mkfs.ext4 -q -E nodiscard /dev/kio/dev
	mount /dev/kio/dev "$WORK/inner"
	undo umount "$WORK/inner"
	dd if=/dev/zero of="$WORK/inner/data" bs=1M count=30 conv=fsync status=none
	rm "$WORK/inner/data"
	sync
	fstrim "$WORK/inner"
	sync
	within 0 16000 "$(blocks_kib)" 'KiB of the file after fstrim'
}

test_read_only()
{
	on_ext4 64 8M
	verify_io fill "$MNT/file" --buffered
	loop dev "$MNT/file" read_only=1
	same 1 "$(blockdev --getro /dev/kio/dev)" ro
	verify_io check /dev/kio/dev
	must_fail dd if=/dev/zero of=/dev/kio/dev bs=4k count=1 oflag=direct
	must_fail blkdiscard /dev/kio/dev
	must_fail blkdiscard -z /dev/kio/dev
	make lvm/vol 'table=0 8 linear /dev/kio/dev 0'
	refused 'read-only' lvm/vol enable 1
	verify_io check "$MNT/file" --buffered
}

# Only read_only makes a device of a file that may not be written.
test_read_only_carrier()
{
	on_ext4 64 8M
	verify_io fill "$MNT/file" --buffered
	mount -o remount,ro "$MNT"
	make loop/dev "file=$MNT/file"
	refused 'cannot be (opened|used)' loop/dev enable 1
	write_attr "$KIO/loop/dev/read_only" 1
	enable loop/dev
	verify_io check /dev/kio/dev
	disable loop/dev
}

test_partitions()
{
	on_ext4 64 16M
	printf '%s\n' start=2048,size=4096 start=6144 |
		sfdisk --quiet --label dos "$MNT/file"
	loop without "$MNT/file"
	[ ! -e /dev/kio/without1 ] || fail 'partitions appear unasked'
	disable loop/without
	loop with "$MNT/file" partscan=1
	eventually test -b /dev/kio/with2
	same $((2 << 20)) "$(blockdev --getsize64 /dev/kio/with1)" 'size of with1'
	verify_io fill /dev/kio/with1
	verify_io check "$MNT/file" --buffered --offset 1M --length 2M --as 0
}

# What fits stays what it is, what does not is an error.
test_no_space()
{
	local direct

	on_ext4 24 64M
	verify_io fill "$MNT/file" --length 4M --buffered
	sync
	for direct in 1 0; do
		loop "dev$direct" "$MNT/file" direct_io="$direct"
		must_fail dd if=/dev/urandom of="/dev/kio/dev$direct" bs=1M seek=8 \
			count=32 oflag=direct conv=fsync
		matches 'No space|Input/output' "$WHY" 'the writer'
		verify_io check "/dev/kio/dev$direct" --length 4M
		blkdiscard -o 8M -l 32M "/dev/kio/dev$direct"
		verify_io fill "/dev/kio/dev$direct" --offset 8M --length 1M
		disable "loop/dev$direct"
	done
	verify_io check "$MNT/file" --length 4M --buffered
}

test_carrier_fails()
{
	null_disk disk 64
	breakable_disk carrier /dev/disk
	mkfs.ext4 -q -O ^has_journal /dev/mapper/carrier
	mount -o errors=continue /dev/mapper/carrier "$MNT"
	undo umount "$MNT"
	fallocate -l 16M "$MNT/file"
	loop dev "$MNT/file"
	verify_io fill /dev/kio/dev
	break_disk carrier
	must_fail dd if=/dev/kio/dev of=/dev/null bs=64k count=1 iflag=direct
	must_fail dd if=/dev/zero of=/dev/kio/dev bs=64k count=1 oflag=direct
	mend_disk carrier /dev/disk
	verify_io check /dev/kio/dev --offset 64K
}

# Bytes that are no longer there are not made up.
test_truncated()
{
	local direct

	on_ext4 64 8M
	for direct in 1 0; do
		truncate -s 8M "$MNT/file"
		loop "dev$direct" "$MNT/file" direct_io="$direct"
		verify_io fill "/dev/kio/dev$direct"
		truncate -s 4M "$MNT/file"
		verify_io check "/dev/kio/dev$direct" --length 4M
		must_fail dd if="/dev/kio/dev$direct" of=/dev/null bs=64k skip=96 \
			count=1 iflag=direct
		must_fail dd if="/dev/kio/dev$direct" of=/dev/null bs=1M \
			count=2 iflag=direct,skip_bytes skip=$((4194304 - 4096))
		disable "loop/dev$direct"
	done
}

test_carrier_is_held()
{
	on_ext4 64 8M
	loop dev "$MNT/file"
	must_be_busy umount "$MNT"
	rm "$MNT/file"
	verify_io random /dev/kio/dev --ops 50
	disable loop/dev
	refused 'no such file' loop/dev enable 1
}

need_kind loop
need_tools blkdiscard fstrim sfdisk dmsetup
need_modules klvm
run_cases \
	test_flush 'a flush reaches the carrier' \
	test_fua 'FUA reaches the carrier' \
	test_discard 'a discard punches a hole' \
	test_zeroes 'zeroes are written' \
	test_fstrim 'fstrim shrinks the file' \
	test_read_only 'a read-only device' \
	test_read_only_carrier 'a file that cannot be written' \
	test_partitions 'partitions, when asked for' \
	test_no_space 'no space on the carrier' \
	test_carrier_fails 'a carrier that fails' \
	test_truncated 'a file that was cut off' \
	test_carrier_is_held 'the file is held while the device is up'
