# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Arrays that are ours and md's in turn, on the same legs. Sourced behind test_common.sh.
#
#	array	ours, assembled from superblocks
#	md100	the kernel's own driver
#	d1a...	legs, and disks to rebuild onto

MD=/sys/block/md100/md
RUN=0

# ---- disks ----

# disks NUMBER MIB [ATTRIBUTE=VALUE...]: sets USE to disks, FRESH to two more
disks()
{
	local letter all=(a b c d e f g h)

	RUN=$((RUN + 1))
	USE=() FRESH=()
	for letter in "${all[@]:0:$1}"; do
		null_disk "d$RUN$letter" "$2" "${@:3}"
		USE+=("/dev/d$RUN$letter")
	done
	for letter in y z; do
		null_disk "d$RUN$letter" "$2" "${@:3}"
		FRESH+=("/dev/d$RUN$letter")
	done
}

# unequal MIB...: the same, of different sizes, and nothing fresh
unequal()
{
	local mib letters=abcdefgh

	RUN=$((RUN + 1))
	USE=()
	for mib; do
		null_disk "d$RUN${letters:${#USE[@]}:1}" "$mib"
		USE+=("/dev/d$RUN${letters:${#USE[@]}:1}")
	done
}

# As after a crash: sets USE to copies of what is on the legs at this moment
crash()
{
	local leg snap=()

	for leg in "${USE[@]}"; do
		null_disk "${leg#/dev/}s" "$1"
		dd if="$leg" of="${leg}s" bs=1M iflag=direct oflag=direct status=none
		snap+=("${leg}s")
	done
	USE=("${snap[@]}")
}

# spoil DISK BYTES: 8 sectors of it from there on are other than they were
spoil()
{
	head -c 4096 /dev/zero | tr '\0' '\377' >"$WORK/spoilt"
	dd if="$WORK/spoilt" of="$1" bs=4k count=1 seek="$2" status=none \
		oflag=seek_bytes,direct conv=notrunc
}

# ---- md ----

md_down()
{
	[ ! -e "$MD/array_state" ] || mdadm --quiet --stop /dev/md100
}

# md_create LEVEL LAYOUT CHUNK BITMAP [OPTION...]: of USE; - for what the level has not
md_create()
{
	local args=("--level=$1" "${@:5}")

	[ "$2" = - ] || args+=("--layout=$2")
	[ "$3" = - ] || args+=("--chunk=$3")
	[ "$4" = - ] || args+=("--bitmap=$4")
	undo md_down
	mdadm --quiet --create /dev/md100 --run --metadata=1.2 "${args[@]}"
}

