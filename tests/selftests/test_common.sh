# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the test scripts: KTAP, devices to test on, objects of ours, their end.
#
# A script defines a function for each case and ends in run_cases. A case runs
# in a shell of its own, where any command that fails ends it. What it makes
# with the helpers below is taken down when it ends, last first; a teardown that
# fails, or anything of ours left over, fails the case too.

set -Eeuo pipefail
shopt -s inherit_errexit

KSFT_FAIL=1
KSFT_SKIP=4

SELFTESTS=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
PATH=$SELFTESTS:$SELFTESTS/../../build/bin/selftests:$PATH:/usr/sbin:/sbin
CONFIGFS=/sys/kernel/config
KIO=$CONFIGFS/kiobuf
TRACING=/sys/kernel/tracing
export LC_ALL=C

WORK=$(mktemp -d "${TMPDIR:-/tmp}/kio-test.XXXXXX")
MNT=$WORK/mnt
UNDO=()
mkdir "$MNT"
mkfifo "$WORK/never"

# To start a program with many libraries takes an emulated machine longer than
# all that it then does.
if command -v busybox >/dev/null; then
	mkdir() { busybox mkdir "$@"; }
	rmdir() { busybox rmdir "$@"; }
fi

# ---- results ----

skip()
{
	echo "$*" >"$WORK/skip"
	exit $KSFT_SKIP
}

