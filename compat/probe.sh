#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Asks the kernel's headers which form of an interface they have.
# usage: probe.sh KDIR WORK OUTPUT
# Each probes/NAME.c that compiles becomes "#define KIO_HAVE_NAME 1" in OUTPUT.
set -eu
kdir=$1 work=$2 output=$3
probes=$(dirname "$0")/probes

mkdir -p "$work" "$(dirname "$output")"
cp "$probes"/*.c "$work/"
objects=$(cd "$work" && for f in *.c; do echo "${f%.c}.o"; done)
# Only whether an object comes out counts, so errors are expected here.
(cd "$work" && rm -f -- *.o && echo "obj-m := $(echo "$objects" | tr '\n' ' ')" >Kbuild)
# shellcheck disable=SC2086
make -s -k -C "$kdir" M="$work" $objects >"$work/log" 2>&1 || true

{
	echo '/* SPDX-License-Identifier: GPL-2.0 */'
	echo '/* made by compat/probe.sh */'
	for object in $objects; do
		[ -e "$work/$object" ] || continue
		echo "#define KIO_HAVE_$(basename "$object" .o | tr '[:lower:]' '[:upper:]') 1"
	done
} >"$output.new"
if ! grep -q KIO_HAVE_SANE "$output.new"; then
	echo "compat: no module can be built with $kdir, see $work/log" >&2
	exit 1
fi
if cmp -s "$output.new" "$output"; then
	rm "$output.new"
else
	mv "$output.new" "$output"
fi
