#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is lost is named and counted, the run is not complete, the status is 3.
. "$(dirname "$0")/../vmlib.sh"
WANT=3

# 513 splits in one ioctl do not fit a ring buffer of a page: it is read only
# when the one hart is taken from the ioctl.
run_scenario full-pass-1g --kvm-args eager_page_split=1 --trace '--events --ring-size 4K' --args '--rounds 1'
count .complete false
count '.losses.record_drops > 0' true
# Every split was either printed or counted as dropped (log operations, too).
printed=$(grep -c ' split gpa ' "$DIR/stdout")
count ".losses.record_drops + $printed >= 513" true
grep -q 'incomplete: record_drops is' "$DIR/stderr" || fail "the loss is not named on stderr"
# Counters have no buffer: they are right all the same.
count '[.splits[].count] | add' 513

# Two phases are not enough: what comes later is counted in the second.
run_scenario full-pass --kvm-args eager_page_split=1 --trace '--max-phases 2' --args '--rounds 2'
count .complete false
count '.losses.phase_overflow > 0' true
count '.phases | length' 2
count '[.splits[].count] | add' 8
count '[.faults[] | select(.access == "write") | .count] | add >= 8192' true
grep -q 'incomplete: phase_overflow is' "$DIR/stderr" || fail "the loss is not named on stderr"

# A run that is not complete is not compared.
cp "$RUN" "$WORK/b.json"
expect 3 "$GSTAGE" compare --aa A="$RUN" B="$WORK/b.json"
