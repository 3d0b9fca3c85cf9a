# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by every test script. Gives them:
#
#   TOP, O        the repository, and where it was built (absolute)
#   GSTAGE        gstage for this machine
#   FIXTURES      hand-made run files
#   WORK          a folder of this test's own, gone when it ends
#   fail TEXT     the test fails      skip TEXT   something is missing
#   full          is this `make test-full`? Then a test repeats what it shows on other
#                 kernels, versions and seeds (tests/list has what)
#   need PROG...  skip unless these programs are there
#   expect N CMD  run CMD, fail unless it ends with status N; its output is
#                 in $OUT and $ERR, and the files $WORK/out and $WORK/err
#   has_out TEXT, has_err TEXT       fail unless the text (fixed) is in there
#   no_out        stdout must be empty
#   one_line_err  stderr must be exactly one line
#   equal A B [WHAT]                 fail unless the strings are equal
#   on_exit CMD   add to what happens at the end (last first)
#
# A script that reaches its end passes.
set -u

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
O=${O:-$TOP/.output}
case $O in
/*) ;;
*) O=$TOP/$O ;;
esac
GSTAGE=${GSTAGE:-$O/native/gstage}
FIXTURES=$TOP/tests/fixtures
export LC_ALL=C
# shellcheck disable=SC2034 # for the scripts
readonly TOP O GSTAGE FIXTURES

WORK=$(mktemp -d "${TMPDIR:-/tmp}/gstage-test.XXXXXX") || exit 1
readonly WORK
cleanups=()

clean_up() {
	local i
	for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
		eval "${cleanups[i]}"
	done
	rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

on_exit() {
	cleanups+=("$*")
}

fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	echo "SKIP: $*"
	exit 4
}

full() { [ "${TEST_FULL:-}" = 1 ]; }

need() {
	local prog
	for prog; do
		command -v "$prog" >/dev/null || skip "no program '$prog'"
	done
}

expect() {
	local wanted=$1 status
	shift
	COMMAND="$*"
	"$@" >"$WORK/out" 2>"$WORK/err" </dev/null
	status=$?
	OUT=$(cat "$WORK/out")
	ERR=$(cat "$WORK/err")
	[ "$status" -eq "$wanted" ] ||
		fail "status $status, not $wanted, of: $COMMAND
$(tail -n 15 "$WORK/out")
$(tail -n 15 "$WORK/err")"
}

has_out() {
	grep -qF -e "$1" "$WORK/out" || fail "stdout lacks '$1', of: $COMMAND
$OUT"
}

has_err() {
	grep -qF -e "$1" "$WORK/err" || fail "stderr lacks '$1', of: $COMMAND
$ERR"
}

no_out() {
	[ ! -s "$WORK/out" ] || fail "unexpected stdout of: $COMMAND
$OUT"
}

one_line_err() {
	[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "not one line on stderr, of: $COMMAND
$ERR"
}

equal() {
	[ "$1" = "$2" ] || fail "${3:-values} differ: '$1' and '$2'"
}
