#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: flakey does to each request what its rules say, to no byte more, and
# nothing without a rule; rules change under way; what is held is never lost.
#
#	bad	flakey, all of da
#	da	a disk, or a dm device, a loop, a volume
. "${0%/*}/test_common.sh"

SIGHT=/sys/kernel/debug/kiobuf

# flakey NAME LOWER [ATTRIBUTE=VALUE...]: nothing waits in it when it is to go
flakey()
{
	filter "$1" flakey "${@:2}"
	undo clear_rules "$1"
}

clear_rules()
{
	write_attr "$KIO/filter/$1/rules" clear
}

# rules NAME LINE...: in place of those that are there
rules()
{
	write_attr "$KIO/filter/$1/rules" "$(printf '%s\n' clear "${@:2}")"
}

# set_up [ATTRIBUTE=VALUE...]: of the disk, which is filled
set_up()
{
	null_disk da 8 "$@"
	verify_io fill /dev/da
	flakey bad /dev/da
}

# state LINE...: the whole of it, for bad
state()
{
	same "$(printf '%s\n' "$@")" "$(<"$KIO/filter/bad/state")" state
}

waiting()
{
	[ "$(awk '{ sum += $4 } END { print sum + 0 }' "$KIO/filter/bad/state")" = "$1" ]
}

# read_at FIRST COUNT [OPTION...]: one request, to standard output
read_at()
{
	dd if=/dev/kio/bad bs=$(($2 * 512)) count=1 iflag=direct,skip_bytes \
		skip=$(($1 * 512)) status=none "${@:3}"
}

# write_at FIRST COUNT [OPTION...]: one request, of seed 2
write_at()
{
	verify_io fill /dev/kio/bad --seed 2 --offset $(($1 * 512)) \
		--length $(($2 * 512)) "${@:3}"
}

# below SEED FIRST COUNT: what these sectors of da were last filled with
below()
{
	verify_io check /dev/da --seed "$1" --offset $(($2 * 512)) --length $(($3 * 512))
}

# fails MESSAGE COMMAND...
fails()
{
	must_fail "${@:2}"
	matches "$1" "$WHY" "${*:2}"
}

# outcomes FIRST COUNT WORD...: what becomes of reads of that, one after another
outcomes()
{
	local word

	for word in "${@:3}"; do
		case $word in
		ok) read_at "$1" "$2" >"$WORK/read" ;;
		EIO) fails 'Input/output error' read_at "$1" "$2" ;;
		ENOSPC) fails 'No space left' read_at "$1" "$2" ;;
		esac
	done
}

# in_background COMMAND...: sets PID
in_background()
{
	"$@" >"$WORK/background" 2>&1 &
	PID=$!
}

ends_badly()
{
	if wait "$1"; then
		fail "$1 ended well"
	fi
}

invert()
{
	tr '\000-\377' "$(printf '\\%03o' {255..0})"
}

# sectors DISK FIRST COUNT: as they are there, whatever the page cache holds
sectors()
{
	dd if="$1" bs=$(($3 * 512)) count=1 iflag=direct,skip_bytes skip=$(($2 * 512)) \
		status=none
}

# ---- nothing ----

test_without_rules()
{
	null_disk da 32
	volume vol '0 12345 linear /dev/da 8'
	flakey bad /dev/kio/vol
	same $((12345 * 512)) "$(size_of filter/bad)" size_bytes
	same $((12345 * 512)) "$(blockdev --getsize64 /dev/kio/bad)" size
	verify_io fill /dev/kio/bad
	verify_io check /dev/da --offset 4096 --length $((12345 * 512)) --as 0
	verify_io random /dev/kio/bad --ops "$(longer 100 5000)" --jobs 4 --max 64K
	disable filter/bad
	write_attr "$KIO/filter/bad/lower" /dev/da
	disable lvm/vol
	enable filter/bad
	frag_io /dev/kio/bad $((8 << 20)) $(((8 << 20) + 512))
}

