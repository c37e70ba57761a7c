#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: what is in flight can be seen, layer by layer, and cancelled; what waits is
# pulled at every layer, what has begun ends by itself, and no leg is blamed.
#
#	vol	| all of array |
#	array	RAID-1 of file and db, or RAID-0 of them
#	file	loop, on ext4 on dm on da, which can be stopped
. "${0%/*}/test_common.sh"

SIGHT=/sys/kernel/debug/kiobuf
DEPTH=512
RUNNING=128	# what kloop hands to the file system at a time

stop_io()
{
	dmsetup suspend --nolockfs --noflush carrier
	undo start_io
}

start_io()
{
	dmsetup resume --noudevsync carrier
}

# set_up LEVEL
set_up()
{
	null_disk da 96
	null_disk db 64
	breakable_disk carrier /dev/da
	mkfs.ext4 -q /dev/mapper/carrier
	mount /dev/mapper/carrier "$MNT"
	undo umount "$MNT"
	head -c 64M /dev/zero >"$MNT/file"
	loop file "$MNT/file"
	array array "$1" "/dev/kio/file /dev/db"
	volume vol "0 65536 linear /dev/kio/array 0"
}

# Reads that stay in flight while the carrier stands still
load()
{
	fio --name=load --filename=/dev/kio/vol --rw=randread --bs=4k --direct=1 --ioengine=libaio \
		--iodepth="$DEPTH" --size=32m --norandommap --time_based --runtime=3600 \
		--continue_on_error=io \
		--thread --aux-path="$WORK" --output="$WORK/fio" &
	LOAD=$!
	undo kill_load
}

in_state()
{
	grep -c " $1 " "$SIGHT/vol/inflight" || :
}

roots()
{
	grep -c '^[^ ]' "$SIGHT/vol/inflight" || :
}

queued()
{
	[ "$(in_state queued)" -gt "$1" ]
}

idle()
{
	[ ! -s "$SIGHT/vol/inflight" ]
}

# The loop has all that it takes, the rest waits.
hang_load()
{
	load
	eventually has_read lvm/vol 500
	stop_io
	eventually queued 20
}

has_read()
{
	[ "$(awk '$1 == "read_ios" { print $2 }' "$KIO/$1/stats")" -ge "$2" ]
}

kill_load()
{
	kill "$LOAD" 2>/dev/null || :
	wait "$LOAD" || :
}

end_load_well()
{
	start_io
	kill_load
	eventually idle
}

test_sight()
{
	set_up 0
	hang_load
	same 0 "$(grep -cvE '^ *[0-9a-f]+ read [0-9]+ 4096 0 [0-9]+ (queued|submitted) (file|array|vol|/db)$' \
		"$SIGHT/vol/inflight" || :)" 'lines of another form'
	within 21 "$DEPTH" "$(roots)" 'requests in flight'
	same 0 "$(grep -c . "$SIGHT/file/inflight" || :)" 'roots of the loop itself'
	end_load_well
}

# Those that wait in the loop, seen as a tree from the top
test_tree()
{
	set_up 0
	stop_io
	dd if=/dev/kio/vol of=/dev/null bs=512k count=1 iflag=direct status=none &
	LOAD=$!
	eventually grep -q ' split ' "$SIGHT/vol/inflight"
	grep -qE '^[0-9a-f]+ read 0 524288 [0-9]+ [0-9]+ split array$' "$SIGHT/vol/inflight"
	grep -qE '^  [0-9a-f]+ read [0-9]+ 262144 0 [0-9]+ submitted file$' "$SIGHT/vol/inflight"
	end_load_well
}

# cancel_all LEVEL: what the loop had begun is waited for, the rest ends at once
cancel_all()
{
	set_up "$1"
	hang_load
	awk '$7 == "queued" { print $1 }' "$SIGHT/vol/inflight" >"$WORK/queued"
	write_attr "$KIO/lvm/vol/cancel" all
	# The load goes on with new ones.
	must_fail grep -qwFf "$WORK/queued" "$SIGHT/vol/inflight"
	within 1 "$RUNNING" "$(in_state cancelled)" 'waited for'
	end_load_well
	leg_states array in_sync in_sync
	same 0 "$(leg_errors array /dev/kio/file)" 'errors of the loop'
	verify_io random /dev/kio/vol --ops 50 --length 8M
}

test_cancel_raid0()
{
	cancel_all 0
}

test_cancel_raid1()
{
	cancel_all 1
}

test_cancel_one()
{
	local id

	set_up 0
	hang_load
	id=$(awk '$7 == "queued" { print $1; exit }' "$SIGHT/vol/inflight")
	write_attr "$KIO/lvm/vol/cancel" "$id"
	must_fail grep -q "^$id " "$SIGHT/vol/inflight"
	refused 'in flight' lvm/vol cancel "$id"
	refused 'takes the number' lvm/vol cancel nonsense
	refused 'takes the number' lvm/vol cancel ''
	refused 'takes the number' lvm/vol cancel 0
	end_load_well
}

# Mirrors must stay alike: writes go on to their end, on both legs.
test_veto()
{
	set_up 1
	stop_io
	verify_io fill /dev/kio/vol --length 64K &
	LOAD=$!
	eventually grep -q ' write ' "$SIGHT/vol/inflight"
	refused 'cannot be cancelled' lvm/vol cancel all
	start_io
	wait "$LOAD"
	leg_states array in_sync in_sync
	verify_io check /dev/kio/vol --length 64K
	sync
	cmp -n 65536 /dev/kio/file /dev/db
}

latency_sum()
{
	awk '{ sum += $2 } END { print sum + 0 }' "$SIGHT/$1/latency"
}

test_latency()
{
	local device

	set_up 0
	same 0 "$(latency_sum vol)" 'timed before it is on'
	echo 1 >"$SIGHT/timing"
	undo write_attr "$SIGHT/timing" 0
	dd if=/dev/kio/vol of=/dev/null bs=4k count=32 iflag=direct status=none
	echo 0 >"$SIGHT/timing"
	for device in vol array; do
		same 32 "$(latency_sum "$device")" "timed at $device"
	done
	dd if=/dev/kio/vol of=/dev/null bs=4k count=8 iflag=direct status=none
	same 32 "$(latency_sum vol)" 'timed after it was off'
}

need_kind lvm
need_kind raid
need_kind loop
need_tools fio dmsetup mkfs.ext4
run_cases \
	test_sight 'requests that hang are seen, with the layer that has them' \
	test_tree 'a request that was split is seen as a tree' \
	test_cancel_raid0 'a volume over RAID-0 over a loop is cancelled at every layer' \
	test_cancel_raid1 'over RAID-1 likewise, and no leg is blamed' \
	test_cancel_one 'one request is cancelled, others are refused' \
	test_veto 'a write to mirrors is not cancelled' \
	test_latency 'latencies are counted by layer, when asked for'
