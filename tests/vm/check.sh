#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage check: each check fires on the version that breaks it, at its first
# offender, and stays silent on healthy ones; a livelock is told while it lasts,
# and ended.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

need parallel
healthy=(eager fixed)
on_all=(eager) # those of them that run on all three scenarios
! full || healthy+=(v2 v4 fault-split)
results=$WORK/results
matrix() { # STATUS ARMS SCENARIOS
	printf 'arms %s\nscenarios %s\nboots 1\ntrace --checks\nlimit %s\n' "$2" "$3" "$VM_LIMIT" >"$WORK/plan"
	expect "$1" env O="$O" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results"
}
# judged STATUS VERSION SCENARIO: of its run, on this machine.
judged() { expect "$1" "$GSTAGE" check "$results/$3/$2/01.json"; }

# row VERSION SCENARIO FILTER: of the row of a check in that run
row() { jq -r ".checks[] | select(.name == \"$3\") | $4" "$results/$2/$1/01.json"; }

matrix 0 "${healthy[*]}" full-pass
! full || on_all=("${healthy[@]}")
matrix 0 "${on_all[*]}" "initially-set overlap-4"
for name in "${healthy[@]}"; do
	scenarios=full-pass
	case " ${on_all[*]} " in *" $name "*) scenarios+=" initially-set overlap-4" ;; esac
	for scenario in $scenarios; do
		judged 0 "$name" "$scenario"
		has_out "lost-dirty      held"
		has_out "livelock        held"
	done
	judged 0 "$name" full-pass
	has_out "flush-protocol  held"
	has_out "logged-leaf     held"
	has_out "fence-queue     held"
	has_out "spurious        held"
	has_out "holes           unknown  nothing happened that could break it"
done
judged 0 eager overlap-4
has_out "holes           unknown  on one hart no vCPU runs while another one splits"
judged 0 eager full-pass
has_out "split-complete  held     8 leaves"
if full; then
	judged 0 fault-split full-pass
	has_out "split-complete  unknown"
fi
# A CLEAR that splits drops mmu_lock in between: its fence comes late, but it does.
[ "$(row eager initially-set flush-protocol .flushes.late)" -gt 0 ] || fail "no fence of an initially set log is late"
equal "$(row eager full-pass fence-queue .most_fences)" 1 "fences that the base asks for at a time"
equal "$(row eager full-pass split-complete .looked_at)" 1 "operations that found huge leaves"
# vCPUs that wait for their turn have full queues: told, and nothing is wrong.
equal "$(row eager overlap-4 fence-queue '.queues | length')" 4 "vCPUs whose queue was full"
equal "$(row eager overlap-4 fence-queue '.queues[] | select(.full < 1 or .time_ns < 1)')" "" "queues that were not full"

# Each check has a version that breaks it here; make test-full has the others.
matrix 1 "v1 wp-unbatched fast-huge" full-pass
matrix 1 "eager unaligned-start" slot-offset
matrix 1 v1 readers-2
judged 1 v1 full-pass
has_out "flush-protocol  BROKEN   vCPU 0 changed leaves from GPA 0x100000000 on, 2097152 bytes, and no fence covers them; 4096 times in all"
has_out "kvm_riscv_vcpu_exit+"
# 10 faults populate the guest, the next one drops a leaf.
has_out " s, phase dirty 1, after 11 faults"
equal "$(row v1 full-pass flush-protocol .first.after_faults)" 11 "faults until v1 is found"
judged 1 wp-unbatched full-pass
has_out "fence-queue     BROKEN   a log operation asked for more than 8 fences in one hold of mmu_lock, at GPA 0x100000000; 4 times in all"
equal "$(row wp-unbatched full-pass fence-queue .most_fences)" 4097 "fences for 4096 leaves, and one for the slot"
equal "$(row eager full-pass flush-protocol .flushes.redundant)" 0 "fences in vain"
judged 1 fast-huge full-pass
has_out "logged-leaf     BROKEN"
has_out "lost-dirty      BROKEN"
# The same without these checks, and one check alone.
expect 0 "$GSTAGE" check --skip lost-dirty,logged-leaf,flush-protocol,spurious "$results/full-pass/fast-huge/01.json"
expect 0 "$GSTAGE" check --only livelock "$results/full-pass/fast-huge/01.json"
expect 1 "$GSTAGE" check --json --only lost-dirty "$results/full-pass/fast-huge/01.json"
jq -e '.checks == [{"name": "lost-dirty", "state": "broken", "detail": .checks[0].detail}]' "$WORK/out" >/dev/null || fail "$OUT"
# One CLEAR in 8 of the first harvest crosses from one leaf into the next.
judged 0 eager slot-offset
has_out "split-complete  held     7 leaves"
equal "$(row eager slot-offset split-complete .looked_at)" 7 "operations that found huge leaves"
judged 1 unaligned-start slot-offset
has_out "split-complete  BROKEN   the leaf of 2097152 bytes at GPA 0x100200000 was to be split and was not; 7 times in all; log operations left 7 huge leaves"
judged 1 v1 readers-2
grep -q "holes           BROKEN   vCPU [01] faulted on reading GPA 0x10" "$WORK/out" || fail "$OUT"

