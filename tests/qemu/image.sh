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

# The files of a module and of all it needs, in loading order; none when it is
# built in.
module_files()
{
	modprobe -S "$RELEASE" -d "${MODULES%/lib/modules}" -D "$1" |
		sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

add_modules()
{
	local dir=$1 name file n=100
	local -A seen=()

	shift
	mkdir -p "$dir"
	for name; do
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

shell_quote()
{
	printf "'%s'" "${1//\'/\'\\\'\'}"
}

shell_assign()
{
	printf '%s=%s\n' "$1" "$(shell_quote "$2")"
}

write_config()
{
	shell_assign VM_CWD "$PWD"
	shell_assign VM_OUT "$OUT"
	shell_assign VM_MODULES "$MODULES"
	shell_assign VM_TIMEOUT "$([ -n "$ICOUNT" ] || echo "$TIMEOUT")"
	shell_assign VM_HIDDEN \
		"$(hidden_paths "$KIO_TOP" "$PWD" "$KIO_CACHE" | sort -u)"
}

write_environment()
{
	local entry

	set -- "PATH=$KIO_TOP/build/bin:$PATH" "HOME=$HOME" TERM=dumb \
		DM_DISABLE_UDEV=1 ${LANG:+"LANG=$LANG"} \
		${LC_ALL:+"LC_ALL=$LC_ALL"} ${USER:+"USER=$USER"}
	while IFS= read -r -d '' entry; do
		[[ ! $entry =~ ^KIO_[A-Za-z0-9_]*= ]] || set -- "$@" "$entry"
	done < <(env -0)
	for entry in "$@" "KIO_OUT=$OUT"; do
		shell_assign "export ${entry%%=*}" "${entry#*=}"
	done
}

write_command()
{
	local word

	printf 'set --'
	for word in "${COMMAND[@]}"; do
		printf ' %s' "$(shell_quote "$word")"
	done
	echo
}

make_initramfs()
{
	local out=$1 root=$TMP/root name

	mkdir -p "$root"/{bin,dev,proc,sys,host,rw,new,vm}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for name in sh cat chmod cp hostname insmod ip kill ln mkdir mkfifo \
		mktemp mount sleep switch_root umount; do
		ln -s busybox "$root/bin/$name"
	done
	cp "$KIO_TOP/tests/qemu/init" "$root/init"
	cp "$KIO_TOP/tests/qemu/guest" "$root/vm/guest"
	add_modules "$root/modules" virtio_pci virtio_console virtio_rng \
		${DISKS:+virtio_blk} 9pnet_virtio 9p overlay configfs
	write_config >"$root/vm/config"
	write_environment >"$root/vm/environment"
	write_command >"$root/vm/command"
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$out"
	rm -rf "$root"
}
