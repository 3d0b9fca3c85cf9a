#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# matrix.sh PLAN --out RESULTS: versions x scenarios x boots from a plan, arms in
# turn, a fresh VM for each boot, one run file for each:
#
#   RESULTS/SCENARIO/LABEL/NN.json     what was measured; nothing else is there
#   RESULTS/.matrix/                   plans, job log, failed cells, locks
#
# What is there is never run again, so a runner that was killed is started again
# with the same command. GNU parallel runs the cells (bench/matrix/cell.sh), here
# or on other machines.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"
# shellcheck source=../kernel-patches/series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"
# shellcheck source=../kernel-patches/version-lib.sh
. "$GSTAGE_TOP/kernel-patches/version-lib.sh"
# shellcheck source=host/parallel.sh
. "$GSTAGE_TOP/bench/host/parallel.sh"
# shellcheck source=matrix/plan.sh
. "$GSTAGE_TOP/bench/matrix/plan.sh"

usage() {
	cat <<-TEXT
	usage: bench/matrix.sh PLAN --out RESULTS [options]

	  PLAN               a file, or a name from bench/plans: $(cd "$GSTAGE_TOP/bench/plans" && echo *.plan | sed 's/\.plan//g')
	  --out RESULTS      where run files go; a folder that is there is continued
	  --jobs N           boots at a time (default: cores; 1 for host time)
	  --retry            try the cells that failed again
	  --list             show the cells and how they stand, run nothing
	  --cell CELL        run this one alone, as --list names it (for a batch system)
	  --sshlogin LOGINS  run on these machines, as GNU parallel has it (repeatable);
	                     RESULTS and this checkout must be there under the same path
	  --sshloginfile F   the same, from a file
	TEXT
}

bad() { die "$EX_USAGE" "$* (see --help)"; }

plan='' results='' jobs='' retry=0 list=0 one='' remote=()
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h) usage; exit 0 ;;
	--retry) retry=1; shift ;;
	--list) list=1; shift ;;
	--out | --jobs | --cell | --sshlogin | --sshloginfile)
		[ $# -ge 2 ] || bad "$1 needs a value"
		case $1 in
		--out) results=$2 ;;
		--jobs) jobs=$2 ;;
		--cell) one=$2 ;;
		*) remote+=("$1" "$2") ;;
		esac
		shift 2
		;;
	-*) bad "unknown option $1" ;;
	*) [ -z "$plan" ] || bad "one plan at a time, not also $1"; plan=$1; shift ;;
	esac
done
[ -n "$plan" ] || bad "which plan?"
[ -n "$results" ] || bad "where to? (--out RESULTS)"
[ -z "$jobs" ] || [[ $jobs =~ ^[1-9][0-9]{0,2}$ ]] || bad "--jobs wants a number from 1 to 999, not '$jobs'"
[ -e "$plan" ] || [ ! -e "$GSTAGE_TOP/bench/plans/$plan.plan" ] || plan=$GSTAGE_TOP/bench/plans/$plan.plan
[ ! -e "$plan" ] || [ -f "$plan" ] || bad "the plan must be a file: $plan is none"
plan_read "$plan"
if [ "$MODE" = smp ]; then
	: "${jobs:=1}"
	[ "$jobs" -eq 1 ] || bad "host time is measured one boot at a time: two at once would measure each other, so no --jobs $jobs"
fi
: "${jobs:=$(nproc)}"
need_parallel
need jq
need flock util-linux

# cell_state CELL: done, bad (done, but pages were lost), failed or open.
cell_state() {
	if [ -e "$results/$1.json" ]; then
		[ -e "$state/cells/$1/bad" ] && echo bad || echo 'done'
	elif [ -e "$state/cells/$1/failure" ]; then
		echo failed
	else
		echo open
	fi
}
state=$results/.matrix
if [ "$list" = 1 ]; then
	plan_cells | while read -r cell; do
		printf '%-8s%s\n' "$(cell_state "$cell")" "$cell"
	done
	exit 0
