# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For vm: what the run meant, from the status, the console and the leak report.

REPORT_LINES=120

# The numbers of the console's lines that report a broken kernel.
splat_lines()
{
	grep -nE -f "$KIO_TOP/tests/qemu/splats" "$1" |
		grep -vE -f "$KIO_TOP/tests/qemu/splats-allowed" | cut -d: -f1
}

# Each report with a few lines before it and the trace that follows.
print_splats()
{
	local log=$1

	shift
	printf '%s\n' "$@" | awk -v before=3 -v after=40 '
		NR == FNR {
			for (i = $1 - before; i <= $1 + after; i++)
				wanted[i] = 1
			next
		}
		FNR in wanted {
			if (last && FNR > last + 1)
				print "..."
			print
			last = FNR
		}' - "$log" | head -n "$REPORT_LINES" >&2
}

check_console()
{
	local log=$TMP/console
	local -a lines

	tr -d '\r\0' <"$OUT/console.log" >"$log"
	mapfile -t lines < <(splat_lines "$log")
	[ ${#lines[@]} -gt 0 ] || return 0
	say "the guest's kernel log has ${#lines[@]} reported lines (all of it in $OUT/console.log):"
	print_splats "$log" "${lines[@]}"
	return 1
}

check_leaks()
{
	local leaks=$OUT/kmemleak.txt

	[ -s "$leaks" ] || return 0
	say "kmemleak found leaks (all of them in $leaks):"
	head -n "$REPORT_LINES" "$leaks" >&2
	return 1
}

judge()
{
	local broke=

	check_console || broke=1
	check_leaks || broke=1
	if [ "$QEMU_STATUS" = 124 ] || [ "$QEMU_STATUS" = 137 ]; then
		say "no end after $TIMEOUT s; the kernel log is $OUT/console.log"
		exit "$TIMED_OUT"
	fi
	if [ ! -s "$TMP/status" ]; then
		[ -s "$OUT/console.log" ] ||
			die "QEMU did not start the guest (status $QEMU_STATUS)"
		say 'the guest went down before the command ended'
		[ -n "$broke" ] || tail -n 20 "$OUT/console.log" >&2
		exit "$GUEST_BROKE"
	fi
	[ -z "$broke" ] || exit "$GUEST_BROKE"
	exit "$(<"$TMP/status")"
}