test_limits()
{
	local limit ours theirs

	null_disk da 8 blocksize=4096 discard=1 cache_size=4
	flakey bad /dev/da
	for limit in logical_block_size physical_block_size minimum_io_size \
		optimal_io_size discard_granularity discard_max_bytes \
		write_zeroes_max_bytes write_cache fua rotational; do
		ours=$(<"$(sysfs_of kio/bad)/queue/$limit")
		theirs=$(<"$(sysfs_of da)/queue/$limit")
		same "$theirs" "$ours" "$limit"
	done
}

# nowait DEVICE: whether it takes reads that must not wait
nowait()
{
	fio --name=nowait --filename="$1" --rw=read --bs=4k --size=4k --direct=1 \
		--ioengine=pvsync2 --nowait=1 --readonly --aux-path="$WORK" \
		>"$WORK/fio" 2>&1 && echo yes || echo no
}

test_nowait()
{
	need_tools fio
	set_up
	same "$(nowait /dev/da)" "$(nowait /dev/kio/bad)" nowait
}

test_fs()
{
	null_disk da 128 discard=1 cache_size=16
	flakey bad /dev/da
	mkfs.ext4 -q /dev/kio/bad
	mount /dev/kio/bad "$MNT"
	undo umount "$MNT"
	must_be_busy disable filter/bad
	note "$(fs_stress "$MNT" 3 2)"
	umount "$MNT"
	e2fsck -fn /dev/kio/bad
	disable filter/bad
	e2fsck -fn /dev/da
	mount /dev/da "$MNT"
	refused 'in use|mounted|busy' filter/bad enable 1
}

test_tree()
{
	set_up
	same 'kio!bad' "$(ls /sys/block/da/holders)" holders
	same da "$(ls '/sys/block/kio!bad/slaves')" slaves
	matches 'bad' "$(lsblk --noheadings --output NAME /dev/da)" lsblk
}

test_between_volumes()
{
	null_disk da 32
	volume low '0 40960 linear /dev/da 8'
	flakey bad /dev/kio/low
	volume high '0 20480 linear /dev/kio/bad 20480' '20480 20480 linear /dev/kio/bad 0'
	verify_io random /dev/kio/high --ops 100 --jobs 2
	verify_io fill /dev/kio/high
	rules bad 'write 20490 6 error EIO'
	fails 'Input/output' verify_io fill /dev/kio/high --seed 2 --length 16K
	verify_io check /dev/kio/high --seed 2 --length 5K
	verify_io check /dev/kio/high --seed 1 --offset 5K --length 3K
	verify_io check /dev/kio/high --seed 2 --offset 8K --length 8K
	rules bad
	verify_io fill /dev/kio/high
}

# ---- error ----

test_error_of_a_write()
{
	set_up
	rules bad 'write 2048 8 error EIO count 3'
	fails 'Input/output' write_at 2044 16
	below 1 0 2044
	below 2 2044 4
	below 1 2048 8
	below 2 2056 4
	below 1 2060 4096
	state '0 1 1 0'
	fails 'Input/output' write_at 2055 1
	fails 'Input/output' write_at 2040 9
	below 2 2040 8
	below 1 2048 8
	state '0 3 3 0'
	write_at 2044 16
	below 2 2044 16
	state '0 4 3 0'
}

# What begins or ends with the range, and what has not a byte of it
test_error_at_borders()
{
	set_up
	rules bad 'write 1000 8 error EIO'
	write_at 992 8
	write_at 1008 8
	state '0 0 0 0'
	fails 'Input/output' write_at 1007 9
	below 1 1000 8
	below 2 1008 8
	fails 'Input/output' write_at 1000 8
	fails 'Input/output' write_at 1002 2
	below 1 1000 8
	state '0 3 3 0'
}

test_error_of_a_read()
{
	local before

	set_up
	rules bad 'read 2048 8 error EIO'
	before=$(cut -d' ' -f1 <<<"$(ios /dev/da)")
	fails 'Input/output' read_at 2050 2
	same "$before" "$(cut -d' ' -f1 <<<"$(ios /dev/da)")" 'reads below'
	fails 'Input/output' read_at 2040 24
	verify_io check /dev/kio/bad --length 1M
	verify_io check /dev/kio/bad --offset $((2056 * 512)) --length 64K
	write_at 2044 16
	below 2 2044 16
	state '0 2 2 0'
}

