#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: a snapshot shows what its origin held when it was made, whatever is written to
# either; its store is dm-snapshot's; a lost snapshot never costs the origin.
#
#	org	snap		volumes: snapshot-origin on o, snapshot of o
#	o <---- o, c		null_blk: the origin, and where the snapshot keeps chunks
. "${0%/*}/test_common.sh"

SECTORS=8192
OLD=7	# seed of what the origin holds at first
OPS=500	# of the workload that is cut off
SMALL=400	# sectors of its origin

snapshot_line()
{
	echo "0 $SECTORS snapshot /dev/${2:-o} /dev/${1:-c} ${3:-P} ${4:-8}"
}

origin_line()
{
	echo "0 $SECTORS snapshot-origin /dev/${1:-o}"
}

disks()
{
	null_disk o 4 discard=1
	null_disk c "${1:-8}" discard=1
	verify_io fill /dev/o --seed "$OLD"
}

# set_up [P|N [CHUNK]]: origin and snapshot
set_up()
{
	disks
	volume org "$(origin_line)"
	volume snap "$(snapshot_line c o "${1:-P}" "${2:-8}")"
}

is_old()
{
	verify_io check "/dev/${1:-kio/snap}" --seed "$OLD" "${@:2}"
}

# write_origin FIRST COUNT: blocks of 4 KiB, durable
write_origin()
{
	dd if=/dev/zero of=/dev/kio/org bs=4k seek="$1" count="$2" oflag=direct,dsync status=none
}

status_of()
{
	cat "$KIO/lvm/$1/status"
}

# ends_with STATUS: what the snapshot's status says behind the target
ends_with()
{
	same "0 $SECTORS snapshot $1" "$(status_of snap)" status
}

# has_come_to STATUS: likewise, to wait for
has_come_to()
{
	[ "$(status_of snap)" = "0 $SECTORS snapshot $1" ]
}

down()
{
	local name

	for name; do
		disable "lvm/$name"
	done
}

up()
{
	local name

	for name; do
		enable "lvm/$name"
	done
}

# ---- content ----

# random_writes DEVICE: on all of it
random_writes()
{
	verify_io random "/dev/kio/$1" --ops "$(longer 20 60)" --jobs 4 --max 64K --block "${2:-512}"
}

keeps()
{
	set_up "$1" "$2"
	is_old
	random_writes org
	is_old
	verify_io fill /dev/kio/snap --seed 9 --length 1M
	cp /dev/kio/org "$WORK/org"
	random_writes snap
	cmp "$WORK/org" <(dd if=/dev/kio/org bs=1M iflag=direct status=none)
}

test_keeps()
{
	keeps P 8
}

test_keeps_transient()
{
	keeps N 8
	ends_with "$(status_of snap | cut -d' ' -f4 | grep '/16384$') 0"
}

test_keeps_small_chunks()
{
	keeps P 1
}

test_keeps_large_chunks()
{
	keeps P 128
}

# What is written in part is completed from the origin; both show their own.
test_partial_write()
{
	set_up P 32
	verify_io fill /dev/kio/snap --seed 9 --offset 17K --length 1K
	is_old kio/snap --length 17K
	is_old kio/snap --offset 18K
	verify_io check /dev/kio/snap --seed 9 --offset 17K --length 1K
	is_old kio/org
	ends_with '96/16384 64'
}

# The origin ends in the middle of a chunk, where no block of the store does.
test_short_chunk()
{
	null_disk o 4
	null_disk c 8 blocksize=4096
	verify_io fill /dev/o --seed "$OLD"
	volume short '0 1004 linear /dev/o 0'
	volume org '0 1004 snapshot-origin /dev/kio/short'
	volume snap '0 1000 snapshot /dev/kio/short /dev/c P 16'
	dd if=/dev/zero of=/dev/kio/org bs=512 seek=990 count=14 oflag=direct status=none
	is_old
	verify_io zero /dev/kio/org --offset 495K --length 7K
}

