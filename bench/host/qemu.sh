#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# qemu.sh [--refresh] [SUITE]: a QEMU newer than the installed one, from Debian
# packages of SUITE (default: the backports of this release), unpacked into the
# cache; nothing is installed. Prints the path of the program, for --qemu.
#
# It runs with the libraries of the installed QEMU. Which version is used is
# decided once and remembered; --refresh looks again.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=apt-private.sh
. "$GSTAGE_TOP/bench/host/apt-private.sh"

PACKAGES="qemu-system-riscv qemu-system-data opensbi"

refresh=
if [ "${1:-}" = --refresh ]; then
	refresh=1
	shift
fi
case ${1:-} in -*) die "$EX_USAGE" "unknown option $1; usage: qemu.sh [--refresh] [SUITE]" ;; esac
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
suite=${1:-$codename-backports}
need dpkg-deb dpkg
need flock util-linux
arch=$(dpkg --print-architecture)
resolved=$GSTAGE_CACHE/resolved/qemu-$suite

if [ ! -s "$resolved" ] || [ -n "$refresh" ]; then
	mkdir -p "${resolved%/*}"
	apt_setup "$arch"
	apt_update_suite "$suite" ||
		die "$EX_IMPOSSIBLE" "no QEMU from $suite: this mirror does not have that suite now"
	# shellcheck disable=SC2086 # names
	apt_candidates $PACKAGES >"$resolved.$$" || {
		rm -f "$resolved.$$"
		die "$EX_IMPOSSIBLE" "no QEMU from $suite: it lacks one of the packages $PACKAGES"
	}
	mv "$resolved.$$" "$resolved"
fi

build() {
	local dir=$1 debs package deb

	apt_setup "$arch"
	apt_update_suite "$suite" || return 1
	mkdir "$dir/.debs"
	say "unpacking QEMU $(sed -n '1s/[^ ]* \([^ ]*\).*/\1/p' "$resolved")"
	debs=$(apt_download "$dir/.debs" <"$resolved") || return 1
	while read -r package deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -C "$dir" --no-same-owner -x --exclude='./usr/share/doc' --exclude='./usr/share/man' || {
			say "unpacking $package failed; is the disk full?"
			return 1
		}
	done <<<"$debs"
	rm -rf "$dir/.debs"
	"$dir/usr/bin/qemu-system-riscv64" --version >/dev/null || {
		say "the QEMU of $suite does not run here; its libraries come with the installed package (bench/host/deps.sh)"
		return 1
	}
}

key=$(cat "$resolved" "$GSTAGE_TOP/bench/host/qemu.sh" | cache_key)
entry=$(cache_get qemu "$key" build) || {
	# The mirror may have moved on from the remembered version: look again, once.
	[ -z "$refresh" ] || die "$EX_IMPOSSIBLE" "no QEMU from $suite; what failed is said above"
	exec "$0" --refresh "$suite"
}
printf '%s\n' "$entry/usr/bin/qemu-system-riscv64"
