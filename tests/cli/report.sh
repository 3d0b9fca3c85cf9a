#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage report: figures of known files, labels, widths, exit statuses.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

expect 0 "$GSTAGE" report "$FIXTURES/split.json"
equal "$ERR" "" stderr
has_out "kernel:   7.3.4, base 7.3, version tracepoints"
has_out "kvm args: eager_page_split=0"
has_out "clock:    QEMU instruction counter, 1 ns = 1 instruction, steps of 100"
has_out "command:  dirtyguest --backing hugetlb-2m --size 16M --rounds 2"
has_out "complete: yes, nothing was lost"
has_out "  dirty 1   13012300  4088     0      8    0       8          8         8"
has_out "  fault  2M -> 4K       8    done"
has_out "  count 8184  min 2900  max 18700  mean 2999  total 24547800 insns"
has_out "  p50 2944..3071  p90 2944..3071  p99 3200..3327 (81 above)"
has_out "  changed    8192"
has_out "  enable     2M       8"
has_out "  in all: written 8192, reported 8192, lost 0"
has_out "Checks: 2 of 2 passed"
if grep -q ' ns' "$WORK/out"; then
	grep -v "clock:" "$WORK/out" | grep ' ns' && fail "instructions are called ns"
fi

# Every report fits 80 columns, in every unit.
for file in "$FIXTURES"/*.json; do
	for unit in -n -u -m -v; do
		"$GSTAGE" report "$unit" "$file" >"$WORK/wide" 2>/dev/null
		# Hashes and probe names are longer than that.
		[ "$unit" = -v ] && continue
		awk 'length > 80 { print; bad = 1 } END { exit bad }' "$WORK/wide" ||
			fail "report $unit ${file##*/} is wider than 80 columns"
	done
done

# Emulated time says what it is; units change the display only.
expect 0 "$GSTAGE" report -u "$FIXTURES/host.json"
has_out "host time under TCG emulation: not a performance figure"
has_out "  count 8184  min 2.900  max 18.700  mean 2.999  total 24547.800 us"
expect 0 "$GSTAGE" report -m "$FIXTURES/host.json"
has_out "total 24.547 ms"
expect 0 "$GSTAGE" report --resolution 1 "$FIXTURES/split.json"
has_out "        2048 -> 4095       : 8178     |****************************************|"
for bad in 0 3 32 -1 x ''; do
	expect 2 "$GSTAGE" report --resolution "$bad" "$FIXTURES/split.json"
	has_err "--resolution"
done

# Quiet leaves data; verbose adds probes and every check.
expect 0 "$GSTAGE" report -q "$FIXTURES/split.json"
case $OUT in *kernel:*) fail "-q shows the environment" ;; esac
has_out "Splits"
expect 0 "$GSTAGE" report -v "$FIXTURES/split.json"
has_out "faults: tracepoint kvm_gstage_fault, attached, missed 0"
has_out "  ok     pages-lost: 0 pages lost"

# What of a latency is the tracer's own, where that was measured; nothing is
# subtracted. What is not known is no 0.
case $(cat "$WORK/out") in *"tracer's own"*) fail "a file without it has a bracket cost" ;; esac
jq '.bracket = {faults: [{path: "fast", ns: 452}, {path: "split", ns: null}], left_out: []}' \
	"$FIXTURES/split.json" >"$WORK/bracket.json"
expect 0 "$GSTAGE" report "$WORK/bracket.json"
has_out "  of each 452 insns are the tracer's own"
has_out "  of each an unknown part is the tracer's own"
has_out "  count 8184  min 2900  max 18700  mean 2999  total 24547800 insns"
diff <("$GSTAGE" report "$FIXTURES/split.json") "$WORK/out" >"$WORK/diff" && fail "no bracket cost is printed"
[ "$(grep -c '^[<>]' "$WORK/diff")" = "$(grep -c '^Fault latency' "$WORK/out")" ] || fail "the bracket cost changes other lines: $(cat "$WORK/diff")"
jq '.bracket = {faults: [{path: "fast", ns: null}, {path: "split", ns: 4700}], left_out: ["locks", "stalls"],
	reason: "the kernel has no functions to measure on (CONFIG_NET)"}' "$FIXTURES/host.json" >"$WORK/bracket.json"
