# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For vm: what the guest boots from, its initramfs and its /lib/modules.

# Names the modules as they are now: a tree once made is never changed, so a
# build during a run cannot pull files from under a guest.
module_tree_key()
{
	{
		echo "$RELEASE"
		realpath "$KERNEL_DIR"
		stat -c '%n %s %.9Y' "$@"
	} | sha256sum | cut -c1-16
}

fill_module_tree()
{
	local tree=$1/lib/modules/$RELEASE file
	local stock=$KERNEL_DIR/root/lib/modules/$RELEASE

	shift
	mkdir -p "$tree/extra"
	ln -s "$stock/kernel" "$tree/kernel"
	for file in modules.order modules.builtin modules.builtin.modinfo; do
		[ ! -e "$stock/$file" ] || cp "$stock/$file" "$tree"
	done
	[ $# -eq 0 ] || cp "$@" "$tree/extra"
	depmod -b "${tree%/lib/modules/*}" "$RELEASE"
}

# Guests may run on any of the newest trees, so drop only old ones.
prune_module_trees()
{
	local -a trees

	mapfile -t trees < <(ls -dt "$1"/tree-*)
	[ ${#trees[@]} -le 8 ] || rm -rf "${trees[@]:8}"
}

# Sets MODULES to a folder with the kernel's modules and ours in extra/.
make_module_tree()
{
	local base=$KIO_TOP/build/vm/$KERNEL tree lock
	local -a ours

	shopt -s nullglob
	ours=("$KIO_TOP/build/modules/$KERNEL"/*.ko)
	shopt -u nullglob
	mkdir -p "$base"
	tree=$base/tree-$(module_tree_key "$KIO_TOP" "${ours[@]}")
	exec {lock}>"$base/.lock"
	flock "$lock"
	if [ ! -d "$tree" ]; then
		rm -rf "$base/new"
		fill_module_tree "$base/new" "${ours[@]}"
		mv "$base/new" "$tree"
		prune_module_trees "$base"
	fi
	exec {lock}>&-
	MODULES=$tree/lib/modules
}

# The files of a module and of all it needs, in loading order.
module_files()
{
	modprobe -S "$RELEASE" -d "${MODULES%/lib/modules}" -D "$1" |
		sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

add_boot_modules()
{
	local dir=$1 name file n=100
	local -A seen=()

	mkdir -p "$dir"
	for name in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
		for file in $(module_files "$name"); do
			[ -z "${seen[$file]:-}" ] || continue
			seen[$file]=1
			cp "$file" "$dir/$n-${file##*/}"
			n=$((n + 1))
		done
	done
}

# Folders that tmpfs over /tmp, /run, /mnt and /var/tmp would hide.
hidden_paths()
{
	local path

	for path; do
		case $path in
		/tmp/*|/run/*|/mnt/*|/var/tmp/*) printf '%s\n' "$path" ;;
		esac
	done
}

shell_assign()
{
	printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
}

write_config()
{
	shell_assign VM_GUEST "$KIO_TOP/tests/qemu/guest"
	shell_assign VM_CWD "$PWD"
	shell_assign VM_OUT "$OUT"
	shell_assign VM_MODULES "$MODULES"
	shell_assign VM_TIMEOUT "$([ -n "$ICOUNT" ] || echo "$TIMEOUT")"
	shell_assign VM_HIDDEN \
		"$(hidden_paths "$KIO_TOP" "$PWD" "$KIO_CACHE" "$OUT" | sort -u)"
}

# Null-terminated, so that any value survives.
write_environment()
{
	local name

	printf '%s\0' "PATH=$KIO_TOP/build/bin:$PATH" "KIO_OUT=$OUT" \
		"HOME=$HOME" TERM=dumb DM_DISABLE_UDEV=1
	for name in LANG LC_ALL USER; do
		[ -z "${!name:-}" ] || printf '%s\0' "$name=${!name}"
	done
	while IFS= read -r -d '' name; do
		case $name in
		KIO_OUT=*) ;;
		KIO_*=*) printf '%s\0' "$name" ;;
		esac
	done < <(env -0)
}

make_initramfs()
{
	local out=$1 root=$TMP/root name

	mkdir -p "$root"/{bin,dev,proc,sys,host,rw,new,vm}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for name in sh mount umount mkdir insmod cp ip ln switch_root; do
		ln -s busybox "$root/bin/$name"
	done
	cp "$KIO_TOP/tests/qemu/init" "$root/init"
	add_boot_modules "$root/modules"
	write_config >"$root/vm/config"
	write_environment >"$root/vm/environment"
	printf '%s\0' "${COMMAND[@]}" >"$root/vm/command"
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$out"
	rm -rf "$root"
}