# error_shows ERRNO MESSAGE
error_shows()
{
	rules bad "read 0 8 error $1"
	fails "$2" read_at 0 8
}

test_errnos()
{
	set_up
	error_shows EIO 'Input/output error'
	error_shows ENOSPC 'No space left'
	error_shows 28 'No space left'
	error_shows ETIMEDOUT 'timed out'
	error_shows EREMOTEIO 'Remote I/O'
	error_shows ENOLINK 'Link has been severed'
	error_shows ENODATA 'No data available'
	error_shows EILSEQ 'Invalid or incomplete multibyte'
	error_shows 84 'Invalid or incomplete multibyte'
	error_shows EPERM 'Input/output error'
}

test_to_the_end()
{
	set_up
	rules bad 'write 16376 - error EIO' 'write 99999999 8 error EIO' \
		'write 16300 99999999 error ENOSPC'
	fails 'Input/output' write_at 16368 16
	below 2 16368 8
	below 1 16376 8
	write_at 0 8
	fails 'No space left' write_at 16300 8
	state '0 1 1 0' '1 0 0 0' '2 1 1 0'
}

# ---- which rule acts ----

test_count_every()
{
	set_up
	rules bad 'read 0 8 error EIO count 2 every 3'
	outcomes 0 8 ok ok EIO ok ok EIO ok ok ok
	state '0 9 2 0'
	rules bad 'read 0 8 error EIO every 2'
	outcomes 0 8 ok EIO ok EIO
	rules bad 'read 0 8 error EIO count 1'
	outcomes 0 8 EIO ok ok
	state '0 3 1 0'
}

# Those behind one that acts do not count.
test_order()
{
	set_up
	rules bad 'read 0 8 error EIO every 2' 'read 4 8 error ENOSPC every 3' \
		'read 8 8 error EIO'
	outcomes 0 8 ok EIO ok EIO ENOSPC EIO
	state '0 6 3 0' '1 3 1 0' '2 0 0 0'
	rules bad 'read 0 8 error ENOSPC count 1' 'read 0 8 error EIO count 1'
	outcomes 0 8 ENOSPC EIO ok
	rules bad 'write 0 - error EIO' 'read 0 8 error ENOSPC'
	outcomes 0 8 ENOSPC
	outcomes 8 8 ok
	state '0 0 0 0' '1 1 1 0'
}

test_flush()
{
	set_up cache_size=4
	rules bad 'flush 100 8 error EIO count 1'
	must_fail write_at 0 8
	state '0 1 1 0'
	below 2 0 8
	write_at 0 8
	state '0 2 1 0'
	rules bad 'any 100 8 error EIO count 1'
	read_at 0 8 >"$WORK/read"
	fails 'Input/output' sync -d /dev/kio/bad
	state '0 1 1 0'
	rules bad 'write 0 - error EIO' 'any 0 - short 512' 'any 0 - corrupt'
	blockdev --flushbufs /dev/kio/bad
	sync -d /dev/kio/bad
	state '0 0 0 0' '1 0 0 0' '2 0 0 0'
}

test_discard()
{
	set_up discard=1
	rules bad 'write 0 - error EIO' 'discard 2048 8 error EIO'
	must_fail blkdiscard -o 1044480 -l 12288 /dev/kio/bad
	verify_io zero /dev/da --offset 1044480 --length 4096
	below 1 2048 8
	verify_io zero /dev/da --offset 1052672 --length 4096
	below 1 2064 64
	state '0 0 0 0' '1 1 1 0'
}

# Who asked writes them himself when the device cannot.
test_zeroes()
{
	truncate -s 8M "$WORK/file"
	loop file "$WORK/file"
	verify_io fill /dev/kio/file
	flakey bad /dev/kio/file
	rules bad 'discard 0 - error EIO' 'zeroes 2048 8 error EIO'
	blkdiscard -z -o 2M -l 1M /dev/kio/bad
	state '0 0 0 0' '1 0 0 0'
	blkdiscard -z -o 1044480 -l 12288 /dev/kio/bad
	state '0 0 0 0' '1 1 1 0'
	verify_io zero /dev/kio/bad --offset 1044480 --length 12288
	verify_io zero /dev/kio/bad --offset 2M --length 1M
	rules bad 'zeroes 2048 8 error EIO' 'write 0 - error EIO'
	must_fail blkdiscard -z -o 1044480 -l 12288 /dev/kio/bad
}

