#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: what an array acknowledged is there after a crash, whatever was under way, and
# what may differ is made equal; random rounds of failures; nothing is left behind.
#
#	array	legs at level 1, or four at level 10, metadata 1.2
#	lN	slices of power, by device-mapper, which lets them share it
#	power	flakey on da: all legs lose power at the same moment
#	fX	flakey on dX, for a crash of one leg
#
# KIO_SEED chooses the random rounds.
. "${0%/*}/test_common.sh"
. "$SELFTESTS/raid_common.sh"

SLICE=12
SECTORS=$(((SLICE - 1) * 2048))
DATA_START=2048

# slices NR: l0, l1 ...; sets LEGS
slices()
{
	local i

	null_disk da $(($1 * SLICE + 1)) "${@:2}"
	filter power flakey /dev/da
	LEGS=()
	for ((i = 0; i < $1; i++)); do
		dmsetup create "l$i" --noudevsync \
			--table "0 $((SLICE * 2048)) linear /dev/kio/power $((i * SLICE * 2048))"
		undo dmsetup remove --noudevsync --retry "l$i"
		LEGS+=("/dev/mapper/l$i")
	done
}

# From one moment on nothing is written any more, whoever wants to.
cut_power()
{
	write_attr "$KIO/filter/power/rules" 'any 0 - error EIO'
}

power_back()
{
	write_attr "$KIO/filter/power/rules" clear
}

# fresh LEVEL [ATTRIBUTE=VALUE...]: on LEGS
fresh()
{
	array array "$1" "${LEGS[*]}" metadata=1.2 create=1 assume_clean=1 "${@:2}"
	undo no_rules
}