# A write of a whole chunk has nothing copied.
test_whole_write()
{
	local before

	set_up P 8
	before=$(ios /dev/o | cut -d' ' -f1)
	verify_io fill /dev/kio/snap --seed 9 --length 64K
	same "$before" "$(ios /dev/o | cut -d' ' -f1)" 'reads of the origin'
	verify_io check /dev/kio/snap --seed 9 --length 64K
	is_old kio/snap --offset 64K
	ends_with '144/16384 16'
}

test_zeroes_and_discard()
{
	set_up
	blkdiscard -z -o 64K -l 128K /dev/kio/org
	blkdiscard -o 512K -l 1M /dev/kio/org
	is_old
	blkdiscard -z -o 1K -l 6K /dev/kio/snap
	verify_io zero /dev/kio/snap --offset 1K --length 6K
	is_old kio/snap --length 1K
	is_old kio/snap --offset 7K
	is_old kio/org --length 64K
}

# Each shows the origin as it was when it was made.
test_several()
{
	set_up
	null_disk c2 8
	null_disk c3 8
	verify_io fill /dev/kio/org --seed 11 --length 2M
	volume snap2 "$(snapshot_line c2 o P 64)"
	verify_io fill /dev/kio/org --seed 12 --length 1M
	volume snap3 "$(snapshot_line c3 o N 2)"
	random_writes org
	is_old
	verify_io check /dev/kio/snap2 --seed 11 --length 2M
	is_old kio/snap2 --offset 2M
	verify_io check /dev/kio/snap3 --seed 12 --length 1M
	verify_io check /dev/kio/snap3 --seed 11 --offset 1M --length 1M
	is_old kio/snap3 --offset 2M
	random_writes snap2
	is_old
	verify_io check /dev/kio/snap3 --seed 12 --length 1M
}

# A snapshot is the same from beginning to end, whatever is written meanwhile.
come_and_go()
{
	local i

	for ((i = 0; i < $(longer 2 5); i++)); do
		dd if=/dev/zero of=/dev/c bs=4k count=1 oflag=direct status=none
		enable lvm/snap
		cp /dev/kio/snap "$WORK/first"
		cmp "$WORK/first" <(dd if=/dev/kio/snap bs=1M iflag=direct status=none)
		disable lvm/snap
	done
}

test_made_in_load()
{
	disks
	volume org "$(origin_line)"
	make lvm/snap "table=$(snapshot_line)"
	during_load lvm/org come_and_go
}

test_reopened()
{
	local before

	set_up
	random_writes org
	verify_io fill /dev/kio/snap --seed 9 --length 300K
	before=$(status_of snap)
	down snap org
	up org snap
	same "$before" "$(status_of snap)" status
	verify_io check /dev/kio/snap --seed 9 --length 300K
	is_old kio/snap --offset 300K
	random_writes org
	is_old kio/snap --offset 300K
}

# ---- both ways with device-mapper ----

# The origin comes last, since it asks then how large the chunks of its snapshots are.
dm_up()
{
	dmsetup create dsnap --noudevsync --table "$1"
	undo dm_down dsnap
	dmsetup create dorg --noudevsync --table "$(origin_line)"
	undo dm_down dorg
}

dm_down()
{
	dmsetup info "$1" >/dev/null 2>&1 || return 0
	dmsetup remove --noudevsync --retry "$1"
}

sum_of()
{
	dd if="$1" bs=1M iflag=direct status=none | md5sum
}

