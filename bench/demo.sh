#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh: the same guest twice, with huge leaves split by the faults that hit
# them and split eagerly when logging starts; both reports, then the comparison.
# Called by `make demo` once everything is built.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

PROG=demo
scenario=full-pass
runs=$O/demo/$(date +%Y%m%d-%H%M%S)

# one NAME EAGER: boot, trace, and keep NAME.json.
one() {
	local start=$SECONDS

	say "$1: boot Linux ${BASE:-7.3}, trace a guest (kvm eager_page_split=$2) ..."
	"$GSTAGE_TOP/bench/run.sh" "$scenario" --out "$runs/$1" --kvm-args "eager_page_split=$2" >"$runs/$1.log" 2>&1 || {
		local status=$?

		tail -n 20 "$runs/$1.log" >&2
		die "$status" "$1 failed; all of it is in $runs/$1"
	}
	mv "$runs/$1/run.json" "$runs/$1.json"
	say "$1: done in $((SECONDS - start)) s"
}

mkdir -p "$runs"
start=$SECONDS
one split-on-fault 0
one eager 1

for name in split-on-fault eager; do
	printf '\n===== %s =====\n\n' "$name"
	"$O/native/gstage" report "$runs/$name.json"
done
printf '\n===== split-on-fault against eager =====\n\n'
"$O/native/gstage" compare split-on-fault="$runs/split-on-fault.json" eager="$runs/eager.json"
echo
say "run files are in $runs"
say "all of it took $((SECONDS - start)) s"
