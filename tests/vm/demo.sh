#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The demo, once everything is built: under a minute, a traced run under ten
# seconds, both reports, the comparison, and run files that stay.
. "$(dirname "$0")/../vmlib.sh"

start=$SECONDS
WANT=0 run_expecting env O="$O" BASE=7.3 "$TOP/bench/demo.sh"
took=$((SECONDS - start))
[ "$took" -lt 60 ] || fail "the demo took $took s"
runs=$(sed -n 's/^demo: run files are in //p' "$WORK/err")
for name in split-on-fault eager; do
	[ -s "$runs/$name.json" ] || fail "no $name.json in '$runs'"
done
on_exit "rm -rf '$runs'"
while read -r name seconds; do
	[ "$seconds" -lt 10 ] || fail "the run $name took $seconds s"
done < <(sed -n 's/^demo: \(.*\): done in \([0-9]*\) s$/\1 \2/p' "$WORK/err")

for text in '===== split-on-fault =====' '===== eager =====' 'Phases (' 'Splits (' \
	'Fault latency, path fast, access write' 'Fault latency, path split, access write' \
	'Prot updates' 'Write-protects' 'Flush request size, kind page' 'Flushes executed' \
	'===== split-on-fault against eager =====' 'Exact counts' 'Instructions ('; do
	grep -qF -e "$text" "$WORK/out" || fail "the demo does not show '$text'"
done
