#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An independent workload: the kernel's own dirty_log_perf_test, from the same
# sources. It writes every page of its memory once an iteration, in each of the
# guest modes that the CPU offers, with a VM for each; so each page is one write
# fault for each iteration in which it is write-protected.
. "$(dirname "$0")/../vmlib.sh"

TEST=$O/riscv64/dirty_log_perf_test-7.3
[ -x "$TEST" ] || fail "$TEST was not built"
PAGES=4096
ITERATIONS=3

# run_test OPTIONS...: trace it; $VMS is then the number of VMs it made
run_test() {
	run_in_vm --hugepages 32 --mem 768 --add "$TEST:/bin/dirty_log_perf_test" -- \
		gstage trace -q -o run.json -- /bin/dirty_log_perf_test -b 16M -v 1 -i "$ITERATIONS" -s anonymous_hugetlb "$@"
	count .complete true
	count '[.checks[] | select(.ok | not)] | length' 0
	grep -q "Iteration $ITERATIONS dirty memory time" "$DIR/stdout" || fail "dirty_log_perf_test did not finish"
	VMS=$(grep -c '^Testing guest mode' "$DIR/stdout")
	[ "$VMS" -ge 2 ] || fail "only $VMS guest modes were tested"
	count '[.phases[].vm] | max' "$VMS"
}

# write_faults ROUNDS: 4096 in each of so many rounds of each VM, by path fast
# or split, and none that is unaccounted for
write_faults() {
	count '[.phases[] | select(.name | startswith("dirty")) |
		[.faults[] | select(.access == "write" and .path != "map") | .count] | add // 0 |
		select(. > 0)] | "\(length) \(unique)"' "$(($1 * VMS)) [$PAGES]"
	# 8 leaves of 2M in each VM.
	count '[.splits[].count] | add' $((8 * VMS))
}

# GET clears: protected from the moment that logging is enabled.
run_test -g
write_faults "$ITERATIONS"

# Manual CLEAR with all pages dirty at first: protected after the first CLEAR.
run_test
write_faults $((ITERATIONS - 1))
