# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced: where the kernel sources of a base come from (a tarball of Debian's
# or the user's, or the user's tree in KSRC) and how they are unpacked.
#
# Most of a kernel is drivers and architectures that are never compiled here;
# leaving their code out (not their Kconfig and Makefiles, which kbuild reads)
# makes unpacking and the cache smaller by two thirds.

# source_prune TOP: tar options that leave it out; TOP is what names begin with.
source_prune() {
	local pattern

	printf '%s\n' --anchored
	# Of other architectures Kconfig files and a system call table are read.
	for pattern in 'arch/[!r]*/*.[chS]' 'arch/[!r]*/*.dts*' 'arch/[!r]*/*defconfig' \
		'Documentation/*/*' 'sound/*.[ch]' 'drivers/gpu/*.[ch]' 'drivers/media/*.[ch]' \
		'drivers/net/*/*.[ch]' 'drivers/scsi/*.[ch]' 'drivers/infiniband/*.[ch]' \
		'drivers/staging/*.[ch]' 'drivers/accel/*.[ch]' 'drivers/iio/*.[ch]' \
		'tools/perf/*' 'tools/testing/selftests/bpf/*'; do
		printf '%s\n' "--exclude=$1/$pattern"
	done
}

# source_locate BASE: sets SOURCE (a tarball or a directory) and SOURCE_ID, a
# hash of its content (of the names, sizes and times of a tree's files).
# shellcheck disable=SC2034 # for the caller
source_locate() {
	if [ -n "${KSRC:-}" ]; then
		[ -d "$KSRC/arch/riscv/kvm" ] ||
			die "$EX_IMPOSSIBLE" "KSRC=$KSRC is not a kernel source tree with RISC-V KVM"
		SOURCE=$(cd "$KSRC" && pwd)
		SOURCE_ID=$(cd "$SOURCE" && find . -name .git -prune -o -type f \
			-printf '%P %s %T@\n' | LC_ALL=C sort | cache_key)
	else
		SOURCE=$("$GSTAGE_TOP/kernel-patches/fetch.sh" "$1")
		SOURCE_ID=$(file_sha256 "$SOURCE")
	fi
}

# source_unpack DIR: put SOURCE into DIR, which is empty.
source_unpack() {
	local prune top

	if [ -d "$SOURCE" ]; then
		mapfile -t prune < <(source_prune .)
		# A tree somebody has built in: leave what would confuse O=.
		tar -C "$SOURCE" -c --exclude=./.git --exclude=./.config --exclude='*.o' --exclude='*.cmd' \
			--exclude=./include/config --exclude=./include/generated \
			--exclude='./arch/*/include/generated' "${prune[@]}" . |
			tar -C "$1" -x
	else
		# head ends tar early, which is no failure.
		top=$(tar -tf "$SOURCE" 2>/dev/null | head -n 1 || :)
		[ -n "$top" ] || die "$EX_IMPOSSIBLE" "$SOURCE is not a tarball of kernel sources"
		mapfile -t prune < <(source_prune "${top%%/*}")
		tar -C "$1" --strip-components=1 --no-same-owner "${prune[@]}" -xf "$SOURCE"
	fi
}
