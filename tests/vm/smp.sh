#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Multi-threaded mode: two harts, two vCPUs that write the same pages. Times
# are the host's and how many faults collide is chance, but nothing is lost and
# the counts of all sources agree.
. "$(dirname "$0")/../vmlib.sh"

for scenario in partition-2 overlap-2; do
	run_scenario "$scenario" --mode smp --smp 2 --kvm-args eager_page_split=0 --args '--rounds 2'
	count .complete true
	count .environment.clock host
	count .environment.harts 2
	count '[.checks[] | select(.ok | not)] | length' 0
	count .guest.pages_lost 0
	count '[.guest.rounds[].pages_reported] | unique | join(",")' 4096
	count '[.splits[] | select(.cause == "fault" and .from_level == 1) | .count] | add' 8
	count '([.phases[].faults[].count] | add) == ([.faults[].count] | add)' true
	# Every page was made writable once a round by somebody; who came second
	# found it so, or lost the race.
	count '[.phases[] | select(.name | startswith("dirty")) | .faults[] | select(.access == "write") | .count] | add >= 8192' true
	count '[.prot_updates[] | select(.outcome == "changed") | .count] | add <= 8192' true
	count '[.prot_updates[] | select(.outcome == "changed") | .count] | add >= 8192 - 16' true
done
