#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel-patches/BASE/fixes mend what they say, on both bases, and nothing gets
# worse: the kernel's own workload ends, too, and where the defect is not met
# the counts are those of the base and no phase takes more instructions.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

need parallel
TEST=$O/riscv64/dirty_log_perf_test-7.3
[ -x "$TEST" ] || fail "$TEST was not built"

# perf_test BASE VERSION SECONDS: the status that dirty_log_perf_test ends with,
# or is ended with. Its threads spin, so one hart would not do.
perf_test() {
	run_in_vm --mode smp --base "$1" --kvm "$O/kernel/$1/kvm-$2.ko" --thp madvise --mem 768 --add "$TEST:/bin/dirty_log_perf_test" -- \
		"timeout -s KILL $3 /bin/dirty_log_perf_test -b 16M -v 1 -i 2 -s anonymous_thp -e; echo \"status \$?\" >told"
	cat "$DIR/told"
}
for base in 7.3 7.2; do
	equal "$(perf_test $base tracepoints 10)" "status 137" "dirty_log_perf_test on $base as released, which is ended after 10 s"
	equal "$(perf_test $base fixed "$VM_LIMIT")" "status 0" "dirty_log_perf_test on $base with the fixes"
done

scenarios="full-pass full-pass-thp initially-set after"
results=$WORK/results
printf 'arms eager fixed\nscenarios %s\nboots 1\nlimit %s\n' "$scenarios" "$VM_LIMIT" >"$WORK/plan"
expect 0 env O="$O" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results"
for scenario in $scenarios; do
	expect 0 "$GSTAGE" compare --json "eager=$results/$scenario/eager" "fixed=$results/$scenario/fixed"
	equal "$(jq -c '[.counts[] | select(.versus[0].difference != 0) | .name]' "$WORK/out")" "[]" "counts of $scenario that the fixes change"
	# Other code lies elsewhere, so the timer hits other places: what gstage
	# compare holds for more than that, and is more than 1 %.
	equal "$(jq -c '[.instructions[] | select(.versus[0].ratio > 1.01 and .versus[0].verdict == "differs") | .name]' "$WORK/out")" "[]" "what the fixes make slower in $scenario"
	[ "$(jq '.instructions | length' "$WORK/out")" -ge 8 ] || fail "hardly anything was compared in $scenario"
done
