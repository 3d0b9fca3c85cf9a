#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# one.sh NAME: run one test, print one line, and below it what a failing test has
# printed. NAME is unit/X or sim/X (programs in $O), or X of tests/X.sh, like vm/check.
#
# A test says PASS with status 0, SKIP with 4, FAIL with any other. one.sh leaves the
# status in $RESULTS/NAME, and the times in a row of $RESULTS/steps, for run.sh, and
# ends with 0: that a test fails keeps make from nothing.
#
# TEST_LIMIT: seconds after which the test is stopped and has failed.
# TESTS: the folder of the scripts.
set -u

name=$1
limit=${TEST_LIMIT:-1200}
RESULTS=${RESULTS:-${O:?}/tests}
case $name in
unit/*) command=("$O/unit/test_${name#*/}") ;;
sim/*) command=("$O/sim/${name#*/}") ;;
*) command=(bash "${TESTS:-$(dirname "$0")}/$name.sh") ;;
esac
mkdir -p "$RESULTS/${name%/*}" && output=$(mktemp) && said=$(mktemp) || exit
rm -f "$RESULTS/$name"

session=''
# Everything that the test has started, whatever process groups it has made.
end_session() { [ -z "$session" ] || pkill -"$1" -s "$session"; }
trap 'end_session KILL; rm -f "$output" "$said"' EXIT
# The test removes what it has made.
trap 'end_session TERM; sleep 1; exit 130' INT TERM HUP

# What is built in a test is part of the test, and no job of the make that runs it.
GSTAGE_STEPS='' MAKEFLAGS='' setsid timeout -k 10 "$limit" "${command[@]}" >"$output" 2>&1 </dev/null &
session=$!
status=0
TIMEFORMAT=$'%3U\t%3S\t%3R\t'$name
{ time wait "$session" || status=$?; } 2>"$said"
cat "$said" >>"$RESULTS/steps"
wall=$(cut -f3 "$said")

left() { ps -o pid=,stat=,args= -s "$session" | awk '$2 !~ /^Z/'; }
if [ "$status" -ne 124 ] && [ -n "$(left)" ]; then
	# A process that is about to end by itself is no fault of the test.
	sleep 2
	processes=$(left)
	if [ -n "$processes" ]; then
		printf '%s\n' "the test has left processes:" "$processes" >>"$output"
		[ "$status" -ne 0 ] || status=1
	fi
fi

# All of it, unless it is very long: then both ends.
show_output() {
	local lines

	lines=$(wc -l <"$output")
	if [ "$lines" -le 120 ]; then
		cat "$output"
	else
		head -n 60 "$output"
		echo "... $((lines - 100)) lines ..."
		tail -n 40 "$output"
	fi | sed 's/^/      | /'
}

word=FAIL why="status $status"
case $status in
0) word=PASS why='' ;;
4) word=SKIP why=$(tail -n 1 "$output") ;;
124) why="stopped after $limit s" ;;
esac
{
	printf '%s  %-28s %.2f s  %s\n' $word "$name" "$wall" "$why" | sed 's/ *$//'
	[ $word != FAIL ] || show_output
} >"$said"
# One writer at a time, so that nothing is interleaved.
flock "$RESULTS" cat "$said"
echo "$status" >"$RESULTS/$name"
