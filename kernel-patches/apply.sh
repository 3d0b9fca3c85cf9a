#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# apply.sh TREE SERIES-DIR...: apply the patches that SERIES-DIR/series lists
# to TREE, in order. Stops at the first one that does not apply cleanly (no
# fuzz, nothing half applied), naming it. Prints a digest of the resulting KVM
# sources, which results quote.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"

[ -d "${1:-}" ] || die "$EX_USAGE" "usage: apply.sh TREE SERIES-DIR..."
need patch
tree=$1
shift
for series; do
	[ -d "$series" ] || die "$EX_USAGE" "no such series: $series"
	while read -r patch; do
		[ -r "$patch" ] || die 1 "$series/series lists ${patch##*/}, which is not there"
		if ! told=$(patch -d "$tree" -p1 --fuzz=0 --forward --batch --dry-run <"$patch" 2>&1); then
			# Only the files that something is said about.
			awk '/^checking file/ { file = $0; next } file { print "    " file; file = "" } { print "    " $0 }' <<<"$told" >&2
			die 1 "${patch#"$GSTAGE_TOP"/} does not apply cleanly; the patches before it did"
		fi
		patch -d "$tree" -p1 --fuzz=0 --forward --batch --quiet --no-backup-if-mismatch <"$patch"
	done < <(series_list "$series")
done
kvm_digest "$tree"