# Nothing is held, nothing fails.
no_rules()
{
	local rules

	for rules in "$KIO"/filter/*/rules; do
		write_attr "$rules" clear
	done
}

# sectors DEVICE FIELD: 2: read, 6: written, as its diskstats have it
sectors()
{
	local number
	local -a s

	number=$(stat -L -c '16#%t:16#%T' "$1")
	read -ra s <"/sys/dev/block/$((${number%:*})):$((${number#*:}))/stat"
	echo "${s[$2]}"
}

# crash: power goes, and what was up goes down without a word to its legs
crash()
{
	cut_power
	if [ -n "${LOAD:-}" ]; then
		wait "$LOAD" || :
		LOAD=
	fi
	eventually disable_quietly
	power_back
}

disable_quietly()
{
	echo 0 >"$KIO/raid/array/enable" 2>/dev/null
}

# load SEED: writes all over the first 8 MiB, until it fails
load()
{
	local before

	before=$(written raid/array)
	verify_io random /dev/kio/array --jobs 2 --ops 0 --max 64K --length 8M --seed "$1" \
		>"$WORK/load" 2>&1 &
	LOAD=$!
	eventually has_written raid/array $((before + ${2:-40}))
}

# ---- power cuts ----

# Dirty superblocks have all legs compared; without, or with a bitmap.
after_crash()
{
	verify_io check /dev/kio/array --offset 9M --length 1M
	eventually whole
	mismatches 0
	verify_io check /dev/kio/array --offset 9M --length 1M
}

crash_and_resync()
{
	local nr=$1 read

	slices "$nr"
	fresh "${@:2}"
	verify_io fill /dev/kio/array
	load 1
	must_fail grep -E 'generation|wrong' "$WORK/load"
	crash
	read=$(sectors "${LEGS[1]}" 2)
	enable raid/array
	after_crash
	note "$(($(sectors "${LEGS[1]}" 2) - read)) sectors read of a leg"
}

test_crash()
{
	crash_and_resync 2 1
}

test_crash_10()
{
	crash_and_resync 4 10 chunk_kib=64 bitmap=internal bitmap_chunk_kib=64
}

# plant LEG SECTOR COUNT: other bytes in the data of a leg, the array being down
plant()
{
	head -c $(($3 * 512)) /dev/urandom |
		dd of="${LEGS[$1]}" bs=512 seek=$((DATA_START + $2)) conv=notrunc,fsync status=none
}

# The bitmap says to clear bits after an hour, not after seconds.
keep_bits()
{
	local leg

	write_attr "$KIO/raid/array/enable" 0
	for leg in "${LEGS[@]}"; do
		printf '\020\016' | dd of="$leg" bs=1 seek=$((8192 + 56)) conv=notrunc,fsync status=none
	done
	enable raid/array
}

# Only chunks whose bit is set are read; what differs elsewhere is not even seen.
test_bitmap()
{
	local read nr

	slices 2
	fresh 1 bitmap=internal bitmap_chunk_kib=64
	keep_bits
	for nr in 0 64 5000; do
		verify_io fill /dev/kio/array --offset "${nr}K" --length 4K
	done
	crash
	nr=$(bits_set "${LEGS[0]}")
	same 3 "$nr" 'bits that are set'
	same 3600 "$(od -An -tu4 -j$((8192 + 56)) -N4 "${LEGS[0]}" | tr -d ' ')" 'seconds to clear them'
	plant 1 8 8
	plant 1 $((5001 * 2 - 10)) 8
	plant 1 20000 16
	read=$(sectors "${LEGS[1]}" 2)
	enable raid/array
	eventually whole
	within $((nr * 128)) $((nr * 128 + 200)) $(($(sectors "${LEGS[1]}" 2) - read)) \
		'sectors read by the resync'
	mismatches 16
	for nr in 0 64 5000; do
		verify_io check /dev/kio/array --offset "${nr}K" --length 4K
	done
}

# A bitmap that was not kept: all may differ. And it is kept again before a write.
test_bitmap_stale()
{
	slices 2
	fresh 1 bitmap=internal bitmap_chunk_kib=64
	verify_io fill /dev/kio/array --length 4K
	crash
	# state 2: stale
	for leg in "${LEGS[@]}"; do
		printf '\002' | dd of="$leg" bs=1 seek=$((8192 + 48)) conv=notrunc,fsync status=none
	done
	plant 1 20000 16
	write_attr "$KIO/raid/array/sync_speed_kib_max" 512
	enable raid/array
	eventually doing resync
	verify_io fill /dev/kio/array --offset 10000K --length 4K
	[ "$(bits_set "${LEGS[0]}")" -ge $((SECTORS / 128 - 20)) ] ||
		fail "only $(bits_set "${LEGS[0]}") bits are set on the disk"
	crash
	write_attr "$KIO/raid/array/sync_speed_kib_max" 0
	enable raid/array
	eventually whole
	mismatches 0
}

# ---- a crash in a rebuild ----

test_rebuild()
{
	local told

	slices 3
	LEGS=("${LEGS[@]:0:2}")
	fresh 1
	verify_io fill /dev/kio/array
	act sync_speed_kib_max 4096
	act fail "${LEGS[1]}"
	act remove "${LEGS[1]}"
	act add /dev/mapper/l2
	eventually past $((5 * 2048))
	crash
	told=$(dd if=/dev/mapper/l2 bs=4k skip=1 count=1 iflag=direct status=none |
		od -An -tu8 -j152 -N8 | tr -d ' ')
	note "superblocks say $told of $SECTORS"
	within 4096 "$SECTORS" "$told" 'checkpoint in the superblock'
	write_attr "$KIO/raid/array/legs" "/dev/mapper/l0 /dev/mapper/l2"
	write_attr "$KIO/raid/array/sync_speed_kib_max" 512
	enable raid/array
	eventually doing recover
	within "$told" "$SECTORS" "$(synced_to)" 'where it goes on'
	verify_io check /dev/kio/array
	write_attr "$KIO/raid/array/sync_speed_kib_max" 0
	eventually whole
	verify_io check /dev/kio/array
	mismatches 0
}

# ---- what is acknowledged ----

# flakies LETTER...: fX on dX
flakies()
{
	local letter

	LEGS=()
	for letter; do
		null_disk "d$letter" "$SLICE"
		filter "f$letter" flakey "/dev/d$letter"
		LEGS+=("/dev/kio/f$letter")
	done
}

# rules LETTER LINE...: of fX, in place of those that are there
rules()
{
	write_attr "$KIO/filter/f$1/rules" "$(printf '%s\n' clear "${@:2}")"
}

holds()
{
	[ "$(awk '{ n += $4 } END { print n + 0 }' "$KIO/filter/f$1/state")" -ge 1 ]
}

# The first superblock says that there are writes.
failed_and_held()
{
	holds b || return 1
	one_is_out || {
		write_attr "$KIO/filter/fb/release" all
		return 1
	}
}

# leg_state cannot be read while superblocks are written.
one_is_out()
{
	local legs

	read -r legs <"$KIO/raid/array/degraded"
	[ "$legs" = 1 ]
}

# A leg fails a write. It ends only when the other leg's superblock says so.
test_ack()
{
	local pid

	flakies a b
	fresh 1
	verify_io fill /dev/kio/array --seed 1
	verify_io fill /dev/kio/array --seed 1 --length 4K
	rules a 'write 2048 - error EIO'
	rules b 'write 8 8 hold'
	verify_io fill /dev/kio/array --seed 2 --length 4K &
	pid=$!
	eventually failed_and_held
	pause 0.5
	kill -0 "$pid" || fail 'the write has ended before the superblock'
	rules b
	wait "$pid"
	# all power goes, the failed leg comes back
	rules a 'any 0 - error EIO'
	rules b 'any 0 - error EIO'
	eventually disable_quietly
	rules a
	rules b
	enable raid/array
	state_is /dev/kio/fa faulty
	state_is /dev/kio/fb in_sync
	verify_io check /dev/kio/array --seed 2 --length 4K
	verify_io check /dev/kio/array --seed 1 --offset 4K
}

# The failed leg alone is out of date, and knows: its superblock was dirty, another event.
test_ack_stale_alone()
{
	flakies a b
	fresh 1
	verify_io fill /dev/kio/array --seed 1
	rules a 'write 2048 - error EIO'
	verify_io fill /dev/kio/array --seed 2 --length 64K
	eventually state_is /dev/kio/fa faulty
	verify_io fill /dev/kio/array --seed 2
	rules a
	crash_of b
	for order in '/dev/kio/fa /dev/kio/fb' '/dev/kio/fb /dev/kio/fa'; do
		write_attr "$KIO/raid/array/legs" "$order"
		enable raid/array
		state_is /dev/kio/fa faulty
		verify_io check /dev/kio/array --seed 2
		disable raid/array
	done
	enable raid/array
}

crash_of()
{
	rules "$1" 'any 0 - error EIO'
	eventually disable_quietly
	rules "$1"
}

# ---- random rounds ----

# Sets N to a number below $1.
draw()
{
	SEED=$(((SEED * 1103515245 + 12345) % 2147483648))
	N=$(((SEED >> 8) % $1))
}

members_that_are()
{
	awk -v state="$1" '$3 == state { print $2 }' "$KIO/raid/array/leg_state"
}

# pick STATE: sets PICKED to a member in that state, or to nothing
pick()
{
	local -a paths

	mapfile -t paths < <(members_that_are "$1")
	PICKED=
	if [ ${#paths[@]} -gt 0 ]; then
		draw ${#paths[@]}
		PICKED=${paths[N]}
	fi
}

# try ATTRIBUTE VALUE: it may be refused
try()
{
	DID+=" $1:${2//\/dev\/mapper\//}"
	write_attr "$KIO/raid/array/$1" "$2" 2>/dev/null || DID+='!'
}

step()
{
	local spare

	draw 7
	case $N in
	0) pick in_sync; [ -z "$PICKED" ] || try fail "$PICKED" ;;
	1) pick faulty; [ -z "$PICKED" ] || { try remove "$PICKED"; try add "$PICKED"; } ;;
	2)
		pick spare
		spare=$PICKED
		pick in_sync
		[ -z "$spare" ] || try replace "$PICKED $spare"
		;;
	3) pick rebuilding; [ -z "$PICKED" ] || try fail "$PICKED" ;;
	4) try sync_action check ;;
	5) try sync_action idle; try sync_action recover ;;
	6) pick spare; [ -z "$PICKED" ] || try remove "$PICKED"; try add "$EXTRA" ;;
	esac
	draw 4
	pause "0.$N"
}

# Everything comes back, and then nothing differs.
settle()
{
	local path

	for path in $(members_that_are faulty); do
		act remove "$path"
		act add "$path"
	done
	try sync_action recover
	eventually whole
	mismatches 0
	verify_io check /dev/kio/array --offset 9M --length 1M
}

# crashes half the time
round()
{
	local steps end

	DID=
	load "$1" 10
	draw 3
	for ((steps = N + 2; steps > 0; steps--)); do
		step
	done
	draw 2
	end=$N
	if [ "$end" = 1 ]; then
		DID+=' crash'
		crash
		must_fail grep -E 'generation|wrong byte' "$WORK/load"
		enable raid/array
	else
		kill "$LOAD"
		wait "$LOAD" || {
			cat "$WORK/load"
			fail 'the load saw errors'
		}
		LOAD=
	fi
	settle
}

# rounds LEVEL LEGS ROUNDS [ATTRIBUTE=VALUE...]
rounds()
{
	local i

	slices $(($2 + 1))
	EXTRA=${LEGS[$2]}
	LEGS=("${LEGS[@]:0:$2}")
	fresh "$1" "${@:4}"
	LEGS+=("$EXTRA")
	act add "$EXTRA"
	verify_io fill /dev/kio/array
	for ((i = 0; i < $3; i++)); do
		round $((SEED % 1000 + 1)) || fail "level $1, round $i, seed $KIO_SEED:$DID"
	done
	disable raid/array
	write_attr "$KIO/raid/array/legs" "${LEGS[*]}"
	enable raid/array
	eventually whole
}

test_rounds()
{
	# a seed of its own for each long run
	KIO_SEED=${KIO_SEED:-$(longer 1438 "$RANDOM")}
	SEED=$KIO_SEED
	note "KIO_SEED=$KIO_SEED"
	rounds 1 2 "$(longer 4 25)" bitmap=internal bitmap_chunk_kib=64
	undo_all
	rounds 10 4 "$(longer 4 25)" chunk_kib=64
}

# ---- what is left ----

# What there is of arrays in the kernel
traces_of_arrays()
{
	shopt -s nullglob
	echo "$KIO"/raid/* /sys/block/kio!* /sys/kernel/debug/kiobuf/* \
		/sys/devices/virtual/bdi/kio* /sys/kernel/slab/*kraid*
	cat /proc/[0-9]*/comm 2>/dev/null | grep '^kraid' || :
	cat /sys/module/kraid/refcnt
}

