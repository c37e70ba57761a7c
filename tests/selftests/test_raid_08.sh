#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: members of an array with metadata come and go under a verified load, legs are
# made equal, by a bitmap too, and what goes wrong meanwhile is told and lived with.
#
#	array	legs at level 1, or four at level 10, 1.2
#	fX	flakey on dX, or ln, a volume of a part of da: where a case needs it
. "${0%/*}/test_common.sh"
. "$SELFTESTS/raid_common.sh"

MIB=12
SECTORS=$(((MIB - 1) * 2048))
DATA_START=2048

# disks LETTER...: dX
disks()
{
	local letter

	for letter; do
		null_disk "d$letter" "$MIB"
	done
}

# flakies LETTER...: fX on dX
flakies()
{
	local letter

	for letter; do
		null_disk "d$letter" "$MIB"
		filter "f$letter" flakey "/dev/d$letter"
		undo rules "$letter"
	done
}

# rules LETTER LINE...: of fX, in place of those that are there
rules()
{
	write_attr "$KIO/filter/f$1/rules" "$(printf '%s\n' clear "${@:2}")"
}

# fresh LEVEL "LEG LEG..." [ATTRIBUTE=VALUE...]
fresh()
{
	array array "$1" "$2" metadata=1.2 create=1 assume_clean=1 "${@:3}"
}

# fresh_of LEVEL: of da and db, or of da to dd, and de is there too
fresh_of()
{
	if [ "$1" = 1 ]; then
		disks a b e
		fresh "$1" '/dev/da /dev/db' "${@:2}"
	else
		disks a b c d e
		fresh "$1" '/dev/da /dev/db /dev/dc /dev/dd' chunk_kib=64 "${@:2}"
	fi
}

speed()
{
	act sync_speed_kib_max "$1"
}

# begin ACTION: as soon as it can be; its end is not waited for
begin()
{
	eventually begun "$1"
}

# sectors_written DEVICE: as its diskstats have it
sectors_written()
{
	local -a s

	read -ra s <"$(sysfs_of "$1")/stat"
	echo "${s[6]}"
}

# ---- members ----

fail_and_add()
{
	act fail /dev/da
	state_is /dev/da faulty
	act remove /dev/da
	act add /dev/de
	eventually whole
	state_is /dev/de in_sync
}

come_and_go()
{
	fresh_of "$@"
	under_load fail_and_add
	matches '^0 /dev/de in_sync 0' "$(get leg_state)" leg_state
	mismatches 0
}

test_add_1()
{
	come_and_go 1
}

test_add_10()
{
	come_and_go 10
}

test_add_bitmap()
{
	come_and_go 10 bitmap=internal bitmap_chunk_kib=64
}

spare_serves()
{
	act fail /dev/db
	eventually whole
	state_is /dev/de in_sync
	state_is /dev/db faulty
}

test_spare()
{
	local level

	for level in $(longer 10 '1 10'); do
		fresh_of "$level"
		act spare /dev/de
		state_is /dev/de spare
		under_load spare_serves
		mismatches 0
		act remove /dev/db
		undo_all
	done
}

replace_da()
{
	act replace '/dev/da /dev/de'
	same 0 "$(get degraded)" 'degraded, while it is replaced'
	eventually state_is /dev/da faulty
	eventually whole
	matches '^0 /dev/de in_sync 0' "$(get leg_state)" leg_state
}

test_replace()
{
	local level

	for level in $(longer 10 '1 10'); do
		fresh_of "$level"
		act add /dev/de
		under_load replace_da
		mismatches 0
		act remove /dev/da
		undo_all
	done
}

# The device that is replaced serves still, and stays if the other fails.
test_replace_fails()
{
	disks a b
	flakies e
	fresh 1 '/dev/da /dev/db'
	verify_io fill /dev/kio/array
	act add /dev/kio/fe
	rules e 'write 10000 - error EIO'
	act replace '/dev/da /dev/kio/fe'
	eventually state_is /dev/kio/fe faulty
	state_is /dev/da in_sync
	same 0 "$(get degraded)" degraded
	verify_io check /dev/kio/array
	act remove /dev/kio/fe
	mismatches 0
}

