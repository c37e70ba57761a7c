# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# What kernels, vm and selftest.sh share; sourced, never run.

KIO_TOP=$(realpath "${BASH_SOURCE[0]%/*}/../..")
KIO_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kiobuf
KIO_KERNELS=$KIO_CACHE/kernels

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "$@"
	exit 1
}

usage_error()
{
	say "$@"
	exit 2
}

need_tools()
{
	local tool

	for tool; do
		command -v "$tool" >/dev/null ||
			die "$tool is not installed; run scripts/setup"
	done
}
