#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# sysroot.sh [LINK]: the riscv64 libraries that gstage and its guest programs
# are built against and run with: Debian packages, unpacked, nothing installed.
# All come from one suite (the first that has them all). The result is a cache
# entry; LINK (default $O/sysroot) becomes a symlink to it.
#
# Which versions are used is decided once and remembered, so that later runs
# need no network; `sysroot.sh --refresh` looks again.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=apt-private.sh
. "$GSTAGE_TOP/bench/host/apt-private.sh"

case ${1:-} in
--refresh | [!-]* | '') ;;
*) die "$EX_USAGE" "unknown option $1; usage: sysroot.sh [--refresh] [LINK]" ;;
esac

SUITES="trixie forky sid"
PACKAGES="libc6 libc6-dev linux-libc-dev libgcc-s1 libgcc-dev libbpf1 libbpf-dev
libelf1t64 libelf-dev zlib1g zlib1g-dev libzstd1 libzstd-dev libjansson4
libjansson-dev libgsl-dev busybox-static"

# The compiler's own objects (crtbegin.o, libgcc.a) are in a package whose name
# carries a version: take the newest of the suite.
libgcc_dev() {
	apt-cache -c "$APT_CONF" pkgnames libgcc- | grep -xE 'libgcc-[0-9]+-dev' | sort -V | tail -n 1
}

# Decide the versions; prints the path of the file that lists them.
resolve() {
	local suite dir=$GSTAGE_CACHE/resolved
	local file

	# Another list of packages is another question.
	file=$dir/sysroot-$(cache_key <<<"$SUITES $PACKAGES")
	if [ -s "$file" ] && [ -z "$refresh" ]; then
		printf '%s\n' "$file"
		return 0
	fi
	mkdir -p "$dir"
	apt_setup riscv64
	for suite in $SUITES; do
		say "looking for riscv64 packages in $suite"
		apt_update_suite "$suite" || continue
		# shellcheck disable=SC2086 # names
		apt_candidates ${PACKAGES/libgcc-dev/$(libgcc_dev)} >"$file.$$" || continue
		sed -i "1i# $suite" "$file.$$"
		mv "$file.$$" "$file"
		printf '%s\n' "$file"
		return 0
	done
	rm -f "$file.$$"
	die "$EX_IMPOSSIBLE" "no suite of $APT_URI has all riscv64 packages now; try again in some minutes, or set GSTAGE_MIRROR"
}

# A program that needs every library must link, and find its loader.
link_test() {
	local dir=$1

	need clang-19
	need ld.lld-19 lld-19
	# `set -e` does not work in here: it is called inside a condition.
	clang-19 --target=riscv64-linux-gnu --sysroot="$dir" -fuse-ld=lld -x c - -o "$dir/.test" \
		-lbpf -lelf -lz -lzstd -ljansson -Wl,-Bstatic -lgsl -Wl,-Bdynamic -lm <<-C || return 1
			#include <bpf/libbpf.h>
			#include <gsl/gsl_cdf.h>
			#include <jansson.h>
			#include <linux/kvm.h>
			#include <asm/kvm.h>
			int main(void) { return libbpf_major_version() + !json_object() + (gsl_cdf_ugaussian_Q(1) > 1); }
	C
	rm -f "$dir/.test"
	[ -e "$dir/lib/ld-linux-riscv64-lp64d.so.1" ] && [ -x "$dir/usr/bin/busybox" ]
}

build() {
	local dir=$1 debs

	apt_setup riscv64
	apt_update_suite "$(sed -n 's/^# //p' "$resolved")" || return 1
	mkdir -p "$dir/.debs"
	say "unpacking $(grep -vc '^#' "$resolved") riscv64 packages"
	debs=$(grep -v '^#' "$resolved" | apt_download "$dir/.debs") || return 1
	apt_unpack "$dir" --exclude='./usr/share/doc' --exclude='./usr/share/man' \
		--exclude='./usr/share/lintian' <<<"$debs" || return 1
	rm -rf "$dir/.debs"
	link_test "$dir" || {
		say "the unpacked riscv64 packages do not link together"
		return 1
	}
}

refresh=
if [ "${1:-}" = --refresh ]; then
	refresh=1
	shift
fi
link=${1:-$O/sysroot}

need dpkg-deb dpkg
need flock util-linux
resolved=$(resolve)
key=$(cat "$resolved" "$GSTAGE_TOP/bench/host/sysroot.sh" | cache_key)
entry=$(cache_get sysroot "$key" build) || {
	# The mirror may have moved on from the remembered versions: look again, once.
	[ -z "$refresh" ] || die "$EX_IMPOSSIBLE" "cannot make the riscv64 sysroot; what failed is said above"
	say "looking for the packages again"
	exec "$0" --refresh "$link"
}
put_link "$entry" "$link"
