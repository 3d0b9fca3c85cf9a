#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The test runner and the library: what is believed of every other test.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

mkdir -p "$WORK/t/t" "$WORK/o"
# What make does for a test, without what a test needs.
printf 't/%%:\n\t@%s/tests/one.sh $@\nt/unbuilt: t/no-rule-for-this\nt/no-rule-for-this:\n\t@false\n' "$TOP" >"$WORK/t/Makefile"

# run STATUS NAME...: by the runner, two at a time
run() {
	expect "$1" env O="$WORK/o" TESTS="$WORK/t" MAKE="make -f $WORK/t/Makefile" JOBS=2 MAKEFLAGS= "$TOP/tests/run.sh" "${@:2}"
}

# put NAME STATUS [TEXT]: a test that says TEXT and ends with STATUS
put() {
	printf 'echo "%s"\nexit %s\n' "${3:-}" "$2" >"$WORK/t/t/$1.sh"
}
put good 0 "hidden words"
put bad 1 "shown words"
put crash 77
put none 4 "SKIP: no program 'x'"

last_line() {
	equal "$(tail -n 1 "$WORK/out")" "$1" "closing line"
}

run 0 t/good
last_line "1 passed, 0 failed, 0 skipped"
has_out "PASS  t/good"
case $OUT in *hidden*) fail "output of a test that passed is shown" ;; esac

run 1 t/good t/bad --alone t/none t/crash
last_line "1 passed, 2 failed, 1 skipped"
has_out "      | shown words"
has_out "SKIP: no program 'x'"
has_out "status 77"

# Nothing shown is no success, and neither is a test that could not be run.
run 1
last_line "0 passed, 0 failed, 0 skipped"
run 1 t/none
last_line "0 passed, 0 failed, 1 skipped"
run 1 t/absent t/good t/unbuilt
last_line "1 passed, 2 failed, 0 skipped"
has_out "FAIL  t/unbuilt                    was not run"

# Where the time went: each test, and what its build says.
run 0 t/good --alone t/good
expect 0 env O="$WORK/o" "$TOP/tests/run.sh" --times
grep -qE '^ +[0-9.]+ +[0-9.]+  t/good$' "$WORK/out" || fail "$OUT"
grep -qE '^ +[0-9.]+ +[0-9.]+  in all$' "$WORK/out" || fail "$OUT"
expect 4 env O="$WORK/none" "$TOP/tests/run.sh" --times
one_line_err

# Two side by side, each with all of its output in one piece; the others after them.
# Each waits for the other to have begun, and says so in the middle.
for name in a b; do
	cat >"$WORK/t/t/$name.sh" <<-TEST
		echo "begin $name"
		touch "$WORK/began-$name"
		for i in \$(seq 100); do [ -e "$WORK/began-a" ] && [ -e "$WORK/began-b" ] && break; sleep 0.1; done
		[ ! -e "$WORK/began-later" ] || echo "later came too soon"
		[ "\$i" -lt 100 ] || echo "nobody beside $name"
		echo "end $name"
		exit 1
	TEST
done
printf 'touch "%s"\n' "$WORK/began-later" >"$WORK/t/t/later.sh"
run 1 t/a t/b --alone t/later
for name in a b; do
	grep -A2 "FAIL  t/$name" "$WORK/out" | tail -n 2 | diff - <(printf '      | %s\n' "begin $name" "end $name") ||
		fail "output of two tests is mixed, or they were not side by side: $OUT"
done

# A test that hangs is stopped, and one that leaves processes has failed.
echo "sleep 1234 & setsid -f true; timeout 1000 sleep 1235" >"$WORK/t/t/hang.sh"
left() { pgrep -f '^(sleep|timeout 1000 sleep) 123[45]$'; }
TEST_LIMIT=1 run 1 t/hang
last_line "0 passed, 1 failed, 0 skipped"
has_out "stopped after 1 s"
[ -z "$(left)" ] || fail "the test that was stopped has left $(left)"
echo "sleep 1234 & timeout 1000 sleep 1235 & exit 0" >"$WORK/t/t/leaves.sh"
run 1 t/leaves
has_out "the test has left processes:"
has_out "sleep 1235"
[ -z "$(left)" ] || fail "the test that passed has left $(left)"

# Ctrl-C, which goes to all of the foreground, and a signal to make alone.
for signal in INT TERM; do
	python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.setpgrp()
os.execvp(sys.argv[1], sys.argv[1:])' env O="$WORK/o" TESTS="$WORK/t" TMPDIR="$WORK" MAKEFLAGS= \
		make -f "$WORK/t/Makefile" t/hang >"$WORK/log" 2>&1 &
	make=$!
	for _ in $(seq 100); do [ "$(left | wc -l)" -ge 3 ] && break; sleep 0.1; done
	[ "$(left | wc -l)" -ge 3 ] || fail "the test was not started: $(cat "$WORK/log")"
	if [ $signal = INT ]; then kill -INT "-$make"; else kill -TERM $make; fi
	wait $make && fail "make ends well after SIG$signal"
	for _ in $(seq 50); do [ -n "$(left)" ] || break; sleep 0.1; done
	[ -z "$(left)" ] || fail "SIG$signal leaves $(left)"
done

# The library notices what it is asked to notice, and leaves nothing behind.
# shellcheck disable=SC2016 # the test that is written expands
library() {
	printf '. "%s/tests/lib.sh"\necho "WORK=$WORK"\n%s\n' "$TOP" "$1" >"$WORK/t/lib.sh"
}
left_nothing() {
	local folder
	folder=$(sed -n 's/^WORK=//p' "$WORK/out")
	if [ -z "$folder" ] || [ -e "$folder" ]; then
		fail "'$folder' is left"
	fi
}
for line in 'expect 1 true' 'expect 0 false' 'expect 0 echo a; has_out b' \
	'expect 0 echo a; no_out' 'expect 0 true; one_line_err' 'equal a b' 'fail x'; do
	library "$line"
	expect 1 bash "$WORK/t/lib.sh"
	left_nothing
done
for line in 'expect 0 true' 'expect 3 sh -c "exit 3"' 'expect 0 echo ab; has_out b' 'equal a a'; do
	library "$line"
	expect 0 bash "$WORK/t/lib.sh"
	left_nothing
done
library 'need no-such-program-here'
expect 4 bash "$WORK/t/lib.sh"
left_nothing
library 'on_exit "echo first"; on_exit "echo second"; expect 0 true'
expect 0 bash "$WORK/t/lib.sh"
equal "$(tail -n 2 "$WORK/out" | tr '\n' ' ')" "second first " "order of on_exit"
