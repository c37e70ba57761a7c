#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: legs as people have them, pulled out under load; what user space is told of an
# array; a write that waits can be cancelled, one that a leg has cannot.
#
#	array	two legs at level 1, metadata 1.2
#	fX	flakey on dX
. "${0%/*}/test_common.sh"
. "$SELFTESTS/raid_common.sh"

MIB=12
DATA_START=2048
SIGHT=/sys/kernel/debug/kiobuf

# fresh "LEG LEG" [ATTRIBUTE=VALUE...]
fresh()
{
	array array 1 "$1" metadata=1.2 create=1 assume_clean=1 "${@:2}"
}

# swapped OLD NEW: a fresh disk takes the place of one that has failed
swapped()
{
	same 1 "$(get degraded)" degraded
	act remove "$1"
	act add "$2"
	eventually whole
	state_is "$2" in_sync
	mismatches 0
}

# ---- scsi_debug ----

# Sets SCSI to the disks of scsi_debug, the oldest first.
find_scsi()
{
	mapfile -t SCSI < <(grep -l scsi_debug /sys/block/sd*/device/model |
		sed -E 's,/sys/block/([^/]+)/.*,/dev/\1,' | sort -V)
}

scsi_are()
{
	find_scsi
	[ ${#SCSI[@]} = "$1" ]
}

# The disk goes as one that is pulled out of its bay goes.
unplug()
{
	echo 1 >"/sys/block/${1#/dev/}/device/delete"
	eventually state_is "$1" faulty
}

test_scsi()
{
	modprobe -q sd_mod || [ -d /sys/bus/scsi/drivers/sd ] || skip 'no module sd_mod'
	modprobe -q scsi_debug add_host=3 per_host_store=1 dev_size_mb="$MIB" sector_size=512 \
		delay=0 || skip 'no module scsi_debug'
	undo modprobe -r scsi_debug
	eventually scsi_are 3
	fresh "${SCSI[0]} ${SCSI[1]}"
	under_load unplug "${SCSI[0]}"
	swapped "${SCSI[0]}" "${SCSI[2]}"
}

# ---- nbd ----

# serve N: /dev/nbdN is a file, as long as its server lives
serve()
{
	truncate -s "${MIB}M" "$WORK/file$1"
	nbd-server -C /dev/null -d "$((10900 + $1))" "$WORK/file$1" >"$WORK/server$1" 2>&1 3>&- &
	SERVER[$1]=$!
	undo stop_serving "$1"
	eventually connects "$1"
	undo nbd-client -d "/dev/nbd$1"
}

connects()
{
	nbd-client -nonetlink 127.0.0.1 "$((10900 + $1))" "/dev/nbd$1" \
		>"$WORK/client$1" 2>&1 3>&-
}

stop_serving()
{
	kill "${SERVER[$1]}" 2>/dev/null || :
	wait "${SERVER[$1]}" || :
}

# Not a word to its client.
kill_server()
{
	pkill -KILL -P "${SERVER[0]}" || :
	kill -KILL "${SERVER[0]}"
	eventually state_is /dev/nbd0 faulty
}

test_nbd()
{
	local -a SERVER=()

	need_tools nbd-server nbd-client pkill
	modprobe -q nbd nbds_max=3 || skip 'no module nbd'
	undo modprobe -r nbd
	ip link set lo up
	serve 0
	serve 1
	serve 2
	fresh '/dev/nbd0 /dev/nbd1'
	under_load kill_server
	swapped /dev/nbd0 /dev/nbd2
}

# ---- what user space is told ----

# listen: the kernel's events of the array, into $WORK/events
listen()
{
	udevadm monitor --kernel --subsystem-match=block >"$WORK/events" 3>&- &
	undo kill $!
	eventually grep -q KERNEL "$WORK/events"
}

# told COMMAND...: it is followed by an event
told()
{
	local before

	eventually quiet
	before=$(changes)
	"$@"
	eventually more_than "$before"
}

changes()
{
	grep -c 'change .*/kio!array ' "$WORK/events" || :
}

# What was told late is not what comes next.
quiet()
{
	local before

	before=$(changes)
	pause 0.3
	[ "$(changes)" = "$before" ]
}

more_than()
{
	[ "$(changes)" -gt "$1" ]
}

# until_done COMMAND...: and what it has begun is done
until_done()
{
	"$@"
	eventually whole
}

test_events()
{
	need_tools udevadm
	null_disk da "$MIB"
	null_disk db "$MIB"
	null_disk dc "$MIB"
	listen
	fresh '/dev/da /dev/db'
	told act fail /dev/da
	told act remove /dev/da
	told until_done act add /dev/dc
	told scrub check
}

# ---- cancel ----

# flaky_legs: fa and fb, and what they hold is let go in the end
flaky_legs()
{
	local letter

	for letter in a b; do
		null_disk "d$letter" "$MIB"
		filter "f$letter" flakey "/dev/d$letter"
		undo rules "$letter"
	done
	fresh '/dev/kio/fa /dev/kio/fb'
	undo rules a
	undo rules b
}

# rules LETTER LINE...: of fX, in place of those that are there
rules()
{
	write_attr "$KIO/filter/f$1/rules" "$(printf '%s\n' clear "${@:2}")"
}

# held LETTER REQUESTS: there are as many that fX holds
held()
{
	[ "$(awk '{ n += $4 } END { print n + 0 }' "$KIO/filter/f$1/state")" -ge "$2" ]
}

# write_one OFFSET: a block of the array, of seed 2
write_one()
{
	verify_io fill /dev/kio/array --seed 2 --offset "$1" --length 4K >"$WORK/write" 2>&1
}

# It waits for superblocks that say dirty: no leg has it, and none gets it.
test_cancel_parked()
{
	local pid

	flaky_legs
	eventually clean
	rules a 'write 8 8 hold'
	write_one 0 &
	pid=$!
	eventually held a 1
	eventually grep -q ' queued ' "$SIGHT/array/inflight"
	write_attr "$KIO/raid/array/cancel" all
	must_fail wait "$pid"
	rules a
	leg_states array in_sync in_sync
	cmp -n 4096 -i $((DATA_START * 512)):0 /dev/da /dev/zero
	cmp -n 4096 -i $((DATA_START * 512)):0 /dev/db /dev/zero
	mismatches 0
	verify_io random /dev/kio/array --ops 50
}

# One leg has it, the other holds it: both must get it.
test_veto_begun()
{
	local pid

	flaky_legs
	rules b "write $DATA_START 8 hold"
	write_one 0 &
	pid=$!
	eventually held b 1
	refused 'cannot be cancelled' raid/array cancel all
	kill -0 "$pid"
	rules b
	wait "$pid"
	leg_states array in_sync in_sync
	verify_io check /dev/kio/array --seed 2 --length 4K
	cmp -n 4096 -i $((DATA_START * 512)):$((DATA_START * 512)) /dev/da /dev/db
	mismatches 0
}

# ---- a bitmap finer than what is copied at once ----

# Each bit is looked at: the first of those that a copy covers says nothing of the rest.
test_small_bits()
{
	null_disk da "$MIB"
	null_disk db "$MIB"
	fresh '/dev/da /dev/db' bitmap=internal bitmap_chunk_kib=4
	act fail /dev/da
	act remove /dev/da
	write_one 60K
	act add /dev/da
	eventually whole
	state_is /dev/da in_sync
	mismatches 0
}

need_kind raid
need_modules kfilter
run_cases \
	test_scsi 'a SCSI disk is pulled out' \
	test_nbd 'the server of a network disk is killed' \
	test_events 'each change is told to user space' \
	test_cancel_parked 'a write that waits for superblocks is cancelled' \
	test_veto_begun 'one that a leg has is not' \
	test_small_bits 'a leg that comes back gets all that the bits say'
