#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tracepoints and functions count the same, and functions hooked by kprobes, too: one
# scenario, traced by any, must give equal counts for every fact that they serve, on
# KVM with our tracepoints and on KVM without. And what functions do not serve is
# missing, never 0.
. "$(dirname "$0")/../vmlib.sh"

# Every exact count. lost_race, fallbacks and waits are of tracepoints only, and KVM
# keeps the sizes of ranges by powers of 2. With $races
# the schedule decides in which phase something falls, which vCPU executes how many
# fences, and which faults find that another vCPU came first ("unchanged").
cat >"$WORK/counts.jq" <<'JQ'
def settled: if $races then null else . end;
([.prot_updates[] | select(.outcome == "unchanged") | .count] | add // 0) as $late |
{
	faults: [.faults[] | {path, access, count: (.count -
		if $races and .path == "fast" then $late else 0 end)}],
	splits, write_protects,
	prot_updates: [.prot_updates[] | select(.outcome == "changed" or
		(.outcome == "unchanged" and ($races | not)))],
	flush_requests: [.flush_requests[] | {kind, count, bytes,
		buckets: (if .kind == "page" then .size.buckets else null end)}],
	flush_executed: (.flush_executed | settled),
	phases: ([.phases[] | {name, vm, round, entered, faults, splits, flush_requests, flush_executed}] | settled)
}
JQ

# counts_of FILE RACES
counts_of() {
	jq -S --argjson races "$2" -f "$WORK/counts.jq" "$1"
}

# traced_by NAME BACKEND SCENARIO OPTIONS...: leaves $WORK/NAME.json
traced_by() {
	local name=$1 backend=$2

	shift 2
	# What tracepoints count needs no option, and other tests look at the same boots.
	[ "$backend$fences" = tracepoint--fences ] || set -- "$@" --trace "--backend $backend $fences"
	run_scenario "$@"
	count .complete true
	count '[.checks[] | select(.ok | not)] | length' 0
	count .guest.pages_lost 0
	case $backend in
	function) count '[.probes[] | select(.backend | . != "fentry" and . != "fexit" and . != "none")] | length' 0 ;;
	kprobe) count '[.probes[] | select(.backend | . != "kprobe" and . != "kretprobe" and . != "none")] | length' 0 ;;
	# Only where statistics are read, or set to 0.
	*) count '[.probes[] | select(.backend | startswith("f")) | .hook] | unique | join(" ")' \
		'kvm_arch_destroy_vm kvm_arch_prepare_memory_region kvm_stat_data_clear vcpu_stat_clear vm_stat_clear' ;;
	esac
	count '[.probes[] | select(.status == "partial")] | length' 0
	mv "$RUN" "$WORK/$name.json"
}

# same A B RACES
same() {
	diff -u <(counts_of "$WORK/$1.json" "$3") <(counts_of "$WORK/$2.json" "$3") >"$WORK/diff" ||
		fail "$what: $1 and $2 count differently: $(cat "$WORK/diff")"
}

# The work of a VM that has one vCPU is the same whoever looks at it.
fences=--fences
what="splits on fault"
set -- full-pass --kvm-args eager_page_split=0 --args '--rounds 2'
traced_by tracepoints tracepoint "$@"
full && traced_by functions function "$@" && same tracepoints functions false
traced_by stock function "$@" --version stock
same tracepoints stock false
# As where there is no ftrace.
traced_by kprobes kprobe "$@" --version stock
same tracepoints kprobes false

if full; then
	what="eager splits"
	set -- full-pass --kvm-args eager_page_split=1 --args '--rounds 2'
	traced_by tracepoints tracepoint "$@"
	traced_by stock function "$@" --version stock
	same tracepoints stock false

	what="an initially set log"
	set -- initially-set --kvm-args eager_page_split=1 --args '--rounds 2'
	traced_by tracepoints tracepoint "$@"
	traced_by functions function "$@"
	same tracepoints functions false

	what="CLEAR in chunks, 7.2"
	set -- clear-chunks --base 7.2 --args '--rounds 2'
	traced_by tracepoints tracepoint "$@"
	traced_by stock function "$@" --version stock
	same tracepoints stock false
fi

fences=
what="four vCPUs on the same pages"
set -- overlap-4 --kvm-args eager_page_split=1 --args '--rounds 2'
traced_by tracepoints tracepoint "$@"
traced_by functions function "$@"
same tracepoints functions true
if full; then
	traced_by kprobes kprobe "$@" --version stock
	same tracepoints kprobes true
fi

# Chosen by fact; what nothing serves is named, and nowhere 0.
run_scenario full-pass --version stock --kvm-args eager_page_split=0 --args '--rounds 1' --trace --counts
count .complete true
count '[.probes[] | select(.status == "missing") | .fact] | join(" ")' \
	'prot_updates lost_races flush_executed flush_requests flush_fallbacks'
count '[.probes[] | select(.status == "missing") | select(.attached or .reason == "")] | length' 0
count '[.prot_updates, .flush_requests, .flush_executed] | map(length) | add' 0
count '[.phases[] | has("flush_requests"), has("flush_executed")] | any' false
count '[.faults[] | select(.path == "fast" and .access == "write") | .count] | add' $((4096 - 8))
count '[.splits[] | select(.cause == "fault" and .from_level == 1) | .count] | add' 8
