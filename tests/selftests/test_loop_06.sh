#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: file systems on files: every file of theirs is whole, whatever the carrier
# is, by partition, in images that tools made, and with little memory.
#
#	dev	a file on the carrier
#	vol	a volume on dev; upper a file on its file system
. "${0%/*}/test_common.sh"

INNER=$WORK/inner
mkdir "$INNER"

unmount()
{
	! mountpoint -q "$1" || umount "$1"
}

# within_inner DEVICE [OPTION...]: it is mounted at $INNER
within_inner()
{
	mount "${@:2}" "$1" "$INNER"
	undo unmount "$INNER"
}

take_sums()
{
	(cd "$1" && find . -type f -exec md5sum {} +) >"$WORK/sums"
	[ -s "$WORK/sums" ] || fail "no files below $1"
}

check_sums()
{
	(cd "$1" && md5sum --quiet -c "$WORK/sums")
}

# make_fs FS DEVICE, without a word
make_fs()
{
	need_modules "$1"
	need_tools "mkfs.$1"
	"mkfs.$1" -q "$2"
}

check_fs()
{
	case $1 in
	ext4) e2fsck -fn "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	esac
}

# stressed NAME FS FILE [ATTRIBUTE=VALUE...]: many threads at a file system on a file
stressed()
{
	local name=$1 dev=/dev/kio/$1

	loop "$name" "$3" "${@:4}"
	verify_io random "$dev" --ops "$(longer 30 1000)" --jobs 4
	make_fs "$2" "$dev"
	within_inner "$dev"
	fs_stress "$INNER" "$(longer 1 60)" 3
	take_sums "$INNER"
	umount "$INNER"
	check_fs "$2" "$dev"
	within_inner "$dev"
	check_sums "$INNER"
	umount "$INNER"
	disable "loop/$name"
}

# on_carrier FS MIB FILE_MIB INNER_FS
on_carrier()
{
	null_disk carrier "$2"
	make_fs "$1" /dev/carrier
	mounted /dev/carrier
	truncate -s "$3"M "$MNT/file"
	stressed dev "$4" "$MNT/file"
	[ "${KIO_LONG:-0}" = 0 ] ||
		stressed cached "$4" "$MNT/file" direct_io=0
}

test_on_ext4()
{
	on_carrier ext4 448 320 xfs
}

test_on_xfs()
{
	on_carrier xfs 320 64 ext4
}

test_on_btrfs()
{
	on_carrier btrfs 256 64 ext4
}

test_on_tmpfs()
{
	truncate -s 64M "$WORK/file"
	stressed dev ext4 "$WORK/file"
}

# A folder with files to make images of
source_files()
{
	mkdir -p "$WORK/source/folder"
	head -c 3000000 /dev/urandom >"$WORK/source/random"
	head -c 3000000 /dev/zero >"$WORK/source/folder/zero"
	take_sums "$WORK/source"
}

# holds_source DEVICE [OPTION...]
holds_source()
{
	within_inner "$1" -o ro "${@:2}"
	check_sums "$INNER"
	umount "$INNER"
}

# A disk image as tools make it: nobody has seen it as a device before.
test_disk_image()
{
	source_files
	truncate -s 64M "$WORK/image"
	printf '%s\n' start=2048,size=40960 start=43008,size=81920 |
		sfdisk --quiet --label gpt "$WORK/image"
	mkfs.ext4 -q -d "$WORK/source" -E offset=$((2048 * 512)) "$WORK/image" 20M
	mkfs.ext4 -q -d "$WORK/source" -E offset=$((43008 * 512)) "$WORK/image" 40M
	loop dev "$WORK/image" partscan=1
	eventually test -b /dev/kio/dev2
	e2fsck -fn /dev/kio/dev1
	holds_source /dev/kio/dev1
	within_inner /dev/kio/dev2
	check_sums "$INNER"
	fs_stress "$INNER" 1 2
	take_sums "$INNER"
	umount "$INNER"
	e2fsck -fn /dev/kio/dev2
	disable loop/dev
	write_attr "$KIO/loop/dev/read_only" 1
	enable loop/dev
	eventually test -b /dev/kio/dev2
	holds_source /dev/kio/dev2
}

