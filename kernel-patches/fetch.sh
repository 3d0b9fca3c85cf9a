#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch.sh [--refresh] BASE: print the path of a tarball with the kernel
# sources of BASE (7.3 or 7.2).
#
# LINUX_TARBALL=FILE is used as it is. Otherwise it is the newest point release
# that Debian offers as the package linux-source-BASE in any of the suites
# below, fetched with an apt configuration of our own, its hash checked by apt
# and again here. What was found is remembered, so that a second clone needs no
# network; --refresh (make kernel-refresh) looks again.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=../bench/host/apt-private.sh
. "$GSTAGE_TOP/bench/host/apt-private.sh"

# Not experimental: it has release candidates.
SUITES="trixie-backports sid forky bookworm-backports"

refresh=
if [ "${1:-}" = --refresh ]; then
	refresh=1
	shift
fi
[ $# -eq 1 ] || die "$EX_USAGE" "usage: fetch.sh [--refresh] BASE"
base=$1
[[ $base =~ ^[0-9]+\.[0-9]+$ ]] || die "$EX_USAGE" "a kernel base looks like 7.3, not '$base'"

if [ -n "${LINUX_TARBALL:-}" ]; then
	[ -r "$LINUX_TARBALL" ] || die "$EX_IMPOSSIBLE" "LINUX_TARBALL=$LINUX_TARBALL cannot be read"
	readlink -f "$LINUX_TARBALL"
	exit 0
fi

package=linux-source-$base
resolved=$GSTAGE_CACHE/resolved/$package

# "suite version sha256" of the newest release in all suites, into $resolved.
resolve() {
	local suite found best='' version

	mkdir -p "$GSTAGE_CACHE/resolved"
	apt_setup "$(dpkg --print-architecture)"
	for suite in $SUITES; do
		say "looking for $package in $suite"
		apt_update_suite "$suite" || continue
		found=$(apt_candidates "$package") || continue
		found=${found#* }
		version=${found%% *}
		if [ -z "$best" ] || dpkg --compare-versions "${version%%-*}" gt "$best_upstream"; then
			best="$suite $found"
			best_upstream=${version%%-*}
		fi
	done
	[ -n "$best" ] || die "$EX_IMPOSSIBLE" "no suite of $APT_URI offers $package now; try again in some minutes, set GSTAGE_MIRROR, or bring sources with LINUX_TARBALL= or KSRC="
	say "$package: using ${best% *}"
	printf '%s\n' "$best" >"$resolved.$$"
	mv "$resolved.$$" "$resolved"
}

# shellcheck disable=SC2317 # called by cache_get
download() {
	local dir=$1 deb

	apt_setup "$(dpkg --print-architecture)"
	apt_update_suite "$suite" || return 1
	say "downloading $package $version"
	deb=$(apt_download "$dir" <<<"$package $version $sha256") || return 1
	deb=${deb#* }
	dpkg-deb --fsys-tarfile "$deb" |
		tar -C "$dir" --strip-components=3 --no-same-owner --wildcards -x './usr/src/*.tar.*' || return 1
	rm -f "$deb"
	[ -n "$(find "$dir" -name "linux-source-$base.tar.*")" ]
}

if [ ! -s "$resolved" ] || [ -n "$refresh" ]; then
	resolve
fi
read -r suite version sha256 <"$resolved"
entry=$(cache_get source "$(cache_key <<<"$package $version $sha256")" download) || {
	[ -z "$refresh" ] || die "$EX_IMPOSSIBLE" "cannot fetch $package $version; what failed is said above"
	# The mirror may have moved on from the remembered version: look again, once.
	exec "$0" --refresh "$base"
}
find "$entry" -name "linux-source-$base.tar.*"
