#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# While it runs: intervals from zero, events, -p, -d, Ctrl-C, and how commands
# end.
. "$(dirname "$0")/../vmlib.sh"

cat >"$WORK/live.sh" <<'GUEST'
work="dirtyguest -q --backing hugetlb-2m --size 16M --rounds 6"

# Intervals and events of a command, as JSON lines with the run at the end.
gstage trace --json -i 5ms --events -o /out/intervals.json -- $work >/out/intervals.ndjson
echo $? >/out/intervals.status

# follow NAME OPTIONS...: trace in the background, return when the probes are on
follow() {
	name=$1
	shift
	gstage trace "$@" -o /out/$name.json >/dev/null 2>/out/$name.err &
	tracer=$!
	until grep -q 'Ctrl-C ends it' /out/$name.err; do usleep 10000; done
}

# A process that is there already, ended by SIGINT like by Ctrl-C.
$work --rounds 400 &
pid=$!
until ls -l /proc/$pid/fd 2>/dev/null | grep -q kvm-vm; do usleep 1000; done
follow sigint -p $pid
sleep 0.5
kill -INT $tracer
wait $tracer
echo $? >/out/sigint.status
# And by the duration.
gstage trace -q -p $pid -d 500ms -o /out/duration.json
echo $? >/out/duration.status
# And because the process ends.
follow exit -p $pid
sleep 0.5
kill $pid
wait $tracer
echo $? >/out/exit.status

# Nobody reads what it prints: the run is written all the same.
gstage trace --json -i 2ms -o /out/pipe.json -- dirtyguest -q --backing hugetlb-2m --rounds 4 2>/out/pipe.err | head -n 1 >/dev/null

# A command's own end.
gstage trace -q -o /out/seven.json -- sh -c 'exit 7'
echo $? >/out/seven.status
gstage trace -q -o /out/signal.json -- sh -c 'kill -KILL $$'
echo $? >/out/signal.status
# SIGINT to the tracer alone ends the command, too.
gstage trace -q -o /out/stopped.json -- sleep 1000 &
tracer=$!
until pidof sleep; do usleep 10000; done
kill -INT $tracer
wait $tracer
echo $? >/out/stopped.status

# A tracer that is killed leaves no probes; its command goes on without it.
gstage trace -q -- sleep 1234 &
tracer=$!
until pidof sleep; do usleep 10000; done
kill -KILL $tracer
wait $tracer
pkill sleep
# Attached programs show in the reference count of the module.
usleep 500000
awk '$1 == "kvm" { print $3 }' /proc/modules >/out/users
gstage trace -q -o /out/again.json -- dirtyguest --backing hugetlb-2m --size 16M --rounds 1
echo $? >/out/again.status
GUEST
# Two harts: a VM that runs all the time would leave a single one to nobody else.
VM_LIMIT=180
run_in_vm --mode smp --smp 2 --hugepages 16 --add "$WORK/live.sh:/live.sh" -- sh /live.sh

status_of() { # NAME STATUS
	equal "$(cat "$DIR/$1.status")" "$2" "status of $1"
}
status_of intervals 0
status_of sigint 0
status_of duration 0
status_of exit 0
status_of seven 7
status_of signal 137
status_of stopped 0
status_of again 0
equal "$(cat "$DIR/users")" 0 "users of kvm after a tracer was killed"

lines() { # FILTER: over the lines of the first trace
	jq -rs "$1" "$DIR/intervals.ndjson"
}
[ "$(lines '[.[] | select(.type == "interval")] | length')" -ge 3 ] || fail "fewer than 3 intervals"
# Each interval starts from zero: together they are not more than the run.
total=$(jq '[.faults[].count] | add' "$DIR/intervals.json")
sum=$(lines '[.[] | select(.type == "interval") | .faults] | add')
[ "$sum" -le "$total" ] || fail "the intervals have $sum faults, the run $total"
[ "$sum" -ge $((total / 2)) ] || fail "the intervals have $sum of $total faults"
equal "$(lines '[.[] | select(.type == "split")] | length')" 8 "split events"
equal "$(lines '[.[] | select(.type == "log_op" and .op == "enable")] | length')" 2 "enable events"
equal "$(lines '.[-1].schema')" gstage-run/1 "the last line's schema"

for name in sigint duration exit pipe; do
	RUN=$DIR/$name.json
	count .complete true
	count '([.faults[].count] | add) > 100' true
	count '[.checks[] | select(.ok | not)] | length' 0
	# Joined while the guest was logged: the rounds are counted from there.
	count '[.phases[] | select(.name | startswith("dirty")) | .round] | min >= 1' true
	# What a trace writes can be read, whatever it joined or left.
	expect 0 "$GSTAGE" report "$RUN"
done
for name in seven signal stopped; do
	RUN=$DIR/$name.json
	count '.faults | length' 0
done
