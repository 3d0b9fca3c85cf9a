#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Files that are no run files: one line that names the file, what is wrong and
# what to do; status 2; no output. The same for report and compare.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

good=$FIXTURES/split.json

# refused FILE TEXT...: both commands refuse it, and say each TEXT.
refused() {
	local file=$1 text
	shift
	for text in "${file##*/}" "$@"; do
		expect 2 "$GSTAGE" report "$file"
		no_out
		one_line_err
		has_err "$text"
	done
	expect 2 "$GSTAGE" compare "a=$good" "b=$file"
	no_out
	one_line_err
	has_err "${file##*/}"
}

# spoil NAME SED: the good file, changed.
spoil() {
	sed "$2" "$good" >"$WORK/$1.json"
	! cmp -s "$good" "$WORK/$1.json" || fail "spoil $1 changed nothing"
}

refused "$WORK/absent.json" "No such file" "gstage trace"
refused "$WORK" "Is a directory"

: >"$WORK/empty.json"
refused "$WORK/empty.json" "is empty" "record it again"

size=$(stat -c %s "$good")
for share in 1 30 60 90 99; do
	head -c $((size * share / 100)) "$good" >"$WORK/cut.json"
	refused "$WORK/cut.json" "truncated" "record it again"
done

head -c 4096 "$GSTAGE" >"$WORK/binary.json"
refused "$WORK/binary.json" "not a run file"
printf 'hello\nworld\n' >"$WORK/text.json"
refused "$WORK/text.json" "not a run file" "line 1"
{ cat "$good"; echo '{}'; } >"$WORK/twice.json"
refused "$WORK/twice.json" "not a run file"

for json in '[]' '{}' '{"schema": 1}' '{"context": {"date": "x"}, "benchmarks": []}'; do
	echo "$json" >"$WORK/foreign.json"
	refused "$WORK/foreign.json" "gstage-run/1" "gstage trace"
done

spoil newer 's,gstage-run/1,gstage-run/2,'
refused "$WORK/newer.json" "gstage-run/2" "use the gstage that wrote it"
spoil report 's,gstage-run/1,gstage-report/1,'
refused "$WORK/report.json" "gstage-report/1"
spoil string 's/"pages_lost": 0,/"pages_lost": "0",/'
refused "$WORK/string.json" "guest.pages_lost"
spoil negative 's/"misses": 0/"misses": -1/'
refused "$WORK/negative.json" "probes[0].misses"
spoil real 's/"duration_ns": 20100/"duration_ns": 20100.5/'
refused "$WORK/real.json" "phases[1].duration_ns"
spoil huge 's/"duration_ns": 20100/"duration_ns": 99999999999999999999/'
refused "$WORK/huge.json" "not a run file"
spoil sum 's/"sum": 24547800/"sum": 1/'
refused "$WORK/sum.json" "faults[0].latency"
spoil word 's/"clock": "instructions"/"clock": "sundial"/'
refused "$WORK/word.json" "environment.clock"
spoil lying 's/"record_drops": 0/"record_drops": 5/'
refused "$WORK/lying.json" "losses.record_drops"
spoil member '0,/"schema"/s//"schema": "gstage-run\/1", "schema"/'
refused "$WORK/member.json" "duplicate"

# Nesting without end is refused, not followed.
printf '%0100000d' 0 | tr 0 '[' >"$WORK/deep.json"
refused "$WORK/deep.json" "not a run file"

if [ "$(id -u)" != 0 ]; then
	cp "$good" "$WORK/secret.json"
	chmod 0 "$WORK/secret.json"
	refused "$WORK/secret.json" "Permission denied"
fi
