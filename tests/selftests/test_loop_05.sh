#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: what changes under a device that is up: how its file is read, the size of
# that, its carrier's state and space, and who has it open.
#
#	dev	a file on ext4 on the disk carrier
. "${0%/*}/test_common.sh"

# on_ext4 MIB SIZE: a carrier of MIB, a file of SIZE
on_ext4()
{
	null_disk carrier "$1"
	mkfs.ext4 -q -m 0 /dev/carrier
	mounted /dev/carrier
	truncate -s "$2" "$MNT/file"
}

unmount()
{
	! mountpoint -q "$1" || umount "$1"
}

# on_dev: a file system on the device
on_dev()
{
	INNER=$WORK/inner
	mkdir -p "$INNER"
	mkfs.ext4 -q /dev/kio/dev
	mount /dev/kio/dev "$INNER"
	undo unmount "$INNER"
}

test_switch_direct()
{
	local round pid

	on_ext4 96 32M
	loop dev "$MNT/file" direct_io=0
	verify_io fill /dev/kio/dev --seed 1
	fio_verify /dev/kio/dev --io_size="$(longer 24m 1g)" &
	pid=$!
	for ((round = 0; round < $(longer 10 200); round++)); do
		write_attr "$KIO/loop/dev/direct_io" $((round % 2 == 0))
		same $((round % 2 == 0)) "$(<"$KIO/loop/dev/direct_io")" direct_io
	done
	wait "$pid"
	# What one way has written the other reads.
	write_attr "$KIO/loop/dev/direct_io" 0
	verify_io fill /dev/kio/dev --seed 2
	write_attr "$KIO/loop/dev/direct_io" 1
	verify_io check /dev/kio/dev --seed 2
	verify_io fill /dev/kio/dev --seed 3
	write_attr "$KIO/loop/dev/direct_io" 0
	verify_io check /dev/kio/dev --seed 3
}

# Blocks of a live device stay what they are.
test_switch_refused()
{
	null_disk carrier 64 blocksize=4096
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	truncate -s 16M "$MNT/file"
	loop dev "$MNT/file" direct_io=0
	refused 'Direct I/O cannot be had' loop/dev direct_io 1
	refused 'direct_io takes 0 or 1' loop/dev direct_io x
	verify_io random /dev/kio/dev --ops 20
	disable loop/dev
	write_attr "$KIO/loop/dev/direct_io" 1
	enable loop/dev
	write_attr "$KIO/loop/dev/direct_io" 0
	truncate -s 20M "$MNT/file"
	enable loop/dev
	same $((20 << 20)) "$(size_of loop/dev)" 'size of the device'
	same 4096 "$(blockdev --getss /dev/kio/dev)" 'logical block'
}

test_resize()
{
	on_ext4 128 16M
	loop dev "$MNT/file" offset_bytes=1048576
	on_dev
	fs_stress "$INNER" 2 2 &
	truncate -s 64M "$MNT/file"
	same $((15 << 20)) "$(size_of loop/dev)" 'size before it is told'
	enable loop/dev
	wait $!
	same $((63 << 20)) "$(size_of loop/dev)" 'size of the device'
	same $((63 << 20)) "$(blockdev --getsize64 /dev/kio/dev)" 'size of the disk'
	resize2fs /dev/kio/dev
	[ "$(df -m --output=size "$INNER" | tail -n 1)" -gt 40 ] ||
		fail 'the file system did not grow'
	umount "$INNER"
	e2fsck -fn /dev/kio/dev
	truncate -s 512K "$MNT/file"
	refused 'no whole block' loop/dev enable 1
	same $((63 << 20)) "$(size_of loop/dev)" 'size after a refusal'
}

is_down()
{
	[ "$(<"$KIO/loop/dev/enable")" = 0 ]
}

