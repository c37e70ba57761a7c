#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: bytes, errno, failed ranges and contents are what the documents say, for random stacks,
# fault rules and requests; a difference is shrunk and printed as a script.
#
#	random trees of volumes and filters, up to four layers
#	s0 s1 s2 b0	disks of null_blk
#
# KIO_CASES sets how many cases each seed has; KIO_LONG=1 makes it 2,000, 200 with KASAN.
. "${0%/*}/test_common.sh"

FIXED_SEED=1

has_kasan()
{
	grep -q ' kasan_report$' /proc/kallsyms
}

# cases SHORT LONG: of the stock kernel; with KASAN a tenth
cases()
{
	local nr

	nr=$(longer "$1" "$2")
	if has_kasan; then
		nr=$((nr / 10))
	fi
	echo "${KIO_CASES:-$nr}"
}

# The whole of what was found, if something was
torture()
{
	if ! kio_torture "$@" >"$WORK/torture" 2>&1; then
		cat "$WORK/torture"
		fail "the devices and the model differ: kio_torture $*"
	fi
	note "$(tail -n 1 "$WORK/torture")"
}

test_fixed_seeds()
{
	torture --seed "$FIXED_SEED" --cases "$(cases 200 2000)"
}

test_fresh_seed()
{
	torture --seed $((RANDOM * 32768 + RANDOM)) --cases "$(cases 50 500)"
}

need_kind lvm
need_modules kfilter
modinfo kiobuf_probe >/dev/null 2>&1 || skip 'kiobuf_probe.ko is not built'
need_tools kio_torture
run_cases test_fixed_seeds 'random cases of fixed seeds' \
	test_fresh_seed 'random cases of a fresh seed'
