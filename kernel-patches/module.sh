#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# module.sh VMLINUX WORK SERIES-DIR... OUT: build the kvm.ko of one version (the base's
# KVM sources with the patches of each SERIES-DIR) from the object directory of the
# base. Called by build.sh. Only files that differ from what was built there before are
# copied, so a changed patch compiles what it changes.
#
# OWN_VIEW=1: WORK stays as it is, and other such builds go on side by side: the build
# sees WORK through an overlay of its own. Without, or where no overlay can be
# mounted, WORK has this version's sources and objects afterwards, one build at a time.
# MODULE_LOG: where the output of the compiler goes.
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

args=("$@")
vmlinux=$1 work=$2 out=${!#} log=${MODULE_LOG:-$2/module.log}
series=("${@:3:$#-3}")

# The object directory may be gone or incomplete, or hold another build of the
# same base: then its modules would not fit VMLINUX.
[ -e "$work/complete" ] && cmp -s "$vmlinux" "$work/obj/vmlinux" || exit "$EX_NO_OBJECTS"

for dir in ${series[@]+"${series[@]}"}; do
	while read -r patch; do
		[ -r "$patch" ] || die 1 "$dir/series lists ${patch##*/}, which is not there"
		while read -r file; do
			is_kvm_path "$file" || die "$EX_IMPOSSIBLE" "${patch#"$GSTAGE_TOP"/} changes $file, which is part of vmlinux; only KVM's own files can be changed so far ($KVM_PATHS)"
		done < <(sed -nE 's,^(---|\+\+\+) [ab]/([^[:space:]]*).*,\2,p' "$patch" | sort -u)
	done < <(series_list "$dir")
done

# in_own_view: this script once more, where WORK is an overlay, and the end of this one.
# It returns where no overlay can be mounted.
exec {lock}>"$work/lock"
in_own_view() {
	local views=${work%/*}/.views view own=(unshare --mount) status=0

	[ "$(id -u)" = 0 ] || own+=(--map-root-user)
	view=$views/$$
	mkdir -p "$view/upper" "$view/work"
	# shellcheck disable=SC2016 # for that shell
	own+=(bash -c 'mount -t overlay gstage -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$1" && exec "${@:3}"' - "$work" "$view")
	if "${own[@]}" true 2>/dev/null; then
		flock -s "$lock"
		OWN_VIEW=inside "${own[@]}" "$0" "${args[@]}" || status=$?
	else
		status=none
	fi
	# Its working folder has no permissions, and killed builds have left theirs.
	for view in "$view" "$views"/*; do
		if [ "${view##*/}" = $$ ] || ! kill -0 "${view##*/}" 2>/dev/null; then
			chmod -R u+rwx "$view" 2>/dev/null || :
			rm -rf "$view"
		fi
	done
	[ "$status" = none ] || exit "$status"
}
if [ "${OWN_VIEW:-}" != inside ]; then
	[ "${OWN_VIEW:-}" != 1 ] || in_own_view
	flock "$lock"
fi

rm -rf "$work/stage"
cp -r "$work/pristine" "$work/stage"
digest=$("$GSTAGE_TOP/kernel-patches/apply.sh" "$work/stage" ${series[@]+"${series[@]}"})
kvm_copy "$work/stage" "$work/src"

export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=gstage KBUILD_BUILD_HOST=gstage
kmake=(make -C "$work/src" ARCH=riscv LLVM=-19 "O=$work/obj")
# As many as the make that calls lends, if one does.
jobs=(-j"$(nproc)")
case ${MAKEFLAGS:-} in *--jobserver*) jobs=() ;; esac
ko=$work/obj/arch/riscv/kvm/kvm.ko
rm -f "$ko"
run_logged "kvm.ko of ${MODULE_NAME:-a series}" "$log" "${kmake[@]}" ${jobs[@]+"${jobs[@]}"} arch/riscv/kvm/kvm.ko || exit "$EX_COMPILE"
llvm-readelf-19 -S "$ko" | grep -qF ' .BTF ' ||
	die 1 "kvm.ko has no BTF (pahole failed? see $log)"

# Debugging information is ten times the code, and the guest loads it all.
llvm-strip-19 --strip-debug -o "$out/kvm.ko" "$ko"
printf '%s\n' "$digest" >"$out/digest"
for dir in ${series[@]+"${series[@]}"}; do
	series_list "$dir"
done | sed "s,^$GSTAGE_TOP/,," >"$out/patches"
