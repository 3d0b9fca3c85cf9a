#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What gstage says its hooks add to latencies, against what they do add: one
# scenario, traced by functions and by tracepoints on the same KVM. In
# instructions, where nothing but the tracer can make the difference.
#
# A latency on functions begins with kvm_riscv_vcpu_exit(), one on tracepoints with
# the lookup of the memslot in what that calls: this way of KVM's own, some hundred
# instructions, is left of each path, and nothing else.
. "$(dirname "$0")/../vmlib.sh"

KVM_OWN=160
# Of the difference: places of a trampoline that only real arguments have, and
# the notes of the series. Seen: below 2.
PERCENT=3
# Instructions; most of them attach ten programs.
START=60000000

# mean PATH, own PATH: of $RUN
mean() {
	query "[.faults[] | select(.path == \"$1\" and .access == \"write\")] | (map(.latency.sum) | add) / (map(.count) | add) | round"
}

own() {
	query ".bracket.faults[] | select(.path == \"$1\") | .ns"
}

# traced_by BACKEND OPTIONS...
traced_by() {
	local backend=$1 path

	shift
	run_scenario "$@" --trace "--backend $backend"
	count .complete true
	count '.bracket.reason' null
	count '.bracket.left_out' '[]'
	count ".bracket.took_ns < $START" true
	# What was played is in no count.
	count '[.checks[] | select(.ok | not)] | length' 0
	count .guest.pages_lost 0
	count '[.losses[]] | add' 0
	for path in $paths; do
		eval "${backend}_mean_$path=$(mean "$path") ${backend}_own_$path=$(own "$path")"
	done
}

# explained PATH: what is left of the difference
explained() {
	local path=$1 function_mean tracepoint_mean function_own tracepoint_own
	local name differ said left

	for name in function_mean tracepoint_mean function_own tracepoint_own; do
		eval "$name=\$${name}_$path"
	done
	differ=$((function_mean - tracepoint_mean))
	said=$((function_own - tracepoint_own))
	left=$((differ - said))
	if [ $((100 * left)) -lt $((-PERCENT * differ)) ] || [ $((100 * (left - KVM_OWN))) -gt $((PERCENT * differ)) ]; then
		fail "path $path takes $differ more on functions, of which $said are said to be the tracer's own ($function_own and $tracepoint_own)"
	fi
}

# The split is of a 2M leaf, and the page table has all its levels.
paths="fast split"
set -- full-pass --kvm-args eager_page_split=0 --args '--rounds 2'
traced_by function "$@"
count '.bracket.faults | map(select(.ns == null) | .path) | join(" ")' 'retry error'
own=$(own fast)
traced_by tracepoint "$@"
for path in $paths; do explained "$path"; done
# Two reads of the clock, of one instruction each.
count '.bracket.faults | map(select(.path != "split") | .ns) | max' 1

if full; then
	# New leaves of 4K.
	paths=map
	set -- full-pass-4k --args '--rounds 1'
	traced_by function "$@"
	traced_by tracepoint "$@"
	explained map

	# Functions on another kernel: the same hooks, the same figure but for its code.
	run_scenario full-pass --base 7.2 --version stock --args '--rounds 1'
	count .complete true
	count "$(own fast) - $own | fabs < 0.1 * $own" true
fi

# The hooks of other questions are in a fault, too, and are named.
run_scenario full-pass --args '--rounds 1' --trace '--stalls --locks'
count '.bracket.left_out | join(" ")' 'locks stalls'
# Without latencies there is nothing to be added to.
run_scenario full-pass --args '--rounds 1' --trace --counts
count .bracket null
