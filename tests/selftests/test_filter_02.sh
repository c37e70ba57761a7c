#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: checksum hands out no byte that has changed below, names the blocks that
# have, exactly, and takes a crash for what it is.
#
#	safe	checksum, | data | area | header | of da, or of bad
#	bad	flakey, all of da
#	da	a disk of 8 MiB: 2042 blocks of data, 33 sectors of area in 5 blocks
#
# The area is looked at, and spoilt, by csum_area.
. "${0%/*}/test_common.sh"

BLOCK=4096
DATA=2042
ILSEQ='Invalid or incomplete multibyte'

# set_up [ATTRIBUTE=VALUE...]: of the disk
set_up()
{
	null_disk da 8 "$@"
	filter safe checksum /dev/da create=1
}

# With flakey between
set_up_on_flakey()
{
	null_disk da 8 "$@"
	filter bad flakey /dev/da
	undo rules clear
	filter safe checksum /dev/kio/bad create=1
}

# rules LINE...: of flakey, in place of those that are there
rules()
{
	write_attr "$KIO/filter/bad/rules" "$(printf '%s\n' clear "$@")"
}

# counter NAME: as state tells it
counter()
{
	awk -v name="$1" '$1 == name { print $2 }' "$KIO/filter/safe/state"
}

down()
{
	disable filter/safe
}

up()
{
	enable filter/safe
}

fill()
{
	verify_io fill /dev/kio/safe "$@"
}

# blocks FIRST COUNT: what verify_io is to look at
blocks()
{
	echo "--offset $(($1 * BLOCK)) --length $(($2 * BLOCK))"
}

# good SEED FIRST COUNT: these blocks read as they were filled
good()
{
	# shellcheck disable=SC2046
	verify_io check /dev/kio/safe --seed "$1" $(blocks "$2" "$3")
}

# read_blocks FIRST COUNT: one request, to standard output
read_blocks()
{
	dd if=/dev/kio/safe bs=$(($2 * BLOCK)) count=1 iflag=direct,skip_bytes \
		skip=$(($1 * BLOCK)) status=none
}

# wrong FIRST COUNT: a read of these fails for its checksum
wrong()
{
	must_fail read_blocks "$1" "$2"
	matches "$ILSEQ" "$WHY" "read of $2 blocks from $1 on"
}

# Whatever of it was verified: not a block of the device fails.
all_good()
{
	dd if=/dev/kio/safe of="$WORK/all" bs=1M iflag=direct status=none
}

