#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The oracle sees from outside what the tracer sees from inside: every single
# difference between the two has a name and a source of its own, and the machine
# does not notice that it is watched. docs/oracle.md says what is compared.
. "$(dirname "$0")/../vmlib.sh"

SEEN=$WORK/oracle.json

# The rows of the account of $SEEN and $RUN, all explained, into $ROWS.
account() {
	ROWS=$("$TOP/bench/oracle.sh" --account "$SEEN" "$RUN" --json 2>&1) ||
		fail "there are differences without explanation:
$("$TOP/bench/oracle.sh" --account "$SEEN" "$RUN")"
	# A function that was inlined everywhere would explain nothing.
	equal "$(jq '[.rows[] | select(.unexplained != 0)] | length' <<<"$ROWS")" 0 'rows not compared'
	count .complete true
}

remainder() { # WHAT WHY EXPECTED: words from the texts
	equal "$(jq --arg what "$1" --arg why "$2" '[.rows[] | select(.what | contains($what)) |
		.remainders[] | select(.why | contains($why)) | .count] | add // 0' <<<"$ROWS")" "$3" "$1, $2"
}

# What is so in all of them: nothing but loading kvm.ko and beginning with the
# VMIDs, which this test knows from the source, executes a G-stage fence that no
# vCPU asked for.
as_known() { # HARTS
	account
	remainder G-stage 'kvm.ko is loaded' 2
	remainder G-stage 'VMIDs begin' "$1"
	equal "$(jq '[.rows[0].remainders[] | select(.why | test("on request|tried by|of the firmware|of the host kernel"))] | length' <<<"$ROWS")" 0 \
		'G-stage fences of others'
	calls kvm_riscv_gstage_vmid_detect 1
	calls __local_hfence_gvma_all "$1"
}

calls() { # FUNCTION EXPECTED
	equal "$(jq --arg f "$1" '[.entries[] | select(.function == $f) | .count] | add' "$SEEN")" "$2" "calls of $1"
}

fences() { # WHERE INSN EXPECTED
	equal "$(jq --arg w "$1" --arg i "$2" '[.fences[] | select(.where == $w and .insn == $i) | .count] | add // 0' "$SEEN")" \
		"$3" "$2 in $1"
}

watched() { # SCENARIO OPTIONS...
	run_scenario "$@" --oracle "$SEEN"
}

# --- it does not perturb: the same run, to the byte, with and without
run_scenario full-pass --kvm-args eager_page_split=0
cp "$RUN" "$WORK/alone.json"
cp "$DIR/console.log" "$WORK/alone.log"
watched full-pass --kvm-args eager_page_split=0
cmp -s "$RUN" "$WORK/alone.json" || fail "the oracle changes the run:
$(diff "$WORK/alone.json" "$RUN" | head -n 20)"
cmp -s "$DIR/console.log" "$WORK/alone.log" || fail "the oracle changes the console"

# --- split by faults: 8 leaves of 2M; they and 2 pages of 4K are unmapped
as_known 1
remainder op_pte unmapped $((8 * 512 + 2))
calls kvm_riscv_gstage_split_huge 8
# 3 rounds of 4096 pages, 10 pages before, and the leaves that were split.
fences module hfence.gvma $((3 * 4096 + 10 + 8 + 3 + 1 + 2 + 1))
fences module sfence.vma 0
fences guest sfence.vma 0
fences firmware hfence.gvma 0

# An account that does not add up is refused.
jq '(.flush_executed[] | select(.kind == "page") | .fences) -= 1' "$RUN" >"$WORK/less.json"
expect 1 "$TOP/bench/oracle.sh" --account "$SEEN" "$WORK/less.json"
has_out '            1  G-stage fence instructions'
jq '(.entries[] | select(.function == "kvm_riscv_mmu_map") | .count) += 1' "$SEEN" >"$WORK/more.json"
expect 1 "$TOP/bench/oracle.sh" --account "$WORK/more.json" "$RUN"

