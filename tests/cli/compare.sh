#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage compare: figures of known files, what is refused and how it is said.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

split=$FIXTURES/split.json
eager=$FIXTURES/eager.json

expect 0 "$GSTAGE" compare "fault=$split" "eager=$eager"
equal "$ERR" "" stderr
has_out "They differ in kvm_args:"
has_out "  fault   eager_page_split=0"
has_out "  splits: fault 2M -> 4K            8         0          -8  0.000"
has_out "  splits: enable 2M -> 4K           0         8          +8      -"
has_out "  faults: all paths              8208      8208           =  1.000"
has_out "  phase: enable                20100    512300     +492200  25.488"
has_out "  fault total: split write    121400         -           -       -"
has_out "  fast write: max            18700         18700      ="
has_out "  guest pages: lost                 0         0           =      -"
awk 'length > 80 { print; bad = 1 } END { exit bad }' "$WORK/out" ||
	fail "wider than 80 columns"

# The other way round, every difference turns its sign.
expect 0 "$GSTAGE" compare "eager=$eager" "fault=$split"
has_out "  splits: fault 2M -> 4K            0         8          +8      -"

# Counts and instructions are in tables of their own.
awk '/^Exact counts/ { t = 1 } /^Instructions/ { t = 2 }
     /^  (phase|fault total|fault mean):/ && t != 2 { bad = 1 }
     /^  (splits|faults|fences):/ && t != 1 { bad = 1 }
     END { exit bad }' "$WORK/out" || fail "classes of figures are mixed"

# A name of full length is kept apart from what follows it.
expect 0 "$GSTAGE" compare "split-on-fault.1=$split" "eager=$eager"
has_out "split-on-fault.1 $split"
has_out "  split-on-fault.1 eager_page_split=0"

# Host time gets no table.
expect 0 "$GSTAGE" compare "a=$FIXTURES/host.json" "b=$FIXTURES/host-eager.json"
has_out "Times: not compared"
case $OUT in *13012300*) fail "a duration in host time is shown" ;; esac

# Quiet leaves tables; verbose shows rows of nothing.
expect 0 "$GSTAGE" compare -q "fault=$split" "eager=$eager"
case $OUT in *"They differ"*) fail "-q shows the arms" ;; esac
has_out "Exact counts"
expect 0 "$GSTAGE" compare -v "fault=$split" "eager=$eager"
has_out "  flush fallbacks: vmid             0         0           =      -"
expect 2 "$GSTAGE" compare -u "fault=$split" "eager=$eager"

# JSON.
expect 0 "$GSTAGE" compare --json "fault=$split" "eager=$eager"
equal "$(wc -l <"$WORK/out")" 1 "lines of JSON"
has_out '"schema":"gstage-compare/1"'
has_out '"differs_in":{"kvm_args":["eager_page_split=0","eager_page_split=1"]}'

# Equal runs: only on request, and then no difference in any row.
cp "$split" "$WORK/again.json"
expect 5 "$GSTAGE" compare "a=$split" "b=$WORK/again.json"
no_out
one_line_err
has_err "--aa"
expect 0 "$GSTAGE" compare --aa "a=$split" "b=$WORK/again.json"
has_out "recorded alike"
if grep -qE ' [+-][0-9]' "$WORK/out"; then
	fail "equal runs differ: $OUT"
fi
expect 5 "$GSTAGE" compare --aa "a=$split" "b=$eager"
one_line_err
has_err "kvm_args"

# More than the thing compared: every member and both values are named.
expect 5 "$GSTAGE" compare "a=$split" "b=$FIXTURES/host-eager.json"
no_out
one_line_err
has_err "clock (a: instructions, b: host)"
has_err "harts (a: 1, b: 2)"
has_err "--vary"
for change in kernel:7.3.4:7.3.5 accel:tcg:kvm cpu:rv64:max mode:icount:smp \
	qemu:7.2.22:10.0.2 tool:'gstage 0.1.0':'gstage 0.2.0' base:7.3:7.2 \
	cost:full:counts; do
	IFS=: read -r key from to <<<"$change"
	sed "s/\"$key\": \"$from\"/\"$key\": \"$to\"/" "$eager" >"$WORK/other.json"
	expect 5 "$GSTAGE" compare "a=$split" "b=$WORK/other.json"
	one_line_err
	has_err "$key (a: $from, b: $to)"
done
sed 's/"seed": 1/"seed": 2/' "$eager" >"$WORK/seed.json"
expect 5 "$GSTAGE" compare "a=$split" "b=$WORK/seed.json"
has_err "seed"
sed 's/"--rounds"/"--laps"/' "$eager" >"$WORK/cmdline.json"
expect 5 "$GSTAGE" compare "a=$split" "b=$WORK/cmdline.json"
has_err "cmdline"

# The advice that is given works.
sed 's/"base": "7.3"/"base": "7.2"/; s/"kernel": "7.3.4"/"kernel": "7.2.12"/' \
	"$split" >"$WORK/72.json"
expect 5 "$GSTAGE" compare "v72=$WORK/72.json" "v73=$split"
advice=${ERR##*--vary }
expect 0 "$GSTAGE" compare --vary "$advice" "v72=$WORK/72.json" "v73=$split"
expect 2 "$GSTAGE" compare --vary kernel,moon "v72=$WORK/72.json" "v73=$split"
one_line_err
has_err "no 'moon'"

# Incomplete.
expect 3 "$GSTAGE" compare "a=$split" "b=$FIXTURES/incomplete.json"
no_out
one_line_err
has_err "incomplete.json is incomplete"
has_err "record_drops 17"

# Lost pages and failed checks are not hidden by a table.
sed 's/"pages_lost": 0/"pages_lost": 3/' "$eager" >"$WORK/lost.json"
expect 1 "$GSTAGE" compare "a=$split" "b=$WORK/lost.json"
has_out "Exact counts"
has_err "lost 3 pages"

# Repetitions: the median, and the spread where they disagree.
sed 's/"fences": 12288/"fences": 12290/' "$split" >"$WORK/split2.json"
cp "$eager" "$WORK/eager2.json"
expect 0 "$GSTAGE" compare "a=$split,$WORK/split2.json" "b=$eager,$WORK/eager2.json"
has_out "12288 (12288..12290)"
expect 5 "$GSTAGE" compare "a=$split,$eager" "b=$WORK/split2.json,$WORK/eager2.json"
has_err "no repetitions"

# Usage.
usage() {
	local text=$1
	shift
	expect 2 "$GSTAGE" compare "$@"
	no_out
	has_err "$text"
}
usage "two arms"
usage "two arms" "a=$split"
usage "more than two" "a=$split" "b=$eager" "c=$WORK/again.json"
usage "no label" "$split" "b=$eager"
usage "no label" "=$split" "b=$eager"
usage "longer than" "abcdefghijklmnopqr=$split" "b=$eager"
usage "both arms are called 'a'" "a=$split" "a=$eager"
usage "given twice" "a=$split" "b=$split"
usage "given twice" "a=$split,$split" "b=$eager"
ln -s "$split" "$WORK/link.json"
usage "given twice" "a=$split" "b=$WORK/link.json"
usage "empty file name" "a=" "b=$eager"
usage "empty file name" "a=$split," "b=$eager"
usage "contradict" --aa --vary kernel "a=$split" "b=$eager"
usage "no key" --vary "" "a=$split" "b=$eager"