test_autoclear()
{
	on_ext4 64 16M
	loop dev "$MNT/file" autoclear=1 partscan=1
	pause 1
	same 1 "$(<"$KIO/loop/dev/enable")" 'enable before anybody came'
	exec 8</dev/kio/dev 9</dev/kio/dev
	exec 8<&-
	pause 1
	same 1 "$(<"$KIO/loop/dev/enable")" 'enable while it is open'
	exec 9<&-
	eventually is_down
	[ ! -e /dev/kio/dev ] || fail 'the node is still there'
	umount "$MNT"
	mount /dev/carrier "$MNT"
	# Told while it is mounted, as mount(8) does
	enable loop/dev
	write_attr "$KIO/loop/dev/autoclear" 0
	on_dev
	refused 'autoclear takes' loop/dev autoclear x
	write_attr "$KIO/loop/dev/autoclear" 1
	echo text >"$INNER/file"
	umount "$INNER"
	eventually is_down
	write_attr "$KIO/loop/dev/autoclear" 0
	enable loop/dev
	e2fsck -fn /dev/kio/dev
	pause 1
	same 1 "$(<"$KIO/loop/dev/enable")" 'enable without autoclear'
}

# The carrier of a device cannot become read-only below it.
test_carrier_read_only()
{
	on_ext4 64 16M
	loop dev "$MNT/file"
	must_be_busy mount -o remount,ro "$MNT"
	verify_io random /dev/kio/dev --ops 30
	verify_io fill /dev/kio/dev
	disable loop/dev
	write_attr "$KIO/loop/dev/read_only" 1
	enable loop/dev
	mount -o remount,ro "$MNT"
	verify_io check /dev/kio/dev
	mount -o remount,rw "$MNT"
}

# Writes wait for a frozen file system, reads do not.
test_frozen()
{
	local direct pid

	on_ext4 96 16M
	for direct in 1 0; do
		loop "dev$direct" "$MNT/file" direct_io="$direct"
		verify_io fill "/dev/kio/dev$direct" --seed 1
		sync
		fsfreeze -f "$MNT"
		undo fsfreeze_off
		verify_io fill "/dev/kio/dev$direct" --length 1M --seed 2 &
		pid=$!
		verify_io check "/dev/kio/dev$direct" --offset 2M --seed 1
		pause 1
		kill -0 "$pid" || fail 'a write went through'
		fsfreeze -u "$MNT"
		wait "$pid"
		verify_io check "/dev/kio/dev$direct" --length 1M --seed 2
		disable "loop/dev$direct"
	done
}

fsfreeze_off()
{
	fsfreeze -u "$MNT" 2>/dev/null || :
}

# full_write FILE: what of it the file system above takes until the carrier is full
full_write()
{
	dd if=/dev/urandom of="$1" bs=64k count=800 conv=fsync status=none
}

# A sparse file's carrier is full: who syncs is told, what was synced before stays, and it
# goes on once there is space.
test_no_space_below()
{
	local sum

	on_ext4 40 96M
	loop dev "$MNT/file"
	INNER=$WORK/inner
	mkdir -p "$INNER"
	mkfs.ext4 -q -O ^has_journal /dev/kio/dev
	mount -o errors=continue /dev/kio/dev "$INNER"
	undo unmount "$INNER"
	dd if=/dev/urandom of="$INNER/before" bs=64k count=64 conv=fsync status=none
	sum=$(md5sum <"$INNER/before")
	fallocate -l 4M "$MNT/reserve"
	must_fail full_write "$INNER/big"
	matches 'No space|Input/output' "$WHY" 'the writer above'
	echo 3 >/proc/sys/vm/drop_caches
	same "$sum" "$(md5sum <"$INNER/before")" 'what was there'
	rm "$INNER/big" "$MNT/reserve"
	fstrim "$INNER"
	dd if=/dev/urandom of="$INNER/after" bs=64k count=64 conv=fsync status=none
	sum=$(md5sum <"$INNER/after")
	umount "$INNER"
	e2fsck -fn /dev/kio/dev
	mount /dev/kio/dev "$INNER"
	same "$sum" "$(md5sum <"$INNER/after")" 'what came when there was space'
}

need_kind loop
need_tools fsfreeze resize2fs fio fstrim
run_cases \
	test_switch_direct 'direct I/O is switched under load' \
	test_switch_refused 'direct I/O that cannot be had' \
	test_resize 'the file grows' \
	test_autoclear 'the last close takes the device down' \
	test_carrier_read_only 'the carrier cannot become read-only' \
	test_frozen 'a frozen carrier holds writes up' \
	test_no_space_below 'a full carrier below a file system'
