#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guards: the raw device moves what is asked for, by every way in, aligned or not; says
# exactly how much was moved, what failed and why; is as much in use as its disk.
#
#	raw/top		the raw device of
#	top		a volume on
#	vol		a volume on
#	bad		flakey, on
#	da		a disk
. "${0%/*}/test_common.sh"

RAW=/dev/kio/raw
MIB=1048576

# raw DEVICE COMMAND...
raw()
{
	raw_io "$RAW/$1" "${@:2}"
}

# answers WANTED DEVICE COMMAND...: a line for each command, joined by commas
answers()
{
	local got

	got=$(raw "${@:2}" | paste -sd,) || :
	same "$1" "$got" "${*:2}"
}

# rules LINE...: of bad, in place of those that are there
rules()
{
	write_attr "$KIO/filter/bad/rules" "$(printf '%s\n' clear "$@")"
}

# stack MIB [ATTRIBUTE=VALUE...]: of the disk
stack()
{
	null_disk da "$1" "${@:2}"
	filter bad flakey /dev/da
	undo rules
	# A request over the middle is two for bad, each of which may meet a rule.
	volume vol "0 $(($1 * 1024)) linear /dev/kio/bad 0" \
		"$(($1 * 1024)) $(($1 * 1024)) linear /dev/kio/bad $(($1 * 1024))"
	volume top "0 $(($1 * 2048)) linear /dev/kio/vol 0"
}

# plain MIB [ATTRIBUTE=VALUE...]: top lies on the disk
plain()
{
	null_disk da "$1" "${@:2}"
	volume top "0 $(($1 * 2048)) linear /dev/da 0"
}

test_node()
{
	plain 8
	same '600 character special file' "$(stat -c '%a %F' "$RAW/top")" 'the node'
	answers "8388608 16384 512 0,8388608" top sizes end
	[ ! -e "$RAW/none" ] || fail 'a node of nothing'
}

test_in_use()
{
	plain 8
	exec 7<>"$RAW/top"
	must_be_busy write_attr "$KIO/lvm/top/enable" 0
	exec 7>&-
	disable lvm/top
	[ ! -e "$RAW/top" ] || fail 'the node is still there'
	enable lvm/top
	answers "4096,4096" top write:0:4096 read:0:4096
}

test_ways_in()
{
	local way at=0

	plain 16
	for way in '' a c r; do
		answers "65536,65536" top "${way}write:$at:65536" "read:$at:65536"
		answers 65536 top "${way}read:$at:65536"
		at=$((at + 65536))
	done
	answers "$((4 * MIB)),$((4 * MIB))" top write:0:$((4 * MIB)):pieces=7 \
		cread:0:$((4 * MIB))
	answers "262144,262144,262144" top write:0:262144 splice:0:262144 \
		read:0:262144
	answers "4096,0" top write:0:4096:dsync flush
	answers EOPNOTSUPP top read:0:4096:hipri
	# The page cache of the block device does not hide what lies on the disk.
	cmp -n 262144 /dev/da /dev/kio/top
	answers 4096 top write:1048576:4096
	cmp -n 2097152 /dev/da /dev/kio/top
	dd if=/dev/zero of=/dev/kio/top bs=4k count=1 status=none conv=nocreat
	same 4096 "$(raw top read:0:4096 | cut -d' ' -f1)" 'bytes read'
	matches wrong "$(raw top read:0:4096)" 'what was written through the cache'
}

# At each combination of begin and length, by a call and by libaio
test_unaligned()
{
	local block pos length

	for block in 512 4096; do
		plain 8 "blocksize=$block"
		answers 2097152 top write:0:2097152
		for pos in 0 1 511 4095 1048570; do
			for length in 1 512 5000 1048577; do
				answers "$length,$length,$length,$length" top \
					"write:$pos:$length" "read:$pos:$length:at=3" \
					"aread:$pos:$length" "cread:$pos:$length"
			done
		done
		# None of it has touched what lies beside.
		answers 2097152 top read:0:2097152
		answers "8192,8192" top write:4096:8192:at=1 read:0:8192:at=511
		undo_all
	done
}

