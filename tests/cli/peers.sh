#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The comparison with other tracers, as far as it needs no VM: what the rows
# make of their tools' output (kept from real runs, with losses and without),
# the page and the bars from made-up results, and options.
. "$(dirname "$0")/../lib.sh"
need jq

# --- options ---------------------------------------------------------------
PEERS=$TOP/bench/peers.sh
PAGE=$TOP/bench/peers/page.sh
FETCH=$TOP/bench/host/peers.sh
expect 2 "$PEERS" --nonsense
one_line_err
expect 2 env O="$WORK/o" "$PEERS" no-such-row
has_err "there is no row 'no-such-row'; there are: 10-detached"
expect 4 env O="$WORK/o" "$PEERS"
has_err 'run bench/host/peers.sh'
expect 4 env O="$WORK/o" "$PEERS" --kernel none 31-gstage
has_err 'there is no kernel none'
expect 2 "$PAGE" "$WORK/none"
one_line_err
export GSTAGE_CACHE=$WORK/cache
expect 2 env O="$WORK/o" "$FETCH" --nonsense
has_err 'unknown option --nonsense'
expect 2 env O="$WORK/o" "$FETCH" "$WORK/link" --refresh
has_err "not also '--refresh'"
expect 2 env O="$WORK/o" "$FETCH" --refresh "$WORK/link" more
has_err "not also 'more'"
expect 4 env O="$WORK/o" "$FETCH" "$WORK/link"
has_err 'no riscv64 sysroot'
[ ! -e "$WORK/link" ] || fail "a link was made"

# --- what rows understand ----------------------------------------------------
export ROWS=$TOP/bench/peers/rows OUT=$WORK/tool
ask() { # ROW lost|seen
	sh -c ". \"\$ROWS/$1.row\"; $2" 2>/dev/null
}
given() { # FILE AS: a tool's output
	rm -rf "$OUT"
	mkdir "$OUT"
	touch "$OUT"/{tool,tool.out,tool.err,answer,account}
	[ $# -eq 0 ] || cp "$1" "$OUT/$2"
}
understands() { # ROW FILE AS LOST SEEN
	given "$2" "$3"
	equal "$(ask "$1" lost)" "$4" "$1, lost events of ${2##*/},"
	[ -z "$5" ] || equal "$(ask "$1" seen)" "$5" "$1, faults in ${2##*/},"
}
kept=$FIXTURES/peers

"$GSTAGE" report "$FIXTURES/counts.json" >"$WORK/counts"
"$GSTAGE" report "$FIXTURES/incomplete.json" >"$WORK/incomplete"
understands 30-gstage-counts "$WORK/counts" answer 0 \
	"$(jq '[.faults[].count] | add' "$FIXTURES/counts.json")"
given "$WORK/incomplete" answer
case $(ask 31-gstage lost) in 'some: '?*) ;; *) fail "losses of gstage: $(ask 31-gstage lost)" ;; esac
understands 40-funclatency "$kept/funclatency" tool "not told" 16394
understands 54-bpftrace-raw "$kept/bpftrace" tool 0 16394
# No room in a map, and no room in its buffer, in both forms.
understands 50-bpftrace-fentry "$kept/bpftrace-full" tool 3 4089
echo '{"type": "lost_events", "count": 31, "data": {"events": 31}}' >>"$OUT/tool"
echo 'Lost 400 events' >>"$OUT/tool.err"
equal "$(ask 50-bpftrace-fentry lost)" 434 "all losses of bpftrace"
echo '{"type": "of_a_later_version", "data": 1}' >>"$OUT/tool"
equal "$(ask 50-bpftrace-fentry lost)" "" "what bpftrace says that is not known"
understands 60-trace-cmd "$kept/trace-cmd" account 0 ''
understands 62-trace-cmd-graph "$kept/trace-cmd-lost" account 69 ''
# What is in the buffer at the end is read later, and no loss.
sed 's/^entries: 0$/entries: 12407/' "$kept/trace-cmd" >"$WORK/trace-cmd-late"
understands 60-trace-cmd "$WORK/trace-cmd-late" account 0 ''
understands 61-trace-cmd-hist "$kept/hist" tool 0 16394
understands 61-trace-cmd-hist "$kept/hist-lost" tool 3844 258
understands 70-perf "$kept/perf" account 0 4102
sed 's/^ *EXIT events:.*/                LOST events:          3  ( 0.1%)\n&/' "$kept/perf" >"$WORK/perf-lost"
understands 71-perf-kvm-stat "$WORK/perf-lost" account 3 ''
understands 71-perf-kvm-stat "$kept/perf-kvm" answer "" 16400
understands 72-perf-ftrace "$kept/perf-ftrace" tool "tells none" 16394

