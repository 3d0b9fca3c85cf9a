#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --locks: a write fault takes mmu_lock once for reading, and again for writing
# when it has to split; a CLEAR of the whole slot holds it once for all of its pages. On
# both bases; and without the option nothing is measured.
. "$(dirname "$0")/../vmlib.sh"

holds() { # PHASE MODE MEMBER: jq for it
	echo "[.phases[] | select(.name == \"$1\") | .locks[] | select(.mode == \"$2\") | .$3] | add"
}

run_scenario full-pass --kvm-args eager_page_split=0 --trace --locks --args '--rounds 2'
count .complete true
count "$(holds 'dirty 1' read count)" 4096
count "$(holds 'dirty 1' write count)" 8
count "$(holds 'dirty 2' read count)" 4096
count "$(holds 'dirty 2' write count)" null
count "$(holds enable write count)" 1
count "$(holds 'clear 1' write count)" 1
# One hold, so it is the longest; and it fits into its phase.
count "($(holds 'clear 1' write held_ns)) == ($(holds 'clear 1' write longest_ns))" true
count '[.phases[] | select(.duration_ns < ([.locks[].held_ns] | add // 0)) | .name] | join(",")' ''
count '[.probes[] | select(.fact == "locks" and .attached) | .misses] | add' 0
count '.locks[] | select(.mode == "read") | .held.count - .held.underflow > 8000' true

if full; then
	run_scenario full-pass --base 7.2 --trace '--locks --counts' --args '--rounds 1'
	count .complete true
	count "$(holds 'dirty 1' read count)" 4096
	count "$(holds 'dirty 1' write count)" 8
fi

run_scenario full-pass --args '--rounds 1'
count .locks null
count '[.probes[] | select(.fact == "locks")] | length' 0
