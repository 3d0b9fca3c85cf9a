#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh TEST...: run each test (a program or a script), one line for each, and
# close with exactly "N passed, N failed, N skipped".
#
# A test says PASS with status 0, SKIP with 4, FAIL with any other. Its output
# is shown when it fails; of a skipped test the last line, which says what is
# missing. Fails when a test failed, or when none passed: a run in which
# everything is skipped has shown nothing.
#
# TEST_LIMIT: seconds after which a test is stopped and counted as failed.
set -u

limit=${TEST_LIMIT:-1200}
passed=0 failed=0 skipped=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

show_time() { # of $1 milliseconds
	printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10))
}

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

for test in "$@"; do
	name=${test##*/}
	name=$(basename "$(dirname "$test")")/${name%.sh}
	started=$(date +%s%3N)
	case $test in
	*.sh) timeout -k 10 "$limit" bash "$test" >"$output" 2>&1 </dev/null ;;
	*) timeout -k 10 "$limit" "$test" >"$output" 2>&1 </dev/null ;;
	esac
	status=$?
	took=$(show_time $(($(date +%s%3N) - started)))
	case $status in
	0)
		passed=$((passed + 1))
		printf 'PASS  %-28s %s\n' "$name" "$took"
		;;
	4)
		skipped=$((skipped + 1))
		printf 'SKIP  %-28s %s  %s\n' "$name" "$took" "$(tail -n 1 "$output")"
		;;
	*)
		failed=$((failed + 1))
		why="status $status"
		[ "$status" -ne 124 ] || why="stopped after $limit s"
		printf 'FAIL  %-28s %s  %s\n' "$name" "$took" "$why"
		show_output
		;;
	esac
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