pull_da()
{
	echo 0 >"$CONFIGFS/nullb/da/power"
	eventually state_is /dev/da faulty
}

# The disk is gone, with the array on it.
test_pulled()
{
	local level

	for level in $(longer 10 '1 10'); do
		fresh_of "$level"
		under_load pull_da
		same 1 "$(get degraded)" degraded
		act remove /dev/da
		act add /dev/de
		eventually whole
		mismatches 0
		undo_all
	done
}

test_flakey_leg()
{
	flakies a
	disks b e
	fresh 1 '/dev/kio/fa /dev/db'
	under_load flakey_fails
	act remove /dev/kio/fa
	rules a
	act add /dev/kio/fa
	eventually whole
	mismatches 0
}

flakey_fails()
{
	rules a 'any 0 - error EIO'
	eventually state_is /dev/kio/fa faulty
}

test_dm_leg()
{
	disks a b e
	breakable_disk ma /dev/da
	fresh 1 '/dev/mapper/ma /dev/db'
	under_load break_disk ma
	state_is /dev/mapper/ma faulty
	act remove /dev/mapper/ma
	mend_disk ma /dev/da
	act add /dev/mapper/ma
	eventually whole
	mismatches 0
}

# Without a spare, and with all but one gone: it is the caller who hears.
test_last_leg()
{
	local level

	flakies a b
	fresh 1 '/dev/kio/fa /dev/kio/fb'
	verify_io fill /dev/kio/array
	act fail /dev/kio/fa
	refused 'last good leg' raid/array fail /dev/kio/fb
	rules b 'write 2048 - error EIO' 'read 2048 - error EIO'
	must_fail dd if=/dev/zero of=/dev/kio/array bs=64k count=1 oflag=direct status=none
	must_fail dd if=/dev/kio/array of=/dev/null bs=64k count=1 iflag=direct status=none
	state_is /dev/kio/fb in_sync
	rules b
	verify_io check /dev/kio/array --offset 64K
	verify_io random /dev/kio/array --ops 50
}

# ---- the bitmap ----

# write_at OFFSET...: a write of 4 KiB to each, in KiB
write_at()
{
	local at

	for at; do
		verify_io fill /dev/kio/array --seed 2 --offset "${at}K" --length 4K
	done
}

# Only the chunks that were written go over; level 1: three bits of 64 KiB.
test_readd()
{
	local before

	fresh_of 1 bitmap=internal bitmap_chunk_kib=64
	act fail /dev/da
	act remove /dev/da
	write_at 0 1000 10000
	before=$(sectors_written /dev/da)
	act add /dev/da
	eventually whole
	within $((3 * 128)) $((3 * 128 + 200)) \
		$(($(sectors_written /dev/da) - before)) 'sectors written to the leg'
	mismatches 0
	cmp -i $((DATA_START * 512)) /dev/da /dev/db
}

all_clear()
{
	[ "$(bits_set /dev/db)" = 0 ]
}

# A leg that was away while the array went down and came up again
test_readd_after_down()
{
	local before

	fresh_of 10 bitmap=internal bitmap_chunk_kib=64
	act fail /dev/da
	act remove /dev/da
	write_at 0 1000
	disable raid/array
	write_attr "$KIO/raid/array/legs" '/dev/db /dev/dc /dev/dd'
	enable raid/array
	same 1 "$(get degraded)" degraded
	write_at 20004
	before=$(sectors_written /dev/da)
	act add /dev/da
	eventually whole
	within 1 $((3 * 128 + 300)) \
		$(($(sectors_written /dev/da) - before)) 'sectors written to the leg'
	mismatches 0
	verify_io check /dev/kio/array --seed 2 --offset 1000K --length 4K
	verify_io check /dev/kio/array --seed 2 --offset 20004K --length 4K
}

