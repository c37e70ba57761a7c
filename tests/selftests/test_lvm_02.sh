#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: a table that cannot be is refused with a sentence that says why, and
# all stays as it was, be the volume down or up and in use.
#
#	down	not enabled
#	up	| 0..1 MiB of da | 0..1 MiB of db |, mounted nowhere
. "${0%/*}/test_common.sh"

set_up()
{
	null_disk da 8
	null_disk db 8
	make lvm/down
	volume up '0 2048 linear /dev/da 0' '2048 2048 linear /dev/db 0'
	verify_io fill /dev/kio/up
}

# Tables that fail when they are committed, the devices being free
bad_tables()
{
	refused_table 'fit /dev/dc.* 16384' "$1" '0 16385 linear /dev/dc 0'
	refused_table 'fit /dev/dc' "$1" '0 8 linear /dev/dc 16380'
	refused_table 'fit /dev/dc' "$1" '0 8 linear /dev/dc 16385'
	refused_table 'fit /dev/dc' "$1" '0 8 linear /dev/dc 18014398509481983'
	refused_table 'gap' "$1" '0 8 zero' '16 8 zero'
	refused_table 'gap' "$1" '8 8 zero'
	refused_table 'overlap' "$1" '0 8 zero' '4 8 zero'
	refused_table 'overlap' "$1" '0 8 zero' '0 8 zero'
	refused_table 'largest' "$1" '0 18014398509481983 zero' \
		'18014398509481983 18014398509481983 zero'
	refused_table 'no such device' "$1" '0 8 linear /dev/nowhere 0'
	refused_table 'no such device' "$1" '0 8 linear da 0'
	refused_table 'not a block device' "$1" "0 8 linear $WORK/file 0"
	refused_table 'not a block device' "$1" '0 8 linear /dev/null 0'
	refused_table 'not a block device' "$1" '0 8 linear /dev 0'
	refused_table 'no such device' "$1" '0 8 linear /dev/dc 0' \
		'8 8 linear /dev/nowhere 0'
}

# Lines that fail as they are written
bad_lines()
{
	local line

	for line in '0 0 zero' '-1 8 zero' '0 -8 zero' ' 8 zero' 'zero' \
		'0x0 8 zero' '0 8.5 zero' '0 9223372036854775808 zero' \
		'0 18446744073709551616 zero' '18014398509481984 8 zero' '0 8k zero'; do
		refused 'START LENGTH TARGET|no target' "lvm/$1" table "$line"
	done
	for line in '0 8 linaer /dev/da 0' '0 8 LINEAR /dev/da 0' '0 8' '0 8 -'; do
		refused 'no target' "lvm/$1" table "$line"
	done
	for line in '0 8 linear' '0 8 linear /dev/da' '0 8 linear /dev/da x' \
		'0 8 linear /dev/da -1' '0 8 linear 0 /dev/da' \
		'0 8 linear /dev/da 9223372036854775808'; do
		refused 'linear takes DEVICE OFFSET' "lvm/$1" table "$line"
	done
	for line in '0 8 zero 1' '0 8 error x' '0 8 linear /dev/da 0 0'; do
		refused 'one word too many' "lvm/$1" table "$line"
	done
}

test_down()
{
	set_up
	null_disk dc 8
	truncate -s 1M "$WORK/file"
	bad_tables down
	echo clear >"$KIO/lvm/down/table"
	bad_lines down
	refused 'table is empty' lvm/down enable 1
}

test_up()
{
	set_up
	null_disk dc 8
	truncate -s 1M "$WORK/file"
	bad_tables up
	stage up
	bad_lines up
	verify_io check /dev/kio/up
	reload up '0 2048 linear /dev/dc 0'
}

# One bad line in a write takes the good ones before it along.
test_all_or_nothing()
{
	local text

	set_up
	write_attr "$KIO/lvm/down/table" '0 8 zero'
	text=$(printf '%s\n' '8 8 zero' '16 8 oops' '24 8 zero')
	refused 'Line 3.*oops' lvm/down table "$text"
	same '0 8 zero' "$(<"$KIO/lvm/down/table")" table
}

test_corrected()
{
	set_up
	null_disk dc 8
	refused_table gap down '8 8 linear /dev/dc 0'
	stage down '0 8 linear /dev/dc 0'
	enable lvm/down
	same '' "$(<"$KIO/lvm/down/error")" error
	disable lvm/down
}

test_error_is_forgotten()
{
	set_up
	refused 'no target' lvm/down table '0 8 oops'
	write_attr "$KIO/lvm/down/table" '0 8 zero'
	same '' "$(<"$KIO/lvm/down/error")" error
}

