#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards the samples: what Documentation/samples.rst shows must work as it says, with
# I/O that ends at once, with I/O that waits, and on a device that is too small.
#
#	user	a layer of kiobuf_user.ko that fails two blocks
#	 |
#	mem	kiobuf_mem.ko
. "${0%/*}/test_common.sh"

DEBUG=/sys/kernel/debug/kiobuf
DELAY=/sys/module/kiobuf_mem/parameters/delay_ms

unload_samples()
{
	rmmod kiobuf_user 2>/dev/null || :
	rmmod kiobuf_mem
}

# The driver, with these parameters
load_mem()
{
	modprobe kiobuf_mem "$@"
	undo unload_samples
}

# Begins a part of the log of its own.
mark_log()
{
	MARKER="kio-selftest $$ $RANDOM"
	echo "$MARKER" >/dev/kmsg
}

# What kiobuf_user has said since: a line for each case, and why one failed
said()
{
	dmesg | sed "1,/$MARKER/d" | sed -nE 's/^\[[^]]*\] ((not )?ok |# )/\1/p'
}

all_ok()
{
	same 'ok 1 submit and wait
ok 2 split over clones
ok 3 wait with callback
ok 4 set of buffers
ok 5 cancel queued I/O' "$(said)" 'what kiobuf_user says'
}

counter()
{
	sed -n "s/^$2 //p" "$DEBUG/$1/counters"
}

test_samples()
{
	load_mem
	mark_log
	modprobe kiobuf_user || fail "kiobuf_user: $(said)"
	all_ok
	must_be_busy rmmod kiobuf_mem
	same "$DEBUG/mem $DEBUG/user" "$(echo "$DEBUG"/{mem,user})" 'devices'
}

# A split root with clones that wait, as the layer shows it
shows_queue()
{
	grep -q ' split mem$' "$DEBUG/user/inflight" &&
		grep -q '^  .* queued mem$' "$DEBUG/user/inflight"
}

test_waiting()
{
	load_mem delay_ms=100
	mark_log
	modprobe kiobuf_user &
	eventually shows_queue
	# Not all of it need take so long.
	echo 20 >"$DELAY"
	wait $! || fail "kiobuf_user: $(said)"
	all_ok
	within 1 15 "$(counter mem cancelled)" 'pieces pulled from the queue'
	within 2 99 "$(counter user failed)" 'headers that the layer failed'
	same '' "$(cat "$DEBUG"/{mem,user}/inflight)" 'left in flight'
}

test_too_small()
{
	load_mem size_mib=1
	must_fail modprobe kiobuf_user
	matches 'No space left' "$WHY" 'kiobuf_user on a device of 1 MiB'
	[ ! -e "$DEBUG/user" ] || fail 'the layer is still there'
}

need_root
modinfo kiobuf_user >/dev/null 2>&1 || skip 'kiobuf_user.ko is not built'
run_cases \
	test_samples 'the samples work' \
	test_waiting 'they work while I/O waits, and what waits can be seen' \
	test_too_small 'a user that fails is not loaded'
