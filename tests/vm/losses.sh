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

# Somebody sets a statistic of KVM to 0: what it had counted is gone for everybody. Of
# what is none of ours, and with another value, nothing is lost.
cat >"$WORK/reset.sh" <<'GUEST'
mount -t debugfs none /sys/kernel/debug 2>/dev/null
cat >/zero.sh <<'SH'
dirtyguest -q --backing hugetlb-2m --rounds 3 &
until [ -f "$(echo /sys/kernel/debug/kvm/*-*/exits)" ]; do usleep 1000; done
for name; do echo 0 >"$(echo /sys/kernel/debug/kvm/*-*/$name)"; done
wait
SH
gstage trace -q -o /out/exits.json -- sh /zero.sh exits || exit
gstage trace -q --counts -o /out/run.json -- sh /zero.sh gstage_fault_fast gstage_wp_2m
GUEST
run_in_vm --hugepages 9 --add "$WORK/reset.sh:/reset.sh" -- sh /reset.sh
count .complete false
count .losses.stat_resets 2
RUN=$DIR/exits.json count .complete true

# A run that is not complete is not compared.
cp "$RUN" "$WORK/b.json"
expect 3 "$GSTAGE" compare --aa A="$RUN" B="$WORK/b.json"