# Who called whom, without the last $1 and the frames of the harness
backtrace()
{
	local i

	for ((i = $1; i < ${#FUNCNAME[@]} - 3; i++)); do
		echo "  ${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]} in ${FUNCNAME[i]}"
	done
}

fail()
{
	echo "$*"
	backtrace 2
	exit $KSFT_FAIL
}

where_it_failed()
{
	echo "status $1 from: $2"
	backtrace 2
}

# Said even when the case passes.
note()
{
	echo "# $*" >&3
}

# undo COMMAND...: to be run when the case, or the script, ends
undo()
{
	UNDO+=("${*@Q}")
}

undo_all()
{
	local i status=0

	for ((i = ${#UNDO[@]} - 1; i >= 0; i--)); do
		eval "${UNDO[i]}" || {
			echo "teardown failed: ${UNDO[i]}"
			status=1
		}
	done
	UNDO=()
	return $status
}

# Sets LEFT to what there is of ours.
look_for_ours()
{
	LEFT=$(shopt -s nullglob; echo "$KIO"/*/* /sys/block/kio!*)
}

end_case()
{
	local status=$1

	set +e
	trap - ERR
	undo_all || [ "$status" != 0 ] || status=$KSFT_FAIL
	look_for_ours
	if [ "$LEFT" != "$LEFT_BEFORE" ]; then
		echo "left over: $LEFT"
		status=$KSFT_FAIL
	fi
	exit "$status"
}

begin_case()
{
	UNDO=()
	look_for_ours
	LEFT_BEFORE=$LEFT
	set -Eeuo pipefail
	trap 'where_it_failed $? "$BASH_COMMAND"' ERR
	trap 'end_case $?' EXIT
}

# run_case NUMBER FUNCTION WHAT: sets CASE_STATUS. Not to be called where a
# condition stands: bash would let commands fail unseen in all that is below.
run_case()
{
	local begin=$EPOCHREALTIME

	rm -f "$WORK/skip"
	set +e
	(
		begin_case
		"$2"
	) >"$WORK/log" 2>&1 </dev/null
	CASE_STATUS=$?
	set -e
	[ -z "${KIO_TIME:-}" ] || note "$((${EPOCHREALTIME/./} - ${begin/./})) us"
	case $CASE_STATUS in
	0) echo "ok $1 - $3" ;;
	"$KSFT_SKIP") echo "ok $1 - $3 # SKIP $(<"$WORK/skip")" ;;
	*)
		sed 's/^/# /' "$WORK/log"
		echo "not ok $1 - $3"
		;;
	esac
}

# run_cases FUNCTION WHAT [FUNCTION WHAT...]: all of them, and the script's end
run_cases()
{
	local nr=$(($# / 2)) n=0 failed=0 skipped=0

	echo 'TAP version 13'
	echo "1..$nr"
	while [ $# -gt 0 ]; do
		n=$((n + 1))
		run_case "$n" "$1" "$2"
		case $CASE_STATUS in
		0) ;;
		"$KSFT_SKIP") skipped=$((skipped + 1)) ;;
		*) failed=$((failed + 1)) ;;
		esac
		shift 2
	done
	[ "$failed" = 0 ] || exit $KSFT_FAIL
	[ "$skipped" -lt "$nr" ] || exit $KSFT_SKIP
	exit 0
}

end_script()
{
	local status=$1

	set +e
	trap - ERR
	undo_all || status=$KSFT_FAIL
	if [ -e "$WORK/skip" ] && [ "$status" = $KSFT_SKIP ] &&
	   [ ! -e "$WORK/log" ]; then
		echo "1..0 # SKIP $(<"$WORK/skip")"
	fi
	rm -rf "$WORK"
	exit "$status"
}

exec 3>&1
trap 'end_script $?' EXIT

# ---- what is needed ----

need_root()
{
	[ "$(id -u)" = 0 ] || skip 'not root'
}

need_tools()
{
	local tool

	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
}

need_modules()
{
	local module

	for module; do
		[ ! -d "/sys/module/${module//-/_}" ] || continue
		case $module in
		null_blk) modprobe -q null_blk nr_devices=0 ;;
		*) modprobe -q "$module" ;;
		esac || skip "no module $module"
	done
}

# need_kind KIND: our driver of that kind of device
need_kind()
{
	need_root
	need_modules "k$1" null_blk
}

# ---- assertions ----

# same WANTED GOT [WHAT]
same()
{
	[ "$1" = "$2" ] || fail "${3:-value}: wanted '$1', got '$2'"
}

# matches REGEX TEXT [WHAT]
matches()
{
	[[ $2 =~ $1 ]] || fail "${3:-text}: wanted /$1/, got '$2'"
}

must_fail()
{
	local output

	if output=$("$@" 2>&1); then
		fail "succeeded: $*"
	fi
	WHY=$output
}

# must_be_busy COMMAND...
must_be_busy()
{
	must_fail "$@"
	matches '[Bb]usy|in use|EBUSY|already mounted|is mounted' "$WHY" "$*"
}

# within LOW HIGH VALUE WHAT
within()
{
	if [ "$3" -lt "$1" ] || [ "$3" -gt "$2" ]; then
		fail "$4: wanted $1 to $2, got $3"
	fi
}

# pause SECONDS: sleep, without a process
pause()
{
	read -rt "$1" <>"$WORK/never" || :
}

# eventually COMMAND...: true within ten seconds
eventually()
{
	local tries

	for ((tries = 0; tries < 200; tries++)); do
		if "$@"; then
			return 0
		fi
		pause 0.05
	done
	fail "did not come true: $*"
}

# ---- devices below ----

# null_disk NAME MIB [ATTRIBUTE=VALUE...]: /dev/NAME, a disk in memory
null_disk()
{
	local dir=$CONFIGFS/nullb/$1 setting

	mkdir "$dir"
	undo rmdir "$dir"
	for setting in "size=$2" memory_backed=1 irqmode=0 "${@:3}"; do
		echo "${setting#*=}" >"$dir/${setting%%=*}"
	done
	echo 1 >"$dir/power"
}

declare -A DM_SECTORS

# breakable_disk NAME BELOW: /dev/mapper/NAME on BELOW, until it is told to fail
breakable_disk()
{
	need_tools dmsetup
	read -r "DM_SECTORS[$1]" <"$(sysfs_of "$2")/size"
	dmsetup create "$1" --noudevsync --table "0 ${DM_SECTORS[$1]} linear $2 0"
	undo dmsetup remove --noudevsync --retry "$1"
}

# retable NAME TARGET: what a device of device-mapper is from now on
retable()
{
	dmsetup load "$1" --table "0 ${DM_SECTORS[$1]} $2"
	dmsetup resume --noudevsync --noflush --nolockfs "$1"
}

# break_disk NAME: everything fails from now on
break_disk()
{
	retable "$1" error
}

# break_writes NAME BELOW: reads still work
break_writes()
{
	need_modules dm-flakey
	retable "$1" "flakey $2 0 0 60 1 error_writes"
}

# mend_disk NAME BELOW
mend_disk()
{
	retable "$1" "linear $2 0"
}

# The sysfs folder of /dev/NAME or /dev/kio/NAME
sysfs_of()
{
	local name=${1#/dev/}

	echo "/sys/class/block/${name//\//!}"
}

# ios DEVICE: requests its diskstats count: reads, writes, discards, flushes
ios()
{
	local -a s

	read -ra s <"$(sysfs_of "$1")/stat"
	echo "${s[0]} ${s[4]} ${s[11]} ${s[15]}"
}

# ---- traces ----

# trace_on EVENT...: notes these events, such as block/block_bio_queue
trace_on()
{
	local event

	[ -d "$TRACING/events/block" ] || skip 'no tracefs'
	echo 0 >"$TRACING/tracing_on"
	echo 4096 >"$TRACING/buffer_size_kb"
	# Names of tasks are noted by the scheduler, whose code is patched for that while it
	# runs: QEMU without KVM has met such a breakpoint when it was gone already.
	echo 0 >"$TRACING/options/record-cmd"
	undo trace_reset
	for event; do
		echo 1 >"$TRACING/events/$event/enable"
	done
	: >"$TRACING/trace"
	echo 1 >"$TRACING/tracing_on"
}

trace_reset()
{
	echo 0 >"$TRACING/events/enable"
	echo 1 >"$TRACING/options/record-cmd"
	: >"$TRACING/trace"
	echo 1 >"$TRACING/tracing_on"
}

# To $WORK/trace, complete or not at all
trace_off()
{
	echo 0 >"$TRACING/tracing_on"
	cat "$TRACING/trace" >"$WORK/trace"
	if grep -q 'LOST' "$WORK/trace"; then
		fail 'events were lost'
	fi
}

# traced REGEX: how many events fit
traced()
{
	grep -cE "$1" "$WORK/trace" || :
}

# The number of /dev/NAME as block events show it
number_of()
{
	tr : , <"$(sysfs_of "$1")/dev"
}

# ---- objects of ours ----

# write_attr FILE VALUE: a page at most, so that one write takes it; printf makes a
# write of each line
write_attr()
{
	if [[ $2 = *$'\n'* ]]; then
		cat >"$1" <<<"$2"
	else
		printf '%s\n' "$2" >"$1"
	fi
}

# write_table NAME FILE: as many lines as there are, a page at a time
write_table()
{
	local -a lines

	while mapfile -t -n 80 lines && [ ${#lines[@]} -gt 0 ]; do
		write_attr "$KIO/lvm/$1/table" "$(printf '%s\n' "${lines[@]}")"
	done <"$2"
}

disable()
{
	echo 0 >"$KIO/$1/enable"
}

# make KIND/NAME [ATTRIBUTE=VALUE...]: an object that is not up yet
make()
{
	local setting

	mkdir "$KIO/$1"
	undo rmdir "$KIO/$1"
	for setting in "${@:2}"; do
		write_attr "$KIO/$1/${setting%%=*}" "${setting#*=}" ||
			fail "$1: $setting: $(<"$KIO/$1/error")"
	done
}

enable()
{
	echo 1 >"$KIO/$1/enable" || fail "$1: $(<"$KIO/$1/error")"
}

bring_up()
{
	make "$@"
	enable "$1"
	undo disable "$1"
}

# volume NAME LINE...: /dev/kio/NAME
volume()
{
	bring_up "lvm/$1" "table=$(printf '%s\n' "${@:2}")"
}

# reload NAME LINE...: another table for a volume that is up
reload()
{
	write_attr "$KIO/lvm/$1/table" "$(printf '%s\n' "${@:2}")"
	enable "lvm/$1"
}

# array NAME LEVEL "LEG LEG..." [ATTRIBUTE=VALUE...]: /dev/kio/NAME
array()
{
	bring_up "raid/$1" "level=$2" "${@:4}" "legs=$3"
}

# loop NAME FILE [ATTRIBUTE=VALUE...]: /dev/kio/NAME
loop()
{
	bring_up "loop/$1" "file=$2" "${@:3}"
}

# filter NAME KIND LOWER [ATTRIBUTE=VALUE...]: /dev/kio/NAME
filter()
{
	bring_up "filter/$1" "kind=$2" "lower=$3" "${@:4}"
}

# stage NAME LINE...: text that is to be refused at enable, in place of what was staged
stage()
{
	echo clear >"$KIO/lvm/$1/table"
	write_attr "$KIO/lvm/$1/table" "$(printf '%s\n' "${@:2}")"
}

size_of()
{
	cat "$KIO/$1/size_bytes"
}

# ---- refusals ----

# Sets STATE to all that a refused write must leave alone.
take_state()
{
	local file text mounts

	STATE=
	for file in "$KIO"/*/*/* /sys/block/*/{size,ro}; do
		case $file in
		*/error|*/stats|*/cancel|*/release) continue ;;
		*/fail|*/remove|*/add|*/spare|*/replace) continue ;;
		# these change by themselves
		*/sync_action|*/sync_completed|*/events|*/array_state) continue ;;
		esac
		IFS= read -r -d '' text <"$file" || :
		STATE+="$file: $text"
	done
	IFS= read -r -d '' mounts </proc/mounts || :
	STATE+="$mounts $(echo /sys/block/*/{holders,slaves}/* /dev/kio/*)"
}

# log_has REGEX [MARK]: in the kernel's log behind MARK, or in its last lines
log_has()
{
	local text

	text=$(dmesg)
	if [ -n "${2:-}" ]; then
		text=${text##*"$2"}
	else
		text=$(tail -n 40 <<<"$text")
	fi
	grep -qE "$1" <<<"$text"
}

is_sentence()
{
	[[ $1 != *$'\n'* && $1 == *. && ${#1} -gt 10 ]] ||
		fail "no sentence: '$1'"
}

# refused PATTERN KIND/NAME ATTRIBUTE VALUE: by the write itself, with a sentence
# in `error` that matches; nothing has changed. WHY is what the writer was told.
refused()
{
	local before why

	take_state
	before=$STATE
	must_fail write_attr "$KIO/$2/$3" "$4"
	why=$(<"$KIO/$2/error")
	matches "$1" "$why" "error of $2 after $3=$4"
	is_sentence "$why"
	take_state
	same "$before" "$STATE" "state after $3=$4 was refused"
}

# refused_table PATTERN NAME LINE...: a table that enable refuses
refused_table()
{
	stage "${@:2}"
	refused "$1" "lvm/$2" enable 1
}

# ---- load ----

fio_verify_args()
{
	printf '%s\n' --name=verify --filename="$1" --bsrange=4k-1m \
		--rw=randrw --ioengine=libaio --iodepth=32 --direct=1 \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--end_fsync=1 --randseed=42 --aux-path="$WORK"
}

# fio_verify FILE [OPTION...]: writes, reads and verifies, without an error
fio_verify()
{
	local -a args

	need_tools fio
	mapfile -t args < <(fio_verify_args "$1")
	fio "${args[@]}" "${@:2}" --output="$WORK/fio" || {
		grep -E 'err=|error|verify:|fio:' "$WORK/fio" | head -n 20
		fail "fio: wrong bytes or errors on $1"
	}
}

# flush_reaches DEVICE LEG...: a flush of the device reaches each of the legs
flush_reaches()
{
	local leg before=()

	for leg in "${@:2}"; do
		before+=("$(ios "$leg" | cut -d' ' -f4)")
	done
	dd if=/dev/zero of="$1" bs=4k count=1 oflag=direct conv=fsync status=none
	for leg in "${@:2}"; do
		[ "$(ios "$leg" | cut -d' ' -f4)" -gt "${before[0]}" ] ||
			fail "$leg was not flushed"
		before=("${before[@]:1}")
	done
}

# leg_states ARRAY STATE...: these are the states of its legs
leg_states()
{
	local -a states

	mapfile -t states < <(cut -d' ' -f3 "$KIO/raid/$1/leg_state")
	same "${*:2}" "${states[*]}" "states of the legs of $1"
}

# leg_errors ARRAY LEG: errors seen there
leg_errors()
{
	awk -v leg="$2" '$2 == leg { print $4 }' "$KIO/raid/$1/leg_state"
}

# written KIND/NAME: writes it has counted
written()
{
	local name value

	while read -r name value; do
		[ "$name" != write_ios ] || echo "$value"
	done <"$KIO/$1/stats"
}

# has_written KIND/NAME REQUESTS
has_written()
{
	[ "$(written "$1")" -ge "$2" ]
}

# during_load KIND/NAME COMMAND...: in the middle of a load that is verified and
# sees nothing of it; the load goes on writing afterwards
during_load()
{
	local pid before

	before=$(written "$1")
	verify_io random "/dev/kio/${1#*/}" --jobs 8 --ops 0 &
	pid=$!
	eventually has_written "$1" $((before + 200))
	"${@:2}"
	eventually has_written "$1" $(($(written "$1") + 50))
	kill "$pid"
	wait "$pid"
}

# longer SHORT LONG: the first, or the second when KIO_LONG=1
longer()
{
	[ "${KIO_LONG:-0}" = 1 ] && echo "$2" || echo "$1"
}

mounted()
{
	mount "$1" "$MNT"
	undo umount "$MNT"
}