# What we left is what device-mapper shows; and what it then leaves is what we show.
there_and_back()
{
	local line org snap status

	line=$(snapshot_line c o P "$1")
	org=$(sum_of /dev/kio/org)
	snap=$(sum_of /dev/kio/snap)
	status=$(status_of snap)
	down snap org
	dm_up "$line"
	same "$org" "$(sum_of /dev/mapper/dorg)" 'origin under dm'
	same "$snap" "$(sum_of /dev/mapper/dsnap)" 'snapshot under dm'
	same "$status" "$(dmsetup status dsnap)" 'status under dm'
	verify_io random /dev/mapper/dorg --ops 30 --jobs 2 --max 64K
	same "$snap" "$(sum_of /dev/mapper/dsnap)" 'snapshot after writes under dm'
	verify_io random /dev/mapper/dsnap --ops 30 --jobs 2 --max 64K
	org=$(sum_of /dev/mapper/dorg)
	snap=$(sum_of /dev/mapper/dsnap)
	status=$(dmsetup status dsnap)
	dm_down dsnap
	dm_down dorg
	up org snap
	same "$org" "$(sum_of /dev/kio/org)" 'origin after dm'
	same "$snap" "$(sum_of /dev/kio/snap)" 'snapshot after dm'
	same "$status" "$(status_of snap)" 'status after dm'
	random_writes org
	same "$snap" "$(sum_of /dev/kio/snap)" 'snapshot after writes'
}

both_ways()
{
	need_modules dm-snapshot
	set_up P "$1"
	verify_io random /dev/kio/org --ops 10 --jobs 2 --max 64K --length 2M
	verify_io random /dev/kio/snap --ops 10 --jobs 2 --max 64K --length 2M
	there_and_back "$1"
	[ "${KIO_LONG:-0}" != 1 ] || there_and_back "$1"
}

test_both_ways()
{
	both_ways 8
}

# 32 exceptions an area
test_both_ways_many_areas()
{
	both_ways 1
}

test_both_ways_large_chunks()
{
	both_ways 128
}

# Made by device-mapper, with chunks of another size than our table says: the store's count.
test_made_by_dm()
{
	need_modules dm-snapshot
	disks
	dm_up "$(snapshot_line c o P 32)"
	verify_io fill /dev/mapper/dorg --seed 8 --length 1M
	dm_down dsnap
	dm_down dorg
	volume org "$(origin_line)"
	volume snap "$(snapshot_line c o P 8)"
	is_old
	verify_io check /dev/kio/org --seed 8 --length 1M
	verify_io fill /dev/kio/org --seed 10
	is_old
}

# ---- loss ----

lost()
{
	must_fail dd if=/dev/kio/snap of=/dev/null bs=4k count=1 iflag=direct
	must_fail dd if=/dev/zero of=/dev/kio/snap bs=4k count=1 oflag=direct
	ends_with Invalid
}

# The store is full: the snapshot is lost for good, the origin goes on.
test_overflow()
{
	need_modules dm-snapshot
	disks 1
	volume org "$(origin_line)"
	volume snap "$(snapshot_line)"
	verify_io fill /dev/kio/org --seed 8 --length 512K
	is_old
	verify_io fill /dev/kio/org --seed 8
	verify_io check /dev/kio/org --seed 8
	lost
	down snap org
	up org snap
	lost
	random_writes org
	down snap org
	dm_up "$(snapshot_line)"
	same "0 $SECTORS snapshot Invalid" "$(dmsetup status dsnap)" 'status under dm'
}

# What device-mapper calls full is full here, to the chunk.
test_full_to_the_chunk()
{
	need_modules dm-snapshot
	null_disk o 4
	null_disk n 8
	volume c '0 275 linear /dev/n 0'
	volume org "$(origin_line)"
	volume snap "$(snapshot_line kio/c o P 1)"
	verify_io fill /dev/kio/snap --seed 9 --length 128K
	ends_with '266/275 10'
	verify_io fill /dev/kio/snap --seed 9 --offset 128K --length 3584
	ends_with '273/275 10'
	down snap org
	dm_up "$(snapshot_line kio/c o P 1)"
	same "0 $SECTORS snapshot 273/275 10" "$(dmsetup status dsnap)" 'status under dm'
	verify_io check /dev/mapper/dsnap --seed 9 --length 134656
	dm_down dsnap
	dm_down dorg
	up org snap
	verify_io fill /dev/kio/snap --seed 9 --offset 134656 --length 1K
	verify_io check /dev/kio/snap --seed 9 --length 135680
}

