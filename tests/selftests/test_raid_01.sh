#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: RAID-0 lays data out as md does, for any chunk and number of legs, and
# takes requests of any shape.
#
#	array	chunks in turn over da, db (, dc)
#	md	the kernel's own driver on the same legs, the array being down
. "${0%/*}/test_common.sh"

LEGS=(/dev/da /dev/db /dev/dc)

# legs NUMBER MIB [ATTRIBUTE=VALUE...]
legs()
{
	local i

	for ((i = 0; i < $1; i++)); do
		null_disk "${LEGS[i]#/dev/}" "$2" "${@:3}"
	done
}

md_start()
{
	mdadm --quiet --build /dev/md100 --run --level=0 --raid-devices=$# \
		--chunk="$CHUNK" "$@"
	undo mdadm --quiet --stop /dev/md100
}

md_stop()
{
	mdadm --quiet --stop /dev/md100
	unset 'UNDO[-1]'
}

# same_as_md NUMBER CHUNK: md reads what we wrote, and we what md wrote
same_as_md()
{
	local -a use=("${LEGS[@]:0:$1}")

	CHUNK=$2
	array array 0 "${use[*]}" "chunk_kib=$2"
	verify_io fill /dev/kio/array --seed 1
	disable raid/array
	md_start "${use[@]}"
	same "$SIZE" "$(blockdev --getsize64 /dev/md100)" 'size of md'
	verify_io check /dev/md100 --seed 1
	verify_io fill /dev/md100 --seed 2
	md_stop
	enable raid/array
	same "$SIZE" "$(blockdev --getsize64 /dev/kio/array)" 'size of the array'
	verify_io check /dev/kio/array --seed 2
}

test_md_two()
{
	need_tools mdadm
	need_modules raid0
	legs 2 16
	SIZE=$((32 << 20))
	same_as_md 2 64
}

test_md_three()
{
	need_tools mdadm
	need_modules raid0
	legs 3 8
	SIZE=$((24 << 20))
	same_as_md 3 4
}

# Whole chunks only, so the last 512 KiB of each leg are not used.
test_md_rest()
{
	need_tools mdadm
	need_modules raid0
	legs 3 9
	SIZE=$((24 << 20))
	same_as_md 3 2048
}

test_random()
{
	local chunk

	legs 3 8
	for chunk in 4 12 256; do
		array "c$chunk" 0 "${LEGS[*]}" "chunk_kib=$chunk"
		verify_io random "/dev/kio/c$chunk" --ops "$(longer 150 5000)"
		frag_io "/dev/kio/c$chunk" $((8 << 20))
		disable "raid/c$chunk"
	done
}

test_fio()
{
	legs 3 32
	array array 0 "${LEGS[*]}" chunk_kib=16
	fio_verify /dev/kio/array --io_size="$(longer 32m 1g)"
}

test_large_legs_are_used()
{
	local i

	legs 3 8
	array array 0 "${LEGS[*]}"
	verify_io fill /dev/kio/array
	for i in 0 1 2; do
		verify_io check "${LEGS[i]}" --length 64K --as $((i * 128))
		verify_io check "${LEGS[i]}" --offset 64K --length 64K --as $(((i + 3) * 128))
	done
}

test_limits()
{
	local queue=/sys/block/kio\!array/queue

	legs 3 8
	array array 0 "${LEGS[*]}" chunk_kib=128
	same $((128 << 10)) "$(<"$queue/minimum_io_size")" minimum_io_size
	same $((3 * (128 << 10))) "$(<"$queue/optimal_io_size")" optimal_io_size
	same 0 "$(<"$KIO/raid/array/degraded")" degraded
}

# The failing leg's second turn lies between good ones.
test_broken_leg()
{
	legs 2 8
	breakable_disk mb /dev/db
	array array 0 '/dev/da /dev/mapper/mb' chunk_kib=512
	break_disk mb
	partial_bio /dev/kio/array $((512 << 10)) $((1024 << 10))
	refused 'cannot do without /dev/da' raid/array fail /dev/da
	mend_disk mb /dev/db
	verify_io random /dev/kio/array --ops 50
}

test_discard()
{
	legs 3 8 discard=1
	array array 0 "${LEGS[*]}" chunk_kib=64
	verify_io fill /dev/kio/array
	blkdiscard -o 1020K -l 9M /dev/kio/array
	verify_io zero /dev/kio/array --offset 1020K --length 9M
	verify_io check /dev/kio/array --length 1020K
	verify_io check /dev/kio/array --offset 10236K
	verify_io fill /dev/kio/array
	blkdiscard -z -o 100K -l 3M /dev/kio/array
	verify_io zero /dev/kio/array --offset 100K --length 3M
	verify_io check /dev/kio/array --length 100K
	verify_io check /dev/kio/array --offset 3172K
}

test_flush()
{
	legs 3 8 cache_size=4
	array array 0 "${LEGS[*]}"
	flush_reaches /dev/kio/array "${LEGS[@]}"
}

need_kind raid
run_cases \
	test_md_two "md's layout, 2 legs, chunks of 64 KiB" \
	test_md_three "md's layout, 3 legs, chunks of 4 KiB" \
	test_md_rest "md's layout, legs that end with part of a chunk" \
	test_random 'requests of any shape, chunks of 4, 12 and 256 KiB' \
	test_fio 'fio over 3 legs' \
	test_large_legs_are_used 'chunks go to the legs in turn' \
	test_limits 'the queue tells of chunk and stripe' \
	test_broken_leg 'what meets a broken leg fails, the rest does not' \
	test_discard 'discards and zeroes over many chunks' \
	test_flush 'a flush reaches every leg'