# And without a bitmap all of it
test_readd_without()
{
	local before

	fresh_of 1
	act fail /dev/da
	act remove /dev/da
	before=$(sectors_written /dev/da)
	act add /dev/da
	eventually whole
	within $(((MIB - 1) * 2048)) $((MIB * 2048)) \
		$(($(sectors_written /dev/da) - before)) 'sectors written to the leg'
	mismatches 0
}

# By bitmap, but as fast as what is copied, not as what is skipped
test_readd_speed()
{
	local begin=$EPOCHREALTIME

	fresh_of 1 bitmap=internal bitmap_chunk_kib=64
	act fail /dev/da
	act remove /dev/da
	write_at 10000
	speed 1024
	begin=$EPOCHREALTIME
	act add /dev/da
	eventually whole
	within 0 4000000 $((${EPOCHREALTIME/./} - ${begin/./})) 'us for 64 KiB at 1 MiB/s'
}

chunk_on_disk()
{
	dd if=/dev/da bs=4k skip=2 count=1 iflag=direct status=none |
		od -An -tu4 -j52 -N4 | tr -d ' '
}

test_chunk()
{
	local word

	disks a b
	make raid/array level=1 'legs=/dev/da /dev/db' metadata=1.2 create=1 assume_clean=1 \
		bitmap=internal
	for word in x '' -4 3 5 6 12 1 2 2097152; do
		refused 'bitmap_chunk_kib takes' raid/array bitmap_chunk_kib "$word"
	done
	same 0 "$(get bitmap_chunk_kib)" bitmap_chunk_kib
	write_attr "$KIO/raid/array/bitmap_chunk_kib" 4
	enable raid/array
	undo disable raid/array
	same 4096 "$(chunk_on_disk)" 'chunk on the disk'
	write_attr "$KIO/raid/array/bitmap" none
	write_attr "$KIO/raid/array/bitmap_chunk_kib" 128
	write_attr "$KIO/raid/array/bitmap" internal
	same 131072 "$(chunk_on_disk)" 'chunk on the disk, when made anew'
}

# ---- what makes legs equal ----

test_speed()
{
	local begin ms

	fresh_of 1
	verify_io fill /dev/kio/array
	speed 5120
	act fail /dev/da
	act remove /dev/da
	begin=$EPOCHREALTIME
	act add /dev/de
	eventually whole
	ms=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
	note "$ms ms for 11 MiB at 5 MiB/s"
	within 1900 5000 "$ms" 'ms for 11 MiB at 5 MiB/s'
	verify_io check /dev/kio/array
}

test_words()
{
	fresh_of 1
	same idle "$(get sync_action)" sync_action
	same none "$(get sync_completed)" sync_completed
	speed 1024
	begin check
	eventually doing check
	matches "^[0-9]+ / $SECTORS\$" "$(get sync_completed)" sync_completed
	refused 'check is under way' raid/array sync_action repair
	act sync_action idle
	eventually doing idle
	begin repair
	eventually doing repair
	act sync_action idle
	doing idle
	begin resync
	eventually doing resync
	act sync_action idle
	eventually doing idle
	same none "$(get sync_completed)" sync_completed
	speed 0
	begin resync
	eventually doing idle
	speed 1024
	act fail /dev/da
	act remove /dev/da
	act add /dev/de
	eventually state_is /dev/de rebuilding
	doing recover
	act sync_action idle
	eventually doing idle
	pause 0.3
	doing idle
	state_is /dev/de rebuilding
	speed 0
	begin recover
	eventually whole
	for word in '' x checks IDLE; do
		refused 'sync_action takes' raid/array sync_action "$word"
	done
	disable raid/array
	refused 'down' raid/array sync_action check
	enable raid/array
}

# The thread of the array gets no processor between the two words.
test_taken_back()
{
	need_tools taskset chrt pgrep
	fresh_of 1
	speed 1024
	taskset -pc 0 "$(pgrep -x kraid/array)"
	taskset -pc 0 "$BASHPID"
	chrt -f -p 1 "$BASHPID"
	act sync_action repair
	act sync_action idle
	doing idle
	chrt -o -p 0 "$BASHPID"
	pause 0.3
	doing idle
}

