#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage compare on real boots: 20 instructions more in each fault are found from
# two boots an arm, two boots of one version do not differ at all, and neither does
# one that only begins later.
. "$(dirname "$0")/../vmlib.sh"

BASE=7.3

# Versions of this test's own, in a place of their own.
mine=$WORK/o version=$WORK/o/versions/$BASE/planted
mkdir -p "$version"
ln -s "$O/riscv64" "$O/sysroot" "$mine"
cat >"$version/0001-more.patch" <<'PATCH'
Subject: [PATCH] KVM: RISC-V: 20 instructions more in each fault

diff --git a/arch/riscv/kvm/mmu.c b/arch/riscv/kvm/mmu.c
--- a/arch/riscv/kvm/mmu.c
+++ b/arch/riscv/kvm/mmu.c
@@ -560,6 +560,8 @@ int kvm_riscv_mmu_map(struct kvm_vcpu *vcpu, struct kvm_memory_slot *memslot,
 	kvm_riscv_gstage_init(&gstage, kvm);
 	gstage_trace_fault_join(&gstage, vcpu);
 
+	asm volatile(".option push\n.option norvc\n.rept 20\nnop\n.endr\n.option pop");
+
 	/* Setup initial state of output mapping */
 	memset(out_map, 0, sizeof(*out_map));
 
PATCH
echo 0001-more.patch >"$version/series"
printf '%s\n' "stands-for: 20 instructions more in each fault" "on: tracepoints" "" "For a test." >"$version/description"
# One that is slower once, when the VM is made: the ticks of the timer, which come
# every 4 million instructions, fall elsewhere in all that follows. By how much is
# a parameter, as no one shift tells: where it falls differs from build to build.
shifted=$WORK/o/versions/$BASE/shifted
mkdir "$shifted"
cat >"$shifted/0001-once.patch" <<'PATCH'
Subject: [PATCH] KVM: RISC-V: some instructions more in each VM

diff --git a/arch/riscv/kvm/vm.c b/arch/riscv/kvm/vm.c
--- a/arch/riscv/kvm/vm.c
+++ b/arch/riscv/kvm/vm.c
@@ -28,10 +28,17 @@ const struct kvm_stats_header kvm_vm_stats_header = {
 		       sizeof(kvm_vm_stats_desc),
 };
 
+static unsigned long delay;
+module_param(delay, ulong, 0444);
+
 int kvm_arch_init_vm(struct kvm *kvm, unsigned long type)
 {
+	unsigned long i;
 	int r;
 
+	for (i = delay / 2; i; i--)
+		asm volatile("");
+
 	r = kvm_riscv_mmu_alloc_pgd(kvm);
 	if (r)
 		return r;
PATCH
echo 0001-once.patch >"$shifted/series"
printf '%s\n' "stands-for: some instructions more in each VM" "" "For a test." >"$shifted/description"
env O="$mine" "$TOP/kernel-patches/build.sh" "$BASE" tracepoints planted shifted >"$WORK/build" 2>&1 ||
	fail "the version was not built: $(tail -n 5 "$WORK/build")"

boot() { # ARM VERSION SEED [KVM-ARGS]
	run_expecting env O="$mine" "$TOP/bench/run.sh" full-pass --base "$BASE" --version "$2" \
		--seed "$3" --kvm-args "${4:-}" --args '--rounds 1' --limit "$VM_LIMIT" --out "$DIR"
	mkdir -p "$WORK/runs/$1"
	cp "$RUN" "$WORK/runs/$1/$3.json"
}
delays=2300000
! full || delays='1200000 2300000 3100000'
for seed in 1 2; do
	boot base tracepoints "$seed"
	# A boot of the same seed gives the same bytes (vm/same-seed).
	mkdir -p "$WORK/runs/again"
	cp "$RUN" "$WORK/runs/again/$seed.json"
	boot planted planted "$seed"
	for delay in $delays; do
		boot "$delay" shifted "$seed" "delay=$delay"
	done
done

cd "$WORK/runs" || exit 1
verdict() { # JQ-SELECTION: the verdicts against the first arm
	jq -r "[$1 | .versus[0].verdict] | unique | join(\",\")" "$WORK/out"
}

# Every row of every table, and the harness.
expect 0 "$GSTAGE" compare --aa --json base=base again=again
equal "$(verdict '(.counts + .instructions)[]')" equal "A/A"
equal "$(jq -r .deterministic "$WORK/out")" true "A/A: deterministic"

expect 0 "$GSTAGE" compare --json base=base planted=planted
equal "$(verdict '.counts[]')" equal "counts"
for row in 'phase.dirty 1' 'fault mean.fast write' 'fault total.all paths'; do
	equal "$(verdict ".instructions[] | select(.section == \"${row%%.*}\" and .name == \"${row#*.}\")")" \
		differs "$row"
done
# As many as were planted; a mean of 4096 durations is known to 5.
jq -e '.instructions[] | select(.section == "fault mean" and .name == "fast write") | .arms |
	(.[1].low + .[1].high - .[0].low - .[0].high) / 2 | . >= 15 and . <= 25' "$WORK/out" >/dev/null ||
	fail "the mean does not differ by 20: $OUT"
# Nothing takes longer in one that only begins later, whichever is compared.
first=base
for delay in $delays; do
	expect 0 "$GSTAGE" compare --json --vary version,kvm_args first="$first" later="$delay"
	equal "$(jq -r '[.counts, .instructions, .quantiles | .[] | select(.versus[0].verdict | . == "differs" or . == "varies") |
		"\(.section): \(.name)"] | join(", ")' "$WORK/out")" "" "differences of $delay from $first"
	first=$delay
done
expect 1 "$GSTAGE" compare --fail-on faults.mean=0.5% base=base planted=planted
expect 0 "$GSTAGE" compare --fail-on faults.mean=5% base=base planted=planted
expect 1 "$GSTAGE" compare --bisect --fail-on phase.dirty-1=0.2% base=base planted=planted
