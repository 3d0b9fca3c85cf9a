#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel without ftrace: functions are hooked by kprobes, doctor and trace say so,
# and what they count is what is known. With kprobes off nothing is hooked, and a
# trace of functions is refused. The kernel is the debug one, so lockdep has a look
# at kretprobes and at what they keep, too.
. "$(dirname "$0")/../vmlib.sh"
# shellcheck source=../doctorlib.sh
. "$TOP/tests/doctorlib.sh"

cat "$WORK/try.sh" - >"$WORK/t.sh" <<'GUEST'
look here --backend function
work="dirtyguest -q --backing hugetlb-2m --size 4M --rounds 1 --limit 100s"
gstage trace -q --backend function --fences -o /out/run.json -- $work 2>/out/run.err
echo $? >/out/run.status
gstage trace -q --locks -o /out/locks.json -- $work 2>/out/locks.err
echo $? >>/out/run.status
gstage trace -q --stalls -o /out/stalls.json -- $work 2>/out/stalls.err
echo $? >>/out/run.status
echo 0 >/sys/kernel/debug/kprobes/enabled
look off --backend function
GUEST
run_in_vm --base 7.3-debug --mode smp --hugepages 8 --boot-limit $((VM_LIMIT * 2)) --limit $((VM_LIMIT * 3)) --strict \
	--add "$WORK/t.sh:/try.sh" -- sh /try.sh

works here
equal "$(doctor here '[.obstacles[] | "\(.id) \(.fatal)"] | join(" ")')" 'ftrace false' 'what doctor says of ftrace'
grep -qF 'by kprobes' "$DIR/here.text" || fail "doctor does not tell of kprobes: $(cat "$DIR/here.text")"
grep -qF 'so functions are hooked by kprobes' "$DIR/here.err" || fail "trace does not tell of kprobes: $(cat "$DIR/here.err")"
equal "$(doctor here '[.facts[].hooks[].kind] | unique | join(" ")')" 'kprobe kretprobe tracepoint' 'kinds of hooks'

equal "$(tr '\n' ' ' <"$DIR/run.status")" '0 0 0 ' "the status of the traces ($(cat "$DIR"/*.err))"
RUN=$DIR/run.json
count .complete true
count '[.probes[] | select(.status != "missing") | .backend] | unique | join(" ")' 'kprobe kretprobe'
count '[.probes[].misses] | add' 0
count '[.checks[] | select(.ok | not)] | length' 0
count '[.splits[] | select(.from_level == 1) | .count] | add' 2
count '[.faults[] | select(.access == "write" and .path != "map") | .count] | add' 1024
count '[.flush_executed[].count] | add > 1000' true
# What they add is measured, and is much.
count .bracket.reason null
count '[.bracket.faults[] | select(.ns != null) | .ns] | length == 4 and min > 1000' true
RUN=$DIR/locks.json
count .complete true
count '[.locks[] | select(.mode == "write") | .count] | add > 0' true
RUN=$DIR/stalls.json
count .complete true
count '[.probes[] | select(.fact == "stalls") | .backend] | unique | join(" ")' 'kprobe kretprobe tracepoint'

# Tracepoints do without.
equal "$(tr '\n' ' ' <"$DIR/off.status")" '0 4 ' "the status with kprobes off ($(cat "$DIR/off.err"))"
equal "$(doctor off '[.obstacles[].id] | join(" ")')" kprobes 'what is in the way with kprobes off'
grep -qF "echo 1 >/sys/kernel/debug/kprobes/enabled" "$DIR/off.err" || fail "trace with kprobes off: $(cat "$DIR/off.err")"
[ ! -s "$DIR/off.out" ] || fail "trace with kprobes off prints: $(cat "$DIR/off.out")"
