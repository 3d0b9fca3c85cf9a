#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The cache of bench/host/cache.sh: made once, checked each time, made again
# when anything is wrong with it, never left half done.
. "$(dirname "$0")/../lib.sh"

export GSTAGE_CACHE="$WORK/cache"
cat >"$WORK/make.sh" <<MAKE
set -euo pipefail
. "$TOP/bench/host/lib.sh"
. "$TOP/bench/host/cache.sh"
build() {
	echo built >>"$WORK/built"
	[ ! -e "$WORK/broken" ] || return 7
	echo content >"\$1/file"
	mkdir "\$1/dir"
	ln -s ../file "\$1/dir/link"
	[ ! -e "$WORK/slow" ] || sleep 1
}
cache_get kind key build
MAKE

# get NUMBER WHAT: the entry is there, and was built NUMBER times so far.
get() {
	expect 0 bash "$WORK/make.sh"
	equal "$OUT" "$WORK/cache/kind/key" "$2: the path"
	equal "$(cat "$OUT/dir/link")" content "$2: the content"
	equal "$(wc -l <"$WORK/built")" "$1" "$2: number of builds"
}
entry=$WORK/cache/kind/key

get 1 "an empty cache"
get 1 "a whole entry"
touch "$entry/file"
get 1 "another time stamp only"
: >"$entry/file"
get 2 "a truncated file"
rm "$entry/dir/link"
get 3 "a deleted link"
echo CONTENT >"$entry/file"
get 4 "other content of the same size"
echo more >"$entry/new"
get 5 "a file too many"
rm "$entry/MANIFEST"
get 6 "no manifest"

# An interrupted build leaves its directory; it is not taken for an entry.
rm -rf "$entry"
mkdir "$WORK/cache/kind/.key.new"
echo half >"$WORK/cache/kind/.key.new/file"
get 7 "an interrupted build"

# A failing build leaves nothing, and says its status.
rm -rf "$entry"
touch "$WORK/broken"
expect 7 bash "$WORK/make.sh"
no_out
equal "$(ls "$WORK/cache/kind")$(ls -d "$WORK"/cache/kind/.*.new 2>/dev/null)" '' "what a failed build left"
rm "$WORK/broken"

# Two at a time: one builds, the other waits and uses it.
touch "$WORK/slow"
bash "$WORK/make.sh" >"$WORK/first" 2>&1 &
get 9 "two at a time"
wait $!
equal "$(cat "$WORK/first")" "$entry" "the other one's path"

GSTAGE_CACHE=/proc/none expect 4 bash "$WORK/make.sh"
one_line_err
has_err 'cannot write to the cache directory /proc/none'