# ---- the other actions ----

sectors_read()
{
	awk '{ print $3 }' "$(sysfs_of da)/stat"
}

test_short()
{
	local before

	set_up
	rules bad 'any 0 - short 2048'
	fails 'Input/output' write_at 100 16
	below 2 100 4
	below 1 104 12
	write_at 200 4
	below 2 200 4
	before=$(sectors_read)
	fails 'Input/output' read_at 300 16
	same $((before + 4)) "$(sectors_read)" 'sectors read below'
	read_at 300 4 >"$WORK/read"
	cmp "$WORK/read" <(sectors /dev/da 300 4)
}

# A part of a block cannot be carried out.
test_short_of_odd_bytes()
{
	set_up
	rules bad 'write 0 - short 1000'
	fails 'Input/output' write_at 100 16
	below 2 100 2
	below 1 102 14
	rules bad 'write 0 - short 1'
	fails 'Input/output' write_at 200 16
	below 2 200 1
	below 1 201 15
}

# took COMMAND...: sets TOOK, in milliseconds
took()
{
	local begin=$EPOCHREALTIME

	"$@"
	TOOK=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
}

test_delay()
{
	set_up
	rules bad 'write 8 8 delay 700'
	took write_at 0 24
	within 700 20000 "$TOOK" 'milliseconds'
	below 2 0 24
	state '0 1 1 0'
	rules bad 'read 0 - delay 600000'
	in_background read_at 0 8
	eventually waiting 1
	write_attr "$KIO/filter/bad/release" all
	wait "$PID"
	cmp "$WORK/background" <(sectors /dev/da 0 8)
	in_background read_at 8 8
	eventually waiting 1
	rules bad
	wait "$PID"
	cmp "$WORK/background" <(sectors /dev/da 8 8)
}

# hold_writes COUNT: each of 8 sectors, from sector 0 on; sets PIDS
hold_writes()
{
	local i

	rules bad 'write 0 - hold'
	PIDS=()
	for ((i = 0; i < $1; i++)); do
		in_background write_at $((i * 8)) 8
		PIDS+=("$PID")
	done
	eventually waiting "$1"
	below 1 0 64
}

test_release()
{
	set_up
	hold_writes 3
	refused 'use' filter/bad enable 0
	write_attr "$KIO/filter/bad/release" all
	wait "${PIDS[@]}"
	below 2 0 24
	state '0 3 3 0'
	in_background write_at 24 8
	eventually waiting 1
	write_attr "$KIO/filter/bad/release" all
	wait "$PID"
	state '0 4 4 0'
	refused '.' filter/bad release some
}

test_removal_releases()
{
	set_up
	hold_writes 2
	rules bad 'read 0 8 error EIO'
	wait "${PIDS[@]}"
	below 2 0 16
	state '0 0 0 0'
}

# The lines of one write take effect together.
test_rule_in_place_of_another()
{
	set_up
	rules bad 'any 0 - hold'
	in_background write_at 0 8
	eventually waiting 1
	rules bad 'any 0 - error ENOSPC'
	wait "$PID"
	below 2 0 8
	fails 'No space left' write_at 8 8
}

test_cancel()
{
	local pid

	set_up
	hold_writes 3
	write_attr "$KIO/filter/bad/cancel" all
	for pid in "${PIDS[@]}"; do
		ends_badly "$pid"
	done
	below 1 0 64
	state '0 3 3 0'
	rules bad
	write_at 0 8
	below 2 0 8
}

