#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpatch.sh [BASE...]: the kernel's own checkpatch --strict, from each
# base's sources, on every patch of ours for that base. An error, a warning or
# a check fails.
#
# Ignored, with the reason:
#   MISSING_SIGN_OFF      only a human adds a Signed-off-by, when sending
#   NO_AUTHOR_SIGN_OFF    the same
#   FILE_PATH_CHANGES     asks whether MAINTAINERS needs a line; the new files
#                         are under directories that it lists already
#   OPEN_ENDED_LINE       every trace event ends lines with "TP_STRUCT__entry("
#                         and "TP_fast_assign(", in the whole kernel
#   UNKNOWN_COMMIT_ID     the sources come without their history
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=source.sh
. "$GSTAGE_TOP/kernel-patches/source.sh"

need perl

# The few files of the sources that checkpatch consists of; no kernel is built.
# shellcheck disable=SC2317 # called by cache_get
extract() {
	if [ -d "$SOURCE" ]; then
		mkdir "$1/scripts" && cp "$SOURCE"/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch} "$1/scripts/"
	else
		tar -C "$1" --strip-components=1 --no-same-owner --wildcards -xf "$SOURCE" '*/scripts/checkpatch.pl' \
			'*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
	fi
}

IGNORE=MISSING_SIGN_OFF,NO_AUTHOR_SIGN_OFF,FILE_PATH_CHANGES,OPEN_ENDED_LINE,UNKNOWN_COMMIT_ID
[ $# -gt 0 ] || set -- 7.3 7.2
failed=0 count=0
for base; do
	source_locate "$base"
	entry=$(cache_get checkpatch "$SOURCE_ID" extract) || die 1 "no checkpatch in $SOURCE"
	while read -r patch; do
		count=$((count + 1))
		if ! told=$(perl "$entry/scripts/checkpatch.pl" --no-tree --strict --terse --no-summary \
			--show-types --ignore "$IGNORE" "$patch" 2>&1); then
			printf '%s\n' "$told" | sed "s,^$GSTAGE_TOP/,," >&2
			failed=$((failed + 1))
		fi
	done < <(find "$GSTAGE_TOP/kernel-patches/$base" -name '*.patch' | LC_ALL=C sort)
done
[ "$failed" -eq 0 ] || die 1 "checkpatch complains about $failed of $count patches"
