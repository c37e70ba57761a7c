#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards the core's rules, by the suites of tests/kunit: windows of clones, the result
# for every order of arrival, early ends, lifetimes, the graph of devices, flat
# stacks, retries, races of ends with each other and with waiters.
#
#	kiobuf_test.ko -> kiobuf.ko

. "${0%/*}/test_common.sh"

HUNG_TASK=/proc/sys/kernel/hung_task_timeout_secs

# Loads the suites and keeps what they say.
load_suites()
{
	local marker="kio-selftest $$ $RANDOM"

	echo "$marker" >/dev/kmsg
	# KUnit's own thread runs the cases, each in bounded time; who loads just waits.
	if [ -w "$HUNG_TASK" ]; then
		echo 1500 >"$HUNG_TASK"
	fi
	modprobe kiobuf_test || LOAD_FAILED=1
	dmesg | sed "1,/$marker/d" >"$WORK/ktap"
	rmmod kiobuf_test 2>/dev/null || :
}

suites_pass()
{
	LOAD_FAILED=
	modinfo kiobuf_test >/dev/null 2>&1 || skip "kiobuf_test.ko is not built"
	load_suites
	if [ -n "$LOAD_FAILED" ] || grep -q 'not ok' "$WORK/ktap"; then
		cat "$WORK/ktap"
		fail "a case of the core's suites failed"
	fi
	[ "$(grep -cE ' ok [0-9]+ ' "$WORK/ktap")" -ge 20 ] ||
		fail "fewer cases ran than there are"
}

run_cases suites_pass 'the suites of the core'
