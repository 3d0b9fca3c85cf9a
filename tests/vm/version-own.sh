#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A user's own version: the same change as mails, as a directory and as a git
# tree is the same source; as a kvm.ko it gives the same counts. Tracepoints
# that do not apply are merged, or left out with the place that conflicts.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

need git
base=7.3
# Ours alone: what is brought here must not stay.
mine=$WORK/o
mkdir -p "$mine"
cp -r "$O/kernel" "$mine/kernel"
ln -s "$O/riscv64" "$O/sysroot" "$mine/"
version() { expect "$1" env O="$mine" "$TOP/kernel-patches/version.sh" "${@:2}" "$base"; }
scenario() { run_expecting env O="$mine" "$TOP/bench/run.sh" full-pass --limit "$VM_LIMIT" --out "$DIR" "$@"; }
about() { jq -r ".$2" "$mine/kernel/$base/kvm-$1.json"; }

release_tree "$WORK/tree" "$base" "$mine"
# change SED FILE SUBJECT, which must change something
change() {
	sed -i "$1" "$tree/$2"
	in_tree commit -qam "$3" || fail "nothing changed by $1 in $2"
}
change 's/r = kvm_riscv_mmu_alloc_pgd(kvm);/r = kvm_riscv_mmu_alloc_pgd(kvm); barrier();/' arch/riscv/kvm/vm.c "KVM: RISC-V: Add a barrier"
change 's/barrier();/barrier(); barrier();/' arch/riscv/kvm/vm.c "KVM: RISC-V: Add another"
in_tree format-patch -q -v3 --cover-letter -o "$WORK/dir" v$base
cat "$WORK"/dir/*0002-* "$WORK"/dir/*0001-* "$WORK"/dir/*0000-* >"$WORK/series.mbx" # any order

version 0 --dry-run from-mbox "$WORK/series.mbx"
has_out "patch: 0001-KVM-RISC-V-Add-a-barrier.patch"
has_out "tracepoints: series"
has_err "left out, no patch: [PATCH v3 0/2]"
[ ! -e "$mine/versions/$base/from-mbox" ] || fail "a dry run leaves a version"
SECONDS=0
version 0 from-mbox "$WORK/series.mbx"
[ "$SECONDS" -lt 45 ] || fail "a version takes $SECONDS s"
sed 's/$/\r/' "$WORK/series.mbx" >"$WORK/crlf.mbx"
version 0 --dry-run from-crlf "$WORK/crlf.mbx"
has_out "patch: 0002-KVM-RISC-V-Add-another.patch"
in_tree format-patch -q -N --stdout v$base >"$WORK/unnumbered.mbx"
version 0 --dry-run from-unnumbered "$WORK/unnumbered.mbx"
has_out "patch: 0002-KVM-RISC-V-Add-another.patch"
! full || version 0 from-dir "$WORK/dir"
version 0 --kvm-args eager_page_split=0 from-tree "$tree#HEAD"
has_err "patches since v$base: 2"
for name in from-tree $(full && echo from-dir); do
	for key in source_sha256 patch_ids tracepoints; do
		equal "$(about "$name" $key)" "$(about from-mbox $key)" "$key of $name and from-mbox"
	done
done
equal "$(about from-mbox 'patch_ids | length')" 2 "number of patches"
[ "$(about from-mbox source_sha256)" != "$(jq -r .source_sha256 "$O/kernel/$base/kvm-tracepoints.json")" ] ||
	fail "two patches make no difference to the digest"

# In the run file, with the parameters that belong to the version.
scenario --version from-tree
count .environment.version from-tree
count .environment.base $base
count .environment.source_sha256 "$(about from-mbox source_sha256)"
count '.environment.patch_ids | join(" ")' "$(about from-mbox 'patch_ids | join(" ")')"
count .environment.version_args eager_page_split=0
count '[.splits[] | select(.cause == "fault") | .count] | add' 8

# The module alone.
cp -L "$mine/kernel/$base/kvm-from-mbox.ko" "$WORK/kvm.ko"
version 0 from-ko "$WORK/kvm.ko"
counts='{faults: [.faults[] | {path, count}], splits, flush_requests, guest: .guest.pages_reported}'
scenario --version from-mbox
expected=$(query "$counts")
scenario --version from-ko
equal "$(query "$counts")" "$expected" "counts of the module and of what it was built from"
case $(query .environment.source_sha256) in binary:*) ;; *) fail "a module has no source: $(query .environment.source_sha256)" ;; esac

# A module of another kernel, or without tracepoints.
version 4 alien "$O/kernel/debian/kvm-stock.ko"
has_err "$(cat "$O/kernel/debian/release")"
version 0 bare "$O/kernel/$base/kvm-stock.ko"
has_err "lacks the tracepoints kvm_dirty_log"
if full; then
	scenario --version bare
	count '[.probes[] | select(.fact == "splits") | .backend] | unique | join(",")' fentry,fexit
	count '[.splits[] | select(.cause == "enable") | .count] | add' 8
fi

# Near our hunks: merged. In them: without, and where is said.
in_tree reset -q --hard v$base
change 's/ret = kvm_mmu_topup_memory_cache(pcache, count);/ret = kvm_mmu_topup_memory_cache(pcache, count + 0);/' arch/riscv/kvm/mmu.c "KVM: RISC-V: Near"
version 0 near "$tree"
has_err "a three-way merge of them does"
equal "$(about near tracepoints)" merged tracepoints
if full; then
	scenario --version near
	count '[.splits[] | select(.cause == "enable") | .count] | add' 8
fi
in_tree reset -q --hard v$base
change 's/Failed to toup split page cache/Failed to top up/' arch/riscv/kvm/mmu.c "KVM: RISC-V: In"
version 0 inside "$tree"
has_err "merging conflicts at arch/riscv/kvm/mmu.c:1"
equal "$(about inside tracepoints)" none tracepoints
scenario --version inside
count '[.probes[] | select(.fact == "splits") | .backend] | unique | join(",")' fentry,fexit
count '[.splits[] | select(.cause == "enable") | .count] | add' 8
count .guest.pages_lost 0

# A merge with a conflict that somebody resolved; and what is left out of a tree.
head=$(in_tree rev-parse HEAD)
in_tree checkout -q -b side v$base
change 's/r = kvm_riscv_mmu_alloc_pgd(kvm);/& barrier();/' arch/riscv/kvm/vm.c "KVM: RISC-V: Side"
in_tree checkout -q -b merged v$base
change 's/r = kvm_riscv_mmu_alloc_pgd(kvm);/& cpu_relax();/' arch/riscv/kvm/vm.c "KVM: RISC-V: Main"
in_tree merge -q side >"$WORK/merge" 2>&1 && fail "the branches do not conflict"
sed -i '/^<<<<<<< \|^=======$\|^>>>>>>> /d' "$tree/arch/riscv/kvm/vm.c"
mkdir -p "$tree/mm"
echo "/* not KVM's */" >"$tree/mm/memory.c"
in_tree add -A
in_tree commit -qm "Merge side"
echo "/* later */" >>"$tree/arch/riscv/kvm/main.c"
version 0 --dry-run merged "$tree"
has_out "patch: 0001-Merge-side.patch"
has_err "there are merges since v$base"
has_err "not KVM's: 1 files that differ from v$base (mm/memory.c)"
has_err "not committed: what is changed in $tree (arch/riscv/kvm/main.c)"
in_tree checkout -q -f "$head"

