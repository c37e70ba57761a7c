#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: RAID-0 over legs of different sizes lays data out in zones as md does, in
# both of its layouts, and takes requests of any shape across them.
#
#	array	zone 0 on all legs, then on those that are larger
#	l0...	the part of each leg that is md's data: behind its superblock
#	md	the kernel's own driver on the same legs, the array being down
. "${0%/*}/test_common.sh"

LEGS=(/dev/da /dev/db /dev/dc /dev/dd)
RUN=0

# legs MIB...: sets USE to disks of these sizes
legs()
{
	local size

	USE=()
	for size; do
		USE+=("${LEGS[${#USE[@]}]}")
		null_disk "${USE[-1]#/dev/}" "$size" discard=1
	done
}

md_create()
{
	mdadm --quiet --create /dev/md100 --run --metadata=1.2 --level=0 \
		--layout="$1" --chunk="$2" --raid-devices=${#USE[@]} "${USE[@]}"
	undo mdadm --quiet --stop /dev/md100
}

md_assemble()
{
	mdadm --quiet --assemble /dev/md100 --run "${USE[@]}"
	undo mdadm --quiet --stop /dev/md100
}

md_stop()
{
	mdadm --quiet --stop /dev/md100
	unset 'UNDO[-1]'
}

# Sets TABLES to what is data for md.
find_data()
{
	local leg dir

	TABLES=()
	for leg in "${USE[@]}"; do
		dir=/sys/block/md100/md/dev-${leg#/dev/}
		TABLES+=("0 $(($(<"$dir/size") * 2)) linear $leg $(<"$dir/offset")")
	done
}

ours_up()
{
	local i names=()

	RUN=$((RUN + 1))
	for i in "${!TABLES[@]}"; do
		volume "l$i-$RUN" "${TABLES[i]}"
		names+=("/dev/kio/l$i-$RUN")
	done
	array "array$RUN" 0 "${names[*]}" "layout=$1" "chunk_kib=$2"
}

ours_down()
{
	local i

	disable "raid/array$RUN"
	for i in "${!TABLES[@]}"; do
		disable "lvm/l$i-$RUN"
	done
}

# same_as_md LAYOUT CHUNK: we read what md wrote, and md what we wrote
same_as_md()
{
	local size

	md_create "$1" "$2"
	find_data
	size=$(blockdev --getsize64 /dev/md100)
	verify_io fill /dev/md100 --seed 1
	md_stop
	ours_up "$1" "$2"
	same "$size" "$(size_of "raid/array$RUN")" "size, chunks of $2 KiB"
	verify_io check "/dev/kio/array$RUN" --seed 1
	verify_io fill "/dev/kio/array$RUN" --seed 2
	ours_down
	md_assemble
	verify_io check /dev/md100 --seed 2
	md_stop
}

# compare CHUNK MIB...
compare()
{
	local chunk layout

	need_tools mdadm
	need_modules raid0 klvm
	legs "${@:2}"
	for chunk in $(longer "$1" '4 12 64'); do
		for layout in original alternate; do
			same_as_md "$layout" "$chunk"
		done
	done
}

test_md_two()
{
	compare 64 5 12
}

# Sizes of md with such chunks are less than what the legs hold.
test_md_three()
{
	compare 12 4 7 9
}

test_md_four()
{
	compare 4 6 4 6 9
}

test_random()
{
	local chunk layout

	legs 3 8 5 8
	for chunk in 4 12 256; do
		for layout in original alternate; do
			array "$layout$chunk" 0 "${USE[*]}" "chunk_kib=$chunk" \
				"layout=$layout"
			verify_io random "/dev/kio/$layout$chunk" --ops "$(longer 100 5000)"
			disable "raid/$layout$chunk"
		done
	done
}

# discarded_between BEGIN END: nothing else is gone; in KiB
discarded_between()
{
	verify_io zero /dev/kio/array --offset "$1K" --length $(($2 - $1))K
	verify_io check /dev/kio/array --length "$1K"
	verify_io check /dev/kio/array --offset "$2K"
}

# Zone 0 ends at 9 MiB, zone 1 at 13.
test_discard()
{
	legs 3 5 8
	array array 0 "${USE[*]}" chunk_kib=64 layout=original
	same $((16 << 20)) "$(size_of raid/array)" size
	verify_io fill /dev/kio/array
	blkdiscard -o 1020K -l 14M /dev/kio/array
	discarded_between 1020 $((1020 + (14 << 10)))
	verify_io fill /dev/kio/array
	blkdiscard -z -o 9100K -l 300K /dev/kio/array
	discarded_between 9100 9400
	verify_io fill /dev/kio/array
	blkdiscard -z -o 12M -l 4M /dev/kio/array
	verify_io zero /dev/kio/array --offset 12M
	verify_io check /dev/kio/array --length 12M
}

# Chunk 3 begins zone 1, where the layouts differ: its turn is db's or dc's.
broken_leg()
{
	legs 1 4 4
	breakable_disk mb /dev/db
	array array 0 '/dev/da /dev/mapper/mb /dev/dc' chunk_kib=1024 \
		"layout=$1"
	break_disk mb
	partial_bio /dev/kio/array $(($2 << 20)) $((($2 + 1) << 20))
	mend_disk mb /dev/db
	verify_io random /dev/kio/array --ops 50
}

test_broken_original()
{
	broken_leg original 4
}

test_broken_alternate()
{
	broken_leg alternate 5
}

test_layout()
{
	local word

	legs 1 2
	make raid/array level=0 "legs=${USE[*]}"
	same alternate "$(<"$KIO/raid/array/layout")" 'layout by default'
	write_attr "$KIO/raid/array/layout" original
	for word in x n2 0 originals; do
		refused 'layout takes' raid/array layout "$word"
	done
	same original "$(<"$KIO/raid/array/layout")" layout
	write_attr "$KIO/raid/array/chunk_kib" 2048
	refused 'too small' raid/array enable 1
}

need_kind raid
run_cases \
	test_md_two "md's zones, 2 legs" \
	test_md_three "md's zones, 3 legs, chunks that are no power of two" \
	test_md_four "md's zones, 4 legs, two of them alike" \
	test_random 'requests of any shape' \
	test_discard 'discards and zeroes across zones' \
	test_broken_original 'what meets a broken leg fails, layout original' \
	test_broken_alternate 'what meets a broken leg fails, layout alternate' \
	test_layout 'layouts that are none, a leg without a chunk'
