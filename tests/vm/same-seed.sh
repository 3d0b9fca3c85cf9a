#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Deterministic mode is: the same seed gives the same run file, to the byte.
. "$(dirname "$0")/../vmlib.sh"

for i in 1 2; do
	boot_scenario full-pass --kvm-args eager_page_split=0 --seed 7
	cp "$RUN" "$WORK/run$i.json"
done
cmp -s "$WORK/run1.json" "$WORK/run2.json" || fail "two runs of one seed differ:
$(diff "$WORK/run1.json" "$WORK/run2.json" | head -n 20)"
count '.environment.clock' instructions
# gstage agrees: nothing but the names of the arms differs.
expect 0 "$GSTAGE" compare --aa A="$WORK/run1.json" B="$WORK/run2.json"
