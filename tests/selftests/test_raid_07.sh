#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: an array is not assembled of what does not belong together or was damaged; a
# sentence says why, and nothing is claimed or changed. What is merely out of date is
# left out, and said to be.
#
#	array	of what superblocks say, on some of da, db, dc, dd
. "${0%/*}/test_common.sh"

# disks MIB...: da, db and so on
disks()
{
	local mib letters=abcdef i=0

	for mib; do
		null_disk "d${letters:i:1}" "$mib"
		i=$((i + 1))
	done
}

# created "LEG..." [ATTRIBUTE=VALUE...]: superblocks of an array that is down again;
# RAID-1 if nothing else is said
created()
{
	bring_up "raid/made$((++MADE))" level=1 metadata=1.2 create=1 assume_clean=1 \
		name=made "${@:2}" "legs=$1"
	disable "raid/made$MADE"
}
MADE=0
FREED=

# named LEG...: an array of them, to be assembled
named()
{
	if [ ! -d "$KIO/raid/array" ]; then
		make raid/array metadata=1.2
		undo disable raid/array
	fi
	write_attr "$KIO/raid/array/legs" "$*"
}

# not_of PATTERN LEG...: they are not assembled, nothing of theirs is written
not_of()
{
	local before

	named "${@:2}"
	before=$(sums "${@:2}")
	refused "$1" raid/array enable 1
	# Once: later ones would be in the way of what the case claims next.
	[ -n "$FREED" ] || [ "${*:2}" = 'missing missing' ] || free "${@:2}"
	FREED=1
	same "$before" "$(sums "${@:2}")" 'what is on the legs'
}

sums()
{
	local leg

	for leg; do
		[ "$leg" = missing ] || dd if="$leg" bs=64k count=32 iflag=direct \
			status=none | md5sum
	done
}

# free LEG...: another array can claim them, one without superblocks
free()
{
	if [ ! -d "$KIO/raid/claim" ]; then
		make raid/claim level=1
		undo disable raid/claim
	fi
	write_attr "$KIO/raid/claim/legs" "$(printf '%s\n' "$@" missing | sort -u)"
	enable raid/claim
	disable raid/claim
}

comes_up()
{
	named "$@"
	enable raid/array
}

goes_down()
{
	disable raid/array
}

# Written to: so that superblocks tell of it
went_on()
{
	comes_up "$@"
	dd if=/dev/urandom of=/dev/kio/array bs=64k count=1 oflag=direct status=none
	goes_down
}

# overwrite DISK BYTE TEXT
overwrite()
{
	printf %b "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc,fsync status=none
}

left_out()
{
	log_has "kraid: array: $1 is left out: $2" ||
		fail "the log does not say that $1 is left out: $2"
}

# It failed, and the array was written without it.
test_kicked()
{
	disks 8 8
	created '/dev/da /dev/db'
	comes_up /dev/da /dev/db
	echo /dev/db >"$KIO/raid/array/fail"
	verify_io fill /dev/kio/array --seed 1
	goes_down
	comes_up /dev/db /dev/da
	left_out /dev/db 'it has lost its place'
	leg_states array in_sync missing faulty
	same 1 "$(<"$KIO/raid/array/degraded")" degraded
	verify_io check /dev/kio/array --seed 1
	verify_io fill /dev/kio/array --seed 2
	must_fail verify_io check /dev/db --offset 1M --as 0 --seed 2
}

test_stale()
{
	disks 8 8
	created '/dev/da /dev/db'
	comes_up /dev/da /dev/db
	verify_io fill /dev/kio/array --seed 1
	goes_down
	md_sb set /dev/db events=1
	comes_up /dev/db /dev/da
	left_out /dev/db 'the array went on without it'
	leg_states array in_sync missing faulty
	verify_io check /dev/kio/array --seed 1
}

in_line()
{
	[ "$(<"$KIO/raid/array/sync_action")" = idle ] &&
		cmp -s -i 1M /dev/da /dev/db
}

