#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cost.sh [--check [VCPUS]]: what tracing costs, in instructions per write fault, as
# the guest sees it. Deterministic mode, eager splitting, so that each round is
# one write fault for each page and nothing else. Writes docs/cost.md; with
# --check prints the table and fails where a bar does not hold. VCPUS are the numbers of
# vCPUs that one is compared with: "4 16", or none.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

PROG=cost
BAR_OFF=24 # statistics 16, events that are off 8
BAR_FULL=350
BAR_COUNTS=30 # in all, over KVM without the series
BAR_FUNCTIONS=1000
BAR_FN_COUNTS=250
BAR_VCPUS=5 # percent of what is added for one, between 1, 4 and 16 vCPUs
BAR_MAPS=$((64 << 20)) # bytes, with 256 CPUs
BAR_CHECKS=15 # percent of the traced scenario
base=${BASE:-7.3}
check=0 more_vcpus='4 16'
if [ "${1:-}" = --check ]; then
	check=1 more_vcpus=${2-$more_vcpus}
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-cost.XXXXXX")
trap 'rm -rf "$work"' EXIT

# rounds OPTIONS...: the options of dirtyguest; of --args the last one counts.
rounds() { echo "--rounds 4 --vcpus $vcpus $*"; }

# boot NAME VERSION OPTIONS...: leaves $work/NAME/{guest,run}.json
vcpus=1
boot() {
	local name=$1 version=$2

	shift 2
	say "$name ..."
	"$GSTAGE_TOP/bench/run.sh" full-pass --base "$base" --version "$version" --kvm-args "${eager:-}" \
		--args "$(rounds)" --out "$work/$name" "$@" >"$work/$name.log" 2>&1 || {
		tail -n 20 "$work/$name.log" >&2
		die 1 "$name failed"
	}
}

# insns NAME: instructions of the dirty phases of rounds 2 to 4 per page
insns() {
	local guest=$work/$1/guest.json filter=.rounds

	[ -f "$guest" ] || guest=$work/$1/run.json filter=.guest.rounds
	jq -er "$filter | map(select(.round > 1)) |
		(map(.dirty_ns) | add) / (map(.pages_written) | add) | round" "$guest"
}

# per_fault NAME COUNTS: the sum of these counts, by faults, in hundredths
per_fault() {
	jq -er "([$2] | add) / ([.faults[].count] | add) * 100 | round / 100" "$work/$1/run.json"
}

# The first round is left out: caches of the kernel's allocator are cold in it.
case $base in 7.2) ;; *) eager=eager_page_split=1 ;; esac
boot stock stock --untraced
boot detached tracepoints --untraced
boot counts tracepoints --trace --counts
boot full tracepoints
boot checks tracepoints --trace --checks
boot fn-counts stock --trace "--backend function --counts"
boot fn-full stock --trace "--backend function"
[ "$check" = 1 ] || boot kprobes stock --trace "--backend kprobe"
boot all stock --trace "--backend function --exits --stalls --locks --events"
# A vCPU that is not preempted takes turns with the others as often traced as
# untraced. Else a fault that takes longer means more turns, at each of which KVM
# executes the fences that have gathered: its own work, which is not tracing.
for vcpus in $more_vcpus; do
	boot "stock-$vcpus" stock --untraced --args "$(rounds --fifo)"
	boot "detached-$vcpus" tracepoints --untraced --args "$(rounds --fifo)"
	boot "full-$vcpus" tracepoints --args "$(rounds --fifo)"
	boot "fn-full-$vcpus" stock --trace "--backend function" --args "$(rounds --fifo)"
done
if [ "$check" = 0 ]; then
	boot turns-stock stock --untraced
	boot turns stock --trace "--backend function"
fi

# One assignment each: set -e looks at the last of several only.
stock=$(insns stock)
detached=$(insns detached)
counts=$(insns counts)
full=$(insns full)
checks=$(insns checks)
fn_counts=$(insns fn-counts)
fn_full=$(insns fn-full)
declare -A untraced fn_added tp_added fences
for n in 1 $more_vcpus; do
	of=-$n
	# One has nobody to give way to.
	[ "$n" != 1 ] || of=
	untraced[$n]=$(insns "stock$of")
	traced=$(insns "fn-full$of")
	fn_added[$n]=$((traced - untraced[$n]))
	traced=$(insns "full$of")
	off=$(insns "detached$of")
	tp_added[$n]=$((traced - off))
	fences[$n]=$(per_fault "full$of" '.flush_executed[].count')
done
spread() { jq -n '$ARGS.positional | max - min' --jsonargs "$@"; }
fn_spread=$(spread "${fn_added[@]}")
tp_spread=$(spread "${tp_added[@]}")
# One row for each CPU, and what does not depend on them: places for the exits of
# 64 vCPUs are among that.
maps=$(jq -r '.environment | .map_bytes + (256 - .harts) * .map_bytes_per_cpu' "$work/all/run.json")
kernel=$(jq -r .environment.kernel "$work/full/run.json")
qemu=$(jq -r .environment.qemu "$work/full/run.json")

