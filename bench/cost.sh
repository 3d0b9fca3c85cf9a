#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cost.sh [--check]: what tracing costs, in instructions per write fault, as
# the guest sees it. Deterministic mode, eager splitting, so that each round is
# one write fault for each page and nothing else. Writes docs/cost.md; with
# --check prints the table and fails where a bar does not hold.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

PROG=cost
BAR_FULL=600
BAR_FUNCTIONS=1000
BAR_COUNTS=250
BAR_VCPUS=5 # percent of a traced fault, between 1, 4 and 16 vCPUs
BAR_MAPS=$((64 << 20)) # bytes, with 256 CPUs
BAR_CHECKS=15 # percent of the traced scenario
base=${BASE:-7.3}
check=0
[ "${1:-}" != --check ] || check=1

work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-cost.XXXXXX")
trap 'rm -rf "$work"' EXIT

# boot NAME VERSION OPTIONS...: leaves $work/NAME/{guest,run}.json
vcpus=1
boot() {
	local name=$1 version=$2

	shift 2
	say "$name ..."
	"$GSTAGE_TOP/bench/run.sh" full-pass --base "$base" --version "$version" --kvm-args "${eager:-}" \
		--args "--rounds 4 --vcpus $vcpus" --out "$work/$name" "$@" >"$work/$name.log" 2>&1 || {
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

# The first round is left out: caches of the kernel's allocator are cold in it.
case $base in 7.2) ;; *) eager=eager_page_split=1 ;; esac
boot stock stock --untraced
boot detached tracepoints --untraced
boot counts tracepoints --trace --counts
boot full tracepoints
boot checks tracepoints --trace --checks
boot fn-counts stock --trace "--backend function --counts"
boot fn-full stock --trace "--backend function"
for vcpus in 4 16; do
	boot "stock-$vcpus" stock --untraced
	boot "fn-full-$vcpus" stock --trace "--backend function"
done

# One assignment each: set -e looks at the last of several only.
stock=$(insns stock)
detached=$(insns detached)
counts=$(insns counts)
full=$(insns full)
checks=$(insns checks)
fn_counts=$(insns fn-counts)
fn_full=$(insns fn-full)
added_1=$((fn_full - stock))
added_4=$(($(insns fn-full-4) - $(insns stock-4)))
added_16=$(($(insns fn-full-16) - $(insns stock-16)))
spread=$(jq -n "[$added_1, $added_4, $added_16] | max - min")
# One row for each CPU, and what does not depend on them.
maps=$(jq -r '.environment | .map_bytes + (256 - .harts) * .map_bytes_per_cpu' "$work/fn-full/run.json")
kernel=$(jq -r .environment.kernel "$work/full/run.json")
qemu=$(jq -r .environment.qemu "$work/full/run.json")

table() {
	printf '| %-38s | %22s | %12s | %5s |\n' "" "instructions per fault" "tracing adds" bar
	printf '|%s|%s:|%s:|%s:|\n' "$(printf '%.0s-' {1..40})" "$(printf '%.0s-' {1..23})" "$(printf '%.0s-' {1..13})" "$(printf '%.0s-' {1..6})"
	printf '| %-38s | %22s | %12s | %5s |\n' \
		"KVM without our tracepoints" "$stock" "" "" \
		"with them, nothing attached" "$detached" "$((detached - stock))" "" \
		"\`gstage trace --counts\`" "$counts" "$((counts - detached))" "$BAR_COUNTS" \
		"\`gstage trace\`, everything on" "$full" "$((full - detached))" "$BAR_FULL" \
		"\`gstage trace --checks\`, the same" "$checks" "$((checks - detached))" "" \
		"no tracepoints, \`--counts\`" "$fn_counts" "$((fn_counts - stock))" "$BAR_COUNTS" \
		"no tracepoints, everything on" "$fn_full" "$((fn_full - stock))" "$BAR_FUNCTIONS"
}

if [ "$check" = 1 ]; then
	table
	[ $((counts - detached)) -le $BAR_COUNTS ] || die 1 "counting costs more than $BAR_COUNTS instructions per fault"
	[ $((100 * (checks - full))) -le $((BAR_CHECKS * full)) ] || die 1 "the checks add more than $BAR_CHECKS % to a traced fault"
	[ $((fn_counts - stock)) -le $BAR_COUNTS ] || die 1 "counting on functions costs more than $BAR_COUNTS instructions per fault"
	[ $((fn_full - stock)) -le $BAR_FUNCTIONS ] || die 1 "tracing on functions costs more than $BAR_FUNCTIONS instructions per fault"
	[ $((100 * spread)) -le $((BAR_VCPUS * fn_full)) ] || die 1 "tracing 1, 4 and 16 vCPUs adds $added_1, $added_4 and $added_16 instructions per fault"
	[ "$maps" -le "$BAR_MAPS" ] || die 1 "the maps take $maps bytes with 256 CPUs"
	[ $((full - detached)) -le $BAR_FULL ] || die 1 "tracing costs more than $BAR_FULL instructions per fault"
	exit 0
fi

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
	requests and fences executed, by phase. Everything on adds the histograms of fault
	latencies and of the sizes of fence requests. The same command repeats these figures to
	the instruction; another kernel, compiler or configuration has others.

	Without tracepoints the same facts come from hooks on functions
	([trace.md](trace.md)), but for lost races, fallbacks of full queues and fences
	executed; \`--counts\` then leaves out permission updates and fence requests, too. With
	1, 4 and 16 vCPUs they add $added_1, $added_4 and $added_16 instructions to a fault.

	The maps take $(((maps + (1 << 20) - 1) >> 20)) MiB on a machine with 256 CPUs, whatever the number of vCPUs.

	\`--checks\` looks at each fault and log operation once more, for what must hold
	([check.md](check.md)): $(awk "BEGIN { printf \"%.1f\", 100 * ($checks - $full) / $full }") % more than everything on (bar: $BAR_CHECKS %).
	TEXT
} >"$work/cost.md"
mv "$work/cost.md" "$GSTAGE_TOP/docs/cost.md"
table
say "written to docs/cost.md"
