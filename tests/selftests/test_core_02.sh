#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: the life of an object: what it may be called, when it may come up, go
# down and vanish, and what it says when it may not.
#
#	upper	1 MiB of lower
#	lower	8 MiB of da
. "${0%/*}/test_common.sh"

LONGEST=abcdefghijklmnopqrstuvwxyz1

set_up()
{
	null_disk da 32
	volume lower '0 65536 linear /dev/da 0'
}

test_bad_names()
{
	local name kind

	for name in 'a b' ' ' 'a:b' 'a!b' 'a,b' 'raw' 'ä' $'a\nb' 'a%s' 'a~' \
		"${LONGEST}x"; do
		for kind in "$KIO"/*; do
			must_fail mkdir "$kind/$name"
		done
	done
	must_fail mkdir "$KIO/lvm/a/b"
	same '' "$(ls "$KIO/lvm")" 'objects'
}

test_good_names()
{
	local name

	null_disk da 8
	for name in "$LONGEST" a A 0 -x +x _x .x x.y Raw raw2 RAW; do
		volume "$name" '0 8 linear /dev/da 0'
		same 4096 "$(blockdev --getsize64 "/dev/kio/$name")" "size of $name"
		disable "lvm/$name"
	done
}

test_names_are_unique()
{
	local a b

	for a in "$KIO"/*; do
		mkdir "$a/one"
		undo rmdir "$a/one"
		for b in "$KIO"/*; do
			must_fail mkdir "$b/one"
			matches 'File exists' "$WHY" "mkdir $b/one"
		done
		rmdir "$a/one"
		unset 'UNDO[-1]'
	done
}

test_enable_garbage()
{
	local word

	set_up
	make lvm/down 'table=0 8 zero'
	for word in 2 x '' ' ' -1 maybe; do
		refused 'enable takes 0 or 1' lvm/lower enable "$word"
		refused 'enable takes 0 or 1' lvm/down enable "$word"
	done
}

test_enable_twice()
{
	set_up
	enable lvm/lower
	same 1 "$(<"$KIO/lvm/lower/enable")" enable
	disable lvm/lower
	disable lvm/lower
	same 0 "$(<"$KIO/lvm/lower/enable")" enable
	same 0 "$(size_of lvm/lower)" 'size while down'
	[ ! -e /dev/kio/lower ] || fail 'the node is still there'
	enable lvm/lower
	same $((32 << 20)) "$(size_of lvm/lower)" 'size once more'
}

test_open()
{
	set_up
	exec 9</dev/kio/lower
	refused 'lower is in use' lvm/lower enable 0
	matches 'busy' "$WHY" errno
	exec 9<&-
	disable lvm/lower
}

test_mounted()
{
	set_up
	mkfs.ext4 -q /dev/kio/lower
	mount /dev/kio/lower "$MNT"
	undo umount "$MNT"
	refused 'lower is in use' lvm/lower enable 0
	matches 'busy' "$WHY" errno
	touch "$MNT/alive"
	umount "$MNT"
	unset 'UNDO[-1]'
	disable lvm/lower
}

test_used_by_another()
{
	set_up
	volume upper '0 2048 linear /dev/kio/lower 0'
	refused 'lower is in use' lvm/lower enable 0
	verify_io random /dev/kio/upper --ops 20
	disable lvm/upper
	disable lvm/lower
}

test_rmdir()
{
	set_up
	must_fail rmdir "$KIO/lvm/lower"
	matches 'busy' "$WHY" rmdir
	same 1 "$(<"$KIO/lvm/lower/enable")" enable
	must_fail rmdir "$KIO/lvm"
	must_fail rmdir "$KIO"
	verify_io random /dev/kio/lower --ops 20 --length 1M
}

test_read_only_attributes()
{
	local name

	set_up
	for name in size_bytes error stats; do
		must_fail write_attr "$KIO/lvm/lower/$name" 1
	done
}

test_stats()
{
	local before

	set_up
	before=$(awk '$1 == "write_ios" { print $2 }' "$KIO/lvm/lower/stats")
	dd if=/dev/zero of=/dev/kio/lower bs=4k count=10 oflag=direct status=none
	same $((before + 10)) \
		"$(awk '$1 == "write_ios" { print $2 }' "$KIO/lvm/lower/stats")" \
		write_ios
}

need_kind lvm
need_modules kraid kloop
run_cases \
	test_bad_names 'names that may not be' \
	test_good_names 'names that may be' \
	test_names_are_unique 'names are unique over all kinds' \
	test_enable_garbage 'enable takes nothing but 0 and 1' \
	test_enable_twice 'up, down, and up again' \
	test_open 'an open device stays up' \
	test_mounted 'a mounted device stays up' \
	test_used_by_another 'a device below another stays up' \
	test_rmdir 'a device that is up keeps its directory' \
	test_read_only_attributes 'what can only be read' \
	test_stats 'stats count'