expect 0 "$GSTAGE" report -u "$WORK/bracket.json"
has_out "  (the kernel has no functions to measure on (CONFIG_NET))"
has_out "  of each 4.700 us are the tracer's own, and the hooks of locks, stalls"
awk 'length > 80 { print; bad = 1 } END { exit bad }' "$WORK/out" || fail "wider than 80 columns"
expect 0 "$GSTAGE" report --json "$WORK/bracket.json"
has_out '"bracket":{"faults":[{"path":"fast","ns":null},{"path":"split","ns":4700}]'
jq '.bracket.faults[0].ns = -1' "$WORK/bracket.json" >"$WORK/bad.json"
expect 2 "$GSTAGE" report "$WORK/bad.json"
has_err "bracket.faults[0].ns is not an integer of 0 or more, or null"
# It is of the environment: no difference that compare would find.
jq '.bracket = {faults: [{path: "fast", ns: 1}], left_out: []}' "$FIXTURES/split.json" >"$WORK/a.json"
jq '.bracket = {faults: [{path: "fast", ns: 500}], left_out: []}' "$FIXTURES/split.json" >"$WORK/b.json"
compare_with() {
	cp "$1" "$WORK/y.json"
	"$GSTAGE" compare x="$FIXTURES/eager.json" y="$WORK/y.json" 2>&1
	echo "status $?"
}
compare_with "$FIXTURES/split.json" >"$WORK/compare"
for bracket in a b; do
	diff "$WORK/compare" <(compare_with "$WORK/$bracket.json") >"$WORK/diff" || fail "compare sees the bracket cost: $(cat "$WORK/diff")"
done

# Counts only, and nothing at all.
expect 0 "$GSTAGE" report "$FIXTURES/counts.json"
has_out "counts only: latency was not measured"
expect 0 "$GSTAGE" report "$FIXTURES/empty.json"
has_out "Faults: none (the probe kvm_gstage_fault was attached)"
has_out "Splits: none seen; the probe kvm_gstage_split was not attached"
has_out "Write-protects: none seen; this run had no probe for them"

# Incomplete: shown, said, status 3.
expect 3 "$GSTAGE" report "$FIXTURES/incomplete.json"
has_out "complete: NO, every figure is a lower bound; lost: record_drops 17, map_errors 2"
expect 3 "$GSTAGE" report -q "$FIXTURES/incomplete.json"
has_out "record_drops 17"

# A failed check: status 1.
sed 's/"ok": true/"ok": false/' "$FIXTURES/split.json" >"$WORK/failed.json"
expect 1 "$GSTAGE" report "$WORK/failed.json"
has_out "FAILED pages-lost"

# JSON: one object per run, one line each.
expect 0 "$GSTAGE" report --json "$FIXTURES/split.json" "$FIXTURES/eager.json"
equal "$(wc -l <"$WORK/out")" 2 "lines of JSON"
has_out '"schema":"gstage-report/1"'
has_out '"p50":{"ge":2944,"le":3071}'
expect 0 "$GSTAGE" report -f json "$FIXTURES/split.json"
equal "$(wc -l <"$WORK/out")" 1 "lines of JSON"

# Several runs: each with its name; the worst status wins.
expect 3 "$GSTAGE" report "$FIXTURES/split.json" "$FIXTURES/incomplete.json"
has_out "file:     $FIXTURES/split.json"
has_out "file:     $FIXTURES/incomplete.json"
expect 2 "$GSTAGE" report "$FIXTURES/incomplete.json" "$WORK/none.json"

# Standard input.
"$GSTAGE" report - <"$FIXTURES/split.json" >"$WORK/stdin" || fail "report - fails"
"$GSTAGE" report "$FIXTURES/split.json" | cmp -s - "$WORK/stdin" ||
	fail "report - differs from report FILE"

# A full device: an error, not silence.
# shellcheck disable=SC2016 # the inner shell expands
expect 2 bash -c '"$0" report "$1" >/dev/full' "$GSTAGE" "$FIXTURES/split.json"
has_err "cannot print"
