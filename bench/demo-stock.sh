#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo-stock.sh: the distribution's own kernel, unmodified, and on it two traced
# guests: dirtyguest and the kernel's dirty_log_perf_test; what doctor says of that
# kernel, and both reports. Called by `make demo-stock` once everything is there.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

PROG=demo-stock
kernel=$O/kernel/debian
perf_test=$O/riscv64/dirty_log_perf_test-debian
runs=$O/demo-stock/$(date +%Y%m%d-%H%M%S)
start=$SECONDS

mkdir -p "$runs"
say "boot Linux $(cat "$kernel/release") as the distribution built it, trace two guests ..."
"$GSTAGE_TOP/bench/vm.sh" --base debian --hugepages 32 --mem 768 --limit "${VM_LIMIT:-120}" --out "$runs/vm" \
	--add "$(readlink -f "$perf_test"):/bin/dirty_log_perf_test" -- '
		gstage doctor >doctor.txt
		gstage trace -q -o dirtyguest.json -- dirtyguest -q --backing hugetlb-2m &&
		gstage trace -q -o dirty_log_perf_test.json -- \
			/bin/dirty_log_perf_test -b 16M -v 1 -i 3 -s anonymous_hugetlb' >"$runs/vm.log" 2>&1 || {
	status=$?
	tail -n 20 "$runs/vm.log" >&2
	die "$status" "the guest failed; all of it is in $runs"
}
say "both are done after $((SECONDS - start)) s"

printf '\n===== what can be traced there: gstage doctor =====\n\n'
cat "$runs/vm/doctor.txt"
for name in dirtyguest dirty_log_perf_test; do
	mv "$runs/vm/$name.json" "$runs/$name.json"
	printf '\n===== %s =====\n\n' "$name"
	"$O/native/gstage" report "$runs/$name.json"
done
echo
say "run files are in $runs"
say "boot, two traced guests and reports took $((SECONDS - start)) s"
