#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: with timeout_ms, a request that takes longer ends with ETIMEDOUT, each once;
# what was moved before counts, what has not begun never reaches the disk, nothing
# stays pinned, no leg is blamed.
#
#	raw/top		the raw device of
#	top		a volume on
#	bad		flakey, on
#	da		a disk
. "${0%/*}/test_common.sh"

RAW=/dev/kio/raw
MIB=1048576
SIGHT=/sys/kernel/debug/kiobuf

# rules LINE...: of bad, in place of those that are there
rules()
{
	write_attr "$KIO/filter/bad/rules" "$(printf '%s\n' clear "$@")"
}

# timeout_ms KIND/NAME MS
timeout_ms()
{
	echo "$2" >"$KIO/$1/timeout_ms"
}

# A request over the middle is two for bad.
stack()
{
	null_disk da 8
	filter bad flakey /dev/da
	undo rules
	volume top '0 8192 linear /dev/kio/bad 0' \
		'8192 8192 linear /dev/kio/bad 8192'
}

# answers WANTED COMMAND...: a line for each command, joined by commas
answers()
{
	local got

	got=$(raw_io "$RAW/top" "${@:2}" | paste -sd,) || :
	same "$1" "$got" "${*:2}"
}

# Pages that somebody has pinned, all over the machine
pins()
{
	echo 1 >/proc/sys/vm/stat_refresh
	awk -v wanted="$1" '/^nr_foll_pin_acquired/ { n += $2 }
		/^nr_foll_pin_released/ { n -= $2 }
		END { exit n != wanted }' /proc/vmstat
}

idle()
{
	[ ! -s "$SIGHT/top/inflight" ] && pins 0
}

test_ways()
{
	local way before

	stack
	rules 'any 0 - hold'
	before=$(ios da)
	timeout_ms lvm/top 40
	for way in '' a c r; do
		answers 'ETIMEDOUT,ETIMEDOUT' "${way}read:0:65536" \
			"${way}write:4096:8192"
	done
	answers 'ETIMEDOUT,ETIMEDOUT,ETIMEDOUT' read:5:100 write:5:100 flush
	must_fail dd if=/dev/kio/top of=/dev/null iflag=direct bs=4k count=1
	matches 'timed out' "$WHY" 'dd'
	eventually idle
	same "$before" "$(ios da)" 'what the disk has done'
	rules
	answers 65536,65536 write:0:65536 read:0:65536
}

test_exact()
{
	local begin=$((4 * MIB - 65536))

	stack
	rules "any 8192 8 hold"
	timeout_ms lvm/top 40
	answers "65536,1 write $begin+131072 65536 ETIMEDOUT $((4 * MIB))+65536:ETIMEDOUT" \
		"write:$begin:131072" failure
	eventually idle
	# Unaligned, in pieces of which the second fails
	answers "$((MIB - 1)),ETIMEDOUT" "cwrite:$((3 * MIB + 1)):$((2 * MIB))" \
		"read:$((4 * MIB + 1)):10"
}

test_live()
{
	stack
	same 0 "$(<"$KIO/lvm/top/timeout_ms")" 'timeout at first'
	refused 'timeout_ms takes' lvm/top timeout_ms -1
	refused 'timeout_ms takes' lvm/top timeout_ms 600001
	refused 'timeout_ms takes' lvm/top timeout_ms soon
	rules 'any 0 - hold'
	raw_io "$RAW/top" read:0:4096 >"$WORK/said" 3>&- &
	eventually pins 1
	timeout_ms lvm/top 600000
	timeout_ms lvm/top 0
	timeout_ms lvm/top 1
	wait
	same ETIMEDOUT "$(<"$WORK/said")" 'what was in flight'
	disable lvm/top
	enable lvm/top
	same 1 "$(<"$KIO/lvm/top/timeout_ms")" 'timeout when it is up again'
	answers ETIMEDOUT cread:0:4096
	timeout_ms lvm/top 0
	rules
	answers 4096,4096 write:0:4096 read:0:4096
}

# What the hardware has ends as it would have, and keeps its pages until then.
test_hardware()
{
	null_disk da 8
	breakable_disk slow /dev/da
	volume top '0 16384 linear /dev/mapper/slow 0'
	timeout_ms lvm/top 40
	answers 65536 write:0:65536
	dmsetup suspend --noflush --nolockfs --noudevsync slow
	undo dmsetup resume --noudevsync slow
	raw_io "$RAW/top" read:0:65536 >"$WORK/said" 3>&- &
	eventually grep -q cancelled "$SIGHT/top/inflight"
	pins 16 || fail 'the pages are not pinned any more'
	dmsetup resume --noudevsync slow
	wait
	same 65536 "$(<"$WORK/said")" 'what was read'
	eventually idle
}

# A mirror: a read that waits on some leg is no error of that leg.
test_no_leg_is_blamed()
{
	stack
	disable lvm/top
	null_disk db 8
	filter worse flakey /dev/db
	array array 1 '/dev/kio/bad /dev/kio/worse' assume_clean=1
	write_attr "$KIO/lvm/top/table" clear
	write_attr "$KIO/lvm/top/table" '0 8192 linear /dev/kio/array 0'
	enable lvm/top
	undo disable lvm/top
	rules 'read 0 - hold'
	write_attr "$KIO/filter/worse/rules" 'read 0 - hold'
	timeout_ms lvm/top 40
	answers ETIMEDOUT,ETIMEDOUT read:0:4096 aread:65536:4096
	leg_states array in_sync in_sync
	same '0 0' "$(leg_errors array /dev/kio/bad) $(leg_errors array /dev/kio/worse)" \
		'errors of the legs'
	rules
	write_attr "$KIO/filter/worse/rules" clear
	answers 4096,4096 write:0:4096 read:0:4096
}

# ended RESULT: how many have ended so
ended()
{
	tr ' ' '\n' <"$WORK/said" | sed -n "s/^$1\\*//p" | grep . || echo 0
}

# Requests end, are late and are cancelled at the same moment.
test_race()
{
	local before after nr good late cancelled

	stack
	nr=$(longer 2000 100000)
	rules 'any 0 - delay 24'
	timeout_ms lvm/top 20
	before=$(ios da)
	raw_io "$RAW/top" "race:$nr:64" >"$WORK/said"
	eventually idle
	after=$(ios da)
	good=$(ended 4096)
	late=$(ended ETIMEDOUT)
	cancelled=$(ended ECANCELED)
	note "$good in time, $late late, $cancelled cancelled"
	same "$nr" $((good + late + cancelled)) "ends: $(<"$WORK/said")"
	same "$good" "$(awk -v b="$before" -v a="$after" \
		'BEGIN { split(b, x); split(a, y); print y[1] + y[2] - x[1] - x[2] }')" \
		'requests that have reached the disk'
}

need_root
need_tools dmsetup
need_kind lvm
need_kind filter
need_kind raid
run_cases \
	test_ways 'by every way in, a request that takes too long is given up' \
	test_exact 'what was moved before counts' \
	test_live 'for what is in flight when it is set, and from one end to the next start' \
	test_hardware 'what the hardware has is waited for' \
	test_no_leg_is_blamed 'no leg of a mirror is blamed' \
	test_race 'ends, timeouts and cancels at once: each request ends once'
