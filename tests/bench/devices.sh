# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# For run and profile-guest: sets up devices by name, ours and those that do
# the same. Sourced in the guest.

CONFIGFS=/sys/kernel/config/kiobuf
LEG_SECTORS=2097152
LEGS_MADE=48
CHUNK_KIB=64
FILE_MIB=128
# Twice what is used: sectors are half of it
ORIGIN_MIB=128
FILES=/run/kio-bench

LEGS_TAKEN=0
FILE_SYSTEM=
declare -A LAYERS=() TOP=()

# Every setup function sets DEVICE, or sets WHY and returns 1.
DEVICE=
WHY=

refuse()
{
	WHY=$*
	return 1
}

# Without data or completion cost; the legs after the first are used once.
make_legs()
{
	[ ! -e /dev/nullb0 ] || return 0
	modprobe null_blk nr_devices=$LEGS_MADE queue_mode=0 completion_nsec=0 \
		gb=1 bs=512
}

# Sets LEGS to the next $1 of them.
take_legs()
{
	LEGS=()
	make_legs || refuse 'null_blk cannot be loaded' || return
	while [ ${#LEGS[@]} -lt "$1" ]; do
		LEGS_TAKEN=$((LEGS_TAKEN + 1))
		LEGS+=("/dev/nullb$LEGS_TAKEN")
	done
}

make_dm()
{
	modprobe dm-mod || refuse 'dm-mod cannot be loaded' || return
	dmsetup create --noudevsync "$1" --table "$2" ||
		refuse "dmsetup refused '$2'" || return
	DEVICE=/dev/mapper/$1
}

# Writes ATTRIBUTE=VALUE below $1.
write_attribute()
{
	local file=$1/${2%%=*}

	printf '%s\n' "${2#*=}" 2>/dev/null >"$file" ||
		refuse "${2%%=*}: $(cat "$1/error")"
}

# make_kio KIND NAME ATTRIBUTE=VALUE...
make_kio()
{
	local kind=$1 name=$2 dir=$CONFIGFS/$1/$2 setting

	shift 2
	modprobe "k$kind" 2>/dev/null ||
		refuse "the module k$kind cannot be loaded" || return
	mkdir "$dir" || refuse "$dir cannot be made" || return
	for setting in "$@" enable=1; do
		write_attribute "$dir" "$setting" || return
	done
	DEVICE=/dev/kio/$name
}

make_dm_layer()
{
	make_dm "$1" "0 $3 linear $2 2048"
}

make_klvm_layer()
{
	make_kio lvm "$1" "table=0 $3 linear $2 2048"
}

# Piles layers of a kind up to the number $2; DEVICE is the topmost.
setup_layers()
{
	local kind=$1 wanted=$2 number=${LAYERS[$1]:-0}

	if [ "$number" = 0 ]; then
		take_legs 1 || return
		TOP[$kind]=${LEGS[0]}
	fi
	DEVICE=${TOP[$kind]}
	while [ "$number" -lt "$wanted" ]; do
		number=$((number + 1))
		"make_${kind}_layer" "$kind-layer-$number" "$DEVICE" \
			$((LEG_SECTORS - number * 2048)) || return
		LAYERS[$kind]=$number
		TOP[$kind]=$DEVICE
	done
}

setup_dm_stripe()
{
	local chunk=$((CHUNK_KIB * 2)) each

	take_legs 3 || return
	each=$((LEG_SECTORS / chunk * chunk))
	make_dm stripe "0 $((3 * each)) striped 3 $chunk ${LEGS[0]} 0 ${LEGS[1]} 0 ${LEGS[2]} 0"
}

setup_klvm_stripe()
{
	local chunk=$((CHUNK_KIB * 2)) each

	take_legs 3 || return
	each=$((LEG_SECTORS / chunk * chunk))
	make_kio lvm stripe "table=0 $((3 * each)) striped 3 $chunk ${LEGS[0]} 0 ${LEGS[1]} 0 ${LEGS[2]} 0"
}

# setup_md DEVICE LEVEL LEGS [OPTION...]; legs that keep no data can hold no
# superblock.
setup_md()
{
	local name=$1 level=$2 count=$3

	shift 3
	take_legs "$count" || return
	mdadm --quiet --build "$name" --level="$level" \
		--raid-devices="$count" "$@" "${LEGS[@]}" ||
		refuse "mdadm refused level $level" || return
	DEVICE=$name
}

# md's parity levels, which mdadm does not build without superblocks. A small
# device, since level 6 is first brought into sync: setup_dm_raid LEVEL LEGS
# [OPTION...].
setup_dm_raid()
{
	local level=$1 count=$2 legs

	shift 2
	take_legs "$count" || return
	modprobe dm-raid || refuse 'dm-raid cannot be loaded' || return
	printf -v legs ' - %s' "${LEGS[@]}"
	make_dm "$level" "0 $((LEG_SECTORS / 4)) raid $level $(($# + 1)) $((CHUNK_KIB * 2)) $* $count$legs"
}

# A filter without rules on one linear layer of its own
setup_kfilter()
{
	take_legs 1 || return
	make_klvm_layer filtered "${LEGS[0]}" $((LEG_SECTORS - 2048)) || return
	make_kio filter flakey "lower=$DEVICE" kind=flakey
}

setup_kraid()
{
	local level=$1 count=$2

	shift 2
	take_legs "$count" || return
	make_kio raid "raid$level${RAID_SUFFIX:-}" "level=$level" metadata=none "$@" \
		"legs=${LEGS[*]}"
}

# memory_disk NAME: a disk that keeps what is written
memory_disk()
{
	local dir=/sys/kernel/config/nullb/$1 setting

	make_legs || refuse 'null_blk cannot be loaded' || return
	mkdir "$dir" || refuse "$dir cannot be made" || return
	for setting in size=$ORIGIN_MIB memory_backed=1 queue_mode=0 irqmode=0 power=1; do
		echo "${setting#*=}" >"$dir/${setting%%=*}" ||
			refuse "null_blk refused $setting" || return
	done
}

# setup_origin dm|klvm [copied]: an origin, with a snapshot that has all of its chunks
setup_origin()
{
	local sectors=$((ORIGIN_MIB * 1024)) origin=$1-o-$2 cow=$1-c-$2

	memory_disk "$origin" && memory_disk "$cow" || return
	if [ -n "$2" ]; then
		"setup_snapshot_$1" "snapshot-$1" \
			"0 $sectors snapshot /dev/$origin /dev/$cow P $((CHUNK_KIB * 2))" || return
	fi
	"setup_snapshot_$1" "origin-$1$2" "0 $sectors snapshot-origin /dev/$origin" || return
	dd if=/dev/zero of="$DEVICE" bs=1M count=$((ORIGIN_MIB / 2)) oflag=direct \
		status=none || refuse "$DEVICE cannot be written"
}

# setup_fresh dm|klvm: an origin with a snapshot that has none of its chunks, as lvm2 makes it
setup_fresh()
{
	local sectors=$((ORIGIN_MIB * 1024)) origin=$1-o-fresh cow=$1-c-fresh

	memory_disk "$origin" && memory_disk "$cow" || return
	"setup_snapshot_$1" "snapshot-$1-fresh" \
		"0 $sectors snapshot /dev/$origin /dev/$cow P 8" || return
	"setup_snapshot_$1" "origin-$1-fresh" "0 $sectors snapshot-origin /dev/$origin"
}

setup_snapshot_dm()
{
	modprobe dm-snapshot || refuse 'dm-snapshot cannot be loaded' || return
	make_dm "$1" "$2"
}

setup_snapshot_klvm()
{
	make_kio lvm "$1" "table=$2"
}

make_file_system()
{
	[ -z "$FILE_SYSTEM" ] || return 0
	modprobe brd rd_nr=1 rd_size=$((1024 * 1024)) &&
		mkfs.ext4 -q -F /dev/ram0 && mkdir -p $FILES &&
		mount /dev/ram0 $FILES ||
		refuse 'there is no ext4 on brd' || return
	FILE_SYSTEM=1
}

# All blocks written, so that nothing is allocated later.
setup_file()
{
	make_file_system || return
	dd if=/dev/zero of="$FILES/$1" bs=1M count=$FILE_MIB conv=fsync \
		status=none || refuse "$FILES/$1 cannot be written" || return
	DEVICE=$FILES/$1
}

# setup_linux_loop NAME on|off
setup_linux_loop()
{
	setup_file "$1" || return
	modprobe loop || refuse 'loop cannot be loaded' || return
	DEVICE=$(losetup --find --show --direct-io="$2" "$DEVICE") ||
		refuse 'losetup refused the file'
}

# setup_kloop NAME 1|0
setup_kloop()
{
	setup_file "$1" || return
	make_kio loop "$1" "file=$DEVICE" direct_io="$2"
}

setup()
{
	case $1 in
	null)		make_legs && DEVICE=/dev/nullb0 ;;
	dm-linear-*)	setup_layers dm "${1##*-}" ;;
	klvm-[0-9]*)	setup_layers klvm "${1##*-}" ;;
	dm-stripe)	setup_dm_stripe ;;
	klvm-stripe)	setup_klvm_stripe ;;
	*-origin)	setup_origin "${1%-origin}" '' ;;
	*-origin-copied)	setup_origin "${1%-origin-copied}" copied ;;
	*-origin-fresh)	setup_fresh "${1%-origin-fresh}" ;;
	md-raid0)	setup_md /dev/md0 0 3 --chunk=$CHUNK_KIB ;;
	md-raid1)	setup_md /dev/md1 1 2 --assume-clean ;;
	md-raid10)	setup_md /dev/md10 10 4 --chunk=$CHUNK_KIB --assume-clean ;;
	dm-raid5)	setup_dm_raid raid5_ls 3 nosync ;;
	dm-raid6)	setup_dm_raid raid6_nr 4 ;;
	kfilter-klvm)	setup_kfilter ;;
	kraid-raid0)	setup_kraid 0 3 chunk_kib=$CHUNK_KIB ;;
	kraid-raid1)	setup_kraid 1 2 ;;
	kraid-raid1-bitmap)
		RAID_SUFFIX=-bitmap setup_kraid 1 2 metadata=1.2 create=1 \
			assume_clean=1 bitmap=internal ;;
	kraid-raid10)	setup_kraid 10 4 chunk_kib=$CHUNK_KIB ;;
	kraid-raid5)	setup_kraid 5 3 chunk_kib=$CHUNK_KIB ;;
	kraid-raid6)	setup_kraid 6 4 chunk_kib=$CHUNK_KIB ;;
	file)		setup_file plain ;;
	file-cached)	setup_file cached ;;
	linux-loop)	setup_linux_loop linux-loop on ;;
	linux-loop-cached)
		setup_linux_loop linux-loop-cached off ;;
	kloop)		setup_kloop kloop 1 ;;
	kloop-cached)	setup_kloop kloop-cached 0 ;;
	*)		refuse "there is no setup '$1'" ;;
	esac
}

# How a case of $1 opens it, if not with O_DIRECT
access_of()
{
	[ "$1" != file-cached ] || echo cached
}

# Pages left in the cache would cost every direct I/O: those of setting up, and
# those of the look for partitions when a device is first opened.
settle()
{
	local device

	for device; do
		: <"$device"
	done
	sync
	echo 3 >/proc/sys/vm/drop_caches
}
