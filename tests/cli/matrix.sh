#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Plans: every key and every error, before anything boots; the order of cells.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need parallel jq flock setpriv
matrix() { expect "$1" env O="$WORK/o" "$TOP/bench/matrix.sh" "${@:2}"; }

# plan LINE...: a good plan with these lines instead of its own
plan() {
	local line key

	printf 'arms v4 eager\nscenarios full-pass\nboots 2\n' >"$WORK/plan"
	for line; do
		key=${line%% *}
		sed -i "/^$key /d" "$WORK/plan"
		printf '%s\n' "$line" >>"$WORK/plan"
	done
}
# refuse TEXT LINE...: such a plan is refused in one line, and nothing is made
refuse() {
	local text=$1

	shift
	plan "$@"
	matrix 2 "$WORK/plan" --out "$WORK/results"
	has_err "$text"
	one_line_err
	[ ! -e "$WORK/results" ] || fail "a refused plan makes $WORK/results"
}
cells() {
	matrix 0 "$WORK/plan" --out "$WORK/list" --list
	sed 's/^open *//' "$WORK/out" | paste -sd' '
}

# Options.
expect 0 "$TOP/bench/matrix.sh" --help
has_out "usage: bench/matrix.sh"
matrix 2
has_err "which plan?"
plan
matrix 2 "$WORK/plan"
has_err "--out RESULTS"
for option in --out --jobs --cell --sshlogin --sshloginfile; do
	matrix 2 "$WORK/plan" $option
	has_err "$option needs a value"
done
matrix 2 "$WORK/plan" --nonsense
has_err "unknown option --nonsense"
matrix 2 "$WORK/plan" "$WORK/plan" --out "$WORK/results"
has_err "one plan at a time"
for jobs in 0 -1 many 1000; do
	matrix 2 "$WORK/plan" --out "$WORK/results" --jobs $jobs
	has_err "number from 1 to 999"
done
matrix 2 "$WORK/no-plan" --out "$WORK/results"
has_err "cannot read the plan"
matrix 2 "$WORK" --out "$WORK/results"
has_err "must be a file"
matrix 2 "$WORK/plan" --out "$WORK/results" --cell full-pass/v4/09
has_err "no cell 'full-pass/v4/09'"
[ ! -e "$WORK/results" ] || fail "refused, but $WORK/results is there"

# Keys and their values.
refuse "'colour' is no key" 'colour blue'
refuse "there is no version 'v9' for 7.3; there are: tracepoints" 'arms v4 v9'
refuse "there is no version 'v1' for 7.2" 'base 7.2' 'arms v1'
refuse "stock has no tracepoints" 'arms stock eager'
refuse "two arms are called 'v4'" 'arms v4 v4'
refuse "is no label" 'arms a/b:v4'
refuse "is no label" 'arms aaaaaaaaaaaaaaaaa:v4'
refuse "there is no scenario 'full'" 'scenarios full'
refuse "is there twice" 'scenarios hot hot'
refuse "no base '9'" 'base 9'
# A name is no path, and no pattern.
refuse "there is no scenario '../scenarios/hot'" 'scenarios ../scenarios/hot'
refuse "there is no version '../versions/v4'" 'arms a:../versions/v4 eager'
refuse "there is no version ''" 'arms a: eager'
refuse "no base '7.3/'" 'base 7.3/'
refuse "there is no scenario '/*'" 'scenarios /*'
refuse "'/*' is no label" 'arms /*'
refuse "number from 1 to 99 is wanted, not 'x'" 'boots x'
refuse "number from 1 to 99 is wanted, not '0'" 'boots 0'
refuse "mode is icount or smp" 'mode fast'
refuse "order is abba or random" 'order abab'
refuse "number from 1 to 8 is" 'smp 9'
refuse "number from 1 to 86400 is" 'limit 0'
refuse "'trace' has no value" 'trace'
for key in arms scenarios boots; do
	plan
	sed -i "/^$key/d" "$WORK/plan"
	matrix 2 "$WORK/plan" --out "$WORK/results"
	one_line_err
done
plan
echo "boots 3" >>"$WORK/plan"
matrix 2 "$WORK/plan" --out "$WORK/results"
has_err "$WORK/plan:4: 'boots' is there twice"
# Host time is measured alone.
plan 'mode smp'
matrix 2 "$WORK/plan" --out "$WORK/results" --jobs 2
has_err "one boot at a time"
# A folder of something else is left alone.
mkdir "$WORK/other"
echo precious >"$WORK/other/file"
plan
matrix 2 "$WORK/plan" --out "$WORK/other"
has_err "is not empty and holds no matrix"
equal "$(ls -A "$WORK/other")" file "what is in the folder"
# Comments and blank lines are none; a list makes nothing.
plan '# a comment' ''

# The order: arms in turn within a boot, back and forth, or by chance, the same
# each time; a larger plan keeps what the smaller one had.
plan 'arms a:v4 b:eager again:v4' 'boots 2'
# Lines that end as on other systems are the same plan.
lf=$(cells)
sed -i 's/$/\r/' "$WORK/plan"
equal "$(cells)" "$lf" "a plan with CRLF"
equal "$(cells)" "full-pass/a/01 full-pass/b/01 full-pass/again/01 full-pass/again/02 full-pass/b/02 full-pass/a/02" "abba"
plan 'arms a:v4 b:eager c:v4 d:eager' 'boots 9' 'order random'
random=$(cells)
equal "$(cells)" "$random" "the same seed"
plan 'arms a:v4 b:eager c:v4 d:eager' 'boots 9' 'order random' 'seed 2'
[ "$(cells)" != "$random" ] || fail "another seed gives the same order"
plan 'arms a:v4 b:eager c:v4 d:eager' 'boots 12' 'order random'
equal "$(cells | cut -d' ' -f1-36)" "$random" "the order of a larger plan"
equal "$(tr ' ' '\n' <<<"$random" | sort | uniq | wc -l)" 36 "cells"

# Every plan that comes with gstage is good.
for file in "$TOP"/bench/plans/*.plan; do
	matrix 0 "$(basename "$file" .plan)" --out "$WORK/list" --list
	[ -s "$WORK/out" ] || fail "$file has no cells"
done
[ ! -e "$WORK/list" ] || fail "--list makes $WORK/list"