test_cancel_one()
{
	local id

	set_up
	hold_writes 2
	same 2 "$(grep -c . "$SIGHT/bad/inflight")" 'requests seen'
	id=$(awk '$3 == 8 { print $1 }' "$SIGHT/bad/inflight")
	write_attr "$KIO/filter/bad/cancel" "$id"
	ends_badly "${PIDS[1]}"
	eventually waiting 1
	rules bad
	wait "${PIDS[0]}"
	below 2 0 8
	below 1 8 8
}

test_corrupt_a_read()
{
	set_up
	rules bad 'read 3 2 corrupt'
	read_at 0 8 >"$WORK/read"
	cmp "$WORK/read" <(sectors /dev/da 0 3; sectors /dev/da 3 2 | invert;
		sectors /dev/da 5 3)
	read_at 4 4 >"$WORK/read"
	cmp "$WORK/read" <(sectors /dev/da 4 1 | invert; sectors /dev/da 5 3)
	below 1 0 64
	state '0 2 2 0'
	rules bad
	verify_io check /dev/kio/bad
}

test_corrupt_a_write()
{
	set_up
	rules bad 'write 3 2 corrupt'
	write_at 0 8
	below 2 0 3
	below 2 5 3
	rules bad
	write_at 64 8
	write_at 0 8 --as 64
	rules bad 'write 3 2 corrupt'
	write_at 0 8 --as 64
	cmp <(sectors /dev/da 0 8) <(sectors /dev/da 64 3; sectors /dev/da 67 2 | invert;
		sectors /dev/da 69 3)
}

# What the page cache holds is its own.
test_corrupt_leaves_the_writer_alone()
{
	set_up
	exec 9<>/dev/kio/bad
	rules bad 'write 0 - corrupt'
	write_at 0 64 --buffered
	verify_io check /dev/kio/bad --seed 2 --length 32K --buffered
	rules bad
	must_fail verify_io check /dev/kio/bad --seed 2 --length 32K
	exec 9<&-
	sectors /dev/da 0 64 | invert >"$WORK/inverted"
	write_at 0 64
	cmp "$WORK/inverted" <(sectors /dev/da 0 64)
}

# ---- rules ----

test_read_back()
{
	local -a lines=(
		'read 0 8 error EIO' 'write 2048 8 error ENOSPC count 3'
		'any 0 - short 2048 every 7' 'flush 0 - delay 20'
		'discard 1 1 hold count 2 every 5' 'zeroes 99999999 8 hold'
		'write 5 - corrupt')
	local line

	set_up
	same '' "$(<"$KIO/filter/bad/rules")" rules
	rules bad "${lines[@]}"
	same "$(printf '%s\n' "${lines[@]}")" "$(<"$KIO/filter/bad/rules")" rules
	same 7 "$(wc -l <"$KIO/filter/bad/state")" 'lines of state'
	rules bad
	for line in "${lines[@]}"; do
		write_attr "$KIO/filter/bad/rules" "$line"
	done
	same "$(printf '%s\n' "${lines[@]}")" "$(<"$KIO/filter/bad/rules")" 'rules, added'
	rules bad 'any 0 8 error 5' 'any 0 8 error 4000'
	line=$(<"$KIO/filter/bad/rules")
	rules bad "$line"
	same "$line" "$(<"$KIO/filter/bad/rules")" 'rules, written again'
	write_attr "$KIO/filter/bad/rules" $'read 0 8 hold\nclear\nread 8 8 hold'
	same 'read 8 8 hold' "$(<"$KIO/filter/bad/rules")" 'what is behind clear'
}

# They stay while the device is down, and act from its first request on.
test_rules_of_what_is_down()
{
	null_disk da 8
	filter bad flakey /dev/da 'rules=read 0 8 error EIO'
	outcomes 0 8 EIO
	disable filter/bad
	same 'read 0 8 error EIO' "$(<"$KIO/filter/bad/rules")" rules
	enable filter/bad
	outcomes 0 8 EIO
}