# image_mounts FS IMAGE: both ways; nobody writes into it
image_mounts()
{
	local direct sum

	null_disk carrier 64
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	cp "$2" "$MNT/image"
	sum=$(md5sum <"$MNT/image")
	for direct in 1 0; do
		loop "dev$direct" "$MNT/image" read_only=1 direct_io="$direct"
		same 1 "$(blockdev --getro "/dev/kio/dev$direct")" ro
		holds_source "/dev/kio/dev$direct" -t "$1"
		disable "loop/dev$direct"
	done
	same "$sum" "$(md5sum <"$MNT/image")" 'the image'
}

test_squashfs()
{
	need_modules squashfs
	need_tools mksquashfs
	source_files
	mksquashfs "$WORK/source" "$WORK/squashfs" -quiet -no-progress
	image_mounts squashfs "$WORK/squashfs"
}

test_iso()
{
	need_modules isofs
	need_tools xorrisofs
	source_files
	xorrisofs -quiet -R -o "$WORK/iso" "$WORK/source"
	image_mounts iso9660 "$WORK/iso"
}

# limited MIB COMMAND...: in a control group with that much memory
limited()
{
	local group=$WORK/cgroup/kio

	mkdir -p "$WORK/cgroup"
	mount -t cgroup2 none "$WORK/cgroup" || skip 'no cgroup2'
	undo umount "$WORK/cgroup"
	grep -qw memory "$WORK/cgroup/cgroup.controllers" ||
		skip 'no memory controller'
	echo +memory >"$WORK/cgroup/cgroup.subtree_control"
	mkdir "$group"
	undo rmdir "$group"
	echo "$1"M >"$group/memory.max"
	echo "$BASHPID" >"$group/cgroup.procs"
	"${@:2}"
	echo "$BASHPID" >"$WORK/cgroup/cgroup.procs"
	[ "$(sed -n 's/^max //p' "$group/memory.events")" -gt 0 ] ||
		fail 'memory was never short'
}

# memory_left MIB: takes the rest of what is available
memory_left()
{
	local kib

	kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	mkdir "$WORK/balloon"
	mount -t tmpfs -o size=100% none "$WORK/balloon"
	undo umount "$WORK/balloon"
	fallocate -l $((kib - $1 * 1024))K "$WORK/balloon/file"
}

# more_than_memory FILE TIMES
more_than_memory()
{
	local round

	for ((round = 0; round < $2; round++)); do
		head -c 40M /dev/urandom | tee "$1" | md5sum >"$WORK/large"
		same "$(<"$WORK/large")" "$(md5sum <"$1")" 'what was read back'
	done
}

# A file system on a file on a file system on a volume on a file, all there already
# but for what is written
test_deep()
{
	local outer=$WORK/outer

	need_modules klvm
	mkdir -p "$outer"
	null_disk carrier 192
	dd if=/dev/zero of=/dev/carrier bs=1M count=192 oflag=direct status=none
	mkfs.ext4 -q /dev/carrier
	mounted /dev/carrier
	truncate -s 160M "$MNT/file"
	loop dev "$MNT/file"
	volume vol '0 323584 linear /dev/kio/dev 2048'
	mkfs.ext4 -q /dev/kio/vol
	mount /dev/kio/vol "$outer"
	undo unmount "$outer"
	truncate -s 96M "$outer/file"
	loop upper "$outer/file"
	mkfs.ext4 -q /dev/kio/upper
	within_inner /dev/kio/upper
	memory_left 128
	fs_stress "$INNER" "$(longer 2 60)" 3 &
	limited 24 more_than_memory "$INNER/large" "$(longer 1 20)"
	wait $!
	take_sums "$INNER"
	umount "$INNER"
	e2fsck -fn /dev/kio/upper
	within_inner /dev/kio/upper
	check_sums "$INNER"
	umount "$INNER"
	disable loop/upper
	umount "$outer"
	e2fsck -fn /dev/kio/vol
}

need_kind loop
need_tools sfdisk
run_cases \
	test_on_ext4 'xfs on a file on ext4' \
	test_on_xfs 'ext4 on a file on xfs' \
	test_on_btrfs 'ext4 on a file on btrfs' \
	test_on_tmpfs 'ext4 on a file on tmpfs' \
	test_disk_image 'a disk image, mounted by partition' \
	test_squashfs 'a squashfs image' \
	test_iso 'an iso image' \
	test_deep 'a deep stack with little memory'