fi
if [ -n "$one" ] && ! grep -qxF -e "$one" <<<"$(plan_cells)"; then
	bad "the plan has no cell '$one' (--list shows them)"
fi

mkdir -p "$results" 2>/dev/null || die "$EX_IMPOSSIBLE" "cannot make the folder $results"
results=$(cd "$results" && pwd)
state=$results/.matrix
if [ ! -d "$state" ] && [ -n "$(ls -A "$results")" ]; then
	die "$EX_USAGE" "$results is not empty and holds no matrix; give a new folder"
fi

# --- may this plan go on here? ---------------------------------------------------
inputs() {
	local i

	input_files
	for i in "${!LABELS[@]}"; do
		# What was not built gives no results, and may be built later.
		! grep -qxF -e "${VERSIONS[i]}" "$work/unbuilt" || continue
		input_arm "${LABELS[i]}" "${VERSIONS[i]}"
	done
	for i in "${SCENARIOS[@]}"; do
		input_scenario "$i"
	done
	echo "qemu $(qemu-system-riscv64 --version | head -n 1)"
	plan_conditions
}

# New lines extend the matrix; a line that became another would mix results.
check_inputs() {
	local key line old

	while IFS= read -r line; do
		case $line in
		arm\ * | scenario\ *) key=$(cut -d' ' -f1,2 <<<"$line") ;;
		*) key=${line%% *} ;;
		esac
		# No pattern: a label may have dots.
		old=$(awk -v key="$key " 'index($0, key) == 1 { print; exit }' "$state/inputs")
		if [ -n "$old" ] && [ "$old" != "$line" ]; then
			die "$EX_USAGE" "$results was made with another '$key' (then: ${old#"$key "}, now: ${line#"$key "}); results must not be mixed: give a new folder"
		fi
		[ -n "$old" ] || printf '%s\n' "$line"
	done <"$1" >"$1.new"
}

# Those that cannot be built fail, and the others go on.
build_versions() {
	local version

	for version in $(printf '%s\n' "${VERSIONS[@]}" | sort -u); do
		"$GSTAGE_TOP/kernel-patches/build.sh" "$BASE" "$version" 2>"$1/build-$version.log" && continue
		printf '%s\n' "$version" >>"$1/unbuilt"
		say "version $version does not build: $(tail -n 1 "$1/build-$version.log"); its cells are marked"
	done
}

work_folder matrix

prepare() {
	: >"$work/unbuilt"
	build_versions "$work"
	inputs >"$work/inputs"
	mkdir -p "$state"/{cells,locks,plans,tmp}
	# Two runners that start at once agree on one plan.
	exec {lock}>"$state/plan.lock"
	flock "$lock"
	[ ! -e "$state/inputs" ] || check_inputs "$work/inputs"
	[ -e "$state/inputs" ] || cp "$work/inputs" "$work/inputs.new"
	cat "$work/inputs.new" >>"$state/inputs"
	# Each runner its own, by content: the plan of another may be larger.
	plan=$state/plans/$(sha256sum <"$PLAN" | cut -c1-12)
	cp "$PLAN" "$plan.new" && mv "$plan.new" "$plan"
	exec {lock}>&-
	plan_cells >"$work/order"
}

mark_unbuilt() {
	local cell label

	while read -r cell; do
		label=$(cut -d/ -f2 <<<"$cell")
		grep -qxF "$(plan_version "$label")" "$work/unbuilt" || continue
		[ "$(cell_state "$cell")" = open ] || continue
		mkdir -p "$state/cells/$cell"
		cp "$work/build-$(plan_version "$label").log" "$state/cells/$cell/log"
		echo "build: $(tail -n 1 "$state/cells/$cell/log")" >"$state/cells/$cell/failure"
	done <"$work/order"
}

prepare
if [ "$retry" = 1 ]; then
	find "$state/cells${one:+/$one}" -name failure -delete 2>/dev/null || :
