#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage compare: figures of known files, what is refused and how it is said.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# No table is wider than the page (file names may be).
fits() {
	sed -n '/^Exact/,$p' "$WORK/out" | grep -v '^note: ' |
		awk 'length > 80 { print; bad = 1 } END { exit bad }' ||
		fail "wider than 80 columns"
}

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
has_out "  fast write: max           18700         18700      ="
has_out "  guest pages: lost                 0         0           =      -"
fits

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

# Three arms: "=" where an arm is like the first, else its ratio to it below.
cp "$split" "$WORK/band.json"
expect 0 "$GSTAGE" compare --band again "fault=$split" "eager=$eager" "again=$WORK/band.json"
has_out "again     $WORK/band.json (noise band)"
has_out "Exact counts (= as fault; below a figure its ratio to fault)"
has_out "  faults: all paths              8208      =      ="
has_out "  splits: fault 2M -> 4K            8      0      ="
has_out "                                       0.000"
has_out "  splits: enable 2M -> 4K           0      8      ="
has_out "                                          +8"
has_out "  phase: enable                20100     512300      ="
has_out "                                         25.488"
has_out "  fault total: fast write   24547800  ~24571800      ="
has_out "  fault total: split write    121400          -      ="
fits
if grep -q ' $' "$WORK/out"; then
	fail "blanks at the end of a line"
fi
# Five arms fit the page, too.
for n in 1 2 3; do
	sed "s/eager_page_split=1/eager_page_split=$n/" "$eager" >"$WORK/v$n.json"
done
expect 0 "$GSTAGE" compare "fault=$split" "eager=$eager" "v2=$WORK/v2.json" "v3=$WORK/v3.json" --band again \
	"again=$WORK/band.json"
has_out "fault      eager         v2         v3  again"
fits

# Host time, one boot of each: figures, and no verdict.
expect 0 "$GSTAGE" compare "a=$FIXTURES/host.json" "b=$FIXTURES/host-eager.json"
has_out "Host time, tcg: not a time on hardware"
has_out "b against a, medians of 1 and 1 boots"
has_out "no verdict: "
fits
if sed -n '/^Host time/,$p' "$WORK/out" | grep -qE 'ratio|~|=| 1\.'; then
	fail "one boot of each and a verdict: $OUT"
fi

# Host time, 8 boots of each, made by scaling one: ARM SECOND-ARM-IS-SLOWER-BY.
boots() { # DIRECTORY FROM NR PERCENT
	local i
	mkdir -p "$WORK/$1"
	for ((i = 1; i <= $3; i++)); do
		awk -v factor="$((1000 + i + 10 * $4))" '
			/"(start|end|duration|dirty|get|clear)_ns"/ {
				match($0, /[0-9]+/)
				n = substr($0, RSTART, RLENGTH)
				sub(/[0-9]+/, sprintf("%d", n * factor / 1000))
			}
			{ print }' "$2" >"$WORK/$1/$(printf %02d "$i").json"
	done
}
boots slow "$FIXTURES/host-eager.json" 8 30
boots fast "$FIXTURES/host.json" 8 0
boots again "$FIXTURES/host.json" 8 1
touch "$WORK/fast/.hidden.json" "$WORK/fast/notes.txt"
expect 0 "$GSTAGE" compare "a=$WORK/fast" "b=$WORK/slow"
has_out "a         $WORK/fast/01.json, $WORK/fast/02.json, $WORK/fast/03.json, $WORK/fast/04.json and 4 more"
has_out "b against a, medians of 8 and 8 boots"
# 13012300 * 1.0045 and 13000200 * 1.3045; without overlap.
sed -n '/^Host time/,$p' "$WORK/out" | grep -qE '^  phase: dirty 1 .* 1\.[23][0-9][0-9] .*\.\.' ||
	fail "30 % more is not shown: $OUT"
sed -n '/^Host time/,$p' "$WORK/out" | grep -qE '^  fast write: p50 .* ~ ' ||
	fail "equal latencies are not '~': $OUT"
fits
if grep -qi 'no change' "$WORK/out"; then
	fail "it says 'no change'"
