#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: what lvm2 has made comes up as volumes of ours, and by device-mapper again, with
# the same data, whoever has written it.
#
#	vg	a volume group of lvm2 on /dev/nullb_a to /dev/nullb_e, 32 MiB each
#	kioctl lvm activate vg/lv	/dev/kio/vg-lv
#	lvchange -ay vg/lv		/dev/mapper/vg-lv
. "${0%/*}/test_common.sh"

export LVM_SUPPRESS_FD_WARNINGS=1 DM_DISABLE_UDEV=1
DISKS=(nullb_a nullb_b nullb_c nullb_d nullb_e)
PVS=("${DISKS[@]/#//dev/}")

lvm2()
{
	command lvm "$@" || fail "lvm $*"
}

# Nothing of the group is left, on disks that are gone with the case.
forget_group()
{
	kioctl lvm deactivate vg 2>/dev/null || :
	command lvm vgchange -an vg
}

# group [DISKS]: extents of 1 MiB; and a volume that has nothing to do with it
group()
{
	local disk

	for disk in "${DISKS[@]:0:${1:-2}}"; do
		null_disk "$disk" 32
	done
	lvm2 vgcreate -q -y -s 1M vg "${PVS[@]:0:${1:-2}}"
	undo forget_group
	volume vg-other '0 8 zero'
}

# volume_of_lvm2 NAME SIZE [OPTION|DISK...]: made, and not active
volume_of_lvm2()
{
	lvm2 lvcreate -q -y -an -Wn -Zn -n "$1" -L "$2" vg "${@:3}"
}

by_dm()
{
	lvm2 lvchange -ay "vg/$1"
}

no_more_by_dm()
{
	lvm2 lvchange -y -an "vg/$1"
}

# Ours reads what dm wrote, and dm what we wrote.
both_ways()
{
	by_dm lv
	verify_io fill /dev/mapper/vg-lv --seed 1
	no_more_by_dm lv
	kioctl lvm activate vg/lv
	verify_io check /dev/kio/vg-lv --seed 1
	verify_io fill /dev/kio/vg-lv --seed 2
	kioctl lvm deactivate vg/lv
	by_dm lv
	verify_io check /dev/mapper/vg-lv --seed 2
	same "$(dm_table)" "$OUR_TABLE" table
}

# Paths in place of numbers, which is how we write it
dm_table()
{
	dmsetup table vg-lv | sed -E "$(for disk in "${DISKS[@]}"; do
		[ ! -b "/dev/$disk" ] || echo "s, $(<"/sys/block/$disk/dev") , /dev/$disk ,g;"
	done)"
}

test_linear()
{
	group 2
	volume_of_lvm2 before 3M
	volume_of_lvm2 lv 4M
	volume_of_lvm2 beside 2M
	lvm2 lvextend -q -y -L +8M vg/lv "${PVS[1]}"
	lvm2 lvextend -q -y -L +3M vg/lv "${PVS[0]}"
	keep_table
	same 3 "$(wc -l <<<"$OUR_TABLE")" 'lines of the table'
	both_ways
}

# What ours makes of lv
keep_table()
{
	kioctl lvm activate vg/lv
	OUR_TABLE=$(<"$KIO/lvm/vg-lv/table")
	kioctl lvm deactivate vg/lv
}

striped()
{
	group "$1"
	volume_of_lvm2 before 1M
	volume_of_lvm2 lv "$2" -i "$1" -I "$3"
	keep_table
	both_ways
}

test_striped_two()
{
	striped 2 8M 4k
}

test_striped_three()
{
	striped 3 9M 64k
}

test_striped_five()
{
	striped 5 10M 4k
}

