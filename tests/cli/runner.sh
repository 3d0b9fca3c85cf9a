#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The test runner and the library: what is believed of every other test.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

runner=$TOP/tests/run.sh
mkdir "$WORK/t"

# put NAME STATUS [TEXT]: a test that says TEXT and ends with STATUS
put() {
	printf 'echo "%s"\nexit %s\n' "${3:-}" "$2" >"$WORK/t/$1.sh"
}
put good 0 "hidden words"
put bad 1 "shown words"
put crash 77
put none 4 "SKIP: no program 'x'"

last_line() {
	equal "$(tail -n 1 "$WORK/out")" "$1" "closing line"
}

expect 0 "$runner" "$WORK/t/good.sh"
last_line "1 passed, 0 failed, 0 skipped"
has_out "PASS  t/good"
case $OUT in *hidden*) fail "output of a test that passed is shown" ;; esac

expect 1 "$runner" "$WORK/t/good.sh" "$WORK/t/bad.sh" "$WORK/t/none.sh" "$WORK/t/crash.sh"
last_line "1 passed, 2 failed, 1 skipped"
has_out "      | shown words"
has_out "SKIP: no program 'x'"
has_out "status 77"

# Nothing shown is no success.
expect 1 "$runner"
last_line "0 passed, 0 failed, 0 skipped"
expect 1 "$runner" "$WORK/t/none.sh"
last_line "0 passed, 0 failed, 1 skipped"
expect 1 "$runner" "$WORK/t/absent.sh" "$WORK/t/good.sh"
last_line "1 passed, 1 failed, 0 skipped"

# A test that hangs is stopped.
echo "sleep 60" >"$WORK/t/hang.sh"
expect 1 env TEST_LIMIT=1 "$runner" "$WORK/t/hang.sh"
last_line "0 passed, 1 failed, 0 skipped"
has_out "stopped after 1 s"

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