# plant DEVICE SECTOR COUNT: other bytes on the disk itself, behind the array's back
plant()
{
	head -c $(($3 * 512)) /dev/urandom |
		dd of="$1" bs=512 seek=$((DATA_START + $2)) conv=notrunc,fsync status=none
}

# The array is down: its legs are open to nobody else while it is up.
test_mismatches()
{
	fresh_of 1
	verify_io fill /dev/kio/array
	disable raid/array
	plant /dev/db 0 1
	plant /dev/db 1000 3
	plant /dev/db 1127 2
	plant /dev/db $((SECTORS - 1)) 1
	enable raid/array
	mismatches 7
	mismatches 7
	scrub repair
	same 7 "$(get mismatch_sectors)" 'mismatch_sectors of the repair'
	mismatches 0
	verify_io check /dev/kio/array
	verify_io check /dev/db --offset 1M --as 0 --length 11M
}

test_mismatches_10()
{
	fresh_of 10
	verify_io fill /dev/kio/array
	disable raid/array
	plant /dev/db 100 5
	plant /dev/dd 128 1
	plant /dev/dd 6000 2
	enable raid/array
	mismatches 8
	scrub repair
	mismatches 0
	verify_io check /dev/kio/array
}

test_check_under_load()
{
	fresh_of 10
	under_load scrub check
	same 0 "$(get mismatch_sectors)" 'mismatch_sectors under load'
}

stop_and_go()
{
	local at

	speed 4096
	act fail /dev/da
	act remove /dev/da
	act add /dev/de
	eventually past $((2 * 2048))
	at=$(synced_to)
	disable raid/array
	write_attr "$KIO/raid/array/legs" "/dev/de $1"
	speed 512
	enable raid/array
	eventually doing recover
	within "$at" "$SECTORS" "$(synced_to)" 'where the rebuild goes on'
	state_is /dev/de rebuilding
	speed 0
	eventually whole
	mismatches 0
	verify_io check /dev/kio/array
}

test_continue()
{
	fresh_of 1
	verify_io fill /dev/kio/array
	stop_and_go /dev/db
	[ "${KIO_LONG:-0}" = 1 ] || return 0
	undo_all
	fresh_of 10
	verify_io fill /dev/kio/array
	stop_and_go '/dev/db /dev/dc /dev/dd'
}

# A resync that was stopped; one that has a bitmap leaves no bit behind.
test_continue_resync()
{
	local bitmap at

	for bitmap in none internal; do
		disks a b
		make raid/array level=1 'legs=/dev/da /dev/db' metadata=1.2 create=1 \
			"bitmap=$bitmap" bitmap_chunk_kib=64 sync_speed_kib_max=4096
		enable raid/array
		undo disable raid/array
		eventually past $((2 * 2048))
		at=$(synced_to)
		disable raid/array
		speed 512
		enable raid/array
		eventually doing resync
		within "$at" "$SECTORS" "$(synced_to)" 'where the resync goes on'
		speed 0
		eventually whole
		mismatches 0
		[ "$bitmap" = none ] || eventually all_clear
		undo_all
	done
}

# ---- reads that fail ----

# A read of four blocks, the second of which fails on one leg
read_error()
{
	verify_io check /dev/kio/array --offset 0 --length 64K
	[ "$(cut -d' ' -f3 "$KIO/filter/fa/state" | head -n1)" -ge "$1" ]
}

test_read_error()
{
	local level writes

	for level in $(longer 10 '1 10'); do
		flakies a
		disks b c d
		if [ "$level" = 1 ]; then
			fresh 1 '/dev/kio/fa /dev/db'
		else
			fresh 10 '/dev/kio/fa /dev/db /dev/dc /dev/dd' chunk_kib=64
		fi
		verify_io fill /dev/kio/array
		sync_quiet
		writes=$(sectors_written /dev/da)
		# the read itself, and the block by itself
		rules a 'read 2056 8 error EIO count 2'
		eventually read_error 2
		state_is /dev/kio/fa in_sync
		[ "$(leg_errors array /dev/kio/fa)" -ge 2 ] || fail 'errors were not counted'
		same 8 $(($(sectors_written /dev/da) - writes)) 'sectors rewritten'
		rules a
		mismatches 0
		verify_io check /dev/kio/array
		disable raid/array
		undo_all
	done
}

