#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No event depends on another reader: what tracefs records of KVM's events is the same
# whether or not gstage runs beside it, and a second gstage counts what the first does.
. "$(dirname "$0")/../vmlib.sh"

cat >"$WORK/read.sh" <<'GUEST'
mount -t tracefs none /sys/kernel/tracing 2>/dev/null
cd /sys/kernel/tracing || exit
echo 65536 >buffer_size_kb
record() { # NAME COMMAND...: events by name, without those that only one of the runs has
	name=$1
	shift
	echo >trace
	for e in kvm_dirty_log kvm_gstage_fault kvm_gstage_wp kvm_hfence_request kvm_hfence_exec kvm_mmu_split_huge_page; do
		echo 1 >events/kvm/$e/enable
	done
	"$@" || exit
	for e in events/kvm/*/enable; do echo 0 >$e; done
	grep -v '^#' trace | sed 's/.*: \(kvm_[a-z_]*\): .*/\1/' | sort | uniq -c | sed 's/^ *//' >/out/$name
}
guest='dirtyguest -q --backing hugetlb-2m --rounds 1'
record alone $guest
record counts gstage trace -q --counts -o /out/run.json -- $guest
record full gstage trace -q -o /out/full.json -- gstage trace -q --counts -o /out/second.json -- $guest
GUEST
run_in_vm --hugepages 9 --mem 1024 --kvm-args eager_page_split=0 --add "$WORK/read.sh:/read.sh" -- sh /read.sh
equal "$(cat "$DIR/counts")" "$(cat "$DIR/alone")" 'events beside gstage trace --counts'
equal "$(cat "$DIR/full")" "$(cat "$DIR/alone")" 'events beside two of gstage'
equal "$(sed -n 's/ kvm_gstage_fault$//p' "$DIR/alone")" "$(query '[.faults[].count] | add')" faults
equal "$(sed -n 's/ kvm_mmu_split_huge_page$//p' "$DIR/alone")" 8 splits
equal "$(sed -n 's/ kvm_hfence_request$//p' "$DIR/alone")" "$(query '[.flush_requests[].count] | add')" requests
equal "$(sed -n 's/ kvm_hfence_exec$//p' "$DIR/alone")" "$(query '[.flush_executed[].count] | add')" 'fences executed'
first=$(jq -S '[.faults[] | del(.latency)]' "$DIR/full.json")
equal "$(jq -S '.faults' "$DIR/second.json")" "$first" 'the faults of two of gstage'
