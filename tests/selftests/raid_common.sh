# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For test_raid_*.sh: an array called `array`, what it is told and what it says.

get()
{
	local text

	IFS= read -r -d '' text <"$KIO/raid/array/$1" || :
	printf %s "$text"
}

act()
{
	write_attr "$KIO/raid/array/$1" "$2" || fail "$1 $2: $(get error)"
}

# doing ACTION: what is done to make legs equal now
doing()
{
	local word

	read -r word <"$KIO/raid/array/sync_action"
	[ "$word" = "$1" ]
}

# Nothing is done, nor about to be: it begins a moment after it was told to.
still()
{
	local n

	for n in 1 2 3; do
		doing idle || return 1
		pause 0.02
	done
}

# state_is LEG STATE
state_is()
{
	local line

	while read -ra line; do
		[ "${line[1]}" != "$1" ] || [ "${line[2]}" != "$2" ] || return 0
	done <"$KIO/raid/array/leg_state"
	return 1
}

# Superblocks say so.
clean()
{
	[ "$(get array_state)" = clean ]
}

whole()
{
	local legs

	read -r legs <"$KIO/raid/array/degraded"
	[ "$legs" = 0 ] && still
}

# synced_to: sectors, 0 if nothing is done
synced_to()
{
	local -a words

	read -ra words <"$KIO/raid/array/sync_completed"
	[ "${words[0]}" = none ] && echo 0 || echo "${words[0]}"
}

past()
{
	[ "$(synced_to)" -gt "$1" ]
}

begun()
{
	write_attr "$KIO/raid/array/sync_action" "$1" 2>/dev/null
}

# bits_set DEVICE: of chunks of 64 KiB at level 1; those behind the last mean nothing
bits_set()
{
	dd if="$1" bs=4k skip=2 count=1 iflag=direct status=none |
		od -An -v -tu1 -j256 -N$((SECTORS / 128 / 8)) | tr -s ' ' '\n' |
		awk '{ for (n = $1; n; n = int(n / 2)) bits += n % 2 } END { print bits + 0 }'
}

# scrub ACTION: as soon as it can be, and wait for its end
scrub()
{
	eventually begun "$1"
	eventually still
}

# mismatches WANTED: found by a check
mismatches()
{
	scrub check
	same "$1" "$(get mismatch_sectors)" mismatch_sectors
}

# under_load COMMAND...: in the middle of a load that is verified and sees nothing of it
under_load()
{
	local pid before

	before=$(written raid/array)
	verify_io random /dev/kio/array --jobs 2 --ops 0 --max 64K --length 8M &
	pid=$!
	eventually has_written raid/array $((before + 20))
	"$@"
	eventually has_written raid/array $(($(written raid/array) + 20))
	kill "$pid"
	wait "$pid"
}
