#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: striped segments lay data out as device-mapper does, for any number of
# legs and any chunk, and take requests of any shape.
#
#	vol	chunks in turn over pieces of da, db, dc, dd, de
#	stripe	device-mapper's striped, of the same table, vol being down
. "${0%/*}/test_common.sh"

LEGS=(/dev/da /dev/db /dev/dc /dev/dd /dev/de)
MIB=8

# legs NUMBER [ATTRIBUTE=VALUE...]
legs()
{
	local leg

	for leg in "${LEGS[@]:0:$1}"; do
		null_disk "${leg#/dev/}" "$MIB" "${@:2}"
	done
}

# striped NUMBER CHUNK [ROWS [START]]: a line over so many legs, at an offset of
# its own on each; chunk and start in sectors
striped()
{
	local line="${4:-0} $(($1 * $2 * ${3:-32})) striped $1 $2" i

	for ((i = 0; i < $1; i++)); do
		line+=" ${LEGS[i]} $((i * 8))"
	done
	echo "$line"
}

# same_as_dm LINE: device-mapper reads what we wrote, and we what it wrote
same_as_dm()
{
	local size

	need_tools dmsetup
	volume vol "$1"
	size=$(size_of lvm/vol)
	verify_io fill /dev/kio/vol --seed 1
	disable lvm/vol
	dmsetup create stripe --noudevsync --table "$1"
	undo dmsetup remove --noudevsync --retry stripe
	same "$size" "$(blockdev --getsize64 /dev/mapper/stripe)" 'size of dm'
	verify_io check /dev/mapper/stripe --seed 1
	verify_io fill /dev/mapper/stripe --seed 2
	dmsetup remove --noudevsync --retry stripe
	unset 'UNDO[-1]'
	enable lvm/vol
	verify_io check /dev/kio/vol --seed 2
	verify_io check /dev/kio/vol --seed 2 --buffered
	same "$1" "$(<"$KIO/lvm/vol/table")" table
}

test_dm_two()
{
	legs 2
	same_as_dm "$(striped 2 8 1000)"
}

test_dm_three()
{
	legs 3
	same_as_dm "$(striped 3 48 300)"
}

test_dm_five()
{
	legs 5
	same_as_dm "$(striped 5 128 100)"
}

test_chunk_goes_to_leg()
{
	local chunk row

	legs 3
	volume vol "$(striped 3 48 8)"
	verify_io fill /dev/kio/vol
	for chunk in 0 1 2 4 8 23; do
		row=$((chunk / 3))
		verify_io check "${LEGS[chunk % 3]}" --length 24K \
			--offset $((chunk % 3 * 4096 + row * 24576)) \
			--as $((chunk * 48))
	done
}

test_random()
{
	local chunk

	legs 3
	for chunk in 1 8 24 512; do
		volume "c$chunk" "$(striped 3 "$chunk" $((8192 / chunk)))"
		verify_io random "/dev/kio/c$chunk" --ops "$(longer 150 5000)"
		frag_io "/dev/kio/c$chunk" $((8 << 20))
		disable "lvm/c$chunk"
	done
}

# Requests cross from one segment into another, some in the middle of a row.
test_beside_others()
{
	legs 3
	volume vol '0 1000 linear /dev/da 8192' \
		"$(striped 3 24 20 1000)" '2440 100 zero' \
		'2540 960 striped 2 16 /dev/db 8192 /dev/dc 8192' \
		'3500 700 linear /dev/dc 12000'
	verify_io fill /dev/kio/vol --length 1220K
	verify_io check /dev/kio/vol --length 1220K
	verify_io zero /dev/kio/vol --offset 1220K --length 50K
	verify_io fill /dev/kio/vol --offset 1270K
	verify_io random /dev/kio/vol --length 1220K --ops "$(longer 200 5000)"
	verify_io check /dev/kio/vol --offset 1270K --length 480K
	verify_io check /dev/dc --offset $((12000 * 512)) --length 350K --as 3500
}

test_limits()
{
	local queue=/sys/block/kio\!vol/queue

	legs 2
	null_disk dc "$MIB" blocksize=4096
	make lvm/bad
	refused_table 'multiples of 8' bad "$(striped 3 12 8)"
	volume big "$(striped 3 48 8)"
	same 4096 "$(blockdev --getss /dev/kio/big)" 'logical block'
	verify_io fill /dev/kio/big
	verify_io check /dev/kio/big
	disable lvm/big
	volume vol "$(striped 2 256 8)"
	same $((128 << 10)) "$(<"$queue/minimum_io_size")" minimum_io_size
	same $((256 << 10)) "$(<"$queue/optimal_io_size")" optimal_io_size
	reload vol "$(striped 2 256 8)" "$(striped 2 48 8 4096)"
	same $((768 << 10)) "$(<"$queue/optimal_io_size")" 'optimal_io_size of both'
}

test_xfs()
{
	need_modules xfs
	need_tools mkfs.xfs
	# Below 1 GiB it takes no notice of stripes.
	MIB=512
	legs 3
	volume vol "$(striped 3 128 8000)"
	mkfs.xfs /dev/kio/vol >"$WORK/mkfs"
	matches 'sunit=16 +swidth=48 blks' "$(<"$WORK/mkfs")" 'mkfs.xfs'
	mounted /dev/kio/vol
	cp -r "$SELFTESTS" "$MNT/files"
	diff -r "$SELFTESTS" "$MNT/files"
}

