#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The bars of what tracing may cost. Instructions, not time: no noise.
. "$(dirname "$0")/../vmlib.sh"

O=$O "$TOP/bench/cost.sh" --check "$(full && echo 4 16)" || fail "a bar does not hold, or a run failed"