# broken OP: the device for chunks fails at that from now on
cow_fails()
{
	disks
	filter fc flakey /dev/c
	volume org "$(origin_line)"
	volume snap "$(snapshot_line kio/fc)"
	write_origin 0 4
	is_old
	write_attr "$KIO/filter/fc/rules" "$1"
	write_origin 100 4
	verify_io zero /dev/kio/org --offset 400K --length 16K
	lost
	write_attr "$KIO/filter/fc/rules" clear
	random_writes org
	down snap
	up snap
	lost
}

# The third write is the area's: what was to be copied has been.
test_chunk_write_fails()
{
	cow_fails 'write 16 - error EIO count 1'
}

test_area_write_fails()
{
	cow_fails 'write 8 8 error EIO count 1'
}

# What could not be read for the snapshot is lost to it.
test_origin_read_fails()
{
	null_disk o 4
	null_disk c 8
	filter fo flakey /dev/o
	volume org "$(origin_line kio/fo)"
	volume snap "$(snapshot_line c kio/fo)"
	write_attr "$KIO/filter/fo/rules" 'read 800 8 error EIO count 1'
	write_origin 100 1
	lost
	write_attr "$KIO/filter/fo/rules" clear
	verify_io zero /dev/kio/org --offset 400K --length 4K
}

# A write that fails is one that has not been: nothing is lost.
test_snapshot_write_fails()
{
	disks
	filter fc flakey /dev/c
	volume org "$(origin_line)"
	volume snap "$(snapshot_line kio/fc)"
	write_attr "$KIO/filter/fc/rules" 'write 16 - error ENOSPC count 1'
	must_fail dd if=/dev/zero of=/dev/kio/snap bs=4k count=1 oflag=direct
	matches 'No space' "$WHY" 'what dd says'
	is_old
	verify_io fill /dev/kio/snap --seed 9 --length 8K
	verify_io check /dev/kio/snap --seed 9 --length 8K
	is_old kio/snap --offset 8K
}

# ---- order ----

held_by()
{
	grep -q ' 1$' "$KIO/filter/$1/state"
}

# A read of the snapshot that has gone to the origin is not overtaken by a write there.
test_reader_is_awaited()
{
	disks
	filter fo flakey /dev/o
	volume org "$(origin_line kio/fo)"
	volume snap "$(snapshot_line c kio/fo)"
	write_attr "$KIO/filter/fo/rules" 'read 0 8 hold count 1'
	dd if=/dev/kio/snap of="$WORK/read" bs=4k count=1 iflag=direct status=none &
	eventually held_by fo
	write_origin 0 1 &
	eventually has_come_to '24/16384 16'
	# Time for the write to do what it must not
	pause 1
	write_attr "$KIO/filter/fo/release" all
	wait
	dd if=/dev/kio/snap bs=4k count=1 iflag=direct status=none | cmp "$WORK/read" -
	is_old
	verify_io zero /dev/kio/org --length 4K
}

# What waits for a chunk can be cancelled, and has then not been.
test_cancel()
{
	local pid

	disks
	filter fc flakey /dev/c
	volume org "$(origin_line)"
	volume snap "$(snapshot_line kio/fc)"
	write_attr "$KIO/filter/fc/rules" 'write 16 - hold count 1'
	write_origin 0 1 2>"$WORK/why" &
	pid=$!
	eventually held_by fc
	eventually grep -q ' queued ' /sys/kernel/debug/kiobuf/org/inflight
	echo all >"$KIO/lvm/org/cancel"
	! wait "$pid" || fail 'the write that was cancelled has succeeded'
	write_attr "$KIO/filter/fc/release" all
	is_old kio/org
	eventually has_come_to '24/16384 16'
	is_old
	write_origin 0 1
	is_old
}

