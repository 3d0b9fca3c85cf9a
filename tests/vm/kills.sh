#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# SIGKILL to the VM, and to the tracer, in the middle of ENABLE, CLEAR and
# DISABLE: no process, no BPF program, no use of kvm.ko is left, the kernel
# (the debug one) has nothing to say, and tracing works on. That it was the middle
# is told by the kernel's own trace of the operation and of the signal.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

cat >"$WORK/kills.sh" <<'GUEST'
T=/sys/kernel/tracing
# Few writes: what counts is that there are many leaves to look at.
work="dirtyguest -q --backing hugetlb-2m --size 64M --order stride2m --rounds 1 --limit 100s"

# until_so SECONDS COMMAND...
until_so() {
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 50000
	done
}
no_guest() { ! pidof dirtyguest >/dev/null; }
no_process() { ! pidof dirtyguest gstage >/dev/null; }
no_user() { [ "$(awk '$1 == "kvm" { print $3 }' /proc/modules)" = 0 ]; }
no_program() { ! grep -q 'bpf_prog_.*\[bpf\]$' /proc/kallsyms; }
no_pin() { [ -z "$(ls /sys/fs/bpf)" ]; }

# What is left, in a word.
left() {
	until_so 60 no_process || { echo process; return; }
	until_so 10 no_user || { echo user; return; }
	until_so 10 no_program || { echo program; return; }
	no_pin || { echo pin; return; }
	rmmod kvm || { echo module; return; }
	insmod /kvm.ko || { echo no-module; return; }
	echo nothing
}

# in_the_middle WHO PHASE DELAY COMMAND...: kill once. Whether it was, in the file
# where; and the delay for the next one in the file delay-PHASE.
in_the_middle() {
	more=
	[ $2 = clear ] && more='--log initially-set'
	kill="--kill $1 --kill-in $2 --kill-after $3"
	phase=$2
	shift 3
	echo 1 >$T/events/kvm/kvm_dirty_log/enable
	echo >$T/trace
	"$@" $work $more $kill >/dev/null 2>err
	status=$?
	until_so 60 no_guest
	awk -v phase="$phase" '
		$0 ~ "slot 1 " phase " begin" { inside = 1 }
		$0 ~ "slot 1 " phase " end" { inside = 0 }
		/ sig=9 / { where = inside ? "inside" : "outside" }
		END { print where ? where : "never" }' $T/trace >where
	grep -q inside where
}
delays="100us 30us 300us 10us 1ms 60us 200us 0 20us 3ms 40us 500us 2ms"

no_program || echo "BPF programs before all" >>kills
echo 'sig == 9' >$T/events/signal/signal_generate/filter
echo 1 >$T/events/signal/signal_generate/enable

# VMs, below one tracer.
gstage trace -o vms.json >/dev/null 2>tracer.err &
tracer=$!
until_so 60 grep -q 'Ctrl-C ends it' tracer.err
grep -c 'bpf_prog_.*\[bpf\]$' /proc/kallsyms >programs
for phase in enable clear disable; do
	for delay in $delays; do
		in_the_middle self $phase $delay env
		echo "vm $phase $delay $status $(cat where) -" >>kills
		echo $delay >delay-$phase
		grep -q inside where && break
	done
done
kill -INT $tracer
wait $tracer
echo "tracer - - $? - $(left)" >>kills

# Tracers: what took it to the middle before comes first.
for how in "trace enable" "check clear" "check disable"; do
	for delay in $(cat delay-${how#* }) $delays; do
		in_the_middle parent ${how#* } $delay gstage ${how% *} -o traced.json --
		echo "$how $delay $status $(cat where) $(left)" >>kills
		grep -q inside where && break
	done
done
gstage check -o after.json -- dirtyguest -q --backing hugetlb-2m --limit 100s
GUEST
# The debug kernel is slow, and waits in it are longer than its work.
WANT=0 run_in_vm --base 7.3-debug --mode smp --smp 2 --hugepages 32 --boot-limit $((VM_LIMIT * 2)) --limit $((VM_LIMIT * 4)) --strict \
	--add "$WORK/kills.sh:/kills.sh" -- sh /kills.sh

[ "$(cat "$DIR/programs")" -ge 8 ] || fail "the count of BPF programs does not see them"
while read -r what phase delay status where left; do
	case $what:$left in
	vm:- | *:nothing) ;;
	*) fail "$what killed in $phase after $delay ($where): left is a $left" ;;
	esac
	case $what:$status in
	tracer:0 | tracer:3 | *:137) ;; # 3: more VMs than phases can be told apart
	*) fail "status $status of $what, killed in $phase after $delay ($where)" ;;
	esac
done <"$DIR/kills"
for how in "vm enable" "vm clear" "vm disable" "trace enable" "check clear" "check disable"; do
	grep -q "^$how .* inside " "$DIR/kills" || fail "never in the middle of $how: $(cat "$DIR/kills")"
done
# The tracer tells what was until its VMs were killed.
RUN=$DIR/vms.json
for phase in enable clear disable; do
	count '[.phases[] | select(.name | startswith("'$phase'"))] | length > 0' true
done
expect 0 "$GSTAGE" report "$RUN"
! grep -m1 -E 'INFO: (task|possible|rcu)|possible recursive|inconsistent lock' "$DIR/dmesg" || fail "the kernel complains"

RUN=$DIR/after.json
count .complete true
count '[.checks[] | select(.ok | not)] | length' 0
count '[.splits[] | select(.cause == "enable") | .count] | add' 8
count '[.faults[] | select(.access == "write" and .path == "fast") | .count] | add' 12288
count .guest.pages_lost 0
