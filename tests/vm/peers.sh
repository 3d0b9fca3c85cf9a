#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The machinery of `make bench-peers`, on the base's own kernel: a floor, gstage,
# a row whose program is not there, and what --resume takes and what not. Other
# tracers are not run here, since they are 80 MB of packages and need a kernel of
# their own: `make test-peers` does (tests/peers/).
. "$(dirname "$0")/../vmlib.sh"

[ -e "$O/riscv64/floor" ] || fail "no $O/riscv64/floor; run 'make bench-floor'"
mine=$WORK/o
mkdir -p "$mine/kernel" "$mine/riscv64"
for entry in kernel/7.3 sysroot; do
	ln -s "$O/$entry" "$mine/$entry"
done
cp "$O"/riscv64/{floor,gstage,dirtyguest} "$mine/riscv64/"

# table STATUS OPTIONS...: into $WORK/out
table() {
	local status=$1

	shift
	expect "$status" env O="$mine" VM_LIMIT="$VM_LIMIT" "$TOP/bench/peers.sh" --kernel 7.3 "$@"
}

# cell TEXT NUMBER: a cell of the line that has TEXT
cell() { grep -F "$1" "$WORK/out" | cut -d'|' -f"$(($2 + 1))" | tr -d ' '; }

between() { # VALUE MIN MAX
	if ! [[ $1 =~ ^[0-9]+$ ]] || [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then
		fail "$1 is not from $2 to $3:
$OUT
$ERR"
	fi
}

table 3 21-floor-pair 31-gstage 40-funclatency
has_err "40-funclatency: there is no funclatency; run bench/host/peers.sh"
has_out "| funclatency | latency | did not work: there is no funclatency"
between "$(cell 'empty fentry and fexit' 3)" 250 450
between "$(cell 'gstage trace' 3)" 300 600
between "$(cell 'gstage trace' 5)" 16394 16394
between "$(cell 'gstage trace' 6)" 0 0
cp "$WORK/out" "$WORK/first"

# The same again is taken; what has another program is not.
table 0 --resume 21-floor-pair 31-gstage
[ -z "$ERR" ] || fail "--resume measured: $ERR"
grep -v funclatency "$WORK/first" | diff - "$WORK/out" >/dev/null || fail "--resume: another table: $OUT"
echo >>"$mine/riscv64/floor"
table 0 --resume 21-floor-pair 31-gstage
equal "$ERR" "peers: 21-floor-pair ..." "rows measured again"
between "$(cell 'empty fentry and fexit' 3)" 250 450
