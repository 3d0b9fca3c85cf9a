#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# peers.sh [--resume] [--kernel NAME] [ROW...]: what tracing costs with gstage, and with what a user would
# otherwise run, in instructions per write fault, as the guest sees it.
# Deterministic mode, one kernel and one workload for all rows (bench/peers/
# rows, a file each). Writes docs/peers.md; with rows named, prints their table
# and no more. Results are in $O/results/peers; --resume takes those that are
# there and measures the rest. --kernel: one of $O/kernel (default BASE-peers; on
# others rows may not work). Status 1: a bar does not hold.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

PROG=peers
BAR=3 # times that the cheapest alternative costs, at least
base=${BASE:-7.3}-peers resume=0
while [ $# -gt 0 ]; do
	case $1 in
	--resume) resume=1 ;;
	--kernel)
		[ $# -ge 2 ] || die "$EX_USAGE" "--kernel needs a name"
		base=$2
		shift
		;;
	-*) die "$EX_USAGE" "unknown option $1; usage: peers.sh [--resume] [--kernel NAME] [ROW...]" ;;
	*) break ;;
	esac
	shift
done
ROWS=$GSTAGE_TOP/bench/peers/rows
for row; do
	[ -e "$ROWS/$row.row" ] ||
		die "$EX_USAGE" "there is no row '$row'; there are: $(cd "$ROWS" && echo *.row | sed 's/\.row//g')"
done
rows=("$@")
[ $# -gt 0 ] || mapfile -t rows < <(cd "$ROWS" && printf '%s\n' *.row | sed 's/\.row$//')
[ -e "$O/peers/versions" ] || [ $# -gt 0 ] ||
	die "$EX_IMPOSSIBLE" "the other tracers are not here; run bench/host/peers.sh"
[ -e "$O/kernel/$base/Image" ] || die "$EX_IMPOSSIBLE" "there is no kernel $base; run kernel-patches/build.sh $base"
need jq

work=$O/results/peers
mkdir -p "$work"

# name, claim, vm (options of vm.sh), args (options of dirtyguest)
vm='' args=''
# shellcheck source=scenarios/full-pass.scn
. "$GSTAGE_TOP/bench/scenarios/full-pass.scn"
echo "$args --rounds 4" >"$work/args"
case $base in 7.2*) eager='' ;; *) eager=eager_page_split=1 ;; esac

# describe ROW NAME: one of the words that a row says of itself.
describe() {
	# shellcheck disable=SC1090,SC2034 # rows are read by name
	(programs='' mem=512 && . "$ROWS/$1.row" && echo "${!2-}")
}

# measure ROW: boot, and leave $work/ROW/.
measure() {
	local program from adds=() libs=()

	[ "$resume" = 0 ] || [ ! -s "$work/$1/guest.json" ] || return 0
	say "$1 ..."
	rm -rf "${work:?}/$1"
	mkdir "$work/$1"
	[ ! -e "$O/peers/versions" ] || libs=(--libs "$O/peers")
	for program in $(describe "$1" programs); do
		from=$O/peers/usr/bin/$program
		[ "$program" != floor ] || from=$O/riscv64/floor
		if [ ! -e "$from" ]; then
			echo "there is no $program (bench/host/peers.sh)" >"$work/$1/failed"
			return 0
		fi
		adds+=(--add "$from:/bin/$program")
	done
	for from in "$ROWS"/*.row; do
		adds+=(--add "$from:/rows/${from##*/}")
	done
	# shellcheck disable=SC2086 # options are words
	"$GSTAGE_TOP/bench/vm.sh" --base "$base" --kvm "$O/kernel/$base/kvm-tracepoints.ko" --kvm-args "$eager" \
		--mem "$(describe "$1" mem)" --limit "${VM_LIMIT:-300}" ${libs[@]+"${libs[@]}"} \
		--add "$GSTAGE_TOP/bench/peers/guest:/guest" --add "$GSTAGE_TOP/bench/peers/work:/work" \
		--add "$work/args:/args" --add "$ROWS/$1.row:/row" "${adds[@]}" \
		--out "$work/$1" $vm -- sh /guest >"$work/$1.log" 2>&1 ||
		tail -n 1 "$work/$1.log" >"$work/$1/failed"
}