rows=$(cd "$ROWS" && echo *.row | sed 's/\.row//g')
if full; then
	# Of words that are none of its tool's a row says nothing, or no number.
	for row in $rows; do
		case $row in 10-* | 2*) continue ;; esac
		for words in '' "sh: 31 not found: 7 events -> 5, 100% lost: 4 of 12"; do
			given
			for file in "$OUT"/*; do
				[ -z "$words" ] || echo "$words" >"$file"
			done
			for what in lost seen; do
				told=$(ask "$row" "$what")
				# trace-cmd's is what the row itself counted.
				case $row$what in 6[02]-*seen) continue ;; esac
				[[ ! $told =~ ^[0-9]+$ ]] || fail "$row: $what is $told of '$words'"
			done
		done
	done
fi

# --- the page and the bars -----------------------------------------------------
results=$WORK/results
made() { # ROW INSTRUCTIONS: a whole row with so many a fault
	local dir=$results/$1

	rm -rf "$dir"
	mkdir -p "$dir"
	jq -n "[range(1; 5) | {round: ., pages_written: 4096, dirty_ns: (4096 * $2)}] | {rounds: .}" >"$dir/guest.json"
	case $1 in 1* | 2*) echo - | tee "$dir/lost" >"$dir/seen" ;; *) echo 0 >"$dir/lost" && echo 16394 >"$dir/seen" ;; esac
	printf 'resident 2000\nbpf 300\n' >"$dir/memory"
	printf '[    1.000000] peers: ran\n[    1.163840] peers: answered\n' >"$dir/dmesg"
	cp "$WORK/counts" "$dir/answer"
	echo '{"environment": {"kernel": "7.3.4", "base": "7.3-peers", "qemu": "7.2.22"}}' >"$dir/run.json"
}
make_results() {
	local row

	rm -rf "$results"
	echo old >"$WORK/page"
	if [ -d "$WORK/made" ]; then
		cp -r "$WORK/made" "$results"
		return
	fi
	for row in $rows; do
		made "$row" 8000
	done
	made 10-detached 3000
	made 20-floor-events 3400
	made 21-floor-pair 3300
	made 31-gstage 3500
	made 33-gstage-functions 4000
	made 54-bpftrace-raw 4100
	made 55-bpftrace-raw-phases 4500
	made 56-bpftrace-functions 6000
	echo 'bpftrace 0.1' >"$results/versions"
	cp -r "$results" "$WORK/made"
}
page() { # STATUS
	expect "$1" env O="$WORK/o" "$PAGE" --to "$WORK/page" "$results"
}
none_written() { # TEXT
	page 3
	has_err "$1"
	equal "$(cat "$WORK/page")" old "the page that must not be written over"
}

make_results
page 0
# shellcheck disable=SC2016 # Markdown
has_out '| on functions, any kernel | `gstage trace`, everything on, functions | 1000 | bpftrace, fentry on four functions | 3000 | 3.0 | held |'
has_out '| 500 | bpftrace, the same for each phase of the log | 1500 | 3.0 | held |'
has_out '| 500 | bpftrace, raw tracepoints and their batches | 1100 | 2.2 | missed |'
has_err "a third of bpftrace, raw tracepoints and their batches, 1100, is 366, and empty programs on the same hooks take 400"
grep -q '^400 is what the kernel alone takes' "$WORK/page" || fail "the page does not say why: $(cat "$WORK/page")"

# Reading the record is a part of the cost.
grep -q '^| trace-cmd record, tracepoints | all, once read | 5000 | 10000 | ' "$WORK/page" || fail "trace-cmd: $(grep trace-cmd "$WORK/page")"

full || exit 0

# What could be reached, and is not.
made 55-bpftrace-raw-phases 4499
page 1
has_out '| 1499 | 3.0 | missed |'
grep -q '| missed |$' "$WORK/page" || fail "a page without the bar that is missed"
make_results
made 54-bpftrace-raw 4200
page 1
has_err "but for phases: gstage adds 500, a third of bpftrace, raw tracepoints and their batches, 1200, is 400"

# Rows on which a bar stands, gstage's own or another's: whole, or no page.
for row in 31-gstage 33-gstage-functions 55-bpftrace-raw-phases 57-bpftrace-functions-kprobe; do
	make_results
	echo "status 1, some reason" >"$results/$row/failed"
	none_written "a bar stands on $row, and it did not work: status 1, some reason"
done
for row in 33-gstage-functions 60-trace-cmd; do
	make_results
	rm "$results/$row/guest.json"
	none_written "a bar stands on $row, and the guest has no figures"
	make_results
	echo 16393 >"$results/$row/seen"
	none_written "a bar stands on $row, and it saw 16393 faults of 16394"
	make_results
	echo 5 >"$results/$row/lost"
	none_written "a bar stands on $row, and it lost events: 5"
	make_results
	: >"$results/$row/lost"
	none_written "it does not tell how many"
done
make_results
rm "$results/60-trace-cmd/dmesg"
none_written "a bar stands on 60-trace-cmd"
make_results
made 31-gstage 2900
none_written "a bar stands on 31-gstage"
made 31-gstage 3000
none_written "adds nothing to a fault"
make_results
rm "$results/10-detached/guest.json"
none_written "nothing attached failed"
make_results
echo "no such event" >"$results/20-floor-events/failed"
none_written "20-floor-events"

# Any row for which there was no VM, or no program.
make_results
echo "the VM failed: vm.sh: the guest died" >"$results/72-perf-ftrace/not-run"
none_written "72-perf-ftrace: the VM failed: vm.sh: the guest died"
make_results
rm -r "$results/40-funclatency"
none_written "40-funclatency: it was not measured"

# A tool that cannot do it is a result; its words are a cell of the table.
make_results
echo "status 2, $TOP/bench/vm.sh: $WORK/o/x: a | b" >"$results/62-trace-cmd-graph/failed"
page 0
grep -qF '| trace-cmd record, function_graph | latency, once read | did not work: status 2, bench/vm.sh: x: a / b |||||||' "$WORK/page" ||
	fail "the row of a tool that failed: $(grep function_graph "$WORK/page")"
expect 0 env O="$WORK/o" "$PAGE" "$results" 62-trace-cmd-graph 31-gstage
equal "$(grep -c '^|' "$WORK/out")" 2 "lines of two rows"
