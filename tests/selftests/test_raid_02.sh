#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: RAID-1 keeps all legs the same, goes on without one, and says so.
#
#	array	da = db (= dc)
. "${0%/*}/test_common.sh"

set_up()
{
	null_disk da 32
	null_disk db 32
	array array 1 '/dev/da /dev/db'
}

degraded()
{
	same "$1" "$(<"$KIO/raid/array/degraded")" degraded
}

writes()
{
	ios "$1" | cut -d' ' -f2
}

test_identical()
{
	set_up
	same $((32 << 20)) "$(size_of raid/array)" size_bytes
	fio_verify /dev/kio/array --io_size="$(longer 32m 1g)"
	cmp /dev/da /dev/db
	degraded 0
	same $'0 /dev/da in_sync 0\n1 /dev/db in_sync 0' \
		"$(<"$KIO/raid/array/leg_state")" leg_state
}

test_three_legs()
{
	null_disk da 8
	null_disk db 8
	null_disk dc 8
	array array 1 '/dev/da /dev/db /dev/dc'
	verify_io random /dev/kio/array --ops 200
	frag_io /dev/kio/array $((4 << 20))
	cmp /dev/da /dev/db
	cmp /dev/da /dev/dc
}

# Each leg alone holds what the array held.
test_reads_any_leg()
{
	local da db

	set_up
	verify_io fill /dev/kio/array
	da=$(ios /dev/da)
	db=$(ios /dev/db)
	fio --name=read --filename=/dev/kio/array --rw=randread --bs=4k --direct=1 \
		--ioengine=libaio --iodepth=16 --io_size=4m --output=/dev/null
	[ "$da" != "$(ios /dev/da)" ] || fail 'da is never read'
	[ "$db" != "$(ios /dev/db)" ] || fail 'db is never read'
	verify_io check /dev/da
	verify_io check /dev/db
}

test_fail()
{
	local before

	set_up
	verify_io fill /dev/kio/array
	write_attr "$KIO/raid/array/fail" /dev/da
	degraded 1
	leg_states array faulty in_sync
	before=$(ios /dev/da)
	verify_io check /dev/kio/array
	verify_io random /dev/kio/array --ops 50
	same "$before" "$(ios /dev/da)" 'requests of a failed leg'
	write_attr "$KIO/raid/array/fail" /dev/da
	refused 'last good leg' raid/array fail /dev/db
	leg_states array faulty in_sync
	verify_io random /dev/kio/array --ops 50
}

test_fail_what()
{
	set_up
	refused 'no leg' raid/array fail /dev/dc
	refused 'no leg' raid/array fail missing
	refused 'no leg' raid/array fail ''
	refused 'no leg' raid/array fail '/dev/da /dev/db'
	degraded 0
}

# A leg that missed writes must not come back as if it had not.
test_faulty_stays_out()
{
	set_up
	verify_io fill /dev/kio/array --seed 1
	write_attr "$KIO/raid/array/fail" /dev/da
	verify_io fill /dev/kio/array --seed 2
	disable raid/array
	enable raid/array
	leg_states array faulty in_sync
	degraded 1
	verify_io check /dev/kio/array --seed 2
}

test_missing()
{
	null_disk da 8
	array array 1 'missing /dev/da'
	degraded 1
	leg_states array missing in_sync
	verify_io random /dev/kio/array --ops 100
	refused 'last good leg' raid/array fail /dev/da
}

test_smaller_leg()
{
	null_disk da 8
	null_disk db 9
	array array 1 '/dev/db /dev/da'
	same $((8 << 20)) "$(size_of raid/array)" size_bytes
	verify_io fill /dev/kio/array
	verify_io check /dev/db --length 8M
	verify_io zero /dev/db --offset 8M
}

test_claims()
{
	set_up
	must_be_busy mkfs.ext4 -q /dev/da
	same $'da\ndb' "$(ls /sys/block/kio\!array/slaves)" slaves
	write_attr "$KIO/raid/array/fail" /dev/da
	must_be_busy mkfs.ext4 -q /dev/da
	disable raid/array
	mkfs.ext4 -q /dev/da
}

test_stable()
{
	set_up
	same 1 "$(<"$(sysfs_of kio/array)/queue/stable_writes")" stable_writes
}

test_discard()
{
	null_disk da 8 discard=1
	null_disk db 8 discard=1
	array array 1 '/dev/da /dev/db'
	verify_io fill /dev/kio/array
	blkdiscard -o 1M -l 3M /dev/kio/array
	verify_io zero /dev/da --offset 1M --length 3M
	verify_io zero /dev/db --offset 1M --length 3M
	verify_io check /dev/kio/array --offset 4M
	blkdiscard -z -o 5M -l 1M /dev/kio/array
	verify_io zero /dev/da --offset 5M --length 1M
	cmp /dev/da /dev/db
}

test_write_once_each()
{
	local a b

	set_up
	a=$(writes /dev/da)
	b=$(writes /dev/db)
	dd if=/dev/zero of=/dev/kio/array bs=4k count=20 oflag=direct status=none
	same $((a + 20)) "$(writes /dev/da)" 'writes of da'
	same $((b + 20)) "$(writes /dev/db)" 'writes of db'
}

need_kind raid
run_cases \
	test_identical 'legs are the same after a load' \
	test_three_legs 'three legs likewise' \
	test_reads_any_leg 'every leg holds all' \
	test_fail 'a leg that was failed is left out' \
	test_fail_what 'only a leg can be failed' \
	test_faulty_stays_out 'a faulty leg stays out when the array comes up again' \
	test_missing 'an array with a missing leg' \
	test_smaller_leg 'the smallest leg says how large' \
	test_claims 'legs are claimed, faulty ones too' \
	test_stable 'pages are stable while they are written' \
	test_discard 'discards and zeroes reach both legs' \
	test_write_once_each 'a write goes to each leg once'
