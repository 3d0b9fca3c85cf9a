#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# base.sh CONFIG-FRAGMENT SOURCE WORK OUT: build vmlinux, Image and the modules
# of one base from unpatched sources. Called by build.sh, which keys the cache
# entry OUT by everything used here; WORK keeps the sources and objects for the
# kvm.ko of each version, and stays where it is, because kbuild records paths.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=source.sh
. "$GSTAGE_TOP/kernel-patches/source.sh"

fragment=$1 SOURCE=$2 work=$3 out=$4
src=$work/src obj=$work/obj

rm -rf "$work"
mkdir -p "$src" "$obj"
run_logged "unpacking $(basename "$SOURCE")" "$work/unpack.log" source_unpack "$src"

# The same sources give the same kernel, whoever builds it and when.
export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=gstage KBUILD_BUILD_HOST=gstage
kmake=(make -C "$src" ARCH=riscv LLVM=-19 "O=$obj")

"${kmake[@]}" KCONFIG_ALLCONFIG="$fragment" allnoconfig >"$work/config.log" 2>&1 || {
	tail -n 20 "$work/config.log" >&2
	die 1 "the kernel configuration failed; the whole log is $work/config.log"
}
lost=$(while read -r line; do
	grep -qxF "$line" "$obj/.config" || printf '    %s\n' "$line"
done < <(grep -E '^CONFIG_|^# CONFIG_.* is not set' "$fragment"))
if [ -n "$lost" ]; then
	printf '%s\n' "$lost" >&2
	die 1 "these lines of ${fragment#"$GSTAGE_TOP"/} do not survive in $(make -s -C "$src" kernelversion): a dependency is missing, or the symbol has another name"
fi

run_logged "kernel $(make -s -C "$src" kernelversion)" "$work/build.log" \
	"${kmake[@]}" -j"$(nproc)" Image modules ||
	exit 1

# The KVM sources as they were, which every version starts from.
mkdir "$work/pristine"
(cd "$src" && tar -c virt/kvm arch/riscv/kvm arch/riscv/include/asm include/linux/kvm* include/trace/events) |
	tar -C "$work/pristine" -x

cp "$obj/arch/riscv/boot/Image" "$obj/System.map" "$out/"
cp "$obj/.config" "$out/config"
cp "$obj/include/config/kernel.release" "$out/release"
ln "$obj/vmlinux" "$out/vmlinux" 2>/dev/null || cp "$obj/vmlinux" "$out/vmlinux"

# A kvm.ko needs headers, vmlinux for its BTF, and vmlinux.o for the exported
# symbols; the rest is five times as big.
llvm-strip-19 --strip-debug "$obj/vmlinux.o"
rm -rf "$obj"/.tmp_vmlinux* "$obj/vmlinux.unstripped" "$obj/vmlinux.a"
for dir in block certs crypto drivers fs init io_uring ipc kernel lib mm net security sound usr; do
	[ ! -d "$obj/$dir" ] || find "$obj/$dir" \( -name '*.o' -o -name '*.a' \) -delete
done
touch "$work/complete"
