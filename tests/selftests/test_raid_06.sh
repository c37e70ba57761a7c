#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: md's superblocks and bitmaps, both ways: what md made we assemble, write and
# rebuild, and md takes it back; and the reverse. What one of us did not finish the
# other goes on with, from where it was.
. "${0%/*}/test_common.sh"
. "${0%/*}/md_common.sh"

zones()
{
	local shape chunk

	for shape in "${@:2:$(longer 1 99)}"; do
		chunk=${shape##* }
		# shellcheck disable=SC2086 # sizes apart by blanks
		unequal ${shape% *}
		from_md 0 "$1" "$chunk" -
		# shellcheck disable=SC2086
		unequal ${shape% *}
		from_us 0 "$1" "$chunk" -
	done
}

test_0_original()
{
	zones original '8 12 64' '9 5 7 12' '6 4 6 9 512'
}

test_0_alternate()
{
	zones alternate '6 4 9 64' '8 12 4' '6 4 6 9 512'
}

# Legs of one size: no zones, so the superblocks name no layout
test_0_equal()
{
	zones alternate '6 6 6 32' '8 8 4' '6 6 6 6 512'
}

test_1()
{
	both_ways 1 - - 2/- 3/- 4/-
}

test_1_bitmap()
{
	both_ways 1 - internal 3/- 2/- 4/-
}

test_10_n2()
{
	both_ways 10 n2 - 3/64 4/4 5/512
}

test_10_f2()
{
	both_ways 10 f2 - 3/64 2/4 4/512
}

test_10_o2()
{
	both_ways 10 o2 - 3/4 2/64 4/512
}

test_10_bitmap()
{
	local layout

	for layout in $(longer f2 'f2 n2 o2'); do
		both_ways 10 "$layout" internal 4/64 2/4 3/512
	done
}

test_10_n3()
{
	[ "${KIO_LONG:-0}" = 1 ] || skip 'only with KIO_LONG=1'
	both_ways 10 n3 - 4/64 3/4 5/512
}

test_10_o3()
{
	[ "${KIO_LONG:-0}" = 1 ] || skip 'only with KIO_LONG=1'
	both_ways 10 o3 - 4/64 3/4 5/512
}

test_large_blocks()
{
	disks 2 8 blocksize=4096
	from_md 10 n2 64 internal
	disks 2 8 blocksize=4096
	from_us 10 n2 64 internal
}

# ---- members that are not there, or not in use ----

test_missing_from_md()
{
	local want

	disks 3 8
	md_create 10 n2 64 - --assume-clean --raid-devices=4 "${USE[0]}" missing \
		"${USE[1]}" "${USE[2]}"
	verify_io fill /dev/md100 --seed 1
	md_down
	ours_up
	want=$(printf '0 %s in_sync 0\n1 missing missing 0\n2 %s in_sync 0\n3 %s in_sync 0' \
		"${USE[@]}")
	same "$want" "$(<"$KIO/raid/array/leg_state")" leg_state
	same 1 "$(<"$KIO/raid/array/degraded")" degraded
	verify_io check /dev/kio/array --seed 1
	tell add "${FRESH[0]}"
	eventually ours_is_whole
	verify_io fill /dev/kio/array --seed 2 --length 1M
	ours_down
	USE+=("${FRESH[0]}")
	examined
	md_up "${USE[@]}"
	verify_io check /dev/md100 --seed 2 --length 1M
	verify_io check /dev/md100 --seed 1 --offset 1M
	md_check 0
}

test_missing_from_us()
{
	disks 2 8
	make_array
	USE=("${USE[0]}" missing "${USE[1]}")
	ours_create 1 - - internal assume_clean=1
	verify_io fill /dev/kio/array --seed 1
	ours_down
	USE=("${USE[0]}" "${USE[2]}")
	matches 'A\.A' "$(says "${USE[0]}" 'Array State')" 'what mdadm says is there'
	md_up "${USE[@]}"
	same 1 "$(<"$MD/degraded")" 'degraded of md'
	verify_io check /dev/md100 --seed 1
	mdadm --quiet /dev/md100 --add "${FRESH[0]}"
	eventually md_is_whole
	md_down
	USE+=("${FRESH[0]}")
	ours_up
	leg_states array in_sync in_sync in_sync
	verify_io check /dev/kio/array --seed 1
	ours_check 0
}

test_spare_from_md()
{
	disks 2 8
	md_create 1 - - - --assume-clean --raid-devices=2 --spare-devices=1 \
		"${USE[@]}" "${FRESH[0]}"
	verify_io fill /dev/md100 --seed 1
	md_down
	USE+=("${FRESH[0]}")
	ours_up
	leg_states array in_sync in_sync spare
	tell fail "${USE[0]}"
	eventually ours_is_whole
	leg_states array in_sync in_sync faulty
	tell remove "${USE[0]}"
	ours_down
	USE=("${USE[1]}" "${USE[2]}")
	examined
	md_up "${USE[@]}"
	verify_io check /dev/md100 --seed 1
	md_check 0
}

test_spare_from_us()
{
	disks 2 8
	ours_create 1 - - - assume_clean=1
	tell spare "${FRESH[0]}"
	verify_io fill /dev/kio/array --seed 1
	ours_down
	same spare "$(says "${FRESH[0]}" 'Device Role')" 'what mdadm says of the spare'
	USE+=("${FRESH[0]}")
	md_up "${USE[@]}"
	same spare "$(<"$MD/dev-${FRESH[0]#/dev/}/state")" 'what md says of the spare'
	md_leg "${USE[0]}" faulty
	eventually md_is_whole
	verify_io check /dev/md100 --seed 1
	eventually md_leg "${USE[0]}" remove
	md_down
	USE=("${USE[1]}" "${USE[2]}")
	ours_up
	leg_states array in_sync in_sync
	verify_io check /dev/kio/array --seed 1
	ours_check 0
}

# ---- what was not finished ----

# data_of DISK: where data begins, in bytes
data_of()
{
	local text

	text=$(says "$1" 'Data Offset')
	echo $((${text% sectors} * 512))
}

# sectors_of DISK WHAT: as --examine tells it
sectors_of()
{
	local text

	text=$(says "$1" "$2")
	matches '^[0-9]+ sectors$' "$text" "$2 of $1"
	echo "${text% sectors}"
}

md_has_done()
{
	local pos

	read -r pos _ <"$MD/sync_completed"
	[ "$pos" != none ] && [ "$pos" -gt "$1" ]
}

ours_has_done()
{
	local pos

	read -r pos _ <"$KIO/raid/array/sync_completed"
	[ "$pos" != none ] && [ "$pos" -gt "$1" ]
}

# What was rebuilt already is not copied again: what is spoiled there stays so.
test_rebuild_from_md()
{
	local from

	disks 2 24
	md_create 1 - - - --assume-clean --raid-devices=2 "${USE[0]}" missing
	verify_io fill /dev/md100 --seed 1
	undo md_speed 200000
	md_speed 4000
	mdadm --quiet /dev/md100 --add "${USE[1]}"
	eventually md_has_done 8192
	md_down
	from=$(sectors_of "${USE[1]}" 'Recovery Offset')
	within 2048 40000 "$from" 'recovery offset of md'
	spoil "${USE[1]}" $(($(data_of "${USE[1]}") + (64 << 10)))
	mark_log
	ours_up
	eventually ours_is_whole
	logged "recover from $((from * 512)) of" || fail 'the rebuild began elsewhere'
	ours_check 8
	tell sync_action repair
	eventually logged 'repair ended at [0-9]+: 0'
	verify_io check /dev/kio/array --seed 1
	ours_down
	examined
	md_up "${USE[@]}"
	md_check 0
}

test_rebuild_from_us()
{
	local from

	disks 2 24
	USE=("${USE[0]}" missing "${USE[1]}")
	ours_create 10 o2 64 - assume_clean=1
	USE=("${USE[0]}" "${FRESH[0]}" "${USE[2]}")
	verify_io fill /dev/kio/array --seed 1
	tell sync_speed_kib_max 4000
	tell add "${USE[1]}"
	eventually ours_has_done 8192
	ours_down
	from=$(sectors_of "${USE[1]}" 'Recovery Offset')
	within 8192 40000 "$from" 'recovery offset of ours'
	spoil "${USE[1]}" $(($(data_of "${USE[1]}") + (64 << 10)))
	md_up "${USE[@]}"
	eventually md_is_whole
	md_check "$MD_COUNTS"
	echo repair >"$MD/sync_action"
	eventually md_is_whole
	md_down
	ours_up
	leg_states array in_sync in_sync in_sync
	verify_io check /dev/kio/array --seed 1
	ours_check 0
}

test_resync_from_md()
{
	local from data

	disks 3 24
	undo md_speed 200000
	md_speed 4000
	md_create 10 n2 64 - --raid-devices=3 "${USE[@]}"
	eventually md_has_done 8192
	md_down
	from=$(md_sb get "${USE[0]}" resync_offset)
	within 2048 70000 "$from" 'resync offset of md'
	data=$(data_of "${USE[1]}")
	spoil "${USE[1]}" $((data + (64 << 10)))
	spoil "${USE[1]}" $((data + (20 << 20)))
	mark_log
	ours_up
	eventually logged 'resync ended at [0-9]+: 0'
	logged "resync from $((from * 512)) of" || fail 'the resync began elsewhere'
	ours_check 8
	ours_down
	examined
}

test_resync_from_us()
{
	local from data

	disks 2 24
	ours_create 1 - - - assume_clean=0 sync_speed_kib_max=4000
	eventually ours_has_done 8192
	ours_down
	from=$(md_sb get "${USE[0]}" resync_offset)
	within 8192 40000 "$from" 'resync offset of ours'
	data=$(data_of "${USE[1]}")
	spoil "${USE[1]}" $((data + (64 << 10)))
	spoil "${USE[1]}" $((data + (20 << 20)))
	md_up "${USE[@]}"
	eventually md_is_synced
	md_check "$MD_COUNTS"
}

md_is_synced()
{
	[ "$(<"$MD/resync_start")" = none ] && md_is_whole
}

# md counts pages of a request of 64 KiB as far as they go, see sync_request_write()
MD_COUNTS=128

# ---- bitmaps ----

md_is_clean()
{
	[ "$(dirty_of "${USE[0]}")" = 0 ]
}

# An array of md, 2 legs of 24 MiB, whose bitmap of a bit for each MiB is empty
bitmap_of_md()
{
	disks 2 24
	md_create 1 - - internal --bitmap-chunk=1M --delay=1 --assume-clean \
		--raid-devices=2 "${USE[@]}"
	eventually md_is_clean
}

fill_place()
{
	verify_io fill "$1" --offset 3584K --length 1M --seed 5
}

# Bits of what is not written to again are cleared in a while.
fill_again()
{
	while [ ! -e "$WORK/filled" ]; do
		fill_place "$1"
	done
}

# writes_at DEVICE: to bits 3, 4 and 10, until stop_writers()
writes_at()
{
	fill_place "$1"
	fill_again "$1" &
	WRITERS=($!)
	verify_io random "$1" --offset 10M --length 1M --max 64K --ops 0 &
	WRITERS+=($!)
	pause 0.3
}

stop_writers()
{
	: >"$WORK/filled"
	kill "${WRITERS[1]}"
	wait "${WRITERS[0]}"
	wait "${WRITERS[1]}"
	rm "$WORK/filled"
}

# bits_are DISK...: exactly what writes_at() writes to
bits_are()
{
	local disk bytes

	for disk; do
		same 3 "$(dirty_of "$disk")" "bits of $disk"
		bytes=$(od -An -tx1 -j $(($(bitmap_at "$disk") + 256)) -N 2 "$disk")
		same ' 18 04' "$bytes" "bitmap of $disk"
	done
}

bitmap_at()
{
	local text

	text=$(says "$1" 'Internal Bitmap')
	text=${text% sectors*}
	echo $((4096 + 512 * text))
}

# Two places that differ: one where the bitmap tells of writes, one where not
spoil_two()
{
	local data

	data=$(data_of "$1")
	spoil "$1" $((data + (4 << 20)))
	spoil "$1" $((data + (16 << 20)))
}

# md forgets nothing meanwhile, however slow the machine is.
test_bitmap_from_md()
{
	bitmap_of_md
	echo 600 >"$MD/bitmap/time_base"
	writes_at /dev/md100
	crash 24
	stop_writers
	md_down
	matches 'active' "$(says "${USE[0]}" State)" 'state of the copies'
	bits_are "${USE[@]}"
	spoil_two "${USE[1]}"
	mark_log
	ours_up
	eventually logged 'resync ended at [0-9]+: 0'
	verify_io check /dev/kio/array --offset 3584K --length 1M --seed 5
	ours_check 8
}

test_bitmap_from_us()
{
	bitmap_of_md
	md_down
	ours_up
	writes_at /dev/kio/array
	crash 24
	stop_writers
	ours_down
	matches 'active' "$(says "${USE[0]}" State)" 'state of the copies'
	bits_are "${USE[@]}"
	spoil_two "${USE[1]}"
	md_up "${USE[@]}"
	eventually md_is_synced
	verify_io check /dev/md100 --offset 3584K --length 1M --seed 5
	md_check "$MD_COUNTS"
}

# A member was away: only what its bitmap tells is copied to it.
test_return_to_md()
{
	bitmap_of_md
	verify_io fill /dev/md100 --seed 1
	eventually md_is_clean
	md_down
	ours_up
	tell fail "${USE[1]}"
	verify_io fill /dev/kio/array --offset 3584K --length 1M --seed 5
	ours_down
	same 2 "$(dirty_of "${USE[0]}")" 'bits while a leg is away'
	spoil_two "${USE[1]}"
	md_up "${USE[0]}"
	mdadm --quiet /dev/md100 --re-add "${USE[1]}"
	eventually md_is_whole
	verify_io check /dev/md100 --offset 3584K --length 1M --seed 5
	md_check "$MD_COUNTS"
}

test_return_to_us()
{
	bitmap_of_md
	verify_io fill /dev/md100 --seed 1
	eventually md_is_clean
	md_leg "${USE[1]}" faulty
	eventually md_leg "${USE[1]}" remove
	verify_io fill /dev/md100 --offset 3584K --length 1M --seed 5
	md_down
	same 2 "$(dirty_of "${USE[0]}")" 'bits while a leg is away'
	spoil_two "${USE[1]}"
	FRESH=("${USE[1]}")
	USE=("${USE[0]}")
	ours_up
	leg_states array in_sync missing
	tell add "${FRESH[0]}"
	eventually ours_is_whole
	verify_io check /dev/kio/array --offset 3584K --length 1M --seed 5
	ours_check 8
}

need_kind raid
need_tools mdadm
need_modules raid0 raid1 raid10
undo write_attr /proc/sys/dev/raid/speed_limit_min 1000
md_speed 200000
run_cases \
	test_0_original 'RAID-0, zones as of old' \
	test_0_alternate 'RAID-0, zones as they are now' \
	test_0_equal 'RAID-0, legs of one size' \
	test_1 'RAID-1' \
	test_1_bitmap 'RAID-1 with a bitmap' \
	test_10_n2 'RAID-10, near' \
	test_10_f2 'RAID-10, far' \
	test_10_o2 'RAID-10, offset' \
	test_10_bitmap 'RAID-10 with a bitmap' \
	test_10_n3 'RAID-10, three near copies' \
	test_10_o3 'RAID-10, three offset copies' \
	test_large_blocks 'legs with blocks of 4 KiB' \
	test_missing_from_md 'a missing leg of md, which we fill' \
	test_missing_from_us 'a missing leg of ours, which md fills' \
	test_spare_from_md 'a spare of md, which we use' \
	test_spare_from_us 'a spare of ours, which md uses' \
	test_rebuild_from_md 'a rebuild that md began' \
	test_rebuild_from_us 'a rebuild that we began' \
	test_resync_from_md 'a first resync that md began' \
	test_resync_from_us 'a first resync that we began' \
	test_bitmap_from_md 'a bitmap that md left dirty' \
	test_bitmap_from_us 'a bitmap that we left dirty' \
	test_return_to_md 'what was written without a leg, by us; md takes it back' \
	test_return_to_us 'what was written without a leg, by md; we take it back'