fi
mark_unbuilt
export O GSTAGE_CACHE
if [ -n "$one" ]; then
	status=0
	"$GSTAGE_TOP/bench/matrix/cell.sh" "$results" "$plan" "$one" || status=$?
	exit "$status"
fi

# --- run -------------------------------------------------------------------------
open_cells() {
	local cell

	while read -r cell; do
		[ "$(cell_state "$cell")" != open ] || echo "$cell"
	done <"$work/order"
}

run_open() {
	local command

	command="O=$(printf %q "$O") GSTAGE_CACHE=$(printf %q "$GSTAGE_CACHE") MATRIX_TOTAL=$total"
	command+=" MATRIX_BEFORE=$((total - nr_open)) MATRIX_START=$started"
	command+=" $(printf '%q ' "$GSTAGE_TOP/bench/matrix/cell.sh" "$results" "$plan")"
	[ ${#remote[@]} -gt 0 ] || command="exec setpriv --pdeathsig TERM env $command"
	run_parallel "$work/open" --jobs "$jobs" --joblog "+$state/joblog" \
		--termseq TERM,3000,KILL,25 ${remote[@]+"${remote[@]}"} "$command" {}
}

# Cells that another runner has: wait for one of them, then look again, as that
# runner may be killed.
wait_for_others() {
	local cell

	while read -r cell; do
		flock -n "$state/locks/${cell//\//:}" true && continue
		say "waiting for another runner, which is at $cell"
		flock "$state/locks/${cell//\//:}" true
		return 0
	done < <(open_cells)
	return 1
}

open_cells >"$work/open"
total=$(wc -l <"$work/order")
nr_open=$(wc -l <"$work/open")
started=$EPOCHREALTIME
say "$total cells, $((total - nr_open)) there, $nr_open to run, $jobs at a time, into $results"
while [ -s "$work/open" ]; do
	run_open
	wait_for_others || break
	open_cells >"$work/open"
done

# --- how it stands ---------------------------------------------------------------
nr_done=0 nr_bad=0 nr_failed=0 nr_left=0
while read -r cell; do
	case $(cell_state "$cell") in
	done) nr_done=$((nr_done + 1)) ;;
	bad)
		nr_bad=$((nr_bad + 1))
		echo "$cell: $(cat "$state/cells/$cell/bad"); see $state/cells/$cell"
		;;
	failed)
		nr_failed=$((nr_failed + 1))
		echo "$cell: $(cat "$state/cells/$cell/failure"); see $state/cells/$cell"
		;;
	*) nr_left=$((nr_left + 1)) ;;
	esac
done <"$work/order" >"$work/troubles"
say "$nr_done of $total done$([ $nr_bad = 0 ] || echo ", $nr_bad with lost pages or failed checks")$([ $nr_failed = 0 ] || echo ", $nr_failed failed (--retry tries again)")$([ $nr_left = 0 ] || echo ", $nr_left not run (start again to go on)")"
# Twenty boots that fail alike are one trouble.
head -n 20 "$work/troubles" >&2
[ "$(wc -l <"$work/troubles")" -le 20 ] || say "... and $(($(wc -l <"$work/troubles") - 20)) more"
for scenario in "${SCENARIOS[@]}"; do
	arms='' option='' nr_arms=0
	for i in "${!LABELS[@]}"; do
		[ -n "$(find "$results/$scenario/${LABELS[i]}" -name '*.json' 2>/dev/null | head -n 1)" ] || continue
		arms+=" ${LABELS[i]}=$results/$scenario/${LABELS[i]}"
		nr_arms=$((nr_arms + 1))
		# The first version once more shows what chance does.
		[ "$i" -eq 0 ] || [ "${VERSIONS[i]}" != "${VERSIONS[0]}" ] || option=" --band ${LABELS[i]}"
	done
	[ $nr_arms -ge 2 ] || continue
	[ -z "$option" ] || [ $nr_arms -gt 2 ] || option=' --aa'
	echo "gstage compare$option$arms"
done
[ $((nr_bad + nr_failed + nr_left)) -eq 0 ]
