#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Versions that are no good: one that does not compile, a module that does not
# load, an oops and a hang. Each ends in a message that says what it was, and a
# matrix goes on with its other cells.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

need git parallel
base=7.3
# A hang takes all of it.
limit=$((VM_LIMIT / 6))
mine=$WORK/o
mkdir -p "$mine"
cp -r "$O/kernel" "$mine/kernel"
ln -s "$O/riscv64" "$O/sysroot" "$mine/"
release_tree "$WORK/tree" "$base" "$mine"

# bad NAME FILE SED: a version with one change.
bad() {
	in_tree reset -q --hard v$base
	sed -i "$3" "$tree/$2"
	in_tree commit -qam "KVM: RISC-V: $1" || fail "nothing changed by $3 in $2"
	expect 0 env O="$mine" "$TOP/kernel-patches/version.sh" "$1" "$tree" "$base"
}
! full || bad noload arch/riscv/kvm/main.c 's/^static int __init riscv_kvm_init(void)$/&;\nstatic int __init riscv_kvm_start(void);\n&\n{\n\tpr_err("kvm: no today\\n");\n\treturn -EBUSY;\n}\n\nstatic int __init __maybe_unused riscv_kvm_start(void)/'
bad oops arch/riscv/kvm/vm.c 's/r = kvm_riscv_mmu_alloc_pgd(kvm);/&\n\t*(volatile int *)8 = r;/'
! full || bad hang arch/riscv/kvm/vm.c 's/r = kvm_riscv_mmu_alloc_pgd(kvm);/&\n\tlocal_irq_disable();\n\twhile (1)\n\t\tcpu_relax();/'
# One that stopped compiling after it was brought.
cp -r "$mine/versions/$base/oops" "$mine/versions/$base/broken"
sed -i 's/^+\t\*(volatile.*/+\tno_such_function();/' "$mine/versions/$base/broken/"*.patch

# What a good run left there must not pass for the result.
after_a_good_run() {
	mkdir "$DIR"
	echo "{}" >"$RUN"
	"$@"
}
# alone NAME STATUS REASON TEXT: the message, and the file for programs.
alone() {
	WANT=$2 run_expecting after_a_good_run env O="$mine" "$TOP/bench/run.sh" full-pass --version "$1" --limit "$limit" --out "$DIR"
	grep -q "^$3: .*$4" "$DIR/failure" || fail "$1: $(cat "$DIR/failure")"
	grep -qF "$(sed 's/^[^:]*: //' "$DIR/failure")" "$WORK/err" || fail "$1: the message is not shown: $(cat "$WORK/err")"
	[ ! -e "$RUN" ] || fail "$1 leaves a run file"
}
alone oops 3 oops "panicked: Unable to handle kernel .* in kvm_arch_init_vm"
if full; then
	alone noload 125 no-load "does not load: Device or resource busy; .*kvm: no today"
	alone hang 124 limit "did not finish within $limit s"
fi

# A matrix of them, with one that is good.
cat >"$WORK/plan" <<-PLAN
	arms eager oops broken $(full && echo noload hang)
	scenarios full-pass
	boots 1
	limit $limit
PLAN
results=$WORK/results
expect 1 env O="$mine" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results"
[ -s "$results/full-pass/eager/01.json" ] || fail "the good one did not run: $ERR"
cells=$(full && echo 5 || echo 3)
has_err "1 of $cells done, $((cells - 1)) failed"
! full || has_err "full-pass/noload/01: no-load: kvm.ko does not load"
has_err "full-pass/oops/01: oops: the guest's kernel panicked"
! full || has_err "full-pass/hang/01: limit: the guest did not finish"
has_err "full-pass/broken/01: build: "
has_err "arch/riscv/kvm/vm.c:"
[ -s "$results/.matrix/cells/full-pass/oops/01/console.log" ] || fail "the console of the oops is not kept"
equal "$(find "$results" -name '*.json' ! -path '*/.matrix/*' | wc -l)" 1 "run files"

# Failed is failed until somebody asks.
expect 1 env O="$mine" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results"
has_err "$cells cells, $cells there, 0 to run"
expect 0 env O="$mine" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results" --list
has_out "done    full-pass/eager/01"
has_out "failed  full-pass/broken/01"

# Mended, it is run; the rest fails again.
cp "$mine/versions/$base/oops/"*.patch "$mine/versions/$base/broken/"
sed -i 's/^+\t\*(volatile.*/+\tbarrier();/' "$mine/versions/$base/broken/"*.patch
expect 0 env O="$mine" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results" --retry --cell full-pass/broken/01
[ -s "$results/full-pass/broken/01.json" ] || fail "not run again: $ERR"