# snapshot_group: lv with contents of seed 1, and two snapshots
snapshot_group()
{
	group 2
	volume_of_lvm2 lv 8M
	by_dm lv
	verify_io fill /dev/mapper/vg-lv --seed 1
	lvm2 lvcreate -q -y -s -n snap -c 4k -L 9M vg/lv
	verify_io fill /dev/mapper/vg-lv --seed 2 --length 1M
	lvm2 lvcreate -q -y -s -n later-1 -c 64k -L 9M vg/lv
	verify_io fill /dev/mapper/vg-lv --seed 3 --offset 2M --length 1M
	verify_io fill /dev/mapper/vg-snap --seed 4 --offset 4M --length 1M
	no_more_by_dm lv
}

# are_there DIRECTORY: all three hold what was written, and what the origin held before
are_there()
{
	verify_io check "$1/vg-lv" --seed 2 --length 1M
	verify_io check "$1/vg-lv" --seed 3 --offset 2M --length 1M
	verify_io check "$1/vg-lv" --seed 1 --offset 3M --length 1M
	verify_io check "$1/vg-snap" --seed 1 --length 4M
	verify_io check "$1/vg-snap" --seed 4 --offset 4M --length 1M
	verify_io check "$1/vg-later--1" --seed 2 --length 1M
	verify_io check "$1/vg-later--1" --seed 1 --offset 1M
}

test_snapshots()
{
	snapshot_group
	kioctl lvm activate vg/snap
	are_there /dev/kio
	same "0 16384 snapshot-origin /dev/kio/vg-lv-real" "$(<"$KIO/lvm/vg-lv/table")" origin
	same "0 16384 snapshot /dev/kio/vg-lv-real /dev/kio/vg-later--1-cow P 128" \
		"$(<"$KIO/lvm/vg-later--1/table")" snapshot
	verify_io fill /dev/kio/vg-lv --seed 5 --offset 6M --length 1M
	verify_io fill /dev/kio/vg-later--1 --seed 6 --offset 7M --length 512K
	kioctl lvm deactivate vg/lv
	by_dm lv
	verify_io check /dev/mapper/vg-lv --seed 5 --offset 6M --length 1M
	verify_io check /dev/mapper/vg-snap --seed 1 --offset 6M
	verify_io check /dev/mapper/vg-later--1 --seed 6 --offset 7M --length 512K
	verify_io check /dev/mapper/vg-later--1 --seed 1 --offset 1M --length 6M
	no_more_by_dm lv
	kioctl lvm activate vg
	verify_io check /dev/kio/vg-later--1 --seed 6 --offset 7M --length 512K
}

# refused_by_kioctl PATTERN WORD...: with one sentence, and nothing has changed
refused_by_kioctl()
{
	local before

	take_state
	before=$STATE
	must_fail kioctl "${@:2}"
	matches "^kioctl: .*$1" "$WHY" "${*:2}"
	same 1 "$(wc -l <<<"$WHY")" 'lines said'
	take_state
	same "$before" "$STATE" "state after ${*:2}"
}

test_refused()
{
	need_modules dm-raid
	group 3
	refused_by_kioctl "volume group 'vg' has no logical volumes" lvm activate vg
	refused_by_kioctl "no report.*[nN]ot found" lvm activate vh
	volume_of_lvm2 lv 4M
	volume_of_lvm2 ro 1M -pr
	volume_of_lvm2 zero 1M --type zero
	volume_of_lvm2 r1 4M --type raid1 -m1 --nosync
	refused_by_kioctl "no logical volume 'vg/lw'" lvm activate vg/lw
	refused_by_kioctl 'read-only' lvm activate vg/ro
	refused_by_kioctl "kind 'raid1'" lvm activate vg/r1
	refused_by_kioctl "kind 'zero'" lvm activate vg/zero
	refused_by_kioctl "'vg/r" lvm activate vg
	refused_by_kioctl 'no volume' lvm deactivate vg/lv
	by_dm lv
	refused_by_kioctl 'active by device-mapper' lvm activate vg/lv
	no_more_by_dm lv
	lvm2 vgexport -q vg
	refused_by_kioctl 'exported' lvm activate vg/lv
	lvm2 vgimport -q vg
	kioctl lvm activate vg/lv
}