BAD_RULES=(' 0 8 hold' 'bogus 0 8 hold' 'READ 0 8 hold' 'read' 'read 0' 'read 0 8'
	'read x 8 hold' 'read -1 8 hold' 'read - 8 hold' 'read 0 x hold' 'read 0 -8 hold'
	'read 0 8x hold' 'read 0 0 hold' 'read 0 8 explode' 'read 0 8 error'
	'read 0 8 error EFOO' 'read 0 8 error eio' 'read 0 8 error 0' 'read 0 8 error -5'
	'read 0 8 error 99999' 'read 0 8 error EIO ENOSPC' 'read 0 8 short'
	'read 0 8 short x' 'read 0 8 short -1' 'read 0 8 short 99999999999999999999'
	'read 0 8 delay' 'read 0 8 delay x' 'read 0 8 delay 18446744073709551615'
	'read 99999999999999999999 8 hold' 'read 0 99999999999999999999 hold'
	'read 18446744073709551615 8 hold' 'read 8 18446744073709551615 hold'
	'read 36028797018963967 8 hold' 'read 0 36028797018963968 hold'
	'read 36028797018963968 - hold' 'read 0 8 hold 5' 'read 0 8 hold count'
	'read 0 8 hold count 0' 'read 0 8 hold count x' 'read 0 8 hold count -1'
	'read 0 8 hold count 99999999999999999999' 'read 0 8 hold every'
	'read 0 8 hold every 0' 'read 0 8 hold every x' 'read 0 8 hold count 1 count 2'
	'read 0 8 hold count 1 every 2 more' 'read 0 8 corrupt 1' 'read 0 8 corrupt x'
	'clear 5' 'clear all' $'read 8 8 hold\nread 0 8 explode'
	$'read 0 8 explode\nread 8 8 hold' $'clear\nread 0 8 explode'
	$'clear\nread 8 8 hold\nread 0 8')

test_bad_rules()
{
	local line

	set_up
	rules bad 'read 0 8 error EIO count 3' 'write 0 8 hold'
	outcomes 0 8 EIO
	for line in "${BAD_RULES[@]}"; do
		refused '.' filter/bad rules "$line"
	done
	refused '.' filter/bad rules "read 0 8 $(printf 'x%.0s' {1..3000})"
	refused '.' filter/bad rules "read 0 8 hold$(printf ' %.0s' {1..3000})x"
	refused '.' filter/bad rules "read 0 8 hold$(printf ' %.0s' {1..5000})"
	outcomes 0 8 EIO EIO ok
	state '0 4 3 0' '1 0 0 0'
}

change_rules()
{
	local i

	for ((i = 0; i < 15; i++)); do
		rules bad 'any 0 - delay 1'
		rules bad 'write 0 - hold every 7' 'read 512 8 delay 3'
		pause 0.05
		write_attr "$KIO/filter/bad/release" all
		rules bad 'read 0 - hold count 5'
		rules bad
	done
}

test_change_under_load()
{
	set_up
	during_load filter/bad change_rules
}

# ---- up and down ----

test_busy()
{
	set_up
	null_disk db 8
	exec 9</dev/kio/bad
	must_be_busy disable filter/bad
	exec 9<&-
	must_be_busy rmdir "$KIO/filter/bad"
	refused '(down|up)' filter/bad lower /dev/db
	refused '(down|up)' filter/bad kind flakey
	refused '(down|up)' filter/bad kind checksum
	refused '.' filter/bad create 1
	must_be_busy rmmod kfilter
	disable filter/bad
	write_attr "$KIO/filter/bad/lower" /dev/db
	enable filter/bad
	verify_io zero /dev/kio/bad
}

# no_lower PATTERN PATH: of which no filter can be made
no_lower()
{
	write_attr "$KIO/filter/x/lower" "$2"
	refused "$1" filter/x enable 1
}

