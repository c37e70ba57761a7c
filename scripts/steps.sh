# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For check and check-debug: steps, and the sum of them.

top=$(realpath "${BASH_SOURCE[0]%/*}/..")
log=$top/build/check
passed=0 failed=0 skipped=0

cd "$top" || exit 1
mkdir -p "$log"

add()
{
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + ${3:-0}))
}

# One step that passes or fails as a whole. usage: step NAME COMMAND...
step()
{
	local name=$1 start=$SECONDS

	shift
	if "$@" >"$log/$name.log" 2>&1; then
		add 1 0
		printf 'ok      %-16s %4d s\n' "$name" $((SECONDS - start))
	else
		add 0 1
		printf 'FAILED  %-16s %4d s, see %s\n' "$name" \
			$((SECONDS - start)) "$log/$name.log"
		tail -n 30 "$log/$name.log"
	fi
}

# A step without a word on stderr or stdout.
silent()
{
	local words

	words=$("$@" 2>&1) || { echo "$words"; return 1; }
	[ -z "$words" ] || { echo "$words"; return 1; }
}

modules() { silent make --no-print-directory modules KVER="$1" W=1; }

# Adds what a "N passed, N failed[, N skipped]" line says.
add_counts()
{
	local line

	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
		add "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[4]:-0}"
	else
		echo "FAILED  no result line in $1"
		add 0 1
	fi
}

# The selftests in a guest; what they print is shown as it comes.
selftests()
{
	local kernel=$1 out=$log/selftests-$1.log status

	VM_OUT=$log/vm-$kernel tests/qemu/vm --kernel "$kernel" \
		--timeout "${GUEST_TIMEOUT:-3000}" --mem "${GUEST_MEM:-3G}" -- tests/selftests/run "${@:2}" 2>&1 | tee "$out" |
		grep --line-buffered -E '^(ok|not ok|#.*not ok|==)|splat|BUG|WARN'
	status=${PIPESTATUS[0]}
	add_counts "$out"
	[ "$status" -eq 0 ] || {
		echo "FAILED  guest $kernel: exit $status, see $out"
		tail -n 40 "$out"
		add 0 1
	}
}

# The last line, and the exit status.
sum_up()
{
	echo
	if [ "$skipped" -gt 0 ]; then
		echo "$passed passed, $failed failed, $skipped skipped"
	else
		echo "$passed passed, $failed failed"
	fi
	[ "$failed" -eq 0 ]
}