# Taken all the same when told to, and made like the other.
test_force()
{
	disks 8 8
	created '/dev/da /dev/db'
	comes_up /dev/da /dev/db
	verify_io fill /dev/kio/array --seed 1
	goes_down
	md_sb set /dev/db events=1
	verify_io fill /dev/db --seed 7 --offset 4M --length 64K
	named /dev/da /dev/db
	echo 1 >"$KIO/raid/array/force"
	enable raid/array
	eventually in_line
	leg_states array in_sync in_sync
	same 0 "$(<"$KIO/raid/array/degraded")" degraded
	verify_io check /dev/kio/array --seed 1
}

test_split_brain()
{
	disks 8 8
	created '/dev/da /dev/db'
	went_on /dev/da
	went_on /dev/db
	not_of 'Split brain: .*/dev/da.*/dev/db|Split brain: .*/dev/db.*/dev/da' \
		/dev/da /dev/db
	echo 1 >"$KIO/raid/array/force"
	not_of 'Split brain' /dev/db /dev/da
	echo 0 >"$KIO/raid/array/force"
	comes_up /dev/da
	leg_states array in_sync missing
}

test_other_array()
{
	disks 8 8 8 8
	created '/dev/da /dev/db'
	created '/dev/dc /dev/dd'
	not_of '/dev/dc cannot be used: it is of another array' /dev/da /dev/dc
	not_of '/dev/da cannot be used: it is of another array' /dev/dc /dev/da
	write_attr "$KIO/raid/array/uuid" 00112233:44556677:8899aabb:ccddeeff
	not_of 'None of the members has a place' /dev/da /dev/db
}

# The same object is used for another array, after it was refused one.
test_another_try()
{
	disks 8 8 8 8
	created '/dev/da /dev/db'
	created '/dev/dc /dev/dd' level=10 chunk_kib=4 layout=f2
	not_of 'of another array' /dev/da /dev/dc
	comes_up /dev/dc /dev/dd
	leg_states array in_sync in_sync
	same f2 "$(<"$KIO/raid/array/layout")" layout
}

test_twice()
{
	disks 8 8 8
	created '/dev/da /dev/db'
	dd if=/dev/da of=/dev/dc bs=1M oflag=direct status=none
	not_of '/dev/d[ac] cannot be used: another device has the same place' \
		/dev/da /dev/db /dev/dc
	not_of '/dev/da is named twice' /dev/da /dev/db /dev/da
	comes_up /dev/db /dev/dc
	leg_states array in_sync in_sync
}

test_features()
{
	disks 8 8
	created '/dev/da /dev/db'
	md_sb set /dev/db features=0x4
	not_of '/dev/db: .*asks for a reshape,' /dev/da /dev/db
	md_sb set /dev/db features=0x500
	not_of '/dev/db: .*asks for a cluster, a partial parity log,' /dev/da /dev/db
	md_sb set /dev/db features=0x800000
	not_of '/dev/db: .*asks for features 0x800000,' /dev/da /dev/db
	md_sb set /dev/db features=0
	comes_up /dev/da /dev/db
}

test_damaged()
{
	disks 8 8 8
	created '/dev/da /dev/db'
	overwrite /dev/db $((4096 + 100)) '\x01'
	not_of "/dev/db: The superblock's checksum is wrong" /dev/da /dev/db
	overwrite /dev/db 4096 '\0\0\0\0'
	not_of '/dev/db: There is no superblock' /dev/da /dev/db
	not_of '/dev/dc: There is no superblock' /dev/da /dev/dc
	comes_up /dev/da
	leg_states array in_sync missing
}

test_truncated()
{
	disks 8 8 4
	created '/dev/da /dev/db'
	dd if=/dev/db of=/dev/dc bs=1M count=4 oflag=direct status=none
	not_of '/dev/dc is smaller than its superblock says' /dev/da /dev/dc
}

test_too_small()
{
	disks 8 1
	make raid/array level=1 metadata=1.2 create=1 'legs=/dev/da /dev/db'
	refused '/dev/db is too small' raid/array enable 1
	write_attr "$KIO/raid/array/level" 0
	refused '/dev/db is too small' raid/array enable 1
	cmp -n $((1 << 20)) /dev/da /dev/zero
}

