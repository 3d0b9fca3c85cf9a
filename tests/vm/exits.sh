#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --exits and --stalls: to the exit, on both bases and with both backends. Each
# guest page fault is a fault, but for the stores with which dirtyguest's
# guest speaks to its host: one when it is ready, one a round, one at the end.
# shellcheck disable=SC2016 # the dollars are those of jq
. "$(dirname "$0")/../vmlib.sh"

GUEST_FAULTS='[.exits[] | select(.interrupt == false and (.code | IN(20, 21, 23))) | .count] | add'
FAULTS='[.faults[].count] | add'
ROUNDS=2

# No exit of a cause but these: nothing else leaves such a guest.
known_exits() {
	count .complete true
	count "($GUEST_FAULTS) - ($FAULTS)" $((ROUNDS + 2))
	count '[.exits[] | select(.code == 20) | .count] | add' 1
	count '[.exits[] | select(.cause | IN("instruction guest page fault", "store guest page fault", "timer interrupt") | not) | .cause] | join(",")' ''
	# Only the last exit has no entry after it.
	count '[.exits[] | .count - .host.count] | add' 1
	count '[.exits[].vcpu] | unique | join(",")' 0
}

run_scenario full-pass --kvm-args eager_page_split=0 --trace --stalls --args "--rounds $ROUNDS"
known_exits
# From its first entry to its last exit no time is lost, and none is there twice:
# but for the first phase and the last a vCPU has all of a phase, and what lies
# between the stamps of two phases.
count '([.phases[] | {(.name): .duration_ns}] | add) as $phases |
	[.stalls[] | select(.phase != "populate" and .phase != "dirty 2") |
	{(.phase): (.wall_ns - $phases[.phase] | . >= 0 and . <= 1000)}] | add | tostring' \
	'{"enable":true,"dirty 1":true,"get 1":true,"clear 1":true}'
count '.phases as $phases | .stalls[] | select(.phase == "dirty 2") | .wall_ns as $wall |
	$phases[] | select(.name == "dirty 2") | $wall > 0.95 * .duration_ns and $wall <= .duration_ns + 1000' true
count '[.stalls[].phase] | join(",")' 'populate,enable,dirty 1,get 1,dirty 2,clear 1'
parts_fit() {
	count '[.stalls[] | .guest_ns + .fault_ns + .fence_ns <= .wall_ns and .lock_ns <= .fault_ns] | all' true
	count '.stalls | length > 0' true
}
parts_fit
count '[.stalls[] | select(.phase | startswith("dirty")) | .guest_ns, .fault_ns, .fence_ns, .lock_ns] | min > 0' true
# It stood still while the log was looked at.
count '[.stalls[] | select(.phase | startswith("dirty") or . == "populate" | not) | .guest_ns, .fault_ns, .fence_ns] | max' 0
# Of all that the host did, no part is missing.
count '([.stalls[] | .wall_ns - .guest_ns] | add) as $host | ([.exits[].host.sum] | add) |
	. >= $host and $host > 0.9 * .' true
count '[.probes[] | select(.fact == "exits" or .fact == "stalls") | select(.attached | not)] | length' 0
STORES=$(query '[.exits[] | select(.code == 23) | .count] | add')

run_scenario full-pass --kvm-args eager_page_split=0 --trace '--exits --backend function --counts' --args "--rounds $ROUNDS"
known_exits
count '.exits[] | select(.code == 23) | .count' "$STORES"
count .stalls null

if full; then
	run_scenario full-pass --base 7.2 --trace --stalls --args "--rounds $ROUNDS"
	known_exits
	parts_fit
fi

# The log is harvested while the vCPU runs, or wants to: the same holds of each of
# the phases that this cuts a round into.
run_scenario full-pass --kvm-args eager_page_split=0 --trace --stalls --args "--rounds 1 --live 4ms"
count .complete true
parts_fit
count '.guest.rounds[0].live_harvests >= 4' true
count '.guest | .pages_written - .pages_reported' 0
count '([.phases[] | {(.name): .duration_ns}] | add) as $phases | .guest.rounds[0].live_harvests as $n |
	[.stalls[] | select(.phase | IN("populate", "dirty \($n + 1)") | not) |
	.wall_ns - $phases[.phase] | . >= 0 and . <= 10000] | "\(all) \(length - 3 * $n)"' 'true 1'

if full; then
	# Two vCPUs that halve the pages, on two harts: each has its own exits.
	run_scenario partition-2 --mode smp --trace --stalls --args '--rounds 1'
	count .complete true
	count '[.exits[].vcpu] | unique | join(",")' 0,1
	count '[.stalls[] | select(.phase == "dirty 1") | .vcpu] | join(",")' 0,1
	count '[.exits[] | select(.code == 23) | .count > 2048] | all' true

	# Four vCPUs that share two harts, and change them, with a log that is harvested
	# while they run; and then another VM.
	run_scenario partition-4 --mode smp --smp 2 --times 2 --trace --stalls --args '--rounds 1 --size 4M --live 200ms'
	count '.losses | .vcpu_overflow + .cause_overflow + .row_misses + .vm_overflow' 0
	parts_fit
	count '[.exits[] | "\(.vm).\(.vcpu)"] | unique | join(" ")' '1.0 1.1 1.2 1.3 2.0 2.1 2.2 2.3'
	count '[.stalls[] | "\(.vm).\(.vcpu) \(.phase)"] | group_by(.) | map(select(length > 1)[0]) | join(", ")' ''
	for vm in 1 2; do
		count "([.exits[] | select(.vm == $vm and .interrupt == false and (.code | IN(20, 21, 23))) | .count] | add) -
			([.phases[] | select(.vm == $vm) | .faults[].count] | add) | . >= 0 and . < 100" true
	done
	"$O/native/gstage" report "$RUN" | grep -q '^ *vm 2, 0 .* guest page fault' || fail "the report does not name the second VM"
fi

# 72 vCPUs: there is room for 64, and this is said.
WANT=3 run_scenario full-pass-4k --times 8 --trace --exits --args '--rounds 1 --size 1M --vcpus 9'
count .complete false
count '.losses.vcpu_overflow > 0' true
count '[.exits[] | [.vm, .vcpu]] | unique | length' 64

run_scenario full-pass --args '--rounds 1'
count '[has("exits", "stalls")] | any' false
count '.losses | has("vcpu_overflow")' false