# invert_byte DEVICE BYTE: another byte in its place, on the disk itself
invert_byte()
{
	local byte

	byte=$(dd if="$1" bs=1 skip="$2" count=1 status=none | od -An -tu1)
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $((byte ^ 255)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc,fsync status=none
}

# area WANTED: what csum_area finds, without the number of blocks; safe is down
area()
{
	same "blocks $DATA $1" "$(csum_area check /dev/da)" 'the area'
}

# all_verified: every block is, and every entry settled
all_verified()
{
	area "unverified 0 settled $DATA unsettled 0 wrong 0 bad 0"
}

# ---- what it is for ----

test_create()
{
	null_disk da 8
	verify_io fill /dev/da --length $((DATA * BLOCK))
	filter safe checksum /dev/da create=1
	same 0 "$(<"$KIO/filter/safe/create")" 'create, once it is done'
	same $((DATA * BLOCK)) "$(size_of filter/safe)" size_bytes
	same 4096 "$(blockdev --getss /dev/kio/safe)" 'logical block'
	good 1 0 "$DATA"
	same 0 "$(counter verified)" verified
	within "$DATA" $((DATA + 100)) "$(counter unverified)" unverified
	down
	area "unverified $DATA settled 0 unsettled 0 wrong 0 bad 0"
	verify_io check /dev/da --length $((DATA * BLOCK))
}

test_write_and_read()
{
	set_up
	fill
	good 1 0 "$DATA"
	same "$DATA" "$(counter verified)" verified
	same 0 "$(counter mismatches)" mismatches
	verify_io random /dev/kio/safe --block 4K --ops "$(longer 100 5000)" --jobs 4 --max 128K
	verify_io random /dev/kio/safe --ops "$(longer 100 5000)" --buffered
	fill --seed 3
	down
	all_verified
	verify_io check /dev/da --seed 3 --length $((DATA * BLOCK))
	up
	good 3 0 "$DATA"
	within "$DATA" $((DATA + 100)) "$(counter verified)" 'verified, after it was down'
}

test_fio()
{
	null_disk da 64
	filter safe checksum /dev/da create=1
	fio_verify /dev/kio/safe --io_size=32m
	down
	same 0 "$(csum_area check /dev/da | cut -d' ' -f10)" wrong
}

# ---- what changes below ----

# found BLOCK: this one fails, whatever is read with it, and those beside it do not
found()
{
	wrong "$1" 1
	wrong $(($1 - 3)) 6
	wrong "$1" 32
	good 1 $(($1 - 32)) 32
	good 1 $(($1 + 1)) 32
}

test_changed_while_down()
{
	local byte

	set_up
	for byte in 0 17 4095; do
		up
		fill
		down
		invert_byte /dev/da $((100 * BLOCK + byte))
		up
		found 100
		[ "$(counter mismatches)" -ge 3 ] || fail "only $(counter mismatches) counted"
		down
	done
	area "unverified 0 settled $DATA unsettled 0 wrong 1 bad 0"
	up
	must_fail dd if=/dev/kio/safe of=/dev/null bs=4k skip=100 count=1 status=none
	# shellcheck disable=SC2046
	fill $(blocks 100 1)
	good 1 0 "$DATA"
	down
	all_verified
}

# The first block and the last, and blocks in places of each other
test_changed_at_the_ends()
{
	set_up
	fill
	down
	invert_byte /dev/da 0
	invert_byte /dev/da $((DATA * BLOCK - 1))
	dd if=/dev/zero of=/dev/da bs=4k seek=700 count=1 conv=notrunc,fsync status=none
	dd if=/dev/da of="$WORK/block" bs=4k skip=800 count=1 status=none
	dd if="$WORK/block" of=/dev/da bs=4k seek=801 conv=notrunc,fsync status=none
	up
	wrong 0 1
	good 1 1 699
	wrong 700 1
	good 1 701 100
	wrong 801 1
	good 1 802 $((DATA - 803))
	wrong $((DATA - 1)) 1
}

test_changed_on_the_way_up()
{
	set_up_on_flakey
	fill
	rules 'read 803 1 corrupt'
	found 100
	[ "$(counter mismatches)" -ge 3 ] || fail "only $(counter mismatches) counted"
	rules
	good 1 0 "$DATA"
}

# Read once more before it is called bad
test_changed_once()
{
	set_up_on_flakey
	fill
	rules 'read 803 1 corrupt count 1'
	good 1 96 8
	same '0 2 1 0' "$(<"$KIO/filter/bad/state")" 'rules that acted'
	same 0 "$(counter mismatches)" mismatches
}

test_changed_on_the_way_down()
{
	set_up_on_flakey
	fill
	rules 'write 803 1 corrupt'
	# shellcheck disable=SC2046
	fill --seed 2 $(blocks 96 8)
	rules
	good 2 96 4
	wrong 100 1
	good 2 101 3
	wrong 96 8
	# shellcheck disable=SC2046
	fill --seed 3 $(blocks 96 8)
	good 3 96 8
	good 1 104 100
}

# A write that went nowhere: the block below is an old one.
test_lost_write()
{
	set_up
	fill
	down
	dd if=/dev/da of="$WORK/old" bs=4k skip=100 count=1 status=none
	up
	# shellcheck disable=SC2046
	fill --seed 2 $(blocks 96 8)
	down
	dd if="$WORK/old" of=/dev/da bs=4k seek=100 conv=notrunc,fsync status=none
	up
	wrong 100 1
	good 2 96 4
	good 2 101 3
}

test_error_below()
{
	set_up_on_flakey
	fill
	rules 'read 803 1 error EIO'
	must_fail read_blocks 96 8
	matches 'Input/output error' "$WHY" read
	good 1 96 4
	good 1 101 3
	same 0 "$(counter mismatches)" mismatches
	rules 'write 803 1 error ENOSPC'
	# shellcheck disable=SC2046
	must_fail fill --seed 2 $(blocks 100 1)
	rules
	all_good
	# shellcheck disable=SC2046
	fill $(blocks 100 1)
	good 1 0 "$DATA"
}

# ---- unverified ----

test_unverified()
{
	set_up
	# shellcheck disable=SC2046
	fill $(blocks 62 62)
	down
	invert_byte /dev/da $((61 * BLOCK))
	invert_byte /dev/da $((124 * BLOCK))
	up
	read_blocks 0 62 >"$WORK/read"
	read_blocks 124 62 >"$WORK/read"
	good 1 62 62
	down
	invert_byte /dev/da $((62 * BLOCK))
	up
	wrong 62 1
	read_blocks 61 1 >"$WORK/read"
	down
	area "unverified $((DATA - 62)) settled 62 unsettled 0 wrong 1 bad 0"
}

test_discard()
{
	set_up discard=1
	fill
	blkdiscard -o $((100 * BLOCK)) -l $((50 * BLOCK)) /dev/kio/safe
	good 1 0 100
	good 1 150 100
	read_blocks 100 50 >"$WORK/read"
	down
	area "unverified 50 settled $((DATA - 50)) unsettled 0 wrong 0 bad 0"
	invert_byte /dev/da $((120 * BLOCK))
	invert_byte /dev/da $((150 * BLOCK))
	up
	read_blocks 100 50 >"$WORK/read"
	wrong 150 1
	fill
	good 1 0 "$DATA"
}

test_zeroes()
{
	set_up
	fill
	blkdiscard -z -o $((100 * BLOCK)) -l $((50 * BLOCK)) /dev/kio/safe
	verify_io zero /dev/kio/safe --offset $((100 * BLOCK)) --length $((50 * BLOCK))
	good 1 0 100
	good 1 150 100
	down
	same 0 "$(csum_area check /dev/da | cut -d' ' -f10)" wrong
}

# ---- the area ----

# Of the second sector: blocks 62 to 123
only_the_second_fails()
{
	wrong 62 1
	wrong 123 1
	wrong 60 4
	good 1 0 62
	good 1 124 $((DATA - 124))
	# shellcheck disable=SC2046
	must_fail fill $(blocks 70 1)
	# shellcheck disable=SC2046
	fill --seed 2 $(blocks 0 62)
	# shellcheck disable=SC2046
	fill --seed 2 $(blocks 124 62)
	good 2 0 62
	good 2 124 62
	wrong 62 1
}

test_damaged_area()
{
	local place

	set_up
	fill
	down
	place=$(csum_area place /dev/da 62)
	same $(((2048 - 1 - 5) * BLOCK + 512)) "$place" 'place of the second sector'
	invert_byte /dev/da $((place + 100))
	up
	only_the_second_fails
	down
	same 'bad 1' "$(csum_area check /dev/da | cut -d' ' -f11-12)" 'the area'
}

# A sector that is good in itself, at another's place
test_misplaced_area()
{
	local place

	set_up
	fill
	down
	place=$(csum_area place /dev/da 62)
	dd if=/dev/da of="$WORK/sector" bs=512 skip=$((place / 512 + 3)) count=1 status=none
	dd if="$WORK/sector" of=/dev/da bs=512 seek=$((place / 512)) conv=notrunc,fsync status=none
	up
	only_the_second_fails
}

test_damaged_header()
{
	local byte

	set_up
	fill
	down
	for byte in 0 8 16 24 40 44 2000 4092; do
		invert_byte /dev/da $(((2047 * BLOCK) + byte))
		refused '.' filter/safe enable 1
		invert_byte /dev/da $(((2047 * BLOCK) + byte))
	done
	up
	good 1 0 "$DATA"
}

test_other_sizes()
{
	null_disk da 16
	volume vol '0 16384 linear /dev/da 0'
	filter safe checksum /dev/kio/vol create=1
	fill
	down
	reload vol '0 16392 linear /dev/da 0'
	refused '.' filter/safe enable 1
	reload vol '0 32768 linear /dev/da 0'
	dd if=/dev/da of="$WORK/header" bs=4k skip=2047 count=1 status=none
	dd if="$WORK/header" of=/dev/kio/vol bs=4k seek=4095 conv=notrunc,fsync status=none
	refused 'size' filter/safe enable 1
	reload vol '0 16391 linear /dev/da 0'
	up
	good 1 0 "$DATA"
}

# sized SECTORS BLOCKS: so large a lower device has so many blocks of data
sized()
{
	reload vol "0 $1 linear /dev/da 0"
	write_attr "$KIO/filter/tiny/create" 1
	enable filter/tiny
	same $(($2 * BLOCK)) "$(size_of filter/tiny)" "size on $1 sectors"
	verify_io fill /dev/kio/tiny
	verify_io check /dev/kio/tiny
	disable filter/tiny
	csum_area check /dev/kio/vol >/dev/null
}

test_sizes()
{
	local sectors

	null_disk da 16
	volume vol '0 8 linear /dev/da 0'
	make filter/tiny kind=checksum lower=/dev/kio/vol
	undo disable filter/tiny
	for sectors in 1 7 8 16 23; do
		reload vol "0 $sectors linear /dev/da 0"
		write_attr "$KIO/filter/tiny/create" 1
		refused '.' filter/tiny enable 1
		same 1 "$(<"$KIO/filter/tiny/create")" 'create, after it was refused'
	done
	sized 24 1
	sized 25 1
	sized $(((62 + 2) * 8)) 62
	sized $(((63 + 2) * 8)) 63
	sized $(((496 + 2) * 8)) 496
	sized $(((497 + 2) * 8)) 496
	sized $(((497 + 3) * 8)) 497
	sized 12345 $((1543 - 1 - 4))
}

test_blank()
{
	null_disk da 8
	make filter/safe kind=checksum lower=/dev/da
	undo disable filter/safe
	refused '.' filter/safe enable 1
	same 0 "$(<"$KIO/filter/safe/create")" create
	refused '.' filter/safe create 2
	refused '.' filter/safe create ''
	refused 'rules' filter/safe rules 'read 0 8 hold'
	refused 'release' filter/safe release all
	write_attr "$KIO/filter/safe/create" 1
	enable filter/safe
	refused '(up|down)' filter/safe create 1
}

# ---- after a crash ----

# content SEED BLOCK FILE: what verify_io fills this block with
content()
{
	truncate -s $((DATA * BLOCK)) "$WORK/image"
	# shellcheck disable=SC2046
	verify_io fill "$WORK/image" --buffered --seed "$1" $(blocks "$2" 1)
	dd if="$WORK/image" of="$3" bs=4k skip="$2" count=1 status=none
}

# half_way BLOCK SECTORS: a write of seed 2 had begun, so many of its sectors are there
half_way()
{
	content 2 "$1" "$WORK/new"
	csum_area unsettle /dev/da "$1" "$WORK/new"
	dd if="$WORK/new" of=/dev/da bs=512 count="$2" seek=$(($1 * 8)) conv=notrunc,fsync \
		status=none
}

test_crash()
{
	set_up
	fill
	down
	half_way 5 0
	half_way 6 8
	half_way 7 3
	half_way 200 8
	half_way 201 1
	same 'unsettled old' "$(csum_area entry /dev/da 5)" 'block 5'
	same 'unsettled new' "$(csum_area entry /dev/da 6)" 'block 6'
	same 'unsettled neither' "$(csum_area entry /dev/da 7)" 'block 7'
	dd if=/dev/da of="$WORK/torn" bs=4k skip=7 count=1 status=none
	invert_byte /dev/da $((8 * BLOCK))
	up
	good 1 0 6
	good 2 6 1
	read_blocks 7 1 >"$WORK/read"
	cmp "$WORK/torn" "$WORK/read"
	read_blocks 7 1 >"$WORK/read"
	cmp "$WORK/torn" "$WORK/read"
	wrong 8 1
	good 1 9 191
	good 2 200 1
	read_blocks 201 1 >"$WORK/read"
	good 1 202 $((DATA - 202))
	same 2 "$(counter torn)" torn
	down
	area "unverified 0 settled $DATA unsettled 0 wrong 1 bad 0"
	up
	cmp "$WORK/torn" <(read_blocks 7 1)
	good 2 6 1
	wrong 8 1
	same 0 "$(counter torn)" 'torn, settled before'
	down
	invert_byte /dev/da $((7 * BLOCK + 2000))
	up
	wrong 7 1
}

# Blocks that are written before they were read after the crash
test_crash_then_written()
{
	set_up
	fill
	down
	half_way 5 0
	half_way 6 8
	half_way 7 3
	up
	# shellcheck disable=SC2046
	fill --seed 3 $(blocks 5 3)
	good 3 5 3
	good 1 0 5
	good 1 8 100
	down
	all_verified
	verify_io check /dev/da --seed 3 --offset $((5 * BLOCK)) --length $((3 * BLOCK))
}

# wait_for PID: however it ends
wait_for()
{
	wait "$1" || :
}

# From one moment on nothing reaches the disk any more; a few writes are torn.
cut_the_power()
{
	local before load

	before=$(written filter/safe)
	# shellcheck disable=SC2046
	verify_io random /dev/kio/safe --seed "$1" --block 4K --jobs 4 --ops 0 --max 64K \
		$(blocks 0 1024) >"$WORK/load" 2>&1 &
	load=$!
	eventually has_written filter/safe $((before + 150))
	rules 'write 0 - short 1536 count 6' 'any 0 - error EIO'
	wait_for "$load"
	must_fail grep -E 'generation|multibyte' "$WORK/load"
	down
	rules
}

test_power_cut()
{
	local i

	set_up_on_flakey "$@"
	fill
	down
	up
	for ((i = 0; i < $(longer 5 50); i++)); do
		cut_the_power $((i + 10))
		up
		all_good
		good 1 1024 $((DATA - 1024))
		same 0 "$(counter mismatches)" mismatches
		note "torn $(counter torn)"
		down
		disable filter/bad
		area "unverified 0 settled $DATA unsettled 0 wrong 0 bad 0"
		enable filter/bad
		up
	done
}

test_power_cut_with_cache()
{
	test_power_cut cache_size=4
}

# ---- load ----

# Writes that fail, and those that do not, over and over the same blocks
test_load_with_errors()
{
	local i first

	set_up_on_flakey
	fill
	rules 'write 0 - error EIO every 5' 'read 0 - error EIO every 7' 'flush 0 - error EIO every 3'
	for ((i = 0; i < $(longer 40 1000); i++)); do
		first=$((RANDOM % 200))
		# shellcheck disable=SC2046
		verify_io fill /dev/kio/safe --seed $((i % 2 + 1)) \
			$(blocks "$first" $((RANDOM % 16 + 1))) >"$WORK/load" 2>&1 || :
		must_fail grep -E 'multibyte' "$WORK/load"
		read_blocks $((RANDOM % 200)) 8 2>"$WORK/load" >"$WORK/read" || :
		must_fail grep -E 'multibyte' "$WORK/load"
	done
	rules
	all_good
	same 0 "$(counter mismatches)" mismatches
	down
	same 'wrong 0 bad 0' "$(csum_area check /dev/kio/bad | cut -d' ' -f9-12)" 'the area'
	up
	fill
	good 1 0 "$DATA"
}

test_load_with_delays()
{
	set_up_on_flakey
	rules 'write 0 - delay 3 every 3' 'read 0 - delay 2 every 5' 'read 803 1 corrupt every 2'
	verify_io random /dev/kio/safe --block 4K --jobs 8 --ops "$(longer 60 1000)" --max 64K \
		--length 4M
	same 0 "$(counter mismatches)" mismatches
	rules
	down
	disable filter/bad
	same 'wrong 0 bad 0' "$(csum_area check /dev/da | cut -d' ' -f9-12)" 'the area'
}

test_fs()
{
	null_disk da 256 discard=1 cache_size=16
	filter safe checksum /dev/da create=1
	mkfs.ext4 -q /dev/kio/safe
	mount -o discard /dev/kio/safe "$MNT"
	undo umount "$MNT"
	note "$(fs_stress "$MNT" "$(longer 5 60)" 4)"
	(cd "$MNT" && find . -type f -exec md5sum {} +) >"$WORK/sums"
	umount "$MNT"
	e2fsck -fn /dev/kio/safe
	down
	matches 'wrong 0 bad 0$' "$(csum_area check /dev/da)" 'the area'
	up
	mount /dev/kio/safe "$MNT"
	(cd "$MNT" && md5sum --quiet -c "$WORK/sums")
	same 0 "$(counter mismatches)" mismatches
}

test_stacked()
{
	null_disk da 16
	volume low '0 20000 linear /dev/da 16'
	filter safe checksum /dev/kio/low create=1
	volume high '0 8000 linear /dev/kio/safe 8000' '8000 8000 linear /dev/kio/safe 0'
	verify_io random /dev/kio/high --block 4K --ops 60 --jobs 2
	verify_io fill /dev/kio/high
	verify_io check /dev/kio/safe --offset 4000K --length 4000K --as 0
}

need_kind filter
need_modules klvm
need_tools mkfs.ext4 e2fsck blkdiscard od fio
run_cases \
	test_create 'a fresh area knows of no block' \
	test_write_and_read 'what is written is read, and verified' \
	test_fio 'fio' \
	test_changed_while_down 'a byte that changed while it was down is found' \
	test_changed_at_the_ends 'in the first and in the last block, and whole blocks' \
	test_changed_on_the_way_up 'a byte that changes in reading is found' \
	test_changed_once 'what changes once is read once more' \
	test_changed_on_the_way_down 'a byte that changed in writing is found' \
	test_lost_write 'a write that was lost is found' \
	test_error_below 'an error below is that error' \
	test_unverified 'what was never written is not verified' \
	test_discard 'nor what was discarded' \
	test_zeroes 'zeroes are verified or not, and never wrong' \
	test_damaged_area 'a damaged sector of the area is not believed' \
	test_misplaced_area 'nor one that is at a wrong place' \
	test_damaged_header 'a damaged header is refused' \
	test_other_sizes 'an area of another size is refused' \
	test_sizes 'sizes' \
	test_blank 'a disk without an area is refused' \
	test_crash 'after a crash a block is old, new or torn' \
	test_crash_then_written 'and can be written without having been read' \
	test_power_cut 'the power is cut under load' \
	test_power_cut_with_cache 'also of a disk with a cache' \
	test_load_with_errors 'load with errors below' \
	test_load_with_delays 'load with delays below, and a bad read now and then' \
	test_fs 'a file system on it' \
	test_stacked 'between two volumes'
