#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests.sh BASE: build the kernel's own dirty_log_perf_test and
# kvm_binary_stats_test for riscv64 from the sources of BASE, and link them to
# $O/riscv64/NAME-BASE. The first is the independent source that the tracer's
# counts are held against, the second judges the format of KVM's statistics.
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

TESTS=(dirty_log_perf_test kvm_binary_stats_test)

build() {
	local test out=$1 tmp=$1/build src=$O/kernel/$base/src logs=$GSTAGE_CACHE/logs/selftests-$base

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
	run_logged "${TESTS[*]} of $base" "$logs/test.log" \
		make -C "$src/tools/testing/selftests/kvm" ARCH=riscv LLVM=-19 "OUTPUT=$tmp/kvm" \
		"INSTALL_HDR_PATH=$tmp/headers/usr" "USERCFLAGS=--sysroot=$sysroot -fuse-ld=lld -Wno-unused-command-line-argument" \
		-j"$(nproc)" "${TESTS[@]/#/$tmp/kvm/}" || return 1
	for test in "${TESTS[@]}"; do
		llvm-strip-19 -o "$out/$test" "$tmp/kvm/$test" || return 1
	done
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
	die 1 "${TESTS[*]} of $base were not built; what failed is said above"
for test in "${TESTS[@]}"; do
	put_link "$entry/$test" "$O/riscv64/$test-$base"
done
