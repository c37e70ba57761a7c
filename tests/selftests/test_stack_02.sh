#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: no byte is lost under a heavy mixed load: fio, 4 KiB to 1 MiB at
# random, 32 requests at a time, checksums verified.
#
#	three	| da | db | da |
#	v8 on v7 on ... on v1 on da
. "${0%/*}/test_common.sh"

three()
{
	null_disk da 64
	null_disk db 64
	volume three '0 50001 linear /dev/da 0' '50001 7 linear /dev/db 11' \
		'50008 49992 linear /dev/da 60000'
}

stack()
{
	local i below=/dev/da

	null_disk da 64
	for i in 1 2 3 4 5 6 7 8; do
		volume "v$i" "0 $((131072 - i * 1000)) linear $below 1000"
		below=/dev/kio/v$i
	done
}

test_three()
{
	three
	fio_verify /dev/kio/three --io_size="$(longer 48m 2g)"
}

test_three_sync()
{
	three
	fio_verify /dev/kio/three --ioengine=psync --iodepth=1 --io_size="$(longer 24m 512m)"
}

test_three_buffered()
{
	three
	fio_verify /dev/kio/three --ioengine=psync --iodepth=1 --direct=0 --fsync=16 \
		--io_size="$(longer 24m 512m)"
}

test_stack()
{
	stack
	fio_verify /dev/kio/v8 --io_size="$(longer 48m 2g)"
}

test_stack_jobs()
{
	stack
	fio_verify /dev/kio/v8 --numjobs=4 --size=12m --offset_increment=12m \
		--io_size="$(longer 12m 256m)" --iodepth=64
}

# Discards and zeroes among the writes
test_trims()
{
	null_disk da 64 discard=1
	volume vol '0 60001 linear /dev/da 0' '60001 60000 linear /dev/da 60001'
	fio --name=trims --filename=/dev/kio/vol --rw=randtrimwrite --bs=64k \
		--ioengine=libaio --iodepth=16 --direct=1 --io_size="$(longer 32m 512m)" \
		--output="$WORK/fio" || fail "$(<"$WORK/fio")"
	verify_io random /dev/kio/vol --ops 100
}

need_kind lvm
need_tools fio
run_cases \
	test_three 'libaio over a volume of 3 segments' \
	test_three_sync 'psync over a volume of 3 segments' \
	test_three_buffered 'buffered with fsync over a volume of 3 segments' \
	test_stack 'libaio over 8 stacked volumes' \
	test_stack_jobs 'four jobs with 64 requests each over 8 stacked volumes' \
	test_trims 'discards among writes'