fi
expect 0 "$GSTAGE" compare "a=$WORK/fast/" "b=$WORK/slow" --json
has_out '"class":"host"'
has_out '"instructions":null,"quantiles":null,"host_time":[{'
has_out "\"$WORK/fast/08.json\""
has_out '"n":[8,8]'
# The band: 1 % is what equal arms do here.
expect 0 "$GSTAGE" compare --band again "a=$WORK/fast" "b=$WORK/slow" "again=$WORK/again"
has_out "again against a, medians of 8 and 8 boots"
fits
# Any seeds will do, but no boot twice, and no other machine.
cp "$WORK/slow/01.json" "$WORK/copy.json"
expect 5 "$GSTAGE" compare "a=$WORK/fast" "b=$WORK/slow,$WORK/copy.json"
one_line_err
has_err "$WORK/slow/01.json and $WORK/copy.json are one boot"
sed 's/"clock": "host"/"host": "Other, 4 cores, 0123abcd", &/' "$WORK/slow/01.json" >"$WORK/elsewhere.json"
expect 5 "$GSTAGE" compare "a=$WORK/fast" "b=$WORK/elsewhere.json"
one_line_err
has_err "host (a: not known, b: Other, 4 cores, 0123abcd)"
has_err "two machines"
sed 's/"clock": "instructions"/"host": "Other, 4 cores, 0123abcd", &/' "$eager" >"$WORK/elsewhere.json"
expect 0 "$GSTAGE" compare "a=$split" "b=$WORK/elsewhere.json"
mkdir "$WORK/none"
expect 2 "$GSTAGE" compare "a=$WORK/fast" "b=$WORK/none"
one_line_err
has_err "no run in the directory $WORK/none"

# Digests say nothing that the version does not, unless they are all there is.
sed 's/"kvm_sha256": "./"kvm_sha256": "e/; s/"version": "/&not-/; s/eager_page_split=1/eager_page_split=0/' "$eager" >"$WORK/version.json"
expect 0 "$GSTAGE" compare "a=$split" "b=$WORK/version.json"
has_out "They differ in version:"
case $OUT in *sha256*) fail "digests are shown" ;; esac
expect 0 "$GSTAGE" compare -v "a=$split" "b=$WORK/version.json"
has_out "They differ in kvm_sha256:"

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
has_out '"schema":"gstage-compare/2"'
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

# Nothing mixes the classes: not --vary, and not the order of the arms.
host=$FIXTURES/host.json
for arms in "a=$split b=$host" "a=$host b=$split"; do
	# shellcheck disable=SC2086 # two arms
	expect 5 "$GSTAGE" compare --vary clock,mode,harts $arms
	has_err "record both with one clock"
done
jq '.environment.harts = 2' "$split" >"$WORK/harts.json"
jq '.environment.accel = "kvm"' "$host" >"$WORK/silicon.json"
for arms in "a=$split b=$WORK/harts.json" "a=$WORK/harts.json b=$split"; do
	# shellcheck disable=SC2086 # two arms
	expect 0 "$GSTAGE" compare --vary harts $arms
	has_out "no table of instructions"
done
for arms in "a=$host b=$WORK/silicon.json" "a=$WORK/silicon.json b=$host"; do
	# shellcheck disable=SC2086 # two arms
	expect 0 "$GSTAGE" compare --vary accel $arms
	has_out "Host time, tcg: not a time on hardware"
