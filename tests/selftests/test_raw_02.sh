#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: whoever began raw I/O can be rid of it: killed, gone, or by a cancel; each
# request ends once, what has not begun never reaches the disk, nothing stays pinned.
#
#	raw/top		the raw device of
#	top		a volume on
#	bad		flakey, which holds everything, or slow, a dm device that is suspended
#	da		a disk
. "${0%/*}/test_common.sh"

RAW=/dev/kio/raw
MANY=10000

rules()
{
	write_attr "$KIO/filter/bad/rules" "$(printf '%s\n' clear "$@")"
}

# held_stack MIB: everything waits in bad
held_stack()
{
	null_disk da "$1"
	filter bad flakey /dev/da
	undo rules
	volume top "0 $(($1 * 2048)) linear /dev/kio/bad 0"
	rules 'any 0 - hold'
	IOS=$(ios da)
	OTHERS=0
}

# waiting NUMBER: so many are held
waiting()
{
	[ "$(awk '{ sum += $4 } END { print sum + 0 }' "$KIO/filter/bad/state")" = "$1" ]
}

# Pages that somebody has pinned, all over the machine
pinned()
{
	echo 1 >/proc/sys/vm/stat_refresh
	awk '/^nr_foll_pin_acquired/ { n += $2 } /^nr_foll_pin_released/ { n -= $2 }
		END { print n }' /proc/vmstat
}

pins()
{
	[ "$(pinned)" = "$1" ]
}

# None of it has reached the disk, and nothing is left but what others have pinned.
untouched()
{
	eventually waiting 0
	eventually pins "$OTHERS"
	same "$IOS" "$(ios da)" 'what the disk has done'
}

state_of()
{
	local stat

	stat=$(<"/proc/$1/stat")
	stat=${stat##*) }
	echo "${stat%% *}"
}

is_in_state()
{
	[ "$(state_of "$1")" = "$2" ]
}

# gone PID STATUS: it has ended so
gone()
{
	local status=0

	wait "$1" || status=$?
	same "$2" "$status" "status of process $1"
}

suspend()
{
	dmsetup suspend --noflush --nolockfs --noudevsync "$1"
	undo dmsetup resume --noudevsync "$1"
}

slow_disk()
{
	null_disk "$1" 8
	breakable_disk "$2" "/dev/$1"
}

test_kill()
{
	local raw dm

	held_stack 8
	slow_disk db slow
	suspend slow
	dd if=/dev/mapper/slow of=/dev/null iflag=direct bs=4k count=1 2>/dev/null &
	dm=$!
	eventually is_in_state "$dm" D
	# Some kernels pin what is read directly into, some only count it in use.
	OTHERS=$(pinned)
	raw_io "$RAW/top" read:0:65536 &
	raw=$!
	eventually waiting 1
	kill -9 "$raw" "$dm"
	gone "$raw" 137
	untouched
	# The other has had the same signal, and as long.
	same D "$(state_of "$dm")" 'state of who reads from device-mapper'
	dmsetup resume --noudevsync slow
	gone "$dm" 137
}

test_kill_in_hardware()
{
	local raw

	slow_disk db slow
	volume top "0 8192 linear /dev/mapper/slow 0"
	suspend slow
	raw_io "$RAW/top" read:0:65536 &
	raw=$!
	eventually pins 16
	eventually is_in_state "$raw" D
	kill -9 "$raw"
	gone "$raw" 137
	same 16 "$(pinned)" 'pages that the device may still write to'
	must_be_busy write_attr "$KIO/lvm/top/enable" 0
	dmsetup resume --noudevsync slow
	eventually pins 0
	eventually disable lvm/top
}

test_exit()
{
	local way

	held_stack 8
	for way in drop cdrop; do
		raw_io "$RAW/top" "$way:0:65536"
		untouched
	done
}

# many COMMAND: so often, on what is held; they are cancelled, and how they ended is told
many()
{
	mkfifo "$WORK/go"
	raw_io "$RAW/top" "$1:$MANY" <"$WORK/go" >"$WORK/said" &
	exec 7>"$WORK/go"
	eventually grep -q begun "$WORK/said"
	waiting "$MANY" || fail "not all are held: $(<"$KIO/filter/bad/state")"
	same "$MANY" "$(pinned)" 'pages pinned'
	echo >&7
	gone $! 0
	exec 7>&-
	rm "$WORK/go"
	same "ECANCELED*$MANY" "$(tail -n 1 "$WORK/said")" 'how they ended'
	untouched
}

test_cancel_many()
{
	held_stack 48
	many acancel
	many ccancel
}

test_cancel_attribute()
{
	held_stack 8
	raw_io "$RAW/top" read:0:4096 aread:0:4096 >"$WORK/said" &
	eventually waiting 1
	echo all >"$KIO/lvm/top/cancel"
	eventually grep -q ECANCELED "$WORK/said"
	eventually waiting 1
	echo all >"$KIO/lvm/top/cancel"
	gone $! 0
	same 'ECANCELED ECANCELED' "$(paste -sd' ' "$WORK/said")" 'answers'
	untouched
}

test_fork()
{
	held_stack 8
	rules
	raw_io "$RAW/top" write:0:65536
	rules 'read 0 - hold'
	raw_io "$RAW/top" fork:0:65536 >"$WORK/said" &
	eventually grep -q forked "$WORK/said"
	echo all >"$KIO/filter/bad/release"
	gone $! 0
	same 'forked 65536' "$(paste -sd' ' "$WORK/said")" 'what was read'
}

# Who may not lock memory without limit is charged for what is pinned.
test_limit()
{
	held_stack 8
	rules
	(
		ulimit -l 64
		exec setpriv --bounding-set=-ipc_lock raw_io "$RAW/top" \
			write:0:32768 write:0:1048576 aread:0:65536 aread:0:65536 \
			cread:0:69632
	) >"$WORK/said"
	same '32768 ENOMEM 65536 wrong 65536 wrong ENOMEM' \
		"$(paste -sd' ' "$WORK/said")" 'answers within 64 KiB'
}

need_root
need_tools dmsetup setpriv
need_kind lvm
need_kind filter
run_cases \
	test_kill 'a process that is killed goes, where device-mapper keeps it' \
	test_kill_in_hardware 'it goes, and what the hardware has keeps its pages' \
	test_exit 'who exits takes along what it has begun' \
	test_cancel_many "$MANY requests are cancelled, each once" \
	test_cancel_attribute 'the cancel attribute reaches raw requests' \
	test_fork 'fork leaves the memory of a read with the reader' \
	test_limit 'pinned memory is charged'