# A copy passes no border of the store's volume, and is awaited all the same when that
# swaps its table; what comes meanwhile goes by the new one.
test_store_swapped()
{
	local swap

	disks
	filter fc flakey /dev/c
	volume store '0 8192 linear /dev/kio/fc 0'
	volume org "$(origin_line)"
	volume snap "$(snapshot_line kio/store)"
	write_attr "$KIO/filter/fc/rules" 'write 16 - hold count 1'
	undo write_attr "$KIO/filter/fc/release" all
	write_origin 0 1 &
	eventually held_by fc
	reload store '0 16384 linear /dev/kio/fc 0' 3>&- &
	swap=$!
	# Time for the swap to do what it must not
	pause 1
	write_origin 100 1 &
	kill -0 "$swap" || fail 'the table was swapped under a copy'
	write_attr "$KIO/filter/fc/release" all
	wait
	same "$((16384 * 512))" "$(size_of lvm/store)" 'size of the store'
	ends_with '32/16384 16'
	is_old
}

swap_store()
{
	local i sectors

	for ((i = 0; i < 10; i++)); do
		for sectors in 16384 12288; do
			reload store "0 $sectors linear /dev/c 0"
		done
	done
}

test_store_swapped_in_load()
{
	disks
	volume store '0 16384 linear /dev/c 0'
	volume org "$(origin_line)"
	volume snap "$(snapshot_line kio/store o P 1)"
	during_load lvm/org swap_store
	is_old
}

# ---- crash ----

# logged ORIGIN COW: so many sectors of each, on one device that logs the order of all writes
logged()
{
	null_disk d 8
	null_disk l 256
	dmsetup create lo --noudevsync --table "0 $1 linear /dev/d 0"
	undo dm_down lo
	snap_crash fill /dev/mapper/lo
	dm_down lo
	dmsetup create log --noudevsync --table '0 16384 log-writes /dev/d /dev/l'
	undo dm_down log
	dmsetup create lo --noudevsync --table "0 $1 linear /dev/mapper/log 0"
	undo dm_down lo
	dmsetup create lc --noudevsync --table "0 $2 linear /dev/mapper/log $1"
	undo dm_down lc
}

unlogged()
{
	down snap org
	dm_down lc
	dm_down lo
	dm_down log
}

# cut_at ENTRY CHUNK: what was there then, under device-mapper and under ours
cut_at()
{
	snap_crash check /dev/l /dev/ro /dev/rc "$OPS" "$1" "$WORK/view"
	dmsetup create rsnap --noudevsync --table "0 $SMALL snapshot /dev/ro /dev/rc P $2"
	undo dm_down rsnap
	cmp "$WORK/view" <(dd if=/dev/mapper/rsnap bs="${SMALL}b" iflag=direct status=none)
	dm_down rsnap
	snap_crash check /dev/l /dev/ro /dev/rc "$OPS" "$1" "$WORK/view"
	enable lvm/back
	cmp "$WORK/view" <(dd if=/dev/kio/back bs="${SMALL}b" iflag=direct status=none)
	disable lvm/back
}

# crash CHUNK SIXTHS: every prefix of a workload, by the tool; some under the drivers
crash()
{
	local said entries i

	need_modules dm-log-writes dm-snapshot
	logged "$SMALL" 3000
	volume org "0 $SMALL snapshot-origin /dev/mapper/lo"
	volume snap "0 $SMALL snapshot /dev/mapper/lo /dev/mapper/lc P $1"
	snap_crash work /dev/kio/org /dev/kio/snap log "$OPS"
	unlogged
	null_disk no 1
	null_disk nc 2
	dmsetup create ro --noudevsync --table "0 $SMALL linear /dev/no 0"
	undo dm_down ro
	dmsetup create rc --noudevsync --table '0 3000 linear /dev/nc 0'
	undo dm_down rc
	ln -sf /dev/mapper/ro /dev/ro
	ln -sf /dev/mapper/rc /dev/rc
	undo rm /dev/ro /dev/rc
	said=$(snap_crash check /dev/l /dev/ro /dev/rc "$OPS")
	note "$said"
	entries=${said%% *}
	within "$OPS" 100000 "$(cut -d' ' -f3 <<<"$said")" 'writes cut'
	make lvm/back "table=0 $SMALL snapshot /dev/ro /dev/rc P $1"
	for i in $2; do
		cut_at $((entries * i / 6)) "$1"
	done
}

