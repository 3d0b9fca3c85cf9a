#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# module.sh VMLINUX WORK SERIES-DIR... OUT: build the kvm.ko of one version (the base's
# KVM sources with the patches of each SERIES-DIR) in the object directory of
# the base. Called by build.sh. The sources in WORK/src stay as this version
# has them: each build starts from WORK/pristine, and only files that differ
# from the last build are copied, so a changed patch compiles what it changes.
set -euo pipefail
EX_NO_OBJECTS=75 # build.sh makes the base again
EX_COMPILE=76    # build.sh says which error
export LOG_TAIL=0
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"

vmlinux=$1 work=$2 out=${!#}
series=("${@:3:$#-3}")

# The object directory may be gone or incomplete, or hold another build of the
# same base: then its modules would not fit VMLINUX.
[ -e "$work/complete" ] && cmp -s "$vmlinux" "$work/obj/vmlinux" || exit "$EX_NO_OBJECTS"

# Only one build at a time can use the object directory.
exec {lock}>"$work/lock"
flock "$lock"

for dir in ${series[@]+"${series[@]}"}; do
	while read -r patch; do
		[ -r "$patch" ] || die 1 "$dir/series lists ${patch##*/}, which is not there"
		while read -r file; do
			is_kvm_path "$file" || die "$EX_IMPOSSIBLE" "${patch#"$GSTAGE_TOP"/} changes $file, which is part of vmlinux; only KVM's own files can be changed so far ($KVM_PATHS)"
		done < <(sed -nE 's,^(---|\+\+\+) [ab]/([^[:space:]]*).*,\2,p' "$patch" | sort -u)
	done < <(series_list "$dir")
done

rm -rf "$work/stage"
cp -r "$work/pristine" "$work/stage"
digest=$("$GSTAGE_TOP/kernel-patches/apply.sh" "$work/stage" ${series[@]+"${series[@]}"})
kvm_copy "$work/stage" "$work/src"

export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=gstage KBUILD_BUILD_HOST=gstage
kmake=(make -C "$work/src" ARCH=riscv LLVM=-19 "O=$work/obj")
ko=$work/obj/arch/riscv/kvm/kvm.ko
rm -f "$ko"
run_logged "kvm.ko" "$work/module.log" "${kmake[@]}" -j"$(nproc)" arch/riscv/kvm/kvm.ko || exit "$EX_COMPILE"
llvm-readelf-19 -S "$ko" | grep -qF ' .BTF ' ||
	die 1 "kvm.ko has no BTF (pahole failed? see $work/module.log)"

# Debugging information is ten times the code, and the guest loads it all.
llvm-strip-19 --strip-debug -o "$out/kvm.ko" "$ko"
printf '%s\n' "$digest" >"$out/digest"
for dir in ${series[@]+"${series[@]}"}; do
	series_list "$dir"
done | sed "s,^$GSTAGE_TOP/,," >"$out/patches"
