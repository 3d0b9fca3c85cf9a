#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests.sh BASE: build the kernel's own dirty_log_perf_test for riscv64
# from the sources of BASE, and link it to $O/riscv64/dirty_log_perf_test-BASE.
# It is the independent source that the tracer's counts are held against.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"
# shellcheck source=host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=../kernel-patches/source.sh
. "$GSTAGE_TOP/kernel-patches/source.sh"

[ $# -eq 1 ] || die "$EX_USAGE" "usage: selftests.sh BASE"
base=$1
sysroot=$(readlink -f "$O/sysroot") || die "$EX_IMPOSSIBLE" "no riscv64 sysroot; run bench/host/sysroot.sh"
for tool in clang-19 ld.lld-19:lld-19 make; do
	need "${tool%%:*}" "${tool##*:}"
done

build() {
	local out=$1 tmp=$1/build src=$O/kernel/$base/src logs=$GSTAGE_CACHE/logs/selftests-$base

	mkdir -p "$tmp/headers" "$tmp/kvm" "$logs" || return 1
	if [ ! -e "$src/Makefile" ]; then
		src=$tmp/src
		mkdir "$src"
		run_logged "unpacking $(basename "$SOURCE")" "$logs/unpack.log" source_unpack "$src" || return 1
	fi
	run_logged "kernel headers of $base" "$logs/headers.log" \
		make -C "$src" ARCH=riscv LLVM=-19 "O=$tmp/headers" -j"$(nproc)" headers || return 1
	# The linker is among the compiler's flags because the Makefile tries with
	# those alone whether -no-pie works.
	run_logged "dirty_log_perf_test of $base" "$logs/test.log" \
		make -C "$src/tools/testing/selftests/kvm" ARCH=riscv LLVM=-19 "OUTPUT=$tmp/kvm" \
		"INSTALL_HDR_PATH=$tmp/headers/usr" "USERCFLAGS=--sysroot=$sysroot -fuse-ld=lld -Wno-unused-command-line-argument" \
		-j"$(nproc)" "$tmp/kvm/dirty_log_perf_test" || return 1
	llvm-strip-19 -o "$out/dirty_log_perf_test" "$tmp/kvm/dirty_log_perf_test" || return 1
	rm -rf "$tmp"
}

case $base in
debian*)
	SOURCE=$("$GSTAGE_TOP/kernel-patches/debian.sh" --source "$base")
	SOURCE_ID=$(file_sha256 "$SOURCE")
	;;
*) source_locate "$base" ;;
esac
key=$({
	echo "$SOURCE_ID $sysroot"
	clang-19 --version | head -n 1
	cat "$GSTAGE_TOP/bench/selftests.sh"
} | cache_key)
entry=$(cache_get selftests "$key" build) ||
	die 1 "dirty_log_perf_test of $base was not built; what failed is said above"
put_link "$entry/dirty_log_perf_test" "$O/riscv64/dirty_log_perf_test-$base"
