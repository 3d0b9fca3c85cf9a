#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The machinery of `make bench-peers`, on the base's own kernel: a floor, gstage,
# and a row that cannot work there; and, where bench/host/peers.sh has been run,
# another tracer, which must have seen each fault.
. "$(dirname "$0")/../vmlib.sh"

[ -e "$O/riscv64/floor" ] || fail "no $O/riscv64/floor; run 'make bench-floor'"
mine=$WORK/o
mkdir -p "$mine/kernel"
for entry in kernel/7.3 riscv64 sysroot peers; do
	[ ! -e "$O/$entry" ] || ln -s "$O/$entry" "$mine/$entry"
done

# table ROW...: into $WORK/table
table() {
	env O="$mine" VM_LIMIT="$VM_LIMIT" "$TOP/bench/peers.sh" --kernel 7.3 "$@" >"$WORK/table" 2>"$WORK/err" ||
		fail "peers.sh $*: $(cat "$WORK/err")"
}

# cell TEXT NUMBER: a cell of the line that has TEXT
cell() { grep -F "$1" "$WORK/table" | cut -d'|' -f"$(($2 + 1))" | tr -d ' '; }

between() { # VALUE MIN MAX
	if ! [[ $1 =~ ^[0-9]+$ ]] || [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then
		fail "$1 is not from $2 to $3:
$(cat "$WORK/table")"
	fi
}

table 21-floor-pair 31-gstage 40-funclatency
between "$(cell 'empty fentry and fexit' 3)" 250 450
between "$(cell 'gstage trace' 3)" 300 600
between "$(cell 'gstage trace' 5)" 16394 16394
between "$(cell 'gstage trace' 6)" 0 0
# That kernel has no cgroups, or there is no such program: said, not left out.
grep -q 'funclatency .*did not work: .' "$WORK/table" || fail "no reason for funclatency: $(cat "$WORK/table")"

status=0
env O="$mine" "$TOP/bench/peers.sh" --kernel 7.3 no-such-row >"$WORK/out" 2>&1 || status=$?
[ "$status" = 2 ] || fail "status $status of a row that is not there: $(cat "$WORK/out")"

[ -e "$O/peers/versions" ] || exit 0
table 60-trace-cmd
between "$(cell 'trace-cmd record' 3)" 600 3000
between "$(cell 'trace-cmd record' 5)" 16394 16394