# With our tracepoints below or inside.
version 0 --dry-run below "$TOP/kernel-patches/$base/versions/v4"
has_out "on: tracepoints"
version 0 --dry-run whole "$TOP/kernel-patches/$base/tracepoints"
has_out "tracepoints: inside"

# What make series writes comes back as the same source, as a directory and as an
# mbox; a series on the base, and one on the tracepoints.
series() { expect 0 env O="$mine" "$TOP/kernel-patches/mails.sh" "$1" "$base" "$2"; }
digest_of() { jq -r .source_sha256 "$O/kernel/$base/kvm-$1.json"; }
series versions/v1 "$WORK/v1"
cat "$WORK"/v1/*.patch >"$WORK/v1.mbx"
version 0 mailed-v1 "$WORK/v1.mbx"
equal "$(about mailed-v1 source_sha256)" "$(digest_of v1)" "sources of v1 as mails"
if full; then
	series tracepoints "$WORK/tracepoints"
	version 0 mailed-tracepoints "$WORK/tracepoints"
	equal "$(about mailed-tracepoints source_sha256)" "$(digest_of tracepoints)" "sources of the tracepoints as mails"
fi
equal "$(about mailed-v1 'patch_ids | length')" 2 "patches of v1"

# A version of a name that is there stays as it is when the new one is no good.
before=$(cat "$mine/versions/$base/from-mbox/series" "$mine/kernel/$base/kvm-from-mbox.json")
change 's/Failed to top up/Failed" nonsense/' arch/riscv/kvm/mmu.c "KVM: RISC-V: No C"
version 1 from-mbox "$tree"
has_err "does not compile on $base: arch/riscv/kvm/mmu.c:"
log=$(sed -n 's/.*the whole log is //p' "$WORK/err")
grep -q nonsense "$log" || fail "the error is not in the log '$log'"
equal "$(cat "$mine/versions/$base/from-mbox/series" "$mine/kernel/$base/kvm-from-mbox.json")" "$before" "the version before"
[ ! -e "$mine/versions/$base/.new" ] || fail "the half-made version is left"

# Names that nobody knows.
WANT=2 scenario --version nobody
grep -q "there is no version 'nobody'.*from-mbox.*make version NAME=nobody" "$WORK/err" || fail "$(cat "$WORK/err")"