test_nothing_left()
{
	local before i refs

	null_disk da 2
	null_disk db 2
	refs=$(<"/sys/module/null_blk/refcnt")
	before=$(traces_of_arrays)
	for ((i = 0; i < $(longer 20 1000); i++)); do
		mkdir "$KIO/raid/short"
		write_attr "$KIO/raid/short/level" $((i % 2 ? 10 : 1))
		write_attr "$KIO/raid/short/legs" '/dev/da /dev/db'
		write_attr "$KIO/raid/short/metadata" 1.2
		write_attr "$KIO/raid/short/bitmap" internal
		write_attr "$KIO/raid/short/create" 1
		enable raid/short
		disable raid/short
		enable raid/short
		dd if=/dev/zero of=/dev/kio/short bs=4k count=1 oflag=direct status=none
		disable raid/short
		rmdir "$KIO/raid/short"
	done
	same "$before" "$(traces_of_arrays)" 'what there is of arrays'
	same "$refs" "$(<"/sys/module/null_blk/refcnt")" 'references of null_blk'
}

test_unload()
{
	[ "$(<"/sys/module/kraid/refcnt")" = 0 ] || skip 'kraid is in use'
	modprobe -r kraid
	[ ! -d "$KIO/raid" ] || fail 'the folder is left'
	! grep -q kraid /proc/slabinfo || fail 'a slab is left'
	modprobe kraid
}

need_kind raid
need_modules kfilter
need_tools od dmsetup
need_modules dm-mod
run_cases \
	test_crash 'all legs lose power at once, and are made equal' \
	test_crash_10 'level 10 with a bitmap likewise' \
	test_bitmap 'a resync looks at what the bitmap tells only' \
	test_bitmap_stale 'a bitmap that was not kept tells all' \
	test_rebuild 'a rebuild goes on from its checkpoint' \
	test_ack 'no write ends before superblocks tell of a failed leg' \
	test_ack_stale_alone 'a failed leg is not believed' \
	test_rounds 'random rounds' \
	test_nothing_left 'nothing is left' \
	test_unload 'the module can be unloaded'
