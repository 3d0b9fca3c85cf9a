#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mails.sh SERIES BASE OUT: write a series as git format-patch would send it, into
# the new folder OUT: numbered, one thread, with the cover letter that the series has
# in a file `cover-letter` (its first line is the subject; lines that begin with # are
# left out). SERIES is tracepoints, fixes or versions/NAME. KSRC=DIR: the base's tree.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"
# shellcheck source=version-lib.sh
. "$GSTAGE_TOP/kernel-patches/version-lib.sh"

PROG='make series'
name=${1:-} base=${2:-} out=${3:-}
usage="make series SERIES=tracepoints|fixes|versions/NAME OUT=folder [BASE=7.3]"
if [ -z "$name" ] || [ -z "$base" ] || [ -z "$out" ]; then die "$EX_USAGE" "usage: $usage"; fi
need git

below='' dir=''
case $name in
tracepoints | fixes) dir=$GSTAGE_TOP/kernel-patches/$base/$name ;;
versions/*) dir=$(version_dir "$base" "${name#*/}") || die "$EX_USAGE" "there is no version '${name#*/}' for $base" ;;
*) die "$EX_USAGE" "SERIES=$name: $usage" ;;
esac
[ -n "$(series_list "$dir")" ] || die "$EX_USAGE" "SERIES=$name has no patches for $base"
[ ! -e "$dir/description" ] || [ "$(version_lines "$dir" on)" != tracepoints ] || below=$GSTAGE_TOP/kernel-patches/$base/tracepoints
# What mv says below, before any work.
[ ! -e "$out" ] || { [ -d "$out" ] && [ -z "$(ls -A "$out")" ]; } || die "$EX_USAGE" "OUT=$out is there and not empty; give a new folder"

work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-mails.XXXXXX") new=${out%/}.new.$$
trap 'rm -rf "$work" "$new"' EXIT
mkdir "$new" || die "$EX_IMPOSSIBLE" "cannot write beside OUT=$out"
git_alone "$work/gitconfig"
in_tree() { git -C "$work/tree" "$@"; }
# take SERIES-DIR: each of its mails becomes a commit.
take() {
	series_list "$1" | xargs -rd '\n' git -C "$work/tree" am -q --committer-date-is-author-date >"$work/log" 2>&1 ||
		die 1 "${1#"$GSTAGE_TOP"/} does not apply to $base: $(grep -v '^hint:' "$work/log" | head -n 1)"
}

tree=${KSRC:-$("$GSTAGE_TOP/kernel-patches/build.sh" --sources "$base")}
kvm_repository "$tree" "$work/tree"
[ -z "$below" ] || take "$below"
in_tree tag below
take "$dir"
options=()
if [ -e "$dir/cover-letter" ]; then
	# The description of a branch becomes its cover letter.
	in_tree config "branch.$(in_tree branch --show-current).description" \
		"$(sed '1s/$/\n/' "$dir/cover-letter" | git stripspace -s)"
	options=(--cover-letter --cover-from-description=subject)
fi
in_tree format-patch -q --thread --zero-commit ${options[@]+"${options[@]}"} -o "$new" below
mv -T "$new" "$out"
say "$(find "$out" -type f | wc -l) mails in $out; they have no Signed-off-by: add yours, then git send-email"