test_thin()
{
	need_modules dm-thin-pool
	group 2
	lvm2 lvcreate -q -y --type thin-pool -n pool -L 4M vg
	lvm2 lvcreate -q -y -V 8M --thinpool pool -n thin vg
	lvm2 vgchange -an vg
	refused_by_kioctl "kind 'thin'" lvm activate vg/thin
	refused_by_kioctl 'part of another' lvm activate vg/pool
}

test_missing()
{
	group 3
	volume_of_lvm2 lv 4M -i 2 "${PVS[1]}" "${PVS[2]}"
	volume_of_lvm2 whole 4M "${PVS[0]}"
	echo 0 >"$CONFIGFS/nullb/${DISKS[2]}/power"
	refused_by_kioctl 'physical volume of it is missing' lvm activate vg/lv
	kioctl lvm activate vg/whole
	kioctl lvm deactivate vg
	echo 1 >"$CONFIGFS/nullb/${DISKS[2]}/power"
}

# The second snapshot's store is none: the first one and the data go down again.
test_fails_midway()
{
	local store

	snapshot_group
	kioctl lvm activate vg
	store=$(<"$KIO/lvm/vg-snap-cow/table")
	kioctl lvm deactivate vg
	volume cow "$store"
	refused_by_kioctl 'in use by volume cow' lvm activate vg
	write_block cow x
	disable lvm/cow
	refused_by_kioctl "'vg-snap' refused enable=1" lvm activate vg/lv
}

# write_block NAME LETTER: over the first block
write_block()
{
	head -c 4096 /dev/zero | tr '\0' "$2" |
		dd of="/dev/kio/$1" bs=4096 count=1 oflag=direct status=none
}

test_busy()
{
	snapshot_group
	kioctl lvm activate vg
	exec 9</dev/kio/vg-snap
	refused_by_kioctl "'vg-snap' refused enable=0.*in use" lvm deactivate vg/lv
	exec 9<&-
	are_there /dev/kio
	kioctl lvm deactivate vg/lv
	must_fail kioctl lvm deactivate vg
}

# lvm2 extends a volume that is mounted; a second activation makes ours follow.
test_follows()
{
	local before

	need_tools resize2fs
	group 2
	volume_of_lvm2 lv 8M
	kioctl lvm activate vg/lv
	mkfs.ext4 -q /dev/kio/vg-lv
	mounted /dev/kio/vg-lv
	cp -r "$SELFTESTS" "$MNT/files"
	before=$(df --output=size "$MNT" | tail -n 1)
	lvm2 lvextend -q -y -L +30M vg/lv
	kioctl lvm activate vg/lv
	same $((38 << 20)) "$(blockdev --getsize64 /dev/kio/vg-lv)" size
	resize2fs /dev/kio/vg-lv
	[ "$(df --output=size "$MNT" | tail -n 1)" -gt $((before * 3)) ] ||
		fail 'the file system did not grow'
	diff -r "$SELFTESTS" "$MNT/files"
}

need_kind lvm
need_modules dm-mod dm-snapshot
need_tools lvm dmsetup kioctl
run_cases \
	test_linear 'linear of three segments, both ways' \
	test_striped_two '2 stripes of 4 KiB, both ways' \
	test_striped_three '3 stripes of 64 KiB, both ways' \
	test_striped_five '5 stripes of 4 KiB, both ways' \
	test_snapshots 'an origin and two snapshots, both ways' \
	test_refused 'what cannot be is refused in one sentence' \
	test_thin 'thin volumes are refused' \
	test_missing 'a physical volume that is missing' \
	test_fails_midway 'an activation that fails midway leaves nothing' \
	test_busy 'what is in use stays up, with all that belongs to it' \
	test_follows 'a mounted volume follows what lvm2 makes of it'
