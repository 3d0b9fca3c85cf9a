#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# build-steps.sh BASE [SERIES-DIR]: does every step of a series compile?
# Builds kvm.ko after each patch (default series: BASE/tracepoints), as a
# bisection would meet it. Steps that were built before come from the cache.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"

[ $# -ge 1 ] || die "$EX_USAGE" "usage: build-steps.sh BASE [SERIES-DIR]"
base=$1
series=${2:-$GSTAGE_TOP/kernel-patches/$base/tracepoints}
[ -r "$series/series" ] || die "$EX_USAGE" "no series in $series"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step=0
while read -r patch; do
	step=$((step + 1))
	cp "$patch" "$work/"
	echo "${patch##*/}" >>"$work/series"
	say "step $step: ${patch##*/}"
	"$GSTAGE_TOP/kernel-patches/build.sh" --series "$work" "$base" "step-$step" ||
		die 1 "${patch#"$GSTAGE_TOP"/} does not compile on the patches before it"
done < <(series_list "$series")
[ "$step" -gt 0 ] || die "$EX_USAGE" "$series/series lists no patch"
say "all $step steps of ${series#"$GSTAGE_TOP"/} compile on $base"
