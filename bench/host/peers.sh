#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# peers.sh [--refresh] [LINK]: the tracers that gstage is measured against, for
# riscv64: bpftrace, perf and trace-cmd as the distribution has them, with their
# libraries, and bcc's funclatency from the distribution's sources of bcc (its
# package libbpf-tools is not made for riscv64). Unpacked, nothing installed.
# The result is a cache entry; LINK (default $O/peers) becomes a symlink to it.
#
# As with sysroot.sh, which versions are used is decided once and remembered,
# and --refresh looks again.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=apt-private.sh
. "$GSTAGE_TOP/bench/host/apt-private.sh"

refresh='' link=$O/peers
if [ "${1-}" = --refresh ]; then
	refresh=1
	shift
fi
case ${1-} in -*) die "$EX_USAGE" "unknown option $1; usage: peers.sh [--refresh] [LINK]" ;; esac
[ $# -le 1 ] || die "$EX_USAGE" "one LINK, not also '$2' (--refresh comes first); usage: peers.sh [--refresh] [LINK]"
[ $# -eq 0 ] || link=$1

# Not older than the sysroot, or gstage would not find its C library.
SUITES="forky sid"
PACKAGES="bpftrace linux-perf trace-cmd"
# Of what these depend on: libraries. Interpreters are for their scripts.
KEEP='^(lib.*|bpftrace|linux-perf|trace-cmd)$'
DROP='perl|python3-|stdlib|^libtext-|^libc-gconv'

# Decide the versions; prints the path of the file that lists them.
resolve() {
	local suite dir=$GSTAGE_CACHE/resolved
	local file names upstream

	file=$dir/peers-$(cache_key <<<"$SUITES $PACKAGES $KEEP $DROP")
	if [ -s "$file" ] && [ -z "$refresh" ]; then
		printf '%s\n' "$file"
		return 0
	fi
	mkdir -p "$dir"
	apt_setup riscv64
	for suite in $SUITES; do
		say "looking for $PACKAGES in $suite"
		apt_update_suite "$suite" || continue
		# shellcheck disable=SC2086 # names
		names=$(apt_closure $PACKAGES | grep -E "$KEEP" | grep -vE "$DROP") || continue
		upstream=$(apt_upstream "$suite" bpfcc) || continue
		# shellcheck disable=SC2086 # names
		apt_candidates $names >"$file.$$" || continue
		sed -i "1i# $suite\n# bpfcc $upstream" "$file.$$"
		mv "$file.$$" "$file"
		printf '%s\n' "$file"
		return 0
	done
	rm -f "$file.$$"
	die "$EX_IMPOSSIBLE" "no suite of $APT_URI has $PACKAGES for riscv64 now; try again in some minutes, or set GSTAGE_MIRROR"
}

# funclatency DIR TARBALL: compile it as its makefile does, but for our libbpf.
funclatency() {
	local dir=$1 src=$1/.bcc tools

	mkdir "$src"
	tar -C "$src" --strip-components=1 -xf "$2" || return 1
	tools=$src/libbpf-tools
	clang-19 --target=bpf -mcpu=v3 -O2 -g -D__TARGET_ARCH_riscv -I"$tools" -I"$tools/riscv" \
		-isystem "$sysroot/usr/include" -isystem "$sysroot/usr/include/riscv64-linux-gnu" \
		-c -o "$tools/funclatency.bpf.o" "$tools/funclatency.bpf.c" || return 1
	"$BPFTOOL" gen skeleton "$tools/funclatency.bpf.o" name funclatency_bpf >"$tools/funclatency.skel.h" || return 1
	# Its own warnings are not ours to mend.
	clang-19 --target=riscv64-linux-gnu --sysroot="$sysroot" -fuse-ld=lld -O2 -w \
		-Wno-unused-command-line-argument -I"$tools" -I"$tools/riscv" -o "$dir/usr/bin/funclatency" \
		"$tools"/{funclatency,trace_helpers,uprobe_helpers,btf_helpers,map_helpers}.c -lbpf -lelf -lz || return 1
	rm -rf "$src"
}

# Called inside a condition: `set -e` does not work in here.
build() {
	local dir=$1 debs uri name sha256

	apt_setup riscv64
	apt_update_suite "$(sed -n 's/^# \([a-z-]*\)$/\1/p' "$resolved")" || return 1
	mkdir -p "$dir/.debs"
	say "fetching and unpacking $(grep -vc '^#' "$resolved") riscv64 packages, about 80 MB"
	debs=$(grep -v '^#' "$resolved" | apt_download "$dir/.debs") || return 1
	apt_unpack "$dir" --wildcards --exclude='./usr/share' --exclude='./etc' --exclude='./var' \
		--exclude='*.bt' <<<"$debs" || return 1
	read -r _ _ uri name sha256 < <(grep '^# bpfcc ' "$resolved")
	apt_fetch "$dir/.debs/$name" "$uri" "$sha256" || return 1
	funclatency "$dir" "$dir/.debs/$name" || {
		say "funclatency of $name does not compile"
		return 1
	}
	rm -rf "$dir/.debs"
	grep -vE '^#|^lib' "$resolved" | cut -d' ' -f1,2 >"$dir/versions"
	echo "funclatency ${name//[!0-9.]/ }" | awk '{ print $1, $2 }' | sed 's/[.]*$//' >>"$dir/versions"
}

sysroot=$O/sysroot
[ -d "$sysroot/usr/include" ] || die "$EX_IMPOSSIBLE" "no riscv64 sysroot in $sysroot; run bench/host/sysroot.sh"
need dpkg-deb dpkg
need clang-19
need ld.lld-19 lld-19
BPFTOOL=${BPFTOOL:-$(command -v bpftool || echo /usr/sbin/bpftool)}
need "$BPFTOOL" bpftool
resolved=$(resolve)
key=$({
	cat "$resolved" "$GSTAGE_TOP/bench/host/peers.sh"
	basename "$(readlink -f "$sysroot")"
} | cache_key)
entry=$(cache_get peers "$key" build) || {
	# The mirror may have moved on from the remembered versions: look again, once.
	[ -z "$refresh" ] || die "$EX_IMPOSSIBLE" "cannot make the other tracers; what failed is said above"
	say "looking for the packages again"
	exec "$0" --refresh "$link"
}
put_link "$entry" "$link"
