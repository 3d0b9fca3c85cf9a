#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One tracer binary for both bases. 7.2 has no eager splitting: faults split.
. "$(dirname "$0")/../vmlib.sh"

run_scenario full-pass --base 7.2 --args '--rounds 2'
count .complete true
count '.environment.base' 7.2
count '.environment.kernel | startswith("7.2.")' true
count '[.splits[] | "\(.cause) \(.from_level)->\(.to_level) \(.count)"] | join(",")' 'fault 1->0 8'
count .guest.pages_lost 0
count '[.guest.rounds[].pages_reported] | unique | join(",")' 4096
count '[.phases[] | select(.name | startswith("dirty")) | [.faults[] | select(.access == "write") | .count] | add // 0 | select(. != 0)] | unique | join(",")' 4096
