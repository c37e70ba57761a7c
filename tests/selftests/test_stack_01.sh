#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: between our layers no bio exists, and no clone where nothing is split;
# yet every device counts what passes it.
#
#	v8 on v7 on ... on v1 on da
. "${0%/*}/test_common.sh"

NR=50

stack()
{
	local i below=/dev/da

	null_disk da 64
	for i in 1 2 3 4 5 6 7 8; do
		volume "v$i" "0 65536 linear $below 0"
		below=/dev/kio/v$i
	done
}

# Random places, one at a time: nothing that could be merged
random_io()
{
	fio --name=io --filename="$1" --rw=randrw --bs=4k --direct=1 --ioengine=psync \
		--number_ios="$NR" --size=32m --aux-path="$WORK" --output="$WORK/fio"
}

read_io()
{
	dd if="$1" of=/dev/null bs=4k count="$NR" iflag=direct status=none
}

expect_no_bios()
{
	local i

	same "$NR" "$(traced "block_bio_queue: $(number_of kio/v8) ")" 'bios to v8'
	for i in 1 2 3 4 5 6 7; do
		same 0 "$(traced "block_bio_queue: $(number_of "kio/v$i") ")" "bios to v$i"
	done
	within 0 "$NR" "$(traced "block_bio_queue: $(number_of da) ")" 'bios to da'
	same "$NR" "$(traced "block_rq_issue: $(number_of da) ")" 'requests of da'
	same 0 "$(traced ' clone: kb=')" clones
	same "$NR" "$(traced ' submit: kb=')" 'headers submitted'
	same $((8 * NR)) "$(traced ' remap: kb=')" remaps
}

# Reads and writes that a device has counted
counted()
{
	local -a s

	read -ra s <<<"$(ios "$1")"
	echo $((s[0] + s[1]))
}

# check_pass COMMAND: what it leaves in traces and counters
check_pass()
{
	local device before=()

	for device in da kio/v{1..8}; do
		before+=("$(counted "$device")")
	done
	trace_on block/block_bio_queue block/block_rq_issue kiobuf/clone \
		kiobuf/remap kiobuf/submit
	"$1" /dev/kio/v8
	trace_off
	expect_no_bios
	for device in da kio/v{1..8}; do
		same $((before[0] + NR)) "$(counted "$device")" "requests counted on $device"
		before=("${before[@]:1}")
	done
}

test_fio()
{
	stack
	check_pass random_io
}

test_reads()
{
	stack
	check_pass read_io
}

# That clones would have been seen
test_split()
{
	stack
	reload v4 '0 32768 linear /dev/kio/v3 0' '32768 32768 linear /dev/kio/v3 32768'
	trace_on block/block_bio_queue kiobuf/clone
	dd if=/dev/zero of=/dev/kio/v8 bs=8k count=1 seek=$((32768 * 512 - 4096)) \
		oflag=direct,seek_bytes status=none
	trace_off
	same 2 "$(traced ' clone: kb=')" clones
	same 1 "$(traced "block_bio_queue: $(number_of kio/v8) ")" 'bios to v8'
	same 2 "$(traced "block_bio_queue: $(number_of da) ")" 'bios to da'
	same 0 "$(traced "block_bio_queue: $(number_of kio/v3) ")" 'bios to v3'
}

# A large request is cut by the disk's limits, below us, once.
test_large()
{
	stack
	trace_on block/block_bio_queue kiobuf/clone
	dd if=/dev/zero of=/dev/kio/v8 bs=1M count=4 oflag=direct status=none
	trace_off
	same 0 "$(traced ' clone: kb=')" clones
	same 0 "$(traced "block_bio_queue: $(number_of kio/v7) ")" 'bios to v7'
}

test_sectors()
{
	local before after i

	stack
	for i in 8 5 1; do
		before=$(awk '{ print $7 }' "$(sysfs_of "kio/v$i")/stat")
		dd if=/dev/zero of=/dev/kio/v8 bs=64k count=8 oflag=direct status=none
		after=$(awk '{ print $7 }' "$(sysfs_of "kio/v$i")/stat")
		same 1024 $((after - before)) "sectors counted on v$i"
	done
}

need_kind lvm
need_tools fio
run_cases \
	test_fio 'fio over 8 volumes: one bio each, no clone, all counted everywhere' \
	test_reads 'reads in order likewise' \
	test_split 'a request that is split is cloned where it is split' \
	test_large 'a large request is no reason for clones' \
	test_sectors 'sectors are counted everywhere'