# md_new LEVEL LAYOUT CHUNK BITMAP: with all legs, which are alike
md_new()
{
	local clean=--assume-clean

	[ "$1" != 0 ] || clean=
	md_create "$@" ${clean:+"$clean"} --raid-devices=${#USE[@]} "${USE[@]}"
}

# md_up DISK...: assembled of them
md_up()
{
	undo md_down
	mdadm --quiet --assemble /dev/md100 --run "$@"
	# Some systems have it begin nothing before the first write.
	echo active >"$MD/array_state"
}

# md_speed KIB: a second, of what makes legs of md equal; neither less nor more
md_speed()
{
	echo "$1" >/proc/sys/dev/raid/speed_limit_min
	echo "$1" >/proc/sys/dev/raid/speed_limit_max
}

md_is_whole()
{
	[ "$(<"$MD/degraded")" = 0 ] && [ "$(<"$MD/sync_action")" = idle ]
}

# md_leg DISK STATE: md is told that
md_leg()
{
	echo "$2" >"$MD/dev-${1#/dev/}/state"
}

# md_rebuild SEED: fails the second leg, fills what is left, rebuilds onto a fresh disk
md_rebuild()
{
	md_leg "${USE[1]}" faulty
	eventually md_leg "${USE[1]}" remove
	verify_io fill /dev/md100 --seed "$1"
	mdadm --quiet /dev/md100 --add "${FRESH[0]}"
	eventually md_is_whole
	take_fresh
}

# md_check SECTORS: it finds that many to differ
md_check()
{
	eventually md_is_whole
	echo check >"$MD/sync_action"
	eventually md_is_whole
	same "$1" "$(<"$MD/mismatch_cnt")" 'mismatches that md found'
}

# ---- ours ----

ours_down()
{
	disable raid/array
}

# ours_up: assembled of USE; which leg is which is for superblocks to say
ours_up()
{
	local i legs=

	for ((i = ${#USE[@]} - 1; i >= 0; i--)); do
		legs+=" ${USE[i]}"
	done
	make_array
	write_attr "$KIO/raid/array/create" 0
	write_attr "$KIO/raid/array/legs" "$legs"
	enable raid/array
}

make_array()
{
	[ ! -d "$KIO/raid/array" ] || return 0
	make raid/array metadata=1.2
	undo disable raid/array
}

# ours_create LEVEL LAYOUT CHUNK BITMAP [ATTRIBUTE=VALUE...]
ours_create()
{
	local setting settings=("level=$1" "legs=${USE[*]}" create=1 "${@:5}")

	make_array
	[ "$2" = - ] || settings+=("layout=$2")
	[ "$3" = - ] || settings+=("chunk_kib=$3")
	settings+=("bitmap=${4/-/none}")
	for setting in "${settings[@]}"; do
		write_attr "$KIO/raid/array/${setting%%=*}" "${setting#*=}"
	done
	enable raid/array
}

ours_is_whole()
{
	[ "$(<"$KIO/raid/array/degraded")" = 0 ] &&
		[ "$(<"$KIO/raid/array/sync_action")" = idle ]
}

# tell ATTRIBUTE VALUE: of the array
tell()
{
	write_attr "$KIO/raid/array/$1" "$2" || fail "$1=$2: $(<"$KIO/raid/array/error")"
}

ours_rebuild()
{
	tell fail "${USE[1]}"
	tell remove "${USE[1]}"
	verify_io fill /dev/kio/array --seed "$1"
	tell add "${FRESH[0]}"
	eventually ours_is_whole
	take_fresh
}

take_fresh()
{
	USE[1]=${FRESH[0]}
	FRESH=("${FRESH[@]:1}")
}

# Lines of the kernel's log about our array since mark_log
mark_log()
{
	MARK=mark-$RANDOM$RANDOM
	echo "$MARK" >/dev/kmsg
}

logged()
{
	log_has "kraid: array: $1" "$MARK"
}

# ours_check SECTORS: we find that many to differ
ours_check()
{
	eventually ours_is_whole
	mark_log
	tell sync_action check
	eventually logged 'check ended at [0-9]+: 0'
	same "$1" "$(<"$KIO/raid/array/mismatch_sectors")" 'mismatches that we found'
}

# ---- what mdadm says ----

# says DISK WHAT: the value behind that word of --examine
says()
{
	mdadm --examine "$1" | sed -n "s/^ *$2 : //p"
}

# count TEXT PATTERN: lines that fit
count()
{
	grep -cE "$2" <<<"$1" || :
}

# All legs are clean, and a place, and the same event.
examined()
{
	local nr=${#USE[@]} text

	text=$(mdadm --examine "${USE[@]}")
	same "$nr" "$(count "$text" ' Checksum : [0-9a-f]+ - correct$')" 'good checksums'
	same "$nr" "$(count "$text" ' State : clean$')" 'clean members'
	same "$nr" "$(count "$text" " Array State : A{$nr} ")" 'members that know of all'
	same "$nr" "$(count "$text" ' Device Role : Active device [0-9]+$')" 'active members'
	same 2 "$(grep -E ' (Events|Array UUID) :' <<<"$text" | sort -u | wc -l)" \
		'events and uuids there are'
}

# dirty_of DISK: how many bits of its bitmap are set
dirty_of()
{
	mdadm --examine-bitmap "$1" | sed -n 's/.* \([0-9]*\) dirty.*/\1/p'
}

# ---- whole ways ----

# from_md LEVEL LAYOUT CHUNK BITMAP: md's, ours, md's again
from_md()
{
	local size

	md_new "$@"
	size=$(blockdev --getsize64 /dev/md100)
	verify_io fill /dev/md100 --seed 1
	md_down
	ours_up
	same "$size" "$(size_of raid/array)" 'our size of what md made'
	verify_io check /dev/kio/array --seed 1
	verify_io fill /dev/kio/array --seed 2
	[ "$1" = 0 ] || ours_rebuild 2
	verify_io check /dev/kio/array --seed 2
	[ "$4" = - ] || same internal "$(<"$KIO/raid/array/bitmap")" bitmap
	ours_down
	examined
	md_up "${USE[@]}"
	same "$size" "$(blockdev --getsize64 /dev/md100)" 'size of md'
	verify_io check /dev/md100 --seed 2
	[ "$1" = 0 ] || md_check 0
	md_down
}

# from_us LEVEL LAYOUT CHUNK BITMAP: ours, md's, ours again
from_us()
{
	local size

	ours_create "$@" assume_clean=1
	size=$(size_of raid/array)
	verify_io fill /dev/kio/array --seed 3
	ours_down
	examined
	md_up "${USE[@]}"
	same "$size" "$(blockdev --getsize64 /dev/md100)" "md's size of what we made"
	verify_io check /dev/md100 --seed 3
	verify_io fill /dev/md100 --seed 4
	[ "$1" = 0 ] || md_rebuild 4
	[ "$4" = - ] || matches '^[+-]?[0-9]' "$(<"$MD/bitmap/location")" 'bitmap of md'
	md_down
	ours_up
	same "$size" "$(size_of raid/array)" size
	verify_io check /dev/kio/array --seed 4
	[ "$1" = 0 ] || ours_check 0
	ours_down
}

# both_ways LEVEL LAYOUT BITMAP LEGS/CHUNK...: one shape, or all in the long form
both_ways()
{
	local shape chunk

	for shape in "${@:4:$(longer 1 99)}"; do
		chunk=${shape#*/}
		disks "${shape%/*}" 8
		from_md "$1" "$2" "$chunk" "$3"
		disks "${shape%/*}" 8
		from_us "$1" "$2" "$chunk" "$3"
	done
}
