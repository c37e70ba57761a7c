#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests the rig itself: selftest.sh [6.1|6.12|debug]
# shellcheck disable=SC2016

set -uo pipefail
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "${BASH_SOURCE[0]%/*}/lib.sh"

KERNEL=${1:-6.1}
export VM_OUT
VM_OUT=$(mktemp -d)
trap 'rm -rf "$VM_OUT" "$KIO_TOP/tests/qemu/.written"' EXIT
PASSED=0
FAILED=0

vm()
{
	"$KIO_TOP/tests/qemu/vm" --kernel "$KERNEL" "$@" 2>"$VM_OUT/stderr"
}

# check NAME WANTED GOT
check()
{
	if [ "$2" = "$3" ]; then
		echo "ok   $1"
		PASSED=$((PASSED + 1))
	else
		printf 'FAIL %s: wanted "%s", got "%s"\n' "$@"
		tail -n 20 "$VM_OUT/stderr"
		FAILED=$((FAILED + 1))
	fi
}

# check_status NAME WANTED OPTION... -- COMMAND...
check_status()
{
	local name=$1 wanted=$2

	shift 2
	vm "$@" >"$VM_OUT/stdout"
	check "$name" "$wanted" $?
}

test_status()
{
	check_status 'status 0' 0 -- true
	check_status 'status 3' 3 -- sh -c 'exit 3'
	check_status 'no such command' 127 -- /no/such/command
	check_status 'bad usage' 2 --bogus
	check_status 'no command' 2 --
}

test_passing()
{
	local odd=$'a  b \'c\' "d" $e\n\\ *'

	check 'odd arguments' "<$odd><>" \
		"$(vm -- printf '<%s>' "$odd" '')"
	check 'KIO_ variables' "$odd" \
		"$(KIO_TEST=$odd vm -- sh -c 'printf %s "$KIO_TEST"')"
	check 'working directory' /usr/share \
		"$(cd /usr/share && vm -- pwd)"
	check 'both streams, reopened' $'out\nerr' \
		"$(vm -- bash -c 'echo out >/dev/stdout; echo err >/dev/stderr')"
	check 'a long output' "$(seq 300000 | cksum)" \
		"$(vm -- seq 300000 | cksum)"
}

test_files()
{
	vm -- sh -c 'echo back >"$KIO_OUT/file"'
	check 'a file in KIO_OUT' back "$(cat "$VM_OUT/file")"
	check_status 'scratch folders' 0 -- sh -c \
		'for d in /tmp /run /mnt /var/tmp; do echo x >$d/x || exit; done'
	vm -- touch "$KIO_TOP/tests/qemu/.written"
	check 'the host is not written' '' \
		"$(ls "$KIO_TOP/tests/qemu/.written" 2>/dev/null)"
	check_status 'mounts, devices, modules' 0 --disk 16M -- bash -c '
		set -e
		for f in config debug tracing; do
			mountpoint -q /sys/kernel/$f
		done
		mountpoint -q /dev/pts && mountpoint -q /dev/shm
		[ -b /dev/vda ] && [ "$(cat <(echo x))" = x ]
		modprobe null_blk && [ -b /dev/nullb0 ]'
}

test_crashes()
{
	check_status 'a timeout' 124 --timeout 15 -- sleep 1000
	check_status 'a crash' 125 -- sh -c 'echo c >/proc/sysrq-trigger'
	check_status 'a report in the log' 125 -- \
		sh -c 'echo "BUG: test" >/dev/kmsg'
	check_status 'a harmless line in the log' 0 -- \
		sh -c 'echo "debugging is fun" >/dev/kmsg'
	check_status 'a guest that ends early' 125 -- \
		sh -c 'echo b >/proc/sysrq-trigger'
}

count_loop()
{
	vm --icount -- bash -c '
		loop() {
			local i=0 start=${EPOCHREALTIME/./}
			while [ $i -lt 20000 ]; do i=$((i + 1)); done
			echo $((${EPOCHREALTIME/./} - start))
		}
		loop >/dev/null
		loop'
}

test_icount()
{
	local one two

	one=$(count_loop)
	two=$(count_loop)
	check "icount: $one and $two agree to 0.5 %" 1 \
		"$((one > 0 && two > 0 && (one - two) ** 2 * 40000 < one ** 2))"
}

test_parallel()
{
	local first

	vm -- sleep 8 &
	first=$!
	sleep 2
	"$KIO_TOP/tests/qemu/vm" --kernel "$KERNEL" -- true 2>/dev/null
	check 'a folder in use is refused' 126 $?
	wait "$first"
	check 'and its owner runs on' 0 $?
}

test_interrupt()
{
	local pid

	TMPDIR=$VM_OUT "$KIO_TOP/tests/qemu/vm" --kernel "$KERNEL" -- sleep 1000 \
		2>"$VM_OUT/stderr" &
	pid=$!
	sleep 6
	kill -TERM "$pid"
	wait "$pid"
	check 'killed, it says so' 143 $?
	check 'killed, it cleans up' '' "$(find "$VM_OUT" -name 'kio-vm.*')"
}

test_status
test_passing
test_files
test_crashes
test_icount
test_parallel
test_interrupt
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ]