# Live: the livelock of the base ends when it is told to, and is not there in
# the fixed one.
run_in_vm --thp madvise --kvm "$O/kernel/7.3/kvm-eager.ko" -- \
	'gstage check --stop-on-broken -o c.json -- dirtyguest -q --backing thp --rounds 1 --after >told 2>err; echo "status $?" >>told'
grep -q "livelock        BROKEN   vCPU 0 faulted on GPA 0x100001000 100 times in a row" "$DIR/told" || fail "$(cat "$DIR/told")"
grep -q "spurious        BROKEN" "$DIR/told" || fail "$(cat "$DIR/told")"
grep -q "status 1" "$DIR/told" || fail "$(cat "$DIR/told")"
grep -q "check livelock is broken.*: stopping" "$DIR/err" || fail "$(cat "$DIR/err")"
RUN=$DIR/c.json
count '.checks[] | select(.name == "livelock") | .first.vcpu' 0
count '.checks[] | select(.name == "livelock") | .first.stack | any(startswith("kvm_vcpu_ioctl+"))' true
run_in_vm --thp madvise --kvm "$O/kernel/7.3/kvm-fixed.ko" -- \
	'gstage check --stop-on-broken -- dirtyguest -q --backing thp --rounds 1 --after >told; echo "status $?" >>told; true'
grep -q "livelock        held     looked at 8" "$DIR/told" || fail "$(cat "$DIR/told")"
grep -q "status 0" "$DIR/told" || fail "$(cat "$DIR/told")"

full || exit 0

# Versions that break the same checks in other ways.
matrix 1 double-flush full-pass
matrix 1 thp-promote full-pass-thp
matrix 1 no-wp-fix initially-set
matrix 1 "eager full-for-all" partition-2
matrix 0 fault-split readers-2
judged 1 double-flush full-pass
has_out "fence-queue     BROKEN"
has_out "kvm_vm_ioctl_clear_dirty_log+"
equal "$(row double-flush full-pass flush-protocol .flushes.redundant)" 3 "fences in vain, one for each CLEAR"
judged 1 thp-promote full-pass-thp
has_out "logged-leaf     BROKEN   a write of vCPU 0 to GPA 0x100000000, which is logged, left a leaf of 2097152 bytes; 24 times in all"
has_out "lost-dirty      BROKEN   12264 of 12288"
# Told when it happens, without a look at what the guest wrote.
judged 1 no-wp-fix initially-set
has_out "lost-dirty      BROKEN   12288 of 12288"
has_out "logged-leaf     BROKEN   a log operation left the leaf of 2097152 bytes at GPA 0x100000000 writable"
has_out "phase clear 1"
judged 0 eager partition-2
has_out "fence-queue     held     looked at 8 times; full queues: of 2 vCPUs"
judged 1 full-for-all partition-2
# Which of two vCPUs on one hart comes first is a matter of some hundred
# instructions, so of how the kernel was built: not asserted.
grep -q "fence-queue     BROKEN   vCPU [01] flushed everything and its queue had not been full" "$WORK/out" || fail "$OUT"
has_out "kvm_riscv_tlb_flush_process+"
# Once the queue of a running vCPU is full nothing drains it, and each fault of the
# other brings one more.
[ "$(row full-for-all partition-2 fence-queue .broken)" -gt 4096 ] || fail "a queue that stays full was taken for one that will be drained: $OUT"
judged 0 fault-split readers-2

# Splits of several batches: 64 leaves, and the page cache is good for 28.
for name in eager late-flush; do
	run_in_vm --hugepages 64 --mem 768 --kvm "$O/kernel/7.3/kvm-$name.ko" -- \
		'gstage check -- dirtyguest -q --backing hugetlb-2m --size 128M --rounds 1 >told; echo "status $?" >>told'
	cp "$DIR/told" "$WORK/told-$name"
done
grep -q "flush-protocol  held" "$WORK/told-eager" || fail "$(cat "$WORK/told-eager")"
grep -q "flush-protocol  BROKEN   a log operation changed leaves from GPA 0x100000000 on, 58720256 bytes, and no fence covers them; 2 times in all" "$WORK/told-late-flush" ||
	fail "$(cat "$WORK/told-late-flush")"
grep -A2 "flush-protocol  BROKEN" "$WORK/told-late-flush" | grep -q mmu_split_huge_pages || fail "the first name of the stack: $(cat "$WORK/told-late-flush")"

# Two harts: a reader beside a writer finds no hole, nor anything else.
run_scenario readers-2 --version fault-split --mode smp --trace --checks --times 4
expect 0 "$GSTAGE" check "$RUN"
has_out "holes           held     looked at 64 times"
has_out "fence-queue     held"