table() {
	printf '| %-38s | %22s | %12s | %5s |\n' "" "instructions per fault" "tracing adds" bar
	printf '|%s|%s:|%s:|%s:|\n' "$(printf '%.0s-' {1..40})" "$(printf '%.0s-' {1..23})" "$(printf '%.0s-' {1..13})" "$(printf '%.0s-' {1..6})"
	printf '| %-38s | %22s | %12s | %5s |\n' \
		"KVM without our tracepoints" "$stock" "" "" \
		"with them, nothing attached" "$detached" "$((detached - stock))" "$BAR_OFF" \
		"\`gstage trace --counts\`" "$counts" "$((counts - stock))" "$BAR_COUNTS" \
		"\`gstage trace\`, everything on" "$full" "$((full - detached))" "$BAR_FULL" \
		"\`gstage trace --checks\`, the same" "$checks" "$((checks - detached))" "" \
		"no tracepoints, \`--counts\`" "$fn_counts" "$((fn_counts - stock))" "$BAR_FN_COUNTS" \
		"no tracepoints, everything on" "$fn_full" "$((fn_full - stock))" "$BAR_FUNCTIONS"
}

by_vcpus() {
	local n

	printf '| vCPUs | untraced fault | fences executed | tracepoints add | functions add |\n'
	printf '|------:|---------------:|----------------:|----------------:|--------------:|\n'
	for n in 1 $more_vcpus; do
		printf '| %5s | %14s | %15s | %15s | %13s |\n' \
			"$n" "${untraced[$n]}" "${fences[$n]}" "${tp_added[$n]}" "${fn_added[$n]}"
	done
}

if [ "$check" = 1 ]; then
	table
	by_vcpus
	[ $((detached - stock)) -le $BAR_OFF ] || die 1 "the series costs more than $BAR_OFF instructions per fault while nothing is attached"
	[ $((counts - stock)) -le $BAR_COUNTS ] || die 1 "counting costs more than $BAR_COUNTS instructions per fault"
	[ $((100 * (checks - full))) -le $((BAR_CHECKS * full)) ] || die 1 "the checks add more than $BAR_CHECKS % to a traced fault"
	[ $((fn_counts - stock)) -le $BAR_FN_COUNTS ] || die 1 "counting on functions costs more than $BAR_FN_COUNTS instructions per fault"
	[ $((fn_full - stock)) -le $BAR_FUNCTIONS ] || die 1 "tracing on functions costs more than $BAR_FUNCTIONS instructions per fault"
	[ $((100 * fn_spread)) -le $((BAR_VCPUS * fn_added[1])) ] || die 1 "what hooks on functions add to a fault of 1, 4 and 16 vCPUs differs by more than $BAR_VCPUS %"
	[ $((100 * tp_spread)) -le $((BAR_VCPUS * tp_added[1])) ] || die 1 "what tracepoints add to a fault of 1, 4 and 16 vCPUs differs by more than $BAR_VCPUS %"
	[ "$maps" -le "$BAR_MAPS" ] || die 1 "the maps take $maps bytes with 256 CPUs"
	[ $((full - detached)) -le $BAR_FULL ] || die 1 "tracing costs more than $BAR_FULL instructions per fault"
	exit 0
fi

turns_stock=$(insns turns-stock)
turns=$(insns turns)
turns_added=$((turns - turns_stock))
turns_others=$((turns_added - fn_added[16]))
kprobes=$(insns kprobes)
{
	cat <<-TEXT
	# What tracing costs

	Made by \`make bench-cost\`; do not edit.

	Linux $kernel, QEMU $qemu, deterministic mode (one instruction is one
	nanosecond of the emulated machine), scenario \`full-pass\` with eager splitting:
	4096 write faults a round, each of which restores the write permission of one 4K
	leaf. The figures are the time of the guest's dirty phases, rounds 2 to 4, divided
	by the pages written: they hold the guest, KVM, and the tracer.

	TEXT
	table
	cat <<-TEXT

	\`--counts\` keeps faults by path, splits, permission updates, write-protects, fence
	requests with their sizes and fences executed, by phase. With the series they are KVM's own
	statistics, which are always on: what is added is over KVM without them, and no fault has a
	hook. Everything on adds the histograms of fault latencies and of waits for fences. The same command repeats these figures to
	the instruction; another kernel, compiler or configuration has others.

	Without tracepoints the same facts come from hooks on functions
	([trace.md](trace.md)), but for lost races, fallbacks of full queues and fences
	executed; \`--counts\` then leaves out permission updates and fence requests, too. With
	\`--backend kprobe\` it is $((kprobes - stock)) instead of the last $((fn_full - stock)).

	The maps take $(((maps + (1 << 20) - 1) >> 20)) MiB on a machine with 256 CPUs and places for the exits of 64 vCPUs
	(bar: $((BAR_MAPS >> 20)) MiB).

	## With more vCPUs

	A fault asks all vCPUs for a fence, and so takes longer the more there are; what tracing
	adds should not. Here all vCPUs share one hart, and none gives way to another before it
	is done with its round (\`dirtyguest --fifo\`). All columns are for each fault:

	TEXT
	by_vcpus
	cat <<-TEXT

	The bar is $BAR_VCPUS % between them.

	Where vCPUs take turns as the scheduler has it, a fault that takes longer also means more
	turns in it, and at each turn KVM executes the up to 64 fences that have gathered for the
	vCPU: with 16 vCPUs hooks on functions then seem to add $turns_added instructions to a fault of
	$turns_stock, of which $turns_others are KVM's and the scheduler's own.

	## The checks

	\`--checks\` looks at each fault and log operation once more, for what must hold
	([check.md](check.md)): $(awk "BEGIN { printf \"%.1f\", 100 * ($checks - $full) / $full }") % more than everything on (bar: $BAR_CHECKS %).
	TEXT
} >"$work/cost.md"
mv "$work/cost.md" "$GSTAGE_TOP/docs/cost.md"
table
say "written to docs/cost.md"