# One range for each leg, however many chunks
test_discard()
{
	local leg

	legs 3 discard=1
	volume vol "$(striped 3 48 300)"
	verify_io fill /dev/kio/vol
	blkdiscard -o 1M -l 9M /dev/kio/vol
	verify_io zero /dev/kio/vol --offset 1M --length 9M
	verify_io check /dev/kio/vol --length 1M
	verify_io check /dev/kio/vol --offset 10M
	for leg in "${LEGS[@]:0:3}"; do
		same 1 "$(awk '{ print $12 }' "/sys/block/${leg#/dev/}/stat")" "discards of $leg"
	done
	verify_io fill /dev/kio/vol
	blkdiscard -z -o 100K -l 3M /dev/kio/vol
	verify_io zero /dev/kio/vol --offset 100K --length 3M
	verify_io check /dev/kio/vol --length 100K
	verify_io check /dev/kio/vol --offset 3172K
}

test_fstrim()
{
	local leg

	MIB=64
	legs 3 discard=1
	volume vol "$(striped 3 128 1000)"
	mkfs.ext4 -q -E nodiscard /dev/kio/vol
	mounted /dev/kio/vol
	fstrim "$MNT"
	for leg in "${LEGS[@]:0:3}"; do
		[ "$(awk '{ print $14 }' "/sys/block/${leg#/dev/}/stat")" -gt 100000 ] ||
			fail "most of $leg was not discarded"
	done
}

test_flush()
{
	legs 3 cache_size=4
	volume vol "$(striped 3 48 100)"
	flush_reaches /dev/kio/vol "${LEGS[@]:0:3}"
}

# The failing leg's second turn lies between good ones.
test_broken_leg()
{
	legs 2
	breakable_disk mb /dev/db
	volume vol '0 16384 striped 2 1024 /dev/da 0 /dev/mapper/mb 0'
	break_disk mb
	partial_bio /dev/kio/vol $((512 << 10)) $((1024 << 10))
	mend_disk mb /dev/db
	verify_io random /dev/kio/vol --ops 50
}

# One request over many chunks: what is bad on a leg is bad there, and nowhere else.
test_exact_ranges()
{
	need_kind filter
	need_tools kio_torture
	modinfo kiobuf_probe >/dev/null 2>&1 || skip 'kiobuf_probe.ko is not built'
	modprobe kiobuf_probe
	undo modprobe -r kiobuf_probe
	legs 3
	filter flaky flakey /dev/db
	volume vol '0 12288 striped 3 8 /dev/da 0 /dev/kio/flaky 0 /dev/dc 0'
	write_attr "$KIO/filter/flaky/rules" 'write 12 8 error EILSEQ'
	kio_torture request /dev/kio/vol 512 \
		io probe write 0 65536 seed 1 cut 0 >"$WORK/answer"
	matches '18432 bytes, EILSEQ, failed ranges: 18432\+2048:EILSEQ.*28672\+2048:EILSEQ' \
		"$(<"$WORK/answer")" answer
	# Neither the bytes beside them nor the other legs were held up.
	write_attr "$KIO/filter/flaky/rules" clear
	kio_torture request /dev/kio/vol 512 \
		io probe read 20480 8192 seed 1 cut 0 >"$WORK/answer"
	matches '8192 bytes, no error' "$(<"$WORK/answer")" answer
}

test_refused()
{
	local line

	legs 2
	make lvm/bad
	for line in '0 64 striped' '0 64 striped 0 8' '0 64 striped 2 0 /dev/da 0 /dev/db 0' \
		'0 64 striped x 8 /dev/da 0' '0 64 striped 65536 8 /dev/da 0' \
		'0 64 striped 2 8388608 /dev/da 0 /dev/db 0'; do
		refused 'NUMBER CHUNK' lvm/bad table "$line"
	done
	for line in '0 64 striped 2 8' '0 64 striped 2 8 /dev/da' \
		'0 64 striped 2 8 /dev/da 0' '0 64 striped 2 8 /dev/da 0 /dev/db' \
		'0 64 striped 2 8 /dev/da 0 /dev/db x'; do
		refused 'for each of 2 legs' lvm/bad table "$line"
	done
	refused 'one word too many' lvm/bad table '0 64 striped 2 8 /dev/da 0 /dev/db 0 0'
	refused_table 'no multiple of 16' bad '0 56 striped 2 8 /dev/da 0 /dev/db 0'
	refused_table 'do not fit /dev/db' bad '0 64 striped 2 8 /dev/da 0 /dev/db 16360'
	refused_table 'no such device' bad '0 64 striped 2 8 /dev/da 0 /dev/nowhere 0'
	stage bad '0 64 striped 2 8 /dev/da 0 /dev/db 16352'
	enable lvm/bad
	disable lvm/bad
}

test_swap()
{
	legs 3
	volume vol "$(striped 3 48 100)"
	during_load lvm/vol reload vol "$(striped 3 48 50)" \
		'7200 7200 striped 3 48 /dev/da 2400 /dev/db 2408 /dev/dc 2416'
}

need_kind lvm
run_cases \
	test_dm_two "device-mapper's layout, 2 legs, chunks of 4 KiB" \
	test_dm_three "device-mapper's layout, 3 legs, chunks of 24 KiB" \
	test_dm_five "device-mapper's layout, 5 legs, chunks of 64 KiB" \
	test_chunk_goes_to_leg 'chunks go to the legs in turn' \
	test_random 'requests of any shape, chunks of 512 bytes to 256 KiB' \
	test_beside_others 'striped segments beside others' \
	test_limits 'the queue tells of chunk and row, blocks of a mixed pair' \
	test_xfs 'mkfs.xfs takes stripe unit and width' \
	test_discard 'a discard is one range for each leg' \
	test_fstrim 'fstrim reaches the legs' \
	test_flush 'a flush reaches every leg' \
	test_broken_leg 'what meets a broken leg fails, the rest does not' \
	test_exact_ranges 'failed ranges are told exactly' \
	test_refused 'bad lines are refused with a sentence' \
	test_swap 'a table in pieces takes over under load'
