#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# page.sh [--to FILE] RESULTS [ROW...]: what bench/peers.sh measured, as tables:
# the whole page, into FILE (- or nothing: printed), or the lines of some rows.
#
# The bars: gstage costs at most a third of the cheapest alternative that answers
# the same question. On the tracepoints it is asked twice, since gstage's answer is
# by phase of the dirty log and the issue's question is not. A bar that cannot be
# reached, since empty programs on the same hooks cost more than a third, is told as
# missed, in the page and on stderr, but is no failure. Status 1: another is missed
# (the page is written); 3: a row was not measured, or one on which a bar stands did
# not work, lost events or saw too few, and nothing is written.
set -euo pipefail
# shellcheck source=../host/lib.sh
. "$(dirname "$0")/../host/lib.sh"
# shellcheck source=lib.sh
. "$GSTAGE_TOP/bench/peers/lib.sh"

PROG=peers
BAR=3     # times that the cheapest alternative costs, at least
BEFORE=10 # faults of the guest before the rounds: its 8 blocks of 2M, code, stack
to=-
if [ "${1-}" = --to ]; then
	[ $# -ge 2 ] || die "$EX_USAGE" "--to needs a file"
	to=$2
	shift 2
fi
[ -d "${1-}" ] || die "$EX_USAGE" "usage: page.sh [--to FILE] RESULTS [ROW...]"
results=$1
shift
rows=("$@")
[ $# -gt 0 ] || mapfile -t rows < <(all_rows)
need jq
read_rows
work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-peers.XXXXXX")
trap 'rm -rf "$work"' EXIT

is_number() { [[ $1 =~ ^[0-9]+$ ]]; }

# figure ROW FILE: the first line of a file of the row, or nothing.
figure() { if [ -s "$results/$1/$2" ]; then head -n 1 "$results/$1/$2"; fi; }

# insns ROW: of the dirty phases, per page; fails where there are none. The
# first round is left out: caches of the kernel's allocator are cold in it.
insns() {
	jq -er '.rounds | map(select(.round > 1)) |
		(map(.dirty_ns) | add) / (map(.pages_written) | add) | round' "$results/$1/guest.json" 2>/dev/null
}

# unmeasured ROW: why there is neither a figure nor a tool that did not work.
unmeasured() {
	if [ -s "$results/$1/not-run" ]; then
		figure "$1" not-run
	elif [ ! -e "$results/$1/seen" ]; then
		echo "it was not measured"
	fi
}

# to_answer ROW: instructions from the end of the tool to its answer, per fault.
to_answer() {
	awk -F '[][]' '/peers: ran/ { ran = $2 } ran && /peers: answered/ { print int(($2 - ran) * 1e9 / '"$nr_faults"' + 0.5); found = 1 }
		END { exit !found }' "$results/$1/dmesg"
}

# cost ROW: what it adds to a fault, reading its record included.
cost() {
	local total reads=0

	total=$(insns "$1") || return
	if [ "${said[$1 record]}" = 1 ]; then
		reads=$(to_answer "$1") || return
	fi
	echo $((total - detached + reads))
}

# whole ROW: can something stand on its figures? Ends the script if not.
whole() {
	local why='' seen lost wanted=$((nr_faults + BEFORE))

	seen=$(figure "$1" seen) lost=$(figure "$1" lost)
	why=$(unmeasured "$1")
	if [ -n "$why" ]; then
		:
	elif [ -s "$results/$1/failed" ]; then
		why="it did not work: $(figure "$1" failed)"
	elif ! is_number "$(cost "$1")"; then
		why="the guest has no figures, or less than with nothing attached"
	elif [ "${said[$1 answers]}" = nothing ]; then
		:
	elif [ "$seen" != "$wanted" ]; then
		why="it saw ${seen:-no} faults of $wanted"
	elif [ "$lost" != 0 ]; then
		why="it lost events: ${lost:-it does not tell how many}"
	fi
	[ -z "$why" ] || die "$EX_INCOMPLETE" "a bar stands on $1, and $(plain "$why"); no page was written"
}

# plain TEXT: words of tools, as a cell of a table, without places on this machine.
plain() {
	local text=${1//"$O"\//}

	text=${text//"$GSTAGE_TOP"\//}
	printf '%s' "${text//|//}"
}

memory() { awk -v what="$2" '$1 == what { n += $2 } END { print n + 0 }' "$results/$1/memory"; }

# line ROW: one line of the table.
line() {
	local row=$1 why added reads='' kernel recorded

	why=$(unmeasured "$row")
	: "${why:=$(figure "$row" failed)}"
	if [ -z "$why" ] && ! added=$(insns "$row"); then
		why="the guest has no figures"
	fi
	if [ -z "$why" ] && [ "${said[$row record]}" = 1 ] && ! reads=$(to_answer "$row"); then
		why="its record was not read"
	fi
	if [ -n "$why" ]; then
		printf '| %s | %s | did not work: %s |||||||\n' "${said[$row title]}" "${said[$row answers]}" "$(plain "$why")"
		return
	fi
	kernel=$(($(memory "$row" bpf) + $(memory "$row" buffers)))
	recorded=$(figure "$row" recorded)
	printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "${said[$row title]}" "${said[$row answers]}" \
		"$((added - detached))" "$reads" "$(figure "$row" seen)" "$(plain "$(figure "$row" lost)")" \
		"$(memory "$row" resident)" "$kernel" "$((${recorded:-0} / 1024))"
}

table() { # HOOKS
	local row

	printf '| tracer | answers | adds | to read, adds | faults seen | lost | tool, KiB | maps and buffers, KiB | record, KiB |\n'
	printf '|---|---|--:|--:|--:|--:|--:|--:|--:|\n'
	for row in "${rows[@]}"; do
		[ "${said[$row hooks]}" != "$1" ] || line "$row"
	done
}

# What rows have to say, below their table.
notes() { # HOOKS
	local row

	for row in "${rows[@]}"; do
		[ "${said[$row hooks]}" = "$1" ] || continue
		[ -z "${said[$row note]}" ] || printf '\n%s: %s.\n' "${said[$row title]}" "${said[$row note]}"
	done
}

# quote ROW SED: of what a row answered, as it did, a block of code.
quote() {
	sed -n "$2" "$results/$1/answer" | sed 's/[[:space:]]*$//; s/^/    /; s/^ *$//' | cat -s
}

ratio() { awk "BEGIN { printf \"%.1f\", $1 / $2 }"; }

# bar ROW HOOKS PATTERN QUESTION [FLOOR]: gstage's ROW beside the cheapest of the
# others whose answer is like PATTERN. All of them have to be whole: what did not
# work might have been cheaper. With FLOOR, what it costs can be out of reach.
missed=0
bar() {
	local row added ours theirs='' other='' verdict=held why=''

	whole "$1"
	ours=$(cost "$1")
	[ "$ours" -gt 0 ] || die "$EX_INCOMPLETE" "a bar stands on $1, which adds nothing to a fault; no page was written"
	for row in "${rows[@]}"; do
		case $row in *gstage*) continue ;; esac
		[ "${said[$row hooks]}" = "$2" ] || continue
		[[ ${said[$row answers]} =~ ^($3)$ ]] || continue
		whole "$row"
		added=$(cost "$row")
		if [ -z "$theirs" ] || [ "$added" -lt "$theirs" ]; then
			theirs=$added other=$row
		fi
	done
	[ -n "$theirs" ] || die "$EX_INCOMPLETE" "no other tracer answers: $4; no page was written"
	out_of_reach=0
	if [ "$theirs" -lt $((BAR * ours)) ]; then
		verdict=missed
		if [ -n "${5-}" ] && [ "$theirs" -lt $((BAR * $5)) ]; then
			out_of_reach=1
			why=", and empty programs on the same hooks take $5"
		else
			missed=1
		fi
		say "missed: $4: gstage adds $ours, a third of ${said[$other title]}, $theirs, is $((theirs / BAR))$why"
	fi
	printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$4" "${said[$1 title]}" "$ours" \
		"${said[$other title]}" "$theirs" "$(ratio "$theirs" "$ours")" "$verdict" >>"$work/bars"
	bar_ours=$ours bar_theirs=$theirs
}

detached=$(insns 10-detached) || {
	tail -n 5 "$results/10-detached.log" >&2 2>/dev/null || :
	die "$EX_INCOMPLETE" "the run with nothing attached failed: $(plain "$(unmeasured 10-detached)")"
}
nr_faults=$(jq -er '.rounds | map(.pages_written) | add' "$results/10-detached/guest.json")

if [ $# -gt 0 ]; then
	for hooks in none functions tracepoints exits; do
		table "$hooks" | sed 1,2d
	done
	for row in "${rows[@]}"; do
		why=$(unmeasured "$row")
		[ -z "$why" ] || die "$EX_INCOMPLETE" "$row: $(plain "$why")"
	done
	exit 0
fi

for row in "${rows[@]}"; do
	why=$(unmeasured "$row")
	[ -z "$why" ] || die "$EX_INCOMPLETE" "$row: $(plain "$why"); no page was written"
done
[ -s "$results/versions" ] || die "$EX_INCOMPLETE" "it is not known which tracers these were ($results/versions); run bench/peers.sh"
for row in 10-detached 20-floor-events 34-gstage-exits 71-perf-kvm-stat; do
	[ ! -s "$results/$row/failed" ] ||
		die "$EX_INCOMPLETE" "the page quotes $row, which did not work: $(plain "$(figure "$row" failed)"); no page was written"
done
whole 20-floor-events
floor=$(cost 20-floor-events)

printf '| question | gstage | adds | cheapest other | adds | ratio | a third |\n|---|---|--:|---|--:|--:|---|\n' >"$work/bars"
bar 33-gstage-functions functions 'combined.*' "on functions, any kernel"
bar 31-gstage tracepoints 'combined, by phase|all, once read' "on our tracepoints, for each phase"
bar 31-gstage tracepoints 'combined' "on our tracepoints, but for phases" "$floor"

# What the third line means, below it.
without_phases() {
	[ "$bar_theirs" -lt $((BAR * bar_ours)) ] || return 0
	if [ "$out_of_reach" = 0 ]; then
		printf '\nWithout phases it costs less, and the bar is missed.\n'
		return
	fi
	cat <<-TEXT

	Without phases it costs less, and the bar is missed: a third would be $((bar_theirs / BAR)) instructions, and
	$floor is what the kernel alone takes to call programs that do nothing on these
	tracepoints, so no BPF program on them can reach it. Beyond these $floor, gstage takes
	$((bar_ours - floor)) instructions and the other $((bar_theirs - floor)). \`make bench-peers\` says so and does not fail for it.
	TEXT
}

{
	cat <<-TEXT
	# What tracing costs with other tools

	Made by \`make bench-peers\`; do not edit.

	Linux $(jq -r .environment.kernel "$results/31-gstage/run.json"), base $(jq -r .environment.base "$results/31-gstage/run.json"), QEMU $(jq -r .environment.qemu "$results/31-gstage/run.json"), deterministic mode (one instruction is one
	nanosecond of the emulated machine), scenario \`full-pass\` with eager splitting, four
	rounds: $nr_faults write faults. All rows share the kernel: ours, with the tracepoints of
	kernel-patches/ and what other tracers need (kernel-patches/kernel-peers.config). A
	fault takes $detached instructions with nothing attached; the tables say what each tracer
	adds to it, as the guest sees it: the time of the dirty phases of rounds 2 to 4 by the
	pages written. What a tracer does meanwhile on this one hart is in it.

	The tools are the distribution's for riscv64: $(paste -sd, <"$results/versions" | sed 's/,/, /g').
	funclatency was built from the distribution's sources; its package is not made for
	riscv64. One row is one file of bench/peers/rows, with the command it stands for.

	## The bar

	gstage is to cost at most a third of the cheapest alternative that answers the same
	combined question: latencies by path, splits, permission updates and flushes.

	TEXT
	cat "$work/bars"
	cat <<-TEXT

	On functions no other tool tells the paths of faults apart, and what it counts are calls,
	not leaves. gstage always counts by phase of the dirty log, so on the tracepoints of the
	series it is held against the other that does so, too.
	TEXT
	without_phases
	cat <<-TEXT

	## On the tracepoints of the series

	TEXT
	table tracepoints
	notes tracepoints
	cat <<-TEXT

	## On functions, which every kernel has

	TEXT
	table functions
	notes functions
	cat <<-TEXT

	## VM exits

	TEXT
	table exits
	notes exits
	cat <<-TEXT

	perf kvm stat knows no vCPUs; it looks codes up without the interrupt bit, so that an
	exception and an interrupt of one code are one line, with the name of the interrupt; and
	what it calls time runs from an entry to the exit, so it is that of the guest (and of
	perf), not of the host that handles the exit. Of this run it says

	TEXT
	quote 71-perf-kvm-stat p
	cat <<-TEXT

	and gstage, whose time is that from the exit to the next entry:

	TEXT
	quote 34-gstage-exits '/^VM exits/,/^Guest/{/^Guest/d;p}'
	cat <<-TEXT

	## The floor

	TEXT
	table none
	cat <<-TEXT

	## Columns

	- **adds**: instructions per fault while the guest runs. **to read, adds**: of tools that
	  record every event, instructions per fault to read the record once (trace-cmd report,
	  perf script), before anything is added up.
	- **faults seen** of $((nr_faults + BEFORE)): those of the rounds, and $BEFORE before; of exits, the
	  6 stores with which the guest speaks to its host, too. **lost**: by the tool's account.
	- **tool**: resident memory of its processes, at most. **maps and buffers**: what the
	  kernel charges for BPF maps and programs, or the buffers shared with it.
	TEXT
} >"$work/peers.md"
if [ "$to" = - ]; then
	cat "$work/peers.md"
else
	mv "$work/peers.md" "$to.tmp.$$"
	mv "$to.tmp.$$" "$to"
	cat "$work/bars"
	say "written to ${to#"$GSTAGE_TOP/"}"
fi
[ "$missed" = 0 ] || die 1 "a bar is missed: gstage costs more than a third of what another tracer does"
