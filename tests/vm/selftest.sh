#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An independent workload: the kernel's own dirty_log_perf_test, from the same
# sources. It writes every page of its memory once an iteration, in each of the
# guest modes that the CPU offers, with a VM for each.
. "$(dirname "$0")/../vmlib.sh"

for base in 7.3 7.2; do
	test=$O/riscv64/dirty_log_perf_test-$base
	[ -x "$test" ] || [ "$base" = 7.2 ] || fail "$test was not built"
	[ -x "$test" ] || continue
	run_in_vm --base "$base" --hugepages 32 --mem 768 --add "$test:/bin/dirty_log_perf_test" -- \
		gstage trace -q -o run.json -- dirty_log_perf_test -b 16M -v 1 -i 2 -s anonymous_hugetlb
	count .complete true
	vms=$(query '[.phases[].vm] | max')
	[ "$vms" -ge 2 ] || fail "only $vms VMs seen: one for each guest mode was expected"
	# 4096 pages an iteration, two iterations, for each VM.
	count '[.phases[] | select(.name | startswith("dirty")) | select([.faults[].count] | add // 0 > 1000)] | length' $((2 * vms))
	count "[.phases[] | select(.name | startswith(\"dirty\")) | .faults[] | select(.access == \"write\") | .count] | add >= $((2 * 4096 * vms))" true
	count "[.phases[] | select(.name | startswith(\"dirty\")) | .faults[] | select(.access == \"write\") | .count] | add <= $((2 * 4096 * vms + 64 * vms))" true
	grep -q 'Iteration 2 dirty memory time' "$DIR/stdout" || fail "dirty_log_perf_test did not finish"
done
