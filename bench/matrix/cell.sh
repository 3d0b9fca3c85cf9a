#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cell.sh RESULTS PLAN SCENARIO/LABEL/NN: boot one cell of a matrix, unless it
# is there, and put its run file where it belongs. Called by matrix.sh, on any
# number of machines at a time: a cell belongs to whoever holds its lock.
#
# Status: 0 the run file is there (also when it was, or when somebody else is
# at it); 1 it is not, or it tells of lost pages: .matrix/cells/CELL says why.
set -euo pipefail
# shellcheck source=../host/lib.sh
. "$(dirname "$0")/../host/lib.sh"
# shellcheck source=../../kernel-patches/series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"
# shellcheck source=../../kernel-patches/version-lib.sh
. "$GSTAGE_TOP/kernel-patches/version-lib.sh"
# shellcheck source=plan.sh
. "$GSTAGE_TOP/bench/matrix/plan.sh"

PROG=matrix
results=$1 cell=$3
IFS=/ read -r scenario label number <<<"$cell"
state=$results/.matrix
note=$state/cells/$cell
final=$results/$cell.json
plan_read "$2"

# One process at a time has a cell. The lock goes with the process, however it
# ends; who cannot have it leaves the cell to the other.
mkdir -p "$state/locks" "$state/tmp" "$(dirname "$note")" "$(dirname "$final")"
exec {lock}>"$state/locks/${cell//\//:}"
flock -n "$lock" || exit 0
[ ! -e "$final" ] || exit 0
[ ! -e "$note/failure" ] || exit 0 # --retry takes it away

# Left by a runner that was killed: nobody else can be at it now.
tmp=$state/tmp/${cell//\//:}
rm -rf "$tmp"
mkdir "$tmp"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Time of the host is only what it seems when nothing else runs: a lock for the
# machine, shared by those that count instructions.
machine_lock=${GSTAGE_MACHINE_LOCK:-${XDG_RUNTIME_DIR:-/tmp}/gstage-host-time.$(id -u).lock}
exec {alone}>>"$machine_lock"
if [ "$MODE" = smp ]; then flock "$alone"; else flock -s "$alone"; fi

# What is built anew while a matrix runs must not get into its results.
other_input() {
	local line

	while read -r line; do
		grep -qxF -e "$line" "$state/inputs" && continue
		echo "${line% *}"
		return 0
	done < <(input_files; input_arm "$label" "$(plan_version "$label")"; input_scenario "$scenario")
	return 1
}

started=$EPOCHREALTIME status=0
if other=$(other_input); then
	say "$cell: not run, '$other' is another than when this matrix began; give a new folder"
	exit 1
fi
run=(setpriv --pdeathsig TERM "$GSTAGE_TOP/bench/run.sh" "$scenario" --base "$BASE"
	--version "$(plan_version "$label")" --mode "$MODE" --seed "$((10#$number))" --limit "$LIMIT" --out "$tmp/out")
[ -z "$SMP" ] || run+=(--smp "$SMP")
[ -z "$TRACE" ] || run+=(--trace "$TRACE")
[ -z "$ARGS" ] || run+=(--args "$ARGS")
[ -z "$KVM_ARGS" ] || run+=(--kvm-args "$KVM_ARGS")
# The locks are ours alone: a VM that outlives us must not hold them.
"${run[@]}" >"$tmp/log" 2>&1 </dev/null {lock}>&- {alone}>&- &
pid=$!
# A second signal must not end this before the VM has.
trap 'trap "" INT TERM HUP; kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; exit 143' INT TERM HUP
wait "$pid" || status=$?
seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $started }")

# What is still to do of this plan, from what this runner has done so far. The
# folder may hold more, of other plans.
progress() {
	local scenario label n cell nr_done=0 nr_failed=0

	for scenario in "${SCENARIOS[@]}"; do
		for label in "${LABELS[@]}"; do
			for ((n = 1; n <= BOOTS; n++)); do
				printf -v cell '%s/%s/%02d' "$scenario" "$label" "$n"
				if [ -e "$results/$cell.json" ]; then
					nr_done=$((nr_done + 1))
				elif [ -e "$state/cells/$cell/failure" ]; then
					nr_failed=$((nr_failed + 1))
				fi
			done
		done
	done
	awk -v total="${MATRIX_TOTAL:-0}" -v done="$((nr_done + nr_failed))" -v failed="$nr_failed" -v before="${MATRIX_BEFORE:-0}" \
		-v start="${MATRIX_START:-0}" -v now="$EPOCHREALTIME" 'BEGIN {
		printf "%d of %d", done, total
		if (failed) printf ", %d failed", failed
		if (done > before && total > done)
			printf ", about %.0f s left", (now - start) / (done - before) * (total - done)
	}'
}

if other=$(other_input); then
	say "$cell: not kept, '$other' became another under way; give a new folder"
	exit 1
fi
lost=
if [ -s "$tmp/out/run.json" ] && { [ "$status" -eq 0 ] || [ "$status" -eq 1 ]; } &&
	[ "$(jq -r .complete "$tmp/out/run.json" 2>/dev/null)" = true ]; then
	if [ "$status" -eq 1 ]; then
		lost=$(jq -r '[(.guest.pages_lost // 0 | select(. > 0) | "\(.) pages lost"),
			(.checks[] | select(.ok | not) | "check \(.name) failed")] | join(", ")' "$tmp/out/run.json")
	fi
	if [ "$status" -eq 0 ]; then
		rm -rf "$note"
		# Never over a file that is there.
		sync "$tmp/out/run.json"
		ln -T "$tmp/out/run.json" "$final" || exit 1
		say "$cell: $seconds s ($(progress))"
		exit 0
	fi
fi

# keep NAME TEXT: what became of the cell. Where that cannot be written down it
# is as if it had not been run.
keep() {
	if ! printf '%s\n' "$2" >"$note/$1.new" 2>/dev/null || ! mv "$note/$1.new" "$note/$1"; then
		rm -rf "$note"
		say "$cell: $2; that cannot be kept in $state (is the disk full?)"
		exit 1
	fi
}

rm -rf "$note"
mv "$tmp/out" "$note" 2>/dev/null || mkdir -p "$note"
mv "$tmp/log" "$note/log"
if [ -n "$lost" ]; then
	rm -f "$note/failure"
	# First the note: a run file alone would pass for a good one.
	keep bad "$lost"
	sync "$note/run.json"
	ln -T "$note/run.json" "$final" || exit 1
	say "$cell: $seconds s, $lost ($(progress))"
	exit 1
fi
if [ -s "$note/run.json" ] && [ "$status" -eq 3 ]; then
	reason="incomplete: events were lost, see $note/stderr"
elif [ -s "$note/failure" ]; then
	reason=$(cat "$note/failure")
else
	reason="setup: $(tail -n 1 "$note/log")"
fi
rm -f "$note/failure"
keep failure "$reason"
say "$cell: failed after $seconds s, $reason ($(progress))"
exit 1