# Who lends memory may let a fault there wait for ever. That is his own affair, also for
# others who write to the very block.
test_slow_memory()
{
	plain 8
	mkfifo "$WORK/go"
	raw top slow:100:300 <"$WORK/go" >"$WORK/said" 3>&- &
	exec 7>"$WORK/go"
	undo eval 'exec 7>&-; wait'
	eventually grep -q . "$WORK/said"
	[ "$(<"$WORK/said")" = begun ] || skip 'no userfaultfd'
	raw top write:400:300 >"$WORK/other" 3>&- 7>&- &
	eventually grep -qx 300 "$WORK/other"
	echo >&7
	wait
	exec 7>&-
	same 'begun 300' "$(paste -sd' ' "$WORK/said")" 'the one that waits'
	answers 600 top read:100:600
}

test_end_of_device()
{
	local size=$((8 * MIB))

	plain 8
	answers "512,512,0,ENOSPC,0" top "write:$((size - 512)):4096" \
		"read:$((size - 512)):4096" "read:$size:512" "write:$size:512" \
		"read:$((size + 4096)):512"
	answers "100,100" top "write:$((size - 100)):300" "read:$((size - 100)):300"
	answers "4096,4096,0,ENOSPC" top "awrite:$((size - 4096)):8192" "aread:$((size - 4096)):8192" \
		"cread:$size:512" "cwrite:$size:512"
}

test_exact()
{
	local begin=$((32 * MIB + 12288))

	stack 72
	answers "$((64 * MIB))" top write:0:$((64 * MIB))
	rules "any $((begin / 512)) 16 error 124" \
		"any $(((begin + 8 * MIB) / 512)) 8 error EIO"
	for way in '' a c; do
		answers "$begin,1 write 0+$((64 * MIB)) $begin EMEDIUMTYPE $begin+8192:EMEDIUMTYPE $((begin + 8 * MIB))+4096:EIO" \
			top "${way}write:0:$((64 * MIB))" failure
		answers "$begin" top "${way}read:0:$((64 * MIB))"
	done
	answers "none,EMEDIUMTYPE,1 read $begin+4096 0 EMEDIUMTYPE $begin+4096:EMEDIUMTYPE" \
		top failure "read:$begin:4096" failure
	# Unaligned: up to the block that failed, however the call lies to it.
	answers "$((MIB + 1)),EMEDIUMTYPE,100" top \
		"read:$((begin - MIB - 1)):$((2 * MIB))" "read:$((begin + 5)):100" \
		"read:$((begin - 100)):200"
	rules "flush 0 - error 121"
	answers "EREMOTEIO,1 flush 0+0 0 EREMOTEIO" top flush failure
}

test_refused()
{
	plain 8
	same EBADF "$(raw_io -r "$RAW/top" write:0:512)" 'a write to what is open for reading'
	same EBADF "$(raw_io -r "$RAW/top" cwrite:0:512)" 'likewise by a command'
	same EBADF "$(raw_io -w "$RAW/top" read:0:512)" 'a read of what is open for writing'
	blockdev --setro /dev/kio/top
	same EROFS "$(raw_io "$RAW/top" write:0:512 || :)" 'open of a read-only device'
	same 512 "$(raw_io -r "$RAW/top" read:0:512 | cut -d' ' -f1)" 'a read of it'
	blockdev --setrw /dev/kio/top
}

test_fuzz()
{
	stack 8
	answers 2000 top "fuzz:$RANDOM:2000"
	answers 4096 top write:0:4096
}

need_root
need_kind lvm
need_kind filter
run_cases \
	test_node 'a node beside each disk, for its owner alone' \
	test_in_use 'its disk is in use while it is open' \
	test_ways_in 'by every way in, the data is what the disk has' \
	test_unaligned 'any begin, any length, any memory' \
	test_slow_memory 'memory that keeps its writer waiting keeps nobody else' \
	test_end_of_device 'nothing beyond the end' \
	test_exact 'exact bytes, errno and ranges through a stack' \
	test_refused 'what is not open for it, or read-only, is refused' \
	test_fuzz 'nonsense is refused, and harms nothing'
