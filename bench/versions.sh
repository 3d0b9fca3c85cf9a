#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# versions.sh [OUTPUT]: what the posted versions do, in counts and instructions,
# with the reasons from their descriptions. Runs the plan `versions` and each
# version once untraced, and writes docs/version-figures.md (or OUTPUT).
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"
# shellcheck source=../kernel-patches/series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"
# shellcheck source=../kernel-patches/version-lib.sh
. "$GSTAGE_TOP/kernel-patches/version-lib.sh"
# shellcheck source=matrix/plan.sh
. "$GSTAGE_TOP/bench/matrix/plan.sh"

PROG=versions
output=${1:-$GSTAGE_TOP/docs/version-figures.md}
need jq
plan_read "$GSTAGE_TOP/bench/plans/versions.plan"
work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-versions.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$GSTAGE_TOP/bench/matrix.sh" "$PLAN" --out "$work/results" >"$work/log"
for name in "${LABELS[@]}"; do
	say "$name, untraced ..."
	"$GSTAGE_TOP/bench/run.sh" full-pass --base "$BASE" --version "$name" --untraced --out "$work/untraced/$name" >"$work/log" 2>&1 || {
		tail -n 20 "$work/log" >&2
		die 1 "$name failed"
	}
done

# --- figures -------------------------------------------------------------------
# Of a run file; `dirty` are the phases in which the guest runs and is logged.
# Leaves of 2M in the slot: guest.blocks_huge.
# shellcheck disable=SC2016 # jq's
library='
def sum(f): [.[] | f] | add // 0;
def in_rounds: . as $run | [.phases[] | select((.name | startswith("dirty")) and .round >= 1 and .round <= ($run.guest.rounds | length))];
def named(n): [.phases[] | select(.name | startswith(n))];
def faults_of(p): in_rounds | sum([.faults[]? | select(.path == p) | .count] | add // 0);
def faults: in_rounds | sum([.faults[]?.count] | add // 0);
def requests: (in_rounds + named("enable")) | sum(.flush_requests);
def splits: [.splits[].count] | add // 0;
def ratio(a; b): if b == 0 then "-" else (a / b * 1000 | round / 1000) end;
# One request for each fault that changes a leaf, and one for the pass that
# write-protects the slot, are there without any split.
def per_split: ratio(requests - faults - 1; splits);
def holds(mode): [in_rounds[].locks[]? | select(.mode == mode)];
'

# row SCENARIO NAME FILTER: one line of a table; both boots must agree when they
# are to (EXACT=1).
EXACT=1
row() {
	local scenario=$1 label=$2 filter=$3 name first second

	printf '| %-47s |' "$label"
	for name in "${LABELS[@]}"; do
		first=$(jq -r "$library $filter" "$work/results/$scenario/$name/01.json")
		second=$(jq -r "$library $filter" "$work/results/$scenario/$name/02.json")
		if [ "$EXACT" = 1 ] && [ "$first" != "$second" ]; then
			die 1 "$label of $name is $first with one seed and $second with another: not deterministic"
		fi
		printf ' %11s |' "$first"
	done
	echo
}
untraced() { # NAME FILTER
	printf '| %-47s |' "$1"
	for name in "${LABELS[@]}"; do
		printf ' %11s |' "$(jq -r "$2" "$work/untraced/$name/guest.json")"
	done
	echo
}
head_row() {
	printf '| %-47s |' "$1"
	printf ' %11s |' "${LABELS[@]}"
	printf '\n|%s|' "$(printf '%.0s-' {1..49})"
	for _ in "${LABELS[@]}"; do printf '%s:|' "$(printf '%.0s-' {1..12})"; done
	echo
}

explained() { # NAME: its description, as a section
	local dir

	dir=$(version_dir "$BASE" "$1")
	printf '\n### %s\n%s.\n' "$1" "$(version_lines "$dir" stands-for)"
	# shellcheck disable=SC2016 # Markdown
	[ -z "$(version_lines "$dir" kvm-args)" ] || printf 'Loaded with `%s`.\n' "$(version_lines "$dir" kvm-args)"
	printf '\n'
	sed '1,/^$/d' "$dir/description"
	[ -z "$(version_lines "$dir" differs)" ] || printf '\nUnlike what was posted:\n'
	version_lines "$dir" differs | sed 's/^/- /'
	[ -z "$(version_lines "$dir" defect)" ] || printf '\nKnown defects:\n'
	version_lines "$dir" defect | sed 's/^/- /'
	printf '\nFrom: '
	version_lines "$dir" mail | paste -sd';' | sed 's/;/; /g; s/$/./'
}

one=$work/results/full-pass/${LABELS[0]}/01.json
{
	cat <<-TEXT
	<!-- SPDX-License-Identifier: GPL-2.0-only -->
	# The posted versions in figures

	Made by \`make bench-versions\`; do not edit.

	Linux $(jq -r .environment.kernel "$one"), QEMU $(jq -r .environment.qemu "$one"), deterministic mode, one hart: instructions, not time.
	16 MiB of guest memory in eight leaves of 2M, logged for three rounds. \`full-pass\` writes
	each page in each round; in \`read-mostly\` one access in ten is a write. Each version is the base
	with one behaviour of a posted series, and not the kernel that was posted: what it does not have
	of that is said [below](#why). Why there is no v3 is in [versions.md](versions.md#why-there-is-no-v3).

	## Exact counts
	The same in two boots with different seeds.

	TEXT
	head_row "full-pass, while logged"
	row full-pass "faults of the rounds" faults
	row full-pass "... that map a leaf" 'faults_of("map")'
	row full-pass "... that split a leaf" 'faults_of("split")'
	row full-pass "... that restore a permission, write lock" 'faults_of("prot")'
	row full-pass "... that restore a permission, read lock" 'faults_of("fast")'
	row full-pass "leaves split, by faults" '[.splits[] | select(.cause == "fault") | .count] | add // 0'
	row full-pass "leaves split, when logging is enabled" '[.splits[] | select(.cause == "enable") | .count] | add // 0'
	row full-pass "fence requests, when logging is enabled" 'named("enable") | sum(.flush_requests)'
	row full-pass "fence requests, in the rounds" 'in_rounds | sum(.flush_requests)'
	row full-pass "fence requests per split (1)" per_split
	row full-pass "faults per 2M in round 1" 'ratio([in_rounds[] | select(.round == 1) | .faults[]?.count] | add // 0; .guest.blocks_huge)'
	echo
	head_row "read-mostly, while logged"
	row read-mostly "pages written" '.guest.pages_written'
	row read-mostly "faults of the rounds" faults
	row read-mostly "faults per 2M in round 1" 'ratio([in_rounds[] | select(.round == 1) | .faults[]?.count] | add // 0; .guest.blocks_huge)'
	row read-mostly "fence requests, in the rounds" 'in_rounds | sum(.flush_requests)'
	cat <<-TEXT

	(1) Beyond one for each fault and one for the pass that write-protects the slot.

	## Instructions
	Of seed 1. What the guest sees, without a tracer:

	TEXT
	head_row "full-pass, untraced"
	untraced "per page written, round 1" '.rounds[0] | .dirty_ns / .pages_written | round'
	untraced "per page written, rounds 2 and 3" '.rounds[1:] | (map(.dirty_ns) | add) / (map(.pages_written) | add) | round'
	untraced "enabling the log" '.enable_ns'
	untraced "a CLEAR of the whole slot, mean (2)" '.rounds | (map(.clear_ns) | add) / length | round'
	cat <<-TEXT

	(2) The write-protecting and the fence are those of $(jq -r .environment.base "$one") in all of them: this says nothing of
	the CLEAR of the kernels that v1 to v4 were posted for.

	While traced, which adds to each ([cost.md](cost.md)):

	TEXT
	EXACT=0
	head_row "full-pass, traced with --locks"
	row full-pass "a fault that splits, mean" '[.faults[] | select(.path == "split") | .latency | .sum / .count | round] | first // "-"'
	row full-pass "a fault that restores a permission, mean" '[.faults[] | select((.path == "prot" or .path == "fast") and .access == "write") | .latency | .sum / .count | round] | first // "-"'
	row full-pass "mmu_lock held for writing, in the rounds" 'holds("write") | sum(.held_ns)'
	row full-pass "mmu_lock held for reading, in the rounds" 'holds("read") | sum(.held_ns)'
	row full-pass "mmu_lock held for writing, enabling the log" '[named("enable")[].locks[]? | select(.mode == "write") | .held_ns] | add // 0'
	row full-pass "longest hold for writing, enabling the log" '[named("enable")[].locks[]? | select(.mode == "write") | .longest_ns] | max // 0'
	cat <<-TEXT

	## Why
	In the words of \`kernel-patches/$BASE/versions/*/description\`.
	TEXT
	for name in "${LABELS[@]}"; do explained "$name"; done
} >"$work/figures.md"
cp "$work/figures.md" "$output.new.$$" && mv "$output.new.$$" "$output"
say "written to $output"
