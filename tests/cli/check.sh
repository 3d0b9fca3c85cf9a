#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage check on run files: options, verdicts, exit statuses.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need jq
check() { expect "$1" "$GSTAGE" check "${@:2}"; }
run=$FIXTURES/eager.json

# run_with FILTER: the fixture changed by jq, as $WORK/run.json
run_with() { jq "$1" "$run" >"$WORK/run.json" || fail "jq refuses $1"; }
row() { printf '.checks += [{"name": "%s", "ok": %s, "detail": "%s", "looked_at": %d}]' "$1" "$2" "$3" "$4"; }

check 0 --help
has_out "Does dirty logging keep"
check 0 --list
equal "$(paste -sd' ' "$WORK/out")" "lost-dirty logged-leaf flush-protocol livelock split-complete spurious holes fence-queue" "names"
check 2
has_err "no run file, no -p"
check 2 --only nonsense "$run"
has_err "there is no check 'nonsense'"
check 2 --skip livelock,nonsense "$run"
has_err "there is no check 'nonsense'"
for option in --stop-on-broken "-d 1" "-o x"; do
	# shellcheck disable=SC2086 # words
	check 2 $option "$run"
	has_err "need -p"
done
check 2 -p 1 "$run"
has_err "contradict"
check 2 "$WORK/none.json"
one_line_err
# Tracing is for the machine with the guests.
check 4 -- true

# Held, unknown, broken.
check 0 "$run"
has_out "lost-dirty      held"
has_out "livelock        unknown  not looked at: gstage trace --checks does"
run_with "$(row livelock true "looked at 9 times" 9)"
check 0 "$WORK/run.json"
has_out "livelock        held     looked at 9 times"
run_with "$(row livelock false "vCPU 0 faulted" 9) | .checks[-1].first = {vm: 1, vcpu: 0, gpa: 4096, stack: [\"kvm_fault+0x10\"]}"
check 1 "$WORK/run.json"
has_out "livelock        BROKEN   vCPU 0 faulted"
has_out "kvm_fault+0x10"
check 1 -q "$WORK/run.json"
equal "$(wc -l <"$WORK/out")" 1 "lines with -q"
check 0 --skip livelock "$WORK/run.json"
check 1 --only livelock "$WORK/run.json"
check 1 --json "$WORK/run.json"
equal "$(jq -r '.schema, (.checks[] | select(.name == "livelock") | .state, .first.gpa)' "$WORK/out" | paste -sd' ')" \
	"gstage-check/1 broken 4096" "JSON"
run_with '.guest.pages_lost = 3'
check 1 "$WORK/run.json"
has_out "lost-dirty      BROKEN   3 of 8192"

# Several: the worst counts. Nothing that could be told is no success.
check 1 "$run" "$WORK/run.json"
check 3 "$FIXTURES/incomplete.json"
has_out "incomplete, events were lost"
check 5 --only livelock "$run"

# Text of a file must not move the terminal.
run_with "$(row livelock false 'a\u001b[2Jb' 1)"
check 1 "$WORK/run.json"
! grep -q "$(printf '\033')" "$WORK/out" || fail "an escape sequence is printed"