# insns ROW: of the dirty phases, per page. The first round is left out: caches
# of the kernel's allocator are cold in it.
insns() {
	jq -er '.rounds | map(select(.round > 1)) |
		(map(.dirty_ns) | add) / (map(.pages_written) | add) | round' "$work/$1/guest.json"
}

# to_answer ROW: instructions from the end of the tool to its answer, per fault.
to_answer() {
	awk -F '[][]' '/peers: ran/ { ran = $2 } /peers: answered/ { print int(($2 - ran) * 1e9 / '"$nr_faults"' + 0.5) }' \
		"$work/$1/dmesg"
}

# figure ROW FILE: the first line of a file of the row, or nothing.
figure() { if [ -s "$work/$1/$2" ]; then head -n 1 "$work/$1/$2"; fi; }

memory() { awk -v what="$2" '$1 == what { n += $2 } END { print n + 0 }' "$work/$1/memory"; }

# line ROW: one line of the table.
line() {
	local row=$1 added reads='' kernel recorded

	if ! added=$(insns "$row" 2>/dev/null) || [ -s "$work/$row/failed" ]; then
		printf '| %s | %s | did not work: %s |||||||\n' "$(describe "$row" title)" "$(describe "$row" answers)" \
			"$(figure "$row" failed)"
		return
	fi
	[ "$(describe "$row" record)" != 1 ] || reads=$(to_answer "$row")
	kernel=$(($(memory "$row" bpf) + $(memory "$row" buffers)))
	recorded=$(figure "$row" recorded)
	printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$(describe "$row" title)" "$(describe "$row" answers)" \
		"$((added - detached))" "$reads" "$(figure "$row" seen)" "$(figure "$row" lost)" \
		"$(memory "$row" resident)" "$kernel" "$((${recorded:-0} / 1024))"
}

table() { # HOOKS
	local row

	printf '| tracer | answers | adds | to read, adds | faults seen | lost | tool, KiB | maps and buffers, KiB | record, KiB |\n'
	printf '|---|---|--:|--:|--:|--:|--:|--:|--:|\n'
	for row in "${rows[@]}"; do
		[ "$(describe "$row" hooks)" != "$1" ] || line "$row"
	done
}

# What rows have to say, below their table.
notes() { # HOOKS
	local row note

	for row in "${rows[@]}"; do
		[ "$(describe "$row" hooks)" = "$1" ] || continue
		note=$(describe "$row" note)
		[ -z "$note" ] || printf '\n%s: %s.\n' "$(describe "$row" title)" "$note"
	done
}

# quote ROW SED: of what a row answered, as it did, a block of code.
quote() {
	sed -n "$2" "$work/$1/answer" | sed 's/[[:space:]]*$//; s/^/    /; s/^ *$//' | cat -s
}

# cheapest HOOKS PATTERN: "instructions row" of the cheapest of the others whose
# answer is like PATTERN, reading its record included.
cheapest() {
	local row added

	for row in "${rows[@]}"; do
		case $row in *gstage*) continue ;; esac
		[ "$(describe "$row" hooks)" = "$1" ] || continue
		[[ $(describe "$row" answers) =~ ^($2)$ ]] || continue
		[ ! -s "$work/$row/failed" ] || continue
		added=$(insns "$row" 2>/dev/null) || continue
		added=$((added - detached))
		[ "$(describe "$row" record)" != 1 ] || added=$((added + $(to_answer "$row")))
		echo "$added $row"
	done | sort -n | head -n 1
}

ratio() { awk "BEGIN { printf \"%.1f\", $1 / $2 }"; }

