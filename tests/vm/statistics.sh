#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# KVM's statistics of the series, read without a tracer: exact where one vCPU
# writes, and none lost where four race. The kernel's own test judges their format.
. "$(dirname "$0")/../vmlib.sh"

TEST=$O/riscv64/kvm_binary_stats_test-7.3
KO=$O/kernel/7.3/kvm-tracepoints.ko
PAGES=4096
[ -f "$KO" ] || fail "$KO was not built"

# stat NAME: of the VM, or the sum over all vCPUs; of a histogram all buckets, one a word
stat() {
	awk -v name="$1" '
		$1 == "vm" && $2 == name { found = 1; sub(/^vm [^ ]* /, ""); print; exit }
		$1 == "vcpu" && $3 == name { found = 1; sum += $4; is_vcpu = 1 }
		END { if (!found) exit 1; if (is_vcpu) print sum }' "$DIR/stdout" ||
		fail "no statistic $1"
}

# sum NAME...: of them all
sum() {
	local name total=0

	for name; do
		total=$((total + $(stat "$name")))
	done
	echo "$total"
}

run_guest() { # MODE HARTS OPTIONS...
	local mode=$1 harts=$2

	shift 2
	run_in_vm --base 7.3 --kvm "$KO" --kvm-args eager_page_split=1 --mode "$mode" --smp "$harts" --hugepages 16 --strict -- \
		dirtyguest -q --kvm-stats --backing hugetlb-2m --size 16M --limit 60s "$@"
}

# One vCPU, three rounds: 8 leaves of 2M are split when logging is enabled, and then
# each page is one fault, one fence and one write-protected leaf a round.
run_guest icount 1 --rounds 3
equal "$(stat gstage_fault_fast)" $((3 * PAGES)) "fast faults"
equal "$(sum gstage_fault_spurious gstage_fault_lost gstage_fault_{split,error}_write)" 0 "other faults of logged memory"
equal "$(stat gstage_wp_2m)" 8 "2M leaves write-protected"
equal "$(stat gstage_wp_4k)" $((3 * PAGES)) "4K leaves write-protected"
equal "$(stat gstage_eager_split_2m)" 8 "leaves split by enabling"
equal "$(sum gstage_split_{2m,1g,failed} gstage_eager_split_{1g,failed})" 0 "other splits"
equal "$(stat hfence_2m)" 8 "fences of new 2M leaves"
# Of one leaf: what faults asked for, executed by the one vCPU that there is.
equal "$(stat hfence_exec_leaf)" "$(sum hfence_4k hfence_2m)" "fences of a leaf executed"
# Ranges: enabling protects and splits, then one for each CLEAR, of the slot each.
equal "$(stat hfence_range_pages)" $((5 * PAGES)) "pages of ranges"
read -ra buckets < <(stat hfence_range_hist)
equal "${#buckets[@]}" 32 "buckets"
equal "${buckets[13]}" 5 "ranges of 4096 pages"
equal "$(stat remote_tlb_flush_requests)" 5 "ranges in KVM's generic counter"

# Four that race for the same pages: a leaf becomes writable once a round, whoever
# does it, and is protected again; the others find it as they want it.
run_guest smp 4 --rounds 4 --vcpus 4 --share overlap
changed=$(($(sum gstage_fault_fast gstage_fault_prot_{exec,read,write}) - $(stat gstage_fault_spurious)))
equal "$(stat gstage_wp_4k)" $((4 * PAGES)) "4K leaves write-protected"
equal "$changed" $((4 * PAGES)) "faults that changed a leaf"
echo "spurious $(stat gstage_fault_spurious), lost $(stat gstage_fault_lost), queue full $(stat hfence_queue_full)"

[ -x "$TEST" ] || fail "$TEST was not built"
run_in_vm --base 7.3 --kvm "$KO" --strict --add "$TEST:/bin/kvm_binary_stats_test" -- /bin/kvm_binary_stats_test
grep -q '^not ok' "$DIR/stdout" && fail "kvm_binary_stats_test: $(grep '^not ok' "$DIR/stdout")"
grep -q '^ok' "$DIR/stdout" || fail "kvm_binary_stats_test says nothing"
