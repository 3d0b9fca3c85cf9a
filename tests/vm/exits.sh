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
# A vCPU that runs all the time has no other time than that of the round, but
# for the way from the log operation into the guest.
count '([.phases[] | select(.name == "dirty 1" or .name == "dirty 2") | {(.name): .duration_ns}] | add) as $phases |
	[.stalls[] | select($phases[.phase]) | .wall_ns > 0.95 * $phases[.phase] and .wall_ns <= $phases[.phase]] | tostring' '[true,true]'
count '[.stalls[] | .guest_ns + .fault_ns + .fence_ns <= .wall_ns and .lock_ns < .fault_ns] | all' true
count '[.stalls[] | select(.phase | startswith("dirty")) | .guest_ns, .fault_ns, .fence_ns, .lock_ns] | min > 0' true
# Of all that the host did, no part is missing.
count '([.stalls[] | .wall_ns - .guest_ns] | add) as $host | ([.exits[].host.sum] | add) |
	. >= $host and $host > 0.9 * .' true
count '[.probes[] | select(.fact == "exits" or .fact == "stalls") | select(.attached | not)] | length' 0
STORES=$(query '[.exits[] | select(.code == 23) | .count] | add')

run_scenario full-pass --kvm-args eager_page_split=0 --trace '--exits --backend function --counts' --args "--rounds $ROUNDS"
known_exits
count '.exits[] | select(.code == 23) | .count' "$STORES"
count .stalls null

run_scenario full-pass --base 7.2 --trace --stalls --args "--rounds $ROUNDS"
known_exits
count '[.stalls[] | .guest_ns + .fault_ns + .fence_ns <= .wall_ns] | all' true

# Two vCPUs that halve the pages, on two harts: each has its own exits.
run_scenario partition-2 --mode smp --trace --stalls --args '--rounds 1'
count .complete true
count '[.exits[].vcpu] | unique | join(",")' 0,1
count '[.stalls[] | select(.phase == "dirty 1") | .vcpu] | join(",")' 0,1
count '[.exits[] | select(.code == 23) | .count > 2048] | all' true

run_scenario full-pass --args '--rounds 1'
count '[has("exits", "stalls")] | any' false
count '.losses | has("vcpu_overflow")' false