# --- split beforehand
watched full-pass --kvm-args eager_page_split=1 --args '--rounds 2'
as_known 1
calls kvm_riscv_gstage_split_huge 8
calls make_xfence_request $((2 * 4096 + 10 + 2 + 2))

# A range of exactly 2M takes 512 instructions, a larger one takes one.
watched full-pass --kvm-args eager_page_split=1 --args '--rounds 2 --size 2M'
as_known 1
count '[.flush_executed[] | select(.kind == "range") | "\(.count) \(.fences)"] | join(" ")' "$((2 + 1)) $((3 * 512))"

# --- cleared by 64 pages: 64 calls to split 8 leaves in the first CLEAR, 64 in
# each of the next two
watched initially-set --kvm-args eager_page_split=1 --args '--rounds 2'
as_known 1
calls kvm_riscv_gstage_split_huge $((3 * 64))
remainder split_huge 'no huge leaf' $((3 * 64 - 8))
remainder op_pte 'already' $((8 * 7 * 64))

# --- two vCPUs on one hart: each executes what was asked for, and queues that
# are full are not emptied one by one
watched partition-2 --kvm-args eager_page_split=0 --args '--rounds 2'
as_known 1
remainder op_pte unmapped $((8 * 512 + 3))
count '[.flush_requests[] | .fallbacks] | add > 0' true

if full; then
	# --- harts that run at the same time: which faults collide is chance, and so are
	# their counts, but not that the two agree. The firmware has fences, too, for the
	# other hart.
	watched overlap-2 --mode smp --smp 2 --kvm-args eager_page_split=0 --args '--rounds 2'
	as_known 2
	remainder op_pte unmapped $((8 * 512 + 3))
	fences firmware hfence.gvma 0
	equal "$(jq '[.fences[] | select(.where == "firmware" and .insn == "sfence.vma") | .count] | add > 0' "$SEEN")" true \
		'fences of the firmware'

	# --- fences in batches, with Svinval: as many, by other instructions
	watched full-pass --vm '--cpu rv64,svinval=on' --kvm-args eager_page_split=0 --args '--rounds 2'
	as_known 1
	fences module hinval.gvma $((2 * 4096 + 10 + 8))
	fences module sfence.w.inval $((2 * 4096 + 10 + 8))
	fences module sfence.inval.ir $((2 * 4096 + 10 + 8))

	# --- the other base
	watched full-pass --base 7.2 --args '--rounds 2'
	as_known 1
	calls kvm_riscv_gstage_split_huge 8
fi

# --- a guest's own fences, and those that it asks KVM for
run_in_vm --oracle "$SEEN" --add "$O/riscv64/oracle-known:/bin/oracle-known" -- \
	gstage trace -q -o run.json -- oracle-known
as_known 1
equal "$(cat "$DIR/stdout")" 'guest 23 requests 45 fences 1589' 'what the guest executes'
fences guest sfence.vma 23
fences module hfence.vvma 1589
count '[.flush_requests[] | select(.kind == "vvma") | .count] | add' 45
count '[.flush_executed[] | select(.kind == "vvma") | "\(.count) \(.fences)"] | join(" ")' '45 1589'

# --- no KVM, no G-stage fence: the firmware and the kernel have none
run_in_vm --oracle "$SEEN" --kvm none -- true
equal "$(jq '[.fences[] | select(.insn | test("^h"))] | length' "$SEEN")" 0 'hypervisor fences without KVM'
equal "$(jq '[.fences[] | select(.where == "kernel" and .insn == "sfence.vma")] | length > 0' "$SEEN")" true 'fences of the kernel'

full || exit 0

# --- a QEMU with another plugin API, if there is one to be had
if newer=$("$TOP/bench/host/qemu.sh" 2>/dev/null); then
	watched full-pass --qemu "$newer" --kvm-args eager_page_split=0 --args '--rounds 2'
	as_known 1
	calls kvm_riscv_mmu_map $((2 * 4096 + 10))
fi