test_read_only()
{
	set_up
	null_disk dc 8
	blockdev --setro /dev/dc
	refused_table 'read-only' down '0 8 linear /dev/dc 0'
	refused_table 'read-only' up '0 8 linear /dev/dc 0'
	blockdev --setrw /dev/dc
	stage up
	reload up '0 8 linear /dev/dc 0'
}

test_in_use()
{
	set_up
	null_disk dc 32
	mkfs.ext4 -q /dev/dc
	refused_table 'in use' down '0 8 linear /dev/da 0'
	mounted /dev/dc
	refused_table 'in use' down '0 8 linear /dev/dc 0'
	refused_table 'in use' up '0 8 linear /dev/dc 0'
}

# Volumes may be on one device, but not on the same piece of it.
test_pieces()
{
	set_up
	null_disk dc 8
	volume beside '0 2048 linear /dev/da 2048' '2048 2048 linear /dev/dc 0'
	refused_table 'Sectors 0 to 2048 of da are in use by volume up' down \
		'0 8 linear /dev/dc 2048' '8 8 linear /dev/da 2040'
	refused_table 'in use by volume beside' down '0 8 linear /dev/da 4095'
	refused_table 'in use by volume beside' up \
		'0 2048 linear /dev/da 0' '2048 2048 linear /dev/da 2048'
	refused_table 'in use by volume beside' down \
		'0 4096 striped 2 8 /dev/db 4096 /dev/dc 1000'
	volume third '0 4096 striped 2 8 /dev/da 4096 /dev/dc 2048'
	verify_io fill /dev/kio/beside --seed 2
	verify_io fill /dev/kio/third --seed 3
	verify_io check /dev/kio/up
	verify_io check /dev/kio/beside --seed 2
	stage up '0 1024 linear /dev/da 512' '1024 512 linear /dev/da 8000'
	enable lvm/up
	disable lvm/beside
	reload up '0 4096 linear /dev/da 0'
	refused 'in use by volume up' lvm/beside enable 1
	reload up '0 2048 linear /dev/da 0'
	enable lvm/beside
}

# The one below is swapped while both are there.
test_pieces_of_ours()
{
	set_up
	volume one '0 1024 linear /dev/kio/up 0'
	volume two '0 3072 linear /dev/kio/up 1024'
	refused_table 'in use by volume two' down '0 8 linear /dev/kio/up 2000'
	reload up '0 2048 linear /dev/db 0' '2048 2048 linear /dev/da 0'
	verify_io fill /dev/kio/one --seed 1
	verify_io fill /dev/kio/two --seed 2
	verify_io check /dev/db --seed 1 --length 512K
	verify_io check /dev/da --seed 2 --length 1M --as 1024
	refused 'in use' lvm/up enable 0
	same 'kio!one kio!two' "$(cd /sys/block/kio\!up/holders && echo *)" holders
}

test_block_size()
{
	set_up
	null_disk big 8 blocksize=4096
	refused_table 'multiples of 8' down '0 8 linear /dev/big 4'
	refused_table 'multiples of 8' down '0 12 linear /dev/big 8'
	stage down '0 16 linear /dev/big 8'
	enable lvm/down
	same 4096 "$(blockdev --getss /dev/kio/down)" 'logical block'
	disable lvm/down
}

test_uuid()
{
	local long

	set_up
	long=$(printf '%0128d' 0)
	write_attr "$KIO/lvm/down/uuid" "$long"
	refused 'one word' lvm/down uuid "${long}0"
	refused 'one word' lvm/down uuid 'LVM a'
	refused 'one word' lvm/down uuid $'\303\244'
	same "$long" "$(<"$KIO/lvm/down/uuid")" uuid
	write_attr "$KIO/lvm/down/uuid" ''
	same '' "$(<"$KIO/lvm/down/uuid")" uuid
	refused 'is up' lvm/up uuid x
}

test_long_line()
{
	set_up
	refused 'too long' lvm/down table "$(printf '0 8 linear /dev/%04096d 0' 0)"
}

need_kind lvm
run_cases \
	test_down 'bad tables for a volume that is down' \
	test_up 'bad tables for a volume that is up' \
	test_all_or_nothing 'a write with a bad line adds none' \
	test_corrected 'after a refusal a good table is taken' \
	test_error_is_forgotten 'error speaks of the last write only' \
	test_read_only 'a read-only leg' \
	test_in_use 'a leg in use' \
	test_pieces 'volumes on pieces of one device' \
	test_pieces_of_ours 'volumes on pieces of a volume' \
	test_block_size 'offsets and lengths off the blocks of a leg' \
	test_uuid 'a uuid is one word, given while the volume is down' \
	test_long_line 'a line longer than a page'
