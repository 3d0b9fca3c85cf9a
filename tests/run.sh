#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh NAME... [--alone NAME...]: run these tests, and close with exactly
# "N passed, N failed, N skipped". Each NAME is a goal of make, which builds what the
# test needs and runs it by one.sh: those before --alone side by side, the others one at
# a time when these are done.
#
# Fails when a test failed or was never run, and when none passed: a run in which
# everything is skipped has shown nothing.
#
# run.sh --times: where the time of the last run went, longest first.
#
# MAKE, O, JOBS: the make to use, the build folder, how many tests at once (none: as
# many as the make that called says).
set -u

RESULTS=${O:?}/tests
export RESULTS
export GSTAGE_STEPS=$RESULTS/steps

# Rows are user time, system time, wall time (s), what it was.
show_times() {
	[ -e "$RESULTS/total" ] || {
		echo "there is no whole run of tests in $RESULTS; 'make test' makes one" >&2
		exit 4
	}
	printf '%9s %9s  %s\n' 'CPU s' 'wall s' 'test or build step'
	awk -F '\t' '{ printf "%9.1f %9.1f  %s\n", $1 + $2, $3, $4 }' "$GSTAGE_STEPS" | sort -k1,1nr
	awk -F '\t' '
		$4 != "in all" { sum += $1 + $2; next }
		{
			printf "%9.1f %9s  %s\n", $1 + $2 - sum, "", "compilers of our own code, and make"
			printf "%9.1f %9.1f  %s\n", $1 + $2, $3, $4
		}' "$GSTAGE_STEPS" "$RESULTS/total"
}

if [ "${1:-}" = --times ]; then
	show_times
	exit
fi

side=() alone=() lane=side
for name; do
	case $name in
	--alone) lane=alone ;;
	*) eval "$lane+=(\"\$name\")" ;;
	esac
done
rm -rf "$RESULTS"
mkdir -p "$RESULTS" || exit
: >"$GSTAGE_STEPS"
# Not ended by what a test does, but by Ctrl-C: then there is no total.
trap 'exit 130' INT TERM HUP
goals() { # OPTION GOAL...
	# shellcheck disable=SC2086 # words, like make -f FILE
	[ $# -eq 1 ] || ${MAKE:-make} --no-print-directory -k ${1:+"$1"} "${@:2}"
}
TIMEFORMAT=$'%3U\t%3S\t%3R\tin all'
{
	time {
		goals "${JOBS:+-j$JOBS}" ${side[@]+"${side[@]}"}
		goals -j1 ${alone[@]+"${alone[@]}"}
	} 2>&3
} 3>&2 2>"$RESULTS/total.new"

passed=0 failed=0 skipped=0
for name in ${side[@]+"${side[@]}"} ${alone[@]+"${alone[@]}"}; do
	status=none
	[ ! -e "$RESULTS/$name" ] || status=$(cat "$RESULTS/$name")
	case $status in
	0) passed=$((passed + 1)) ;;
	4) skipped=$((skipped + 1)) ;;
	none)
		failed=$((failed + 1))
		printf 'FAIL  %-28s was not run: what it needs was not built (said above)\n' "$name"
		;;
	*) failed=$((failed + 1)) ;;
	esac
done
mv "$RESULTS/total.new" "$RESULTS/total"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