# Superblocks say clean, so nothing is written to the legs by itself.
sync_quiet()
{
	eventually clean
}

# A check finds one, and rewrites it.
test_check_mends()
{
	flakies a
	disks b
	fresh 1 '/dev/kio/fa /dev/db'
	verify_io fill /dev/kio/array
	rules a 'read 2056 8 error EIO count 1'
	scrub check
	same 0 "$(get mismatch_sectors)" mismatch_sectors
	state_is /dev/kio/fa in_sync
	same 1 "$(leg_errors array /dev/kio/fa)" errors
	mismatches 0
	verify_io check /dev/kio/array
}

# Twenty are forgiven in an hour.
test_too_many()
{
	local i

	flakies a
	disks b
	fresh 1 '/dev/kio/fa /dev/db'
	verify_io fill /dev/kio/array
	rules a 'read 2048 8 error EIO' 'read 18432 8 error EIO'
	for ((i = 1; i <= 20; i++)); do
		read_fails
		state_is /dev/kio/fa in_sync
	done
	read_fails
	eventually state_is /dev/kio/fa faulty
	verify_io check /dev/kio/array
}

# met: reads of fa that met a rule
met()
{
	awk '{ n += $3 } END { print n }' "$KIO/filter/fa/state"
}

read_block()
{
	dd if=/dev/kio/array of=/dev/null bs=4k skip="$1" count=1 iflag=direct status=none
}

# One read that fails on the leg: it is the one nearer to 0, or to 8 MiB.
read_fails()
{
	local before

	before=$(met)
	while [ "$(met)" = "$before" ]; do
		read_block 0
		[ "$(met)" = "$before" ] || break
		read_block 2048
	done
}

gave_up()
{
	log_has "$1 cannot be rebuilt: data at [0-9]* of it"
}

# The only source of a rebuild has a bad block.
test_bad_source()
{
	disks a e
	flakies b
	fresh 1 '/dev/da /dev/kio/fb'
	verify_io fill /dev/kio/array
	act fail /dev/da
	act remove /dev/da
	rules b 'read 20000 8 error EIO'
	act add /dev/de
	# it is a spare also before it begins
	eventually gave_up /dev/de
	eventually doing idle
	state_is /dev/de spare
	same 1 "$(get degraded)" degraded
	verify_io check /dev/kio/array --length 4M
	must_fail verify_io check /dev/kio/array
	verify_io random /dev/kio/array --ops 50 --length 4M
	pause 0.3
	state_is /dev/de spare
	rules b
	begin recover
	eventually whole
	mismatches 0
}

# A third copy has what the first cannot read.
test_bad_source_other()
{
	disks a e c
	flakies b
	fresh 1 '/dev/kio/fb /dev/da /dev/dc'
	verify_io fill /dev/kio/array
	act fail /dev/dc
	act remove /dev/dc
	rules b 'read 20000 8 error EIO'
	act add /dev/de
	eventually whole
	state_is /dev/de in_sync
	state_is /dev/kio/fb in_sync
	rules b
	mismatches 0
	verify_io check /dev/kio/array
}

# ---- larger legs ----

