#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: modules pull in what they need, stay while a device needs them, and
# leave nothing behind, however often they come and go.
#
#	vol	two segments of da
#	array	RAID-1 of da, db
#	file	a file on tmpfs
. "${0%/*}/test_common.sh"

MODULES=(klvm kraid kloop)

load_all()
{
	modprobe -a "${MODULES[@]}"
}

unload_all()
{
	rmmod "${MODULES[@]}" kblk kiobuf
}

# What the modules show of themselves
traces_of_us()
{
	ls -d "$KIO" /dev/kio /sys/block/kio!* /sys/kernel/tracing/events/kiobuf \
		/sys/kernel/debug/kiobuf \
		/sys/module/{kiobuf,kblk,klvm,kraid,kloop} 2>/dev/null || :
}

make_volume()
{
	mkdir "$KIO/lvm/vol"
	write_attr "$KIO/lvm/vol/table" $'0 1024 linear /dev/da 0\n1024 1024 linear /dev/da 4096'
	enable lvm/vol
}

drop_volume()
{
	disable lvm/vol
	rmdir "$KIO/lvm/vol"
}

make_array()
{
	mkdir "$KIO/raid/array"
	echo 1 >"$KIO/raid/array/level"
	echo /dev/da /dev/db >"$KIO/raid/array/legs"
	enable raid/array
}

drop_array()
{
	disable raid/array
	rmdir "$KIO/raid/array"
}

make_loop()
{
	mkdir "$KIO/loop/file"
	echo "$WORK/file" >"$KIO/loop/file/file"
	enable loop/file
}

drop_loop()
{
	disable loop/file
	rmdir "$KIO/loop/file"
}

touch_device()
{
	verify_io random "$1" --ops 5 --length 1M
}

round()
{
	load_all
	make_volume
	touch_device /dev/kio/vol
	drop_volume
	make_array
	touch_device /dev/kio/array
	drop_array
	make_loop
	touch_device /dev/kio/file
	drop_loop
	unload_all
}

# Bytes in kmalloc's caches, once what waits to be freed has been
kmalloc_bytes()
{
	local cache

	sleep 0.2
	for cache in /sys/kernel/slab/kmalloc-* /sys/kernel/slab/:*; do
		echo 1 2>/dev/null >"$cache/shrink" || :
	done
	awk '/^kmalloc-/ { sum += $2 * $4 } END { print sum }' /proc/slabinfo
}

# KiB that a line of /proc/meminfo tells
meminfo()
{
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

available_kib()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	meminfo MemAvailable
}

drop_all()
{
	local object

	for object in "$KIO"/*/*/; do
		[ -d "$object" ] || continue
		echo 0 >"$object/enable"
		rmdir "$object"
	done
}

set_up()
{
	null_disk da 8
	null_disk db 8
	truncate -s 4M "$WORK/file"
	undo drop_all
}

test_needs()
{
	rmmod "${MODULES[@]}" kblk kiobuf 2>/dev/null || :
	modprobe klvm
	for module in kiobuf kblk; do
		[ -d "/sys/module/$module" ] || fail "klvm is there without $module"
		must_be_busy rmmod "$module"
	done
	rmmod klvm kblk kiobuf
	same '' "$(traces_of_us)" 'what is left'
	load_all
}

test_device_keeps_module()
{
	set_up
	make_volume
	must_be_busy rmmod klvm
	must_be_busy rmmod kblk
	exec 9</dev/kio/vol
	must_be_busy rmmod klvm
	exec 9<&-
	disable lvm/vol
	must_be_busy rmmod klvm
	rmdir "$KIO/lvm/vol"
	make_array
	must_be_busy rmmod kraid
	drop_array
	make_loop
	must_be_busy rmmod kloop
	drop_loop
	unload_all
	load_all
}

rounds()
{
	local i

	for ((i = 0; i < $1; i++)); do
		round
	done
	same '' "$(traces_of_us)" "what is left after $1 rounds"
}

# grew NAME BEFORE MOST: by no more than so many KiB
grew()
{
	local now

	now=$(meminfo "$1")
	note "$1 grew by $((now - $2)) KiB"
	[ $((now - $2)) -le "$3" ] || fail "$1 grew by $((now - $2)) KiB"
}

test_rounds()
{
	local kmalloc available slab percpu vmalloc

	unload_all
	set_up
	rounds 2
	kmalloc=$(kmalloc_bytes)
	available=$(available_kib)
	slab=$(meminfo SUnreclaim)
	percpu=$(meminfo Percpu)
	vmalloc=$(meminfo VmallocUsed)
	rounds "$(longer 10 100)"
	kmalloc=$(($(kmalloc_bytes) - kmalloc))
	available=$((available - $(available_kib)))
	note "kmalloc grew by $kmalloc bytes, memory shrank by $available KiB"
	[ "$kmalloc" -lt 65536 ] || fail "kmalloc grew by $kmalloc bytes"
	# Page caches make this one swing widely.
	[ "$available" -lt 65536 ] || fail "memory shrank by $available KiB"
	grew SUnreclaim "$slab" 512
	grew Percpu "$percpu" 64
	grew VmallocUsed "$vmalloc" 256
	load_all
}

need_kind lvm
need_modules kraid kloop
run_cases \
	test_needs 'modules come with what they need' \
	test_device_keeps_module 'a device keeps its module' \
	test_rounds 'load, use, unload, many times over'