test_crash()
{
	crash 8 "$(longer '2 4' '1 2 3 4 5')"
}

test_crash_many_areas()
{
	crash 1 ''
}

# ---- refusals ----

test_refused_text()
{
	local line

	make lvm/snap
	for line in '0 8 snapshot' '0 8 snapshot /dev/o' '0 8 snapshot /dev/o /dev/c' \
		'0 8 snapshot /dev/o /dev/c X 8' '0 8 snapshot /dev/o /dev/c P' \
		'0 8 snapshot /dev/o /dev/c P x' '8 8 snapshot /dev/o /dev/c P 8'; do
		refused 'ORIGIN COW' lvm/snap table "$line"
	done
	refused 'takes ORIGIN' lvm/snap table '0 8 snapshot-origin'
	refused 'takes ORIGIN' lvm/snap table '8 8 snapshot-origin /dev/o'
	refused 'one word too many' lvm/snap table '0 8 snapshot-origin /dev/o 8'
	refused 'one word too many' lvm/snap table '0 8 snapshot /dev/o /dev/c P 8 8'
}

test_refused_tables()
{
	disks
	null_disk x 8
	dd if=/dev/urandom of=/dev/x bs=4k count=1 oflag=direct status=none
	make lvm/snap
	refused_table 'power of two' snap "$(snapshot_line c o P 0)"
	refused_table 'power of two' snap "$(snapshot_line c o P 24)"
	refused_table 'power of two' snap "$(snapshot_line c o P 4096)"
	refused_table 'kept on its origin' snap "$(snapshot_line o o)"
	refused_table 'do not fit' snap '0 8200 snapshot /dev/o /dev/c P 8'
	refused_table 'do not fit' snap '0 8200 snapshot-origin /dev/o'
	refused_table 'something else' snap "$(snapshot_line x)"
	refused_table 'belongs to a snapshot' snap '0 8 snapshot-origin /dev/o' '8 8 linear /dev/o 8'
	refused_table 'belongs to a snapshot' snap '0 8 snapshot /dev/o /dev/c P 8' \
		'8 8 linear /dev/c 8'
	stage snap "$(snapshot_line)"
	enable lvm/snap
	disable lvm/snap
}

need_kind lvm
need_kind filter
need_tools dmsetup
run_cases \
	test_keeps 'a snapshot keeps what is overwritten, and its own' \
	test_keeps_transient 'one without a store does' \
	test_keeps_small_chunks 'one of the smallest chunks does' \
	test_keeps_large_chunks 'one of large chunks does' \
	test_partial_write 'what is written in part is completed' \
	test_short_chunk 'the last chunk may be short' \
	test_whole_write 'what is written whole is not copied' \
	test_zeroes_and_discard 'zeroes and discards are writes' \
	test_several 'several snapshots, each of its time' \
	test_made_in_load 'snapshots come and go under load' \
	test_reopened 'a store is opened again' \
	test_both_ways 'dm reads ours, we read its' \
	test_both_ways_many_areas 'both ways with many areas' \
	test_both_ways_large_chunks 'both ways with large chunks' \
	test_made_by_dm 'the chunk is the store'\''s' \
	test_overflow 'a full store loses the snapshot, not the origin' \
	test_full_to_the_chunk 'a store is full when dm calls it full' \
	test_chunk_write_fails 'a chunk that cannot be written loses the snapshot' \
	test_area_write_fails 'an exception that cannot be written does' \
	test_origin_read_fails 'a chunk that cannot be read does' \
	test_snapshot_write_fails 'a failed write of the snapshot loses nothing' \
	test_reader_is_awaited 'reads on the origin are not overtaken' \
	test_cancel 'what waits for a chunk can be cancelled' \
	test_store_swapped 'a swap of the store'\''s table awaits copies' \
	test_store_swapped_in_load 'the store'\''s table is swapped under load' \
	test_crash 'every prefix of a workload is what was acknowledged' \
	test_crash_many_areas 'with many areas, too' \
	test_refused_text 'bad lines are refused' \
	test_refused_tables 'tables that cannot be are refused'