# grow LEVEL LEG...: volumes of dX that become larger
grow()
{
	local letter names=() size

	for letter in "${@:2}"; do
		null_disk "d$letter" "$MIB"
		volume "v$letter" "0 8192 linear /dev/d$letter 0"
		names+=("/dev/kio/v$letter")
	done
	fresh "$1" "${names[*]}" chunk_kib=64
	size=$(size_of raid/array)
	verify_io fill /dev/kio/array
	for letter in "${@:2}"; do
		reload "v$letter" "0 16384 linear /dev/d$letter 0"
		[ "$letter" != a ] || {
			enable raid/array
			same "$size" "$(size_of raid/array)" 'size with one leg larger'
		}
	done
	speed 2048
	enable raid/array
	same $((size + ($# / 2 << 22))) "$(size_of raid/array)" 'size, grown'
	eventually doing resync
	within $((size / 512)) $((size / 512 + 6144)) "$(synced_to)" 'where its resync begins'
	verify_io check /dev/kio/array --length "$size"
	speed 0
	eventually whole
	mismatches 0
	verify_io fill /dev/kio/array --seed 2
	disable raid/array
	enable raid/array
	same $((size + ($# / 2 << 22))) "$(size_of raid/array)" 'size, up again'
	verify_io check /dev/kio/array --seed 2
	disable raid/array
}

test_grow()
{
	need_modules klvm
	grow 1 a b
}

test_grow_10()
{
	need_modules klvm
	grow 10 a b c d
}

# ---- requests that wait ----

# A write waits for superblocks that are held; it can be cancelled or must not wait.
test_parked()
{
	local pid

	flakies a b
	fresh 1 '/dev/kio/fa /dev/kio/fb'
	undo rules a
	sync_quiet
	rules a 'write 8 8 hold'
	dd if=/dev/zero of=/dev/kio/array bs=4k count=1 oflag=direct status=none &
	pid=$!
	eventually waiting a 1
	pause 0.2
	kill -0 "$pid"
	same 0 "$(data_sectors)" 'data written meanwhile'
	nowait_is_refused
	rules a
	wait "$pid"
	verify_io random /dev/kio/array --ops 50
}

# waiting LETTER REQUESTS: there are as many that fX holds
waiting()
{
	[ "$(awk '{ n += $4 } END { print n + 0 }' "$KIO/filter/f$1/state")" -ge "$2" ]
}

# Of the first block of the array, on a disk that was empty
data_sectors()
{
	cmp -s -n 4096 -i $((DATA_START * 512)):0 /dev/da /dev/zero && echo 0 || echo 8
}

nowait_is_refused()
{
	must_fail fio --name=nowait --filename=/dev/kio/array --rw=write --bs=4k --size=4k \
		--ioengine=io_uring --direct=1 --nowait=1 --output="$WORK/nowait"
	grep -q 'Resource temporarily unavailable' "$WORK/nowait"
}

need_kind raid
need_modules kfilter klvm
need_tools fio blkdiscard od
run_cases \
	test_add_1 'level 1: a leg goes, a fresh disk comes' \
	test_add_10 'level 10 likewise' \
	test_add_bitmap 'level 10 with a bitmap' \
	test_spare 'a spare takes a place by itself' \
	test_replace 'a leg is replaced while it serves' \
	test_replace_fails 'what was to replace it fails' \
	test_pulled 'a disk is pulled out' \
	test_flakey_leg 'a leg fails, and is mended' \
	test_dm_leg 'a leg on device-mapper likewise' \
	test_last_leg 'the last good leg stays' \
	test_readd 'a leg that comes back gets what was written' \
	test_readd_after_down 'also after the array was down' \
	test_readd_without 'without a bitmap it gets all' \
	test_readd_speed 'what is skipped takes no time' \
	test_chunk 'the chunk of a bitmap' \
	test_speed 'the speed limit' \
	test_words 'sync_action, its words' \
	test_taken_back 'what was taken back does not begin' \
	test_mismatches 'a check counts what was planted, a repair repairs it' \
	test_mismatches_10 'level 10 likewise' \
	test_check_under_load 'check and repair under load' \
	test_continue 'a rebuild goes on where it was' \
	test_continue_resync 'a resync goes on where it was' \
	test_read_error 'a read that failed is done elsewhere, and the block rewritten' \
	test_check_mends 'a block that a check cannot read is rewritten' \
	test_too_many 'one read too many' \
	test_bad_source 'a rebuild without a source' \
	test_bad_source_other 'a rebuild with another source' \
	test_grow 'legs that have grown' \
	test_grow_10 'level 10 likewise' \
	test_parked 'writes that wait for superblocks'