test_bad_lower()
{
	set_up
	null_disk db 64
	make filter/x
	refused 'kind' filter/x enable 1
	refused '.' filter/x kind bogus
	refused '.' filter/x kind ''
	refused '.' filter/x kind 'flakey and more words that go on beyond the 32nd'
	refused '.' filter/x kind "flakey$(printf ' %.0s' {1..40})x"
	refused '.' filter/x rules 'read 0 8 hold'
	write_attr "$KIO/filter/x/kind" flakey
	refused 'lower' filter/x enable 1
	refused 'absolute' filter/x lower da
	refused '.' filter/x lower ''
	refused '.' filter/x create 1
	no_lower '.' /dev/none
	no_lower '.' /dev/null
	no_lower '.' /tmp
	no_lower '.' /dev/kio/x
	no_lower '.' /dev/kio/bad/y
	touch "$WORK/file"
	no_lower '.' "$WORK/file"
	no_lower 'use|claim|busy' /dev/da
	mkfs.ext4 -q /dev/db
	mounted /dev/db
	no_lower 'use|claim|busy|mounted' /dev/db
	umount "$MNT"
	enable filter/x
	must_fail mount /dev/db "$MNT"
	disable filter/x
	mount /dev/db "$MNT"
}

test_read_only_lower()
{
	set_up
	null_disk db 8
	blockdev --setro /dev/db
	make filter/x kind=flakey lower=/dev/db
	refused 'read-only' filter/x enable 1
	blockdev --setrw /dev/db
	enable filter/x
	disable filter/x
}

test_on_itself()
{
	null_disk da 8
	volume vol '0 8192 linear /dev/da 0'
	flakey bad /dev/kio/vol
	refused_table 'lie on itself' vol '0 8192 linear /dev/kio/bad 0'
	volume top '0 4096 linear /dev/kio/bad 0'
	refused_table 'lie on itself' vol '0 4096 linear /dev/kio/top 0'
	verify_io random /dev/kio/top --ops 20
}

# The look for partitions would wait for a release that waits for it.
test_rules_before()
{
	null_disk da 8
	make filter/f kind=flakey lower=/dev/da 'rules=any 0 - hold'
	enable filter/f
	undo disable filter/f
	matches '^0 0 0 0$' "$(<"$KIO/filter/f/state")" 'what met the rule by then'
	dd if=/dev/kio/f of=/dev/null bs=4k count=1 iflag=direct &
	eventually grep -q '^0 1 1 1$' "$KIO/filter/f/state"
	echo all >"$KIO/filter/f/release"
	wait $!
}

need_kind filter
need_modules klvm kloop
need_tools lsblk mkfs.ext4 e2fsck blkdiscard
run_cases \
	test_without_rules 'without rules all passes, byte by byte' \
	test_limits 'the queue limits are those of the disk' \
	test_nowait 'what must not wait does not' \
	test_fs 'a file system on it' \
	test_tree 'it is seen above its disk' \
	test_between_volumes 'between two volumes' \
	test_error_of_a_write 'an error takes its range out of a write' \
	test_error_at_borders 'an error keeps to its borders' \
	test_error_of_a_read 'an error takes its range out of a read' \
	test_errnos 'an error may be any errno' \
	test_to_the_end 'ranges to the end, and beyond' \
	test_count_every 'count and every' \
	test_order 'the first rule that is due acts, those behind do not count' \
	test_flush 'a flush meets what is for flushes only' \
	test_discard 'a discard meets a rule' \
	test_zeroes 'zeroes meet a rule' \
	test_short 'a short request ends where it is told' \
	test_short_of_odd_bytes 'or with the block it ends in' \
	test_delay 'a delay lasts, unless released or removed' \
	test_release 'what is held goes on when it is released' \
	test_removal_releases 'and when its rule is removed' \
	test_rule_in_place_of_another 'also when another comes in its place' \
	test_cancel 'what is held can be cancelled, and has done nothing' \
	test_cancel_one 'one of those held can be cancelled' \
	test_corrupt_a_read 'a read is spoilt in the range only' \
	test_corrupt_a_write 'a write is spoilt in the range only' \
	test_corrupt_leaves_the_writer_alone 'but the memory it came from is not' \
	test_read_back 'rules read as they can be written' \
	test_rules_of_what_is_down 'rules of a device that is down' \
	test_rules_before 'rules do not hold what brings a device up' \
	test_bad_rules 'a bad rule is refused, and changes nothing' \
	test_change_under_load 'rules change under load' \
	test_busy 'a device in use stays' \
	test_bad_lower 'what no filter can be made of' \
	test_read_only_lower 'a disk that may not be written' \
	test_on_itself 'no device lies on itself'
