#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# debian.sh [--refresh] BASE: fetch the distribution's own riscv64 kernel,
# unmodified, and link it into $O/kernel/BASE/ as the kernels are that we build:
# Image, config, release, kvm-stock.ko, and in modules/, numbered in the order in
# which to load them, what its drivers for the VM's devices need.
#
#   debian         from 7.0 on, of the newest suite that offers one
#   debian-X.Y     that release; debian-6.12 is trixie's own
#
# debian.sh --source BASE: print the path of the tarball it was built from.
#
# What was found is remembered, so that later calls need no network; --refresh
# (make kernel-refresh BASE=debian) looks again.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=../bench/host/apt-private.sh
. "$GSTAGE_TOP/bench/host/apt-private.sh"

# The newest first. trixie itself has 6.12; it has two names, and a mirror that is
# out of step under one of them may serve the other.
SUITES="sid forky trixie-backports"
SUITES_BEFORE_7="trixie stable"

# What QEMU's virt machine and bench/initramfs/init need; built in where it is
# not among the modules.
DRIVERS="virtio_mmio virtio_console 8250_of"

refresh='' source=''
while :; do
	case ${1:-} in
	--refresh) refresh=1 ;;
	--source) source=1 ;;
	*) break ;;
	esac
	shift
done
[[ $# -eq 1 && $1 =~ ^debian(-[0-9]+\.[0-9]+)?$ ]] ||
	die "$EX_USAGE" "usage: debian.sh [--refresh | --source] debian[-X.Y], as in debian-6.12"
base=$1
release=${base#debian} release=${release#-}
case $release in
'') release='([7-9]|[1-9][0-9]+)\.[0-9]+' ;;
[0-6].*) SUITES=$SUITES_BEFORE_7 ;;
esac
resolved=$GSTAGE_CACHE/resolved/$base-riscv64

# depends_of PACKAGE: the packages it needs, with a version in their name.
depends_of() {
	apt-cache -c "$APT_CONF" show "$1" 2>/dev/null | sed -n 's/^Depends: //p' | tail -n 1 |
		grep -oE 'linux-(image|base|binary|modules)-[0-9][^ ,]*' || :
}

# packages_of SUITE: "package version sha256" of what its newest kernel is in; a
# newer suite has it in several packages, an older one in one.
packages_of() {
	local image names source

	apt_update_suite "$1" || return 1
	image=$(depends_of linux-image-riscv64 | grep -m1 '^linux-image-') || {
		say "$1 offers no kernel for riscv64"
		return 1
	}
	[[ ${image#linux-image-} =~ ^${release}[.+-] ]] || {
		say "the kernel of $1, ${image#linux-image-}, is none that was asked for ($base)"
		return 1
	}
	names=$(depends_of "$image")
	# shellcheck disable=SC2086 # names
	apt_candidates "$image" $names || return 1
	# Of the same release; only for its selftests, so none may do.
	source=$(sed -E 's/linux-image-([0-9]+\.[0-9]+).*/linux-source-\1/' <<<"$image")
	apt_candidates "$source" 2>/dev/null || :
}

# "# suite" and the packages, into $resolved.
resolve() {
	local suite

	mkdir -p "$GSTAGE_CACHE/resolved"
	apt_setup riscv64
	for suite in $SUITES; do
		say "looking for a riscv64 kernel in $suite"
		packages_of "$suite" >"$resolved.$$" || continue
		sed -i "1i# $suite" "$resolved.$$"
		mv "$resolved.$$" "$resolved"
		say "using $(sed -n '2s/\([^ ]*\) \([^ ]*\) .*/\1 (\2)/p' "$resolved") of $suite"
		return 0
	done
	rm -f "$resolved.$$"
	die "$EX_IMPOSSIBLE" "no riscv64 kernel for $base can be had from $SUITES of $APT_URI now (a mirror at times is out of step with itself): try again in some minutes, or set GSTAGE_MIRROR"
}

# module_field FILE NAME: a field of a module's description.
module_field() { tr '\0' '\n' <"$1" | sed -n "s/^$2=//p" | head -n 1; }

# take_module NAME: from the package into $dir/modules, after what it depends on.
take_module() {
	local file dependency path=$1

	compgen -G "$dir/modules/*-$1.ko" >/dev/null && return
	# A module's file may have a dash where its name has an underscore.
	file=$(find "$dir/unpacked" -name "${path//_/[-_]}.ko*" -print -quit)
	[ -n "$file" ] || return 0 # built in
	case $file in
	*.xz) xz -dk "$file" || return 1 ;;
	*.zst) zstd -qd "$file" || return 1 ;;
	esac
	file=${file%.ko*}.ko
	for dependency in $(module_field "$file" depends | tr ',' ' '); do
		take_module "$dependency" || return 1
	done
	if [ "$1" = kvm ]; then
		mv "$file" "$dir/kvm-stock.ko"
	else
		mv "$file" "$dir/modules/$(printf %02d "$(find "$dir/modules" -name '*.ko' | wc -l)")-$1.ko"
	fi
}

# Only the few files that are needed of the 110 MB of modules.
unpack() {
	local wildcards=() name

	for name in $DRIVERS kvm irqbypass; do
		wildcards+=("*/${name//_/[-_]}.ko*")
	done
	dpkg-deb --fsys-tarfile "$1" |
		tar -C "$dir/unpacked" --no-same-owner --wildcards -x "${wildcards[@]}" \
			'*/vmlinuz*' '*/vmlinux*' '*/config*' 2>"$dir/unpacked/tar.log" ||
		# tar fails where a pattern is in another of the packages.
		! grep -v -e 'Not found in archive' -e 'Exiting with failure' "$dir/unpacked/tar.log" >&2
}

# shellcheck disable=SC2317 # called by cache_get
build() {
	local deb name file

	dir=$1
	mkdir -p "$dir/unpacked" "$dir/debs" "$dir/modules" || return 1
	apt_setup riscv64
	apt_update_suite "$suite" || return 1
	say "downloading $(head -n 1 <<<"$packages" | cut -d' ' -f1)"
	apt_download "$dir/debs" <<<"$packages" >/dev/null || return 1
	for deb in "$dir"/debs/*.deb; do
		unpack "$deb" || return 1
	done
	file=$(find "$dir/unpacked" -name 'vmlinu[xz]*' -type f -print -quit)
	# QEMU takes it as it is: the header of a flat kernel says RISCV.
	if [ -z "$file" ] || [ "$(dd if="$file" bs=1 skip=48 count=5 status=none)" != RISCV ]; then
		say "these packages have no kernel image that QEMU starts: ${file:-no vmlinuz}"
		return 1
	fi
	mv "$file" "$dir/Image" || return 1
	mv "$(find "$dir/unpacked" -name 'config*' -type f -print -quit)" "$dir/config" || return 1
	for name in $DRIVERS kvm; do
		take_module "$name" || return 1
	done
	[ -s "$dir/kvm-stock.ko" ] || {
		say "these packages have no kvm.ko"
		return 1
	}
	module_field "$dir/kvm-stock.ko" vermagic | cut -d' ' -f1 >"$dir/release"
	rm -rf "$dir/unpacked" "$dir/debs"
}

# shellcheck disable=SC2317 # called by cache_get
download_source() {
	local deb

	apt_setup riscv64
	apt_update_suite "$suite" || return 1
	say "downloading $(cut -d' ' -f1,2 <<<"$source")"
	deb=$(apt_download "$1" <<<"$source") || return 1
	deb=${deb#* }
	dpkg-deb --fsys-tarfile "$deb" |
		tar -C "$1" --strip-components=3 --no-same-owner --wildcards -x './usr/src/*.tar.*' || return 1
	rm -f "$deb"
}

need dpkg-deb dpkg
need xz xz-utils
need flock util-linux
if [ ! -s "$resolved" ] || [ -n "$refresh" ]; then
	resolve
fi
suite=$(sed -n 's/^# //p' "$resolved")
packages=$(grep '^linux-[^s]' "$resolved")
if [ -n "$source" ]; then
	source=$(grep '^linux-source-' "$resolved") ||
		die "$EX_IMPOSSIBLE" "$suite has no sources of $(sed -n '2s/ .*//p' "$resolved"); bring some with KSRC= or LINUX_TARBALL="
	# The key is that of fetch.sh: what that has fetched is not fetched again.
	entry=$(cache_get source "$(cache_key <<<"$source")" download_source) ||
		die "$EX_IMPOSSIBLE" "cannot fetch ${source%% *}; what failed is said above"
	find "$entry" -name 'linux-source-*.tar.*'
	exit 0
fi
entry=$(cache_get kernel "$(cat <<<"$packages" - "$0" | cache_key)" build) || {
	# The mirror may have moved on from the remembered versions: look again, once.
	[ -z "$refresh" ] || die "$EX_IMPOSSIBLE" "cannot fetch the kernel; what failed is said above"
	exec "$0" --refresh "$base"
}
links=$O/kernel/$base
for file in Image config release kvm-stock.ko modules; do
	put_link "$entry/$file" "$links/$file"
done