done

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
sed 's/"fences": 12288/"fences": 12290/; s/"seed": 1/"seed": 2/' "$split" >"$WORK/split2.json"
sed 's/"seed": 1/"seed": 2/' "$eager" >"$WORK/eager2.json"
expect 0 "$GSTAGE" compare "a=$split,$WORK/split2.json" "b=$eager,$WORK/eager2.json"
has_out "12288..12290"
has_out "varies"
expect 5 "$GSTAGE" compare "a=$split,$eager" "b=$WORK/split2.json,$WORK/eager2.json"
has_err "no repetitions"
# One seed, two results: not the kernel has failed, but the harness.
sed 's/"seed": 2/"seed": 1/' "$WORK/split2.json" >"$WORK/split1.json"
expect 5 "$GSTAGE" compare "a=$split,$WORK/split1.json" "b=$eager"
has_out "note: not deterministic: the same seed gave 'a' two results in 1 of "
has_out "12288 in $split, 12290 in $WORK/split1.json"
one_line_err
has_err "the harness has failed"
cp "$WORK/split1.json" "$WORK/split0.json"
# The same seed twice, and alike.
cp "$split" "$WORK/split1.json"
expect 0 "$GSTAGE" compare "a=$split,$WORK/split1.json" "b=$eager"
equal "$ERR" "" stderr

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
usage "no label" "$split" "b=$eager"
usage "no label" "=$split" "b=$eager"
usage "longer than" "abcdefghijklmnopqr=$split" "b=$eager"
usage "two arms are called 'a'" "a=$split" "a=$eager"
usage "given twice" "a=$split" "b=$split"
usage "given twice" "a=$split,$split" "b=$eager"
ln -s "$split" "$WORK/link.json"
usage "given twice" "a=$split" "b=$WORK/link.json"
usage "empty file name" "a=" "b=$eager"
usage "empty file name" "a=$split," "b=$eager"
usage "contradict" --aa --vary kernel "a=$split" "b=$eager"
usage "no key" --vary "" "a=$split" "b=$eager"
usage "no arm is called 'c'" --band c "a=$split" "b=$eager"
usage "is the first arm" --band a "a=$split" "b=$eager"
usage "contradict" --aa --band b "a=$split" "b=$eager"
usage "two arms were named" --band a --band b "a=$split" "b=$eager"
usage "no format 'xml': text or json, ktap, mail" -f xml "a=$split" "b=$eager"
usage "ktap and mail were both given" -f ktap -f mail "a=$split" "b=$eager"
usage "json and mail were both given" --json -f mail "a=$split" "b=$eager"
usage "--fail-on: " --fail-on moon.phase=5% "a=$split" "b=$eager"
expect 2 "$GSTAGE" report -f ktap "$split"

# Every other format prints something, and nothing on stderr.
for format in ktap mail; do
	expect 0 "$GSTAGE" compare -f "$format" "fault=$split" "eager=$eager"
	equal "$ERR" "" stderr
	[ -s "$WORK/out" ] || fail "-f $format prints nothing"
done

# Gates decide; without one a difference is no failure.
expect 0 "$GSTAGE" compare --fail-on splits.count=0 "fault=$split" "eager=$eager"
expect 1 "$GSTAGE" compare --fail-on phase.enable=5% "fault=$split" "eager=$eager"
has_out "gate: "
expect 0 "$GSTAGE" compare --fail-on phase.enable=3000% "fault=$split" "eager=$eager"
expect 0 "$GSTAGE" compare --fail-on phase.enable=5% "eager=$eager" "fault=$split"
# What the table calls no difference breaks no gate.
examples=$TOP/docs/examples
expect 5 "$GSTAGE" compare --fail-on phase.dirty-2=0,fault-total.fast-write=0.1% "fault=$examples/fault.json" "eager=$examples/eager.json"
has_out "no more than clock and seeds can do"
expect 5 "$GSTAGE" compare --fail-on phase.enable=5% "a=$FIXTURES/host.json" "b=$FIXTURES/host-eager.json"

# git bisect: good, bad, and 125 for all that cannot be judged.
bisect() { # STATUS TEXT ARGUMENTS...
	local wanted=$1 text=$2
	shift 2
	expect "$wanted" "$GSTAGE" compare -q --bisect "$@"
	[ -z "$text" ] || has_err "$text"
}
gate=(--fail-on phase.enable=5%)
bisect 0 "" "${gate[@]}" "good=$eager" "new=$split"
bisect 1 "" "${gate[@]}" "good=$split" "new=$eager"
bisect 1 "lost 3 pages" "good=$split" "new=$WORK/lost.json"
bisect 1 "lost 3 pages" "${gate[@]}" "good=$split" "new=$WORK/lost.json"
bisect 125 "first arm" "${gate[@]}" "good=$WORK/lost.json" "new=$split"
bisect 125 "no gate was given" "good=$split" "new=$eager"
bisect 125 "is incomplete" "${gate[@]}" "good=$split" "new=$FIXTURES/incomplete.json"
bisect 125 "not comparable" "${gate[@]}" "good=$split" "new=$FIXTURES/host.json"
bisect 125 "cannot read" "${gate[@]}" "good=$split" "new=$WORK/missing.json"
bisect 125 "same seed" --fail-on splits.count=0 "good=$split,$WORK/split0.json" "new=$eager"
bisect 125 "unrecognized option" --no-such-option "good=$split" "new=$eager"
bisect 125 "two arms" "good=$split"
bisect 125 "" --fail-on phase.enable=5% "good=$FIXTURES/host.json" "new=$FIXTURES/host-eager.json"
