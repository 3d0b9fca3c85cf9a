#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Other tracers as bench/peers.sh runs them, one row of each kind of output, on
# the kernel that serves them all: each sees every fault, and says so in words
# that its row understands. `make test-peers`; not a part of `make test`.
. "$(dirname "$0")/../vmlib.sh"

base=${BASE:-7.3}-peers
for entry in peers/versions "kernel/$base/Image" riscv64/floor; do
	[ -e "$O/$entry" ] || fail "no $O/$entry; run 'make test-peers'"
done
mine=$WORK/o
mkdir -p "$mine/kernel"
for entry in "kernel/$base" riscv64 sysroot peers; do
	ln -s "$O/$entry" "$mine/$entry"
done
expect 0 env O="$mine" VM_LIMIT="$VM_LIMIT" "$TOP/bench/peers.sh" \
	40-funclatency 50-bpftrace-fentry 54-bpftrace-raw 60-trace-cmd 61-trace-cmd-hist 70-perf 71-perf-kvm-stat 72-perf-ftrace

# cell TITLE NUMBER: a cell of the line of that title
cell() { grep -F "| $1 |" "$WORK/out" | cut -d'|' -f"$(($2 + 1))" | sed 's/^ *//; s/ *$//'; }
row() { # TITLE SEEN LOST
	equal "$(cell "$1" 5)" "$2" "$1: seen
$OUT
"
	equal "$(cell "$1" 6)" "$3" "$1: lost"
	[ "$(cell "$1" 3)" -gt 250 ] || fail "$1 adds nothing: $OUT"
}
row funclatency 16394 "not told"
row "bpftrace, fentry" 16394 0
row "bpftrace, raw tracepoints and their batches" 16394 0
row "trace-cmd record, tracepoints" 16394 0
row "trace-cmd, histogram trigger" 16394 0
row "perf record, tracepoints" 16394 0
row "perf kvm stat record" 16400 0
row "perf ftrace latency" 16394 "tells none"