test_contradictions()
{
	disks 8 8
	created '/dev/da /dev/db' level=10
	md_sb set /dev/db chunk=16
	not_of "differ in the array's chunk" /dev/da /dev/db
	md_sb set /dev/db chunk=128 layout=0x201
	not_of "differ in the array's layout" /dev/da /dev/db
	md_sb set /dev/db layout=0x102 level=1
	not_of "differ in the array's level" /dev/da /dev/db
	md_sb set /dev/db level=10 raid_disks=3
	not_of "differ in the array's number of members" /dev/da /dev/db
	md_sb set /dev/db raid_disks=2 chunk=0
	not_of '/dev/db: .*a chunk of 0 sectors' /dev/da /dev/db
	md_sb set /dev/db chunk=128 layout=0x303
	not_of '/dev/db: .*layout 0x303, which level 10' /dev/da /dev/db
	md_sb set /dev/db layout=0x102 level=7
	not_of '/dev/db: .*level 7' /dev/da /dev/db
	md_sb set /dev/da level=5 layout=2
	md_sb set /dev/db level=5 layout=2
	not_of 'RAID-5 of 2 legs' /dev/da /dev/db
}

# Behind the superblock, where ours have nothing
test_bad_blocks()
{
	disks 8 8
	created '/dev/da /dev/db'
	md_sb set /dev/db features=8 bblog_size=8 bblog_offset=16
	head -c 4096 /dev/zero | tr '\0' '\377' >"$WORK/log"
	dd if="$WORK/log" of=/dev/db bs=4k seek=3 conv=notrunc,fsync status=none
	comes_up /dev/da /dev/db
	goes_down
	md_sb set /dev/db features=8
	overwrite /dev/db $((12288 + 8)) '\x01\x04\0\0\0\0\0\0'
	not_of '/dev/db has a list of bad blocks' /dev/da /dev/db
}

test_bitmap()
{
	local leg

	disks 8 8
	created '/dev/da /dev/db' bitmap=internal
	comes_up /dev/da /dev/db
	same internal "$(<"$KIO/raid/array/bitmap")" bitmap
	goes_down
	for leg in /dev/da /dev/db; do
		overwrite "$leg" $((8192 + 8)) 'another'
	done
	not_of 'the bitmap is of another array' /dev/da /dev/db
	for leg in /dev/da /dev/db; do
		overwrite "$leg" 8192 'none'
	done
	not_of 'There is no bitmap' /dev/da /dev/db
}

test_0_missing()
{
	disks 8 8
	created '/dev/da /dev/db' level=0
	not_of 'RAID-0 cannot do with 1 of 2 legs' /dev/da
	not_of 'RAID-0 cannot do with 1 of 2 legs' /dev/db missing
	echo 1 >"$KIO/raid/array/force"
	not_of 'RAID-0 cannot do with 1 of 2 legs' /dev/da
	comes_up /dev/db /dev/da
}

test_10_both_copies()
{
	disks 8 8 8 8
	created '/dev/da /dev/db /dev/dc /dev/dd' level=10
	not_of 'RAID-10 cannot do with 2 of 4 legs' /dev/dc /dev/dd
	echo 1 >"$KIO/raid/array/force"
	not_of 'RAID-10 cannot do with 1 of 4 legs' missing /dev/db
	comes_up /dev/dc /dev/db
	leg_states array missing in_sync in_sync missing
	same 2 "$(<"$KIO/raid/array/degraded")" degraded
}

test_nothing_there()
{
	disks 8
	not_of 'No leg is there' missing missing
}

need_kind raid
run_cases \
	test_kicked 'a leg that failed is left out, and said to be' \
	test_stale 'a leg that is out of date is left out, and said to be' \
	test_force 'a leg that is out of date is taken if that is forced' \
	test_split_brain 'split brain' \
	test_other_array 'members of another array' \
	test_another_try 'what was refused does not stick' \
	test_twice 'a member twice' \
	test_features 'features that we do not know' \
	test_damaged 'damaged superblocks, and none' \
	test_truncated 'a device that was cut off' \
	test_too_small 'devices that are too small' \
	test_contradictions 'superblocks that contradict each other, or themselves' \
	test_bad_blocks 'a list of bad blocks' \
	test_bitmap 'the bitmap of another array' \
	test_0_missing 'RAID-0 with a missing leg' \
	test_10_both_copies 'RAID-10 without both copies of some data' \
	test_nothing_there 'no leg at all'
