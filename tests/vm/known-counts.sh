#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What must be counted is known beforehand: 16 MiB of guest memory are 8 leaves
# of 2M or 4096 of 4K, and every page is written once a round.
. "$(dirname "$0")/../vmlib.sh"

splits() { # CAUSE FROM_LEVEL EXPECTED
	count "[.splits[] | select(.cause == \"$1\" and .from_level == $2 and .failed != true) | .count] | add // 0" "$3"
}

# What holds however leaves are split.
every_run() {
	count .complete true
	count '[.checks[] | select(.ok | not)] | length' 0
	count '[.splits[] | select(.failed)] | length' 0
	count .guest.pages_lost 0
	count '[.guest.rounds[].pages_written] | unique | join(",")' 4096
	count '[.guest.rounds[].pages_reported] | unique | join(",")' 4096
	# Latencies are as many as faults, and their buckets add up.
	count '[.faults[] | select(.count != .latency.count)] | length' 0
	count '[.faults[].latency | select(.count != ([.buckets[].count] | add // 0) + .underflow + .overflow)] | length' 0
	count '([.phases[].faults[].count] | add) == ([.faults[].count] | add)' true
	count '([.phases[].splits[].count] | add) == ([.splits[].count] | add)' true
	count '([.phases[].flush_requests] | add) == ([.flush_requests[].count] | add)' true
	# The write faults of each round, by path, are the pages it wrote.
	count '[.phases[] | select(.name | startswith("dirty")) |
		[.faults[] | select(.access == "write") | .count] | add // 0 |
		select(. != 0)] | unique | join(",")' 4096
}

faults() { # PATH EXPECTED: write faults of the rounds
	count "[.phases[] | select(.name | startswith(\"dirty\")) | .faults[] |
		select(.path == \"$1\" and .access == \"write\") | .count] | add // 0" "$2"
}

# Split on fault: the first write to each 2M leaf splits it, in round 1.
run_scenario full-pass --kvm-args eager_page_split=0 --args '--rounds 2'
every_run
splits fault 1 8
count '.splits | length' 1
faults split 8
faults fast $((2 * 4096 - 8))
count '[.phases[] | select(.name == "dirty 1") | .splits[].count] | add' 8
count '[.write_protects[] | select(.phase == "enable" and .level == 1) | .count] | add' 8
# A fault asks for one fence for its leaf, and one more if it split another: here the
# rounds, the 10 pages that are mapped before them, and the leaves that were split.
count '[.flush_requests[] | select(.kind == "page") | .count] | add' $((2 * 4096 + 10 + 8))
# Whoever asks waits: each fault once.
count '[.flush_requests[] | select(.kind == "page") | .wait.count] | add' $((2 * 4096 + 10))
# All of the slot, when logging is enabled and for each CLEAR: 4096 pages.
count '[.flush_requests[] | select(.kind == "range") | .sizes[] | "\(.ge) \(.lt) \(.count)"] | join(",")' \
	"$((16 << 20)) $((32 << 20)) 3"
# A border is exact: in each round as many are executed as were asked for, and the
# first also does what ENABLE asked for.
count '[.phases[] | select(.name == "dirty 2") | .flush_requests] | add' 4096
count '[.phases[] | select(.name | startswith("dirty")) | .flush_executed - .flush_requests] | unique | join(",")' '0,1'

# Eager: the same leaves, but before a vCPU meets them.
run_scenario full-pass --kvm-args eager_page_split=1 --args '--rounds 2'
every_run
splits enable 1 8
splits fault 1 0
count '.splits | length' 1
faults split 0
faults fast $((2 * 4096))

# All pages start dirty: nothing to do before the first CLEAR.
run_scenario initially-set --kvm-args eager_page_split=1 --args '--rounds 2'
every_run
splits clear 1 8
splits fault 1 0
splits enable 1 0

run_scenario initially-set --kvm-args eager_page_split=0 --args '--rounds 2'
every_run
splits fault 1 8
splits clear 1 0

# A 1G leaf breaks into 512 of 2M, of which the 8 written ones break again.
run_scenario full-pass-1g --kvm-args eager_page_split=0 --args '--rounds 2'
every_run
splits fault 2 1
splits fault 1 8
count '[.splits[] | "\(.from_level)->\(.to_level)"] | sort | join(" ")' '1->0 2->1'

run_scenario full-pass-1g --kvm-args eager_page_split=1 --args '--rounds 2'
every_run
splits enable 2 1
splits enable 1 512
splits fault 1 0
splits fault 2 0

# Nothing huge, nothing to split.
run_scenario full-pass-4k --args '--rounds 2'
every_run
count '.splits | length' 0