# compare ROW HOOKS PATTERN QUESTION: gstage's ROW beside the cheapest other.
compare() {
	local ours theirs row

	ours=$(($(insns "$1") - detached))
	read -r theirs row < <(cheapest "$2" "$3") || die 1 "no other tracer answers: $4"
	printf '| %s | %s | %s | %s | %s | %s |\n' "$4" "$(describe "$1" title)" "$ours" \
		"$(describe "$row" title)" "$theirs" "$(ratio "$theirs" "$ours")"
	[ "$theirs" -ge $((BAR * ours)) ]
}

measure 10-detached
for row in "${rows[@]}"; do
	[ "$row" = 10-detached ] || measure "$row"
done
detached=$(insns 10-detached) || {
	tail -n 5 "$work/10-detached.log" >&2
	die 1 "the run with nothing attached failed"
}
nr_faults=$(jq '.rounds | map(.pages_written) | add' "$work/10-detached/guest.json")

if [ $# -gt 0 ]; then
	for hooks in none functions tracepoints exits; do
		table "$hooks" | sed 1,2d
	done
	exit 0
fi

bars_hold=1
bar() { compare "$@" || bars_hold=0; }
{
	printf '| question | gstage | adds | cheapest other | adds | ratio |\n|---|---|--:|---|--:|--:|\n'
	bar 33-gstage-functions functions 'combined.*' "any kernel: both on functions"
	bar 31-gstage tracepoints 'combined, by phase|all, once read' "with our tracepoints: both on them"
} >"$work/bars"
compare 31-gstage tracepoints 'combined' "the last line, but for phases" >"$work/no-phases" || :

{
	cat <<-TEXT
	# What tracing costs with other tools

	Made by \`make bench-peers\`; do not edit.

	Linux $(jq -r .environment.kernel "$work/31-gstage/run.json"), base $base, QEMU $(jq -r .environment.qemu "$work/31-gstage/run.json"), deterministic mode (one instruction is one
	nanosecond of the emulated machine), scenario \`full-pass\` with eager splitting, four
	rounds: $nr_faults write faults. All rows share the kernel: ours, with the tracepoints of
	kernel-patches/ and what other tracers need (kernel-patches/kernel-peers.config). A
	fault takes $detached instructions with nothing attached; the tables say what each tracer
	adds to it, as the guest sees it: the time of the dirty phases of rounds 2 to 4 by the
	pages written. What a tracer does meanwhile on this one hart is in it.

	The tools are the distribution's for riscv64: $(paste -sd, <"$O/peers/versions" | sed 's/,/, /g').
	funclatency was built from the distribution's sources; its package is not made for
	riscv64. One row is one file of bench/peers/rows, with the command it stands for.

	## The bar

	gstage is to cost at most a third of the cheapest alternative that answers the same
	question: latencies by path, splits, permission updates and flushes.

	TEXT
	cat "$work/bars"
	cat <<-TEXT

	On functions no other tool tells the paths of faults apart, and what it counts are calls,
	not leaves. On the tracepoints of the series the other counts by phase of the dirty log,
	as gstage does. Without phases it costs less, and the bar does not hold: of what gstage
	adds the kernel takes $(($(insns 20-floor-events) - detached)) to call BPF programs that do nothing, and the rest are
	$(($(insns 31-gstage) - $(insns 20-floor-events))) against $(($(insns 54-bpftrace-raw) - $(insns 20-floor-events))) instructions.

	| question | gstage | adds | cheapest other | adds | ratio |
	|---|---|--:|---|--:|--:|
	TEXT
	cat "$work/no-phases"
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
	- **faults seen** of $((nr_faults + 10)): those of the rounds, and 10 before; of exits, the
	  6 stores with which the guest speaks to its host, too. **lost**: by the tool's account.
	- **tool**: resident memory of its processes, at most. **maps and buffers**: what the
	  kernel charges for BPF maps and programs, or the buffers shared with it.
	TEXT
} >"$work/peers.md"
cat "$work/bars"
mv "$work/peers.md" "$GSTAGE_TOP/docs/peers.md"
say "written to docs/peers.md"
[ "$bars_hold" = 1 ] || die 1 "a bar does not hold: gstage costs more than a third of what another tracer does"
