#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# soak.sh: do the checks stay silent where nothing is wrong? Every scenario with
# 1, 2 and 4 vCPUs, or as many as it says itself, 20 seeds each, in multi-threaded
# mode, on versions without a defect but the livelock that 7.2 and 7.3 have. One
# boot for each version, scenario and number of vCPUs, in it a traced run for each
# seed (bench/soak/boot.sh). Prints a table; all of it writes docs/soak.md, too.
#
# What is there is not run again, unless it was made with something else, so a
# soak that was ended goes on with the same command.
#
# Status: 0 nothing is wrong; 1 something is, or a boot is missing.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"
# shellcheck source=host/parallel.sh
. "$GSTAGE_TOP/bench/host/parallel.sh"

PROG=soak
usage() {
	cat <<-TEXT
	usage: bench/soak.sh [options]

	  --out DIR            where run files go; a folder that is there is continued
	                       (default \$O/results/soak)
	  --versions "NAME..." default: ${versions[*]}
	  --scenarios "NAME..."  default: all
	  --vcpus "N..."       default: ${vcpus[*]}; for scenarios that do not say how many
	  --seeds "N..."       default: 1 to 20
	  --base 7.3|7.2       kernel base (default 7.3)
	  --jobs N             boots at a time (default: cores)
	  --limit SEC          for each run of dirtyguest (default 60)
	  --retry              boots with troubles again
	  --report             only the table of what is there
	TEXT
}

bad() { die "$EX_USAGE" "$* (see --help)"; }

versions=(tracepoints fixed v4)
mapfile -t scenarios < <(cd "$GSTAGE_TOP/bench/scenarios" && printf '%s\n' *.scn | sed 's/\.scn$//')
vcpus=(1 2 4)
mapfile -t seeds < <(seq 20)
base=7.3 results=$O/results/soak jobs=$(nproc) limit=60 retry=0 report=0
# All of it, and on the base that docs/soak.md is about?
whole=1
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h) usage; exit 0 ;;
	--retry) retry=1; shift ;;
	--report) report=1; shift ;;
	--out | --versions | --scenarios | --vcpus | --seeds | --base | --jobs | --limit)
		[ $# -ge 2 ] || bad "$1 needs a value"
		case $1 in
		--out) results=$2 ;;
		--versions) read -ra versions <<<"$2"; whole=0 ;;
		--scenarios) read -ra scenarios <<<"$2"; whole=0 ;;
		--vcpus) read -ra vcpus <<<"$2"; whole=0 ;;
		--seeds) read -ra seeds <<<"$2"; whole=0 ;;
		--base) base=$2; [ "$2" = 7.3 ] || whole=0 ;;
		--jobs) jobs=$2 ;;
		--limit) limit=$2 ;;
		esac
		shift 2
		;;
	*) bad "unknown argument $1" ;;
	esac
done
for number in "${vcpus[@]}"; do
	[[ $number =~ ^[1-8]$ ]] || bad "--vcpus are from 1 to 8, not '$number'"
done
for number in "${seeds[@]}"; do
	[[ $number =~ ^(0|[1-9][0-9]{0,8})$ ]] || bad "--seeds are numbers, not '$number'"
done
[[ $jobs =~ ^[1-9][0-9]{0,2}$ ]] || bad "--jobs wants a number from 1 to 999, not '$jobs'"
[[ $limit =~ ^[1-9][0-9]{0,3}$ ]] || bad "--limit wants seconds from 1 to 9999, not '$limit'"
for name in "${scenarios[@]}"; do
	[ -f "$GSTAGE_TOP/bench/scenarios/$name.scn" ] || bad "there is no scenario '$name'"
done
for name in "${versions[@]}"; do
	[ -r "$O/kernel/$base/kvm-$name.ko" ] ||
		die "$EX_IMPOSSIBLE" "version $name is not built; 'make versions BASE=$base' builds those that come along"
done
[ $((${#versions[@]} * ${#scenarios[@]} * ${#vcpus[@]} * ${#seeds[@]})) -gt 0 ] || bad "nothing is left to run"
for file in "$O/kernel/$base/Image" "$O/riscv64/gstage" "$O/riscv64/dirtyguest" "$O/native/gstage"; do
	[ -r "$file" ] || die "$EX_IMPOSSIBLE" "$file is missing; 'make all kernel' builds it"
done
need_parallel
need jq
need flock util-linux

mkdir -p "$results" 2>/dev/null || die "$EX_IMPOSSIBLE" "cannot make the folder $results"
results=$(cd "$results" && pwd)
exec 9>"$results/.lock"
flock -n 9 || die "$EX_IMPOSSIBLE" "another soak is at work in $results"
work_folder soak

# --- what there is to do --------------------------------------------------------------
# As many as vCPUs, but no more than there are cores: they only wait for each other.
harts() {
	local most

	most=$(nproc)
	echo $(($1 < most ? $1 : most))
}

common=$({
	sha256sum "$O/kernel/$base/Image" "$O/riscv64/gstage" "$O/riscv64/dirtyguest" | cut -d' ' -f1
	qemu-system-riscv64 --version | head -n 1
	cat "$GSTAGE_TOP/bench/soak/boot.sh" "$GSTAGE_TOP/bench/initramfs/init"
} | sha256sum)
# key VERSION SCENARIO VCPUS: of all that the results of a boot depend on
key() {
	{
		echo "$common ${seeds[*]} $3 $(harts "$3")"
		cat "$O/kernel/$base/kvm-$1.ko" "$O/kernel/$base/kvm-$1.json" "$GSTAGE_TOP/bench/scenarios/$2.scn"
	} | sha256sum | cut -c1-16
}

# vcpus_of SCENARIO: its own number, or those asked for.
vcpus_of() {
	sed -n 's/^args=.*--vcpus \([0-9]*\).*/\1/p' "$GSTAGE_TOP/bench/scenarios/$1.scn" | grep . || echo "${vcpus[*]}"
}

# Scenarios in turn, so that what is wrong with a version shows early.
cells() {
	local version scenario number

	for scenario in "${scenarios[@]}"; do
		for number in $(vcpus_of "$scenario"); do
			for version in "${versions[@]}"; do
				echo "$version/$scenario/$number $(key "$version" "$scenario" "$number") $(harts "$number")"
			done
		done
	done
}
# state CELL KEY: good, trouble or open
state() {
	jq -r --arg key "$2" 'if .key != $key then "open" elif .troubles == [] then "good" else "trouble" end' \
		"$results/$1/runs.json" 2>/dev/null || echo open
}

cells >"$work/cells"
total=$(wc -l <"$work/cells")
while read -r cell key number; do
	case $(state "$cell" "$key")/$retry in
	good/* | trouble/0) ;;
	*) echo "$cell $key $number" ;;
	esac
done <"$work/cells" >"$work/open"
nr_open=$(wc -l <"$work/open")

if [ "$report" = 0 ]; then
	say "$total boots of ${#seeds[@]} runs, $((total - nr_open)) there, $nr_open to run, $jobs at a time, into $results"
	export O GSTAGE_CACHE SOAK_BASE=$base SOAK_SEEDS="${seeds[*]}" SOAK_RUN_LIMIT=$limit
	export SOAK_LIMIT=$((120 + limit * ${#seeds[@]}))
	# The lock is this script's alone.
	[ "$nr_open" = 0 ] || run_parallel "$work/open" --jobs "$jobs" --colsep ' ' --termseq TERM,5000,KILL,25 \
		"SOAK_KEY={2} SOAK_HARTS={3} $(printf %q "$GSTAGE_TOP/bench/soak/boot.sh") $(printf %q "$results") {1}" 9>&-
fi

# --- what it says -----------------------------------------------------------------------
nr_there=0
while read -r cell key _; do
	[ "$(state "$cell" "$key")" != open ] || continue
	nr_there=$((nr_there + 1))
	cat "$results/$cell/runs.json"
done <"$work/cells" >"$work/all.json"
jq -c . "$work/all.json" >"$work/all"

# Rows in the order of the runs.
tables() {
	jq -rs --args '
		def row: "| " + (map(tostring) | join(" | ")) + " |";
		def cells_of(v; n): [.[] | select(.version == v and .vcpus == n)];
		def broken: [.[].runs[] | select([.checks[] == "broken"] | any) | select(.livelock | not)] | length;
		. as $all |
		(["version", "vCPUs", "boots", "runs", "faults", "runs with anything broken", "with the livelock alone", "other troubles"] | row),
		"|---|--:|--:|--:|--:|--:|--:|--:|",
		([.[] | [.version, .vcpus]] | reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end) | sort_by([(.[0] as $v | $ARGS.positional | index($v)), .[1]]) | .[] as [$v, $n] |
			($all | cells_of($v; $n)) as $c |
			["`\($v)`", $n, ($c | length), ([$c[].runs | length] | add), ([$c[].runs[].faults] | add),
			 ($c | broken), ([$c[].runs[] | select(.livelock)] | length), ([$c[].troubles | length] | add) - ($c | broken)] | row)
		' "${versions[@]}" <"$work/all"
	echo
	jq -rs '
		def row: "| " + (map(tostring) | join(" | ")) + " |";
		[.[].runs[] | select(.livelock | not) | .checks] as $runs |
		(["check", "held", "unknown", "broken"] | row), "|---|--:|--:|--:|",
		($runs | map(keys_unsorted) | max_by(length) // [] | .[] as $name |
			["`\($name)`"] + [("held", "unknown", "broken") as $s | [$runs[] | select(.[$name] == $s)] | length] | row)
		' <"$work/all"
}

nr_again=$(jq -s 'map(.boots - 1) | add // 0' "$work/all")
seconds=$(jq -s 'map(.seconds) | add // 0 | round' "$work/all")
nr_trouble=$(jq -s '[.[].troubles | length] | add // 0' "$work/all")
tables >"$work/tables"
cat "$work/tables"
jq -r '. as $c | .troubles[] | "\($c.version)/\($c.scenario)/\($c.vcpus): \(.)"' "$work/all" >"$work/troubles"
# Twenty runs that fail alike are one trouble.
head -n 20 "$work/troubles" >&2
[ "$nr_trouble" -le 20 ] || say "... and $((nr_trouble - 20)) more"
[ "$nr_again" = 0 ] || say "$nr_again times a kernel did not start init and was booted once more"
[ "$nr_there" = "$total" ] || die 1 "$((total - nr_there)) of $total boots are missing; the same command goes on"
[ "$nr_trouble" = 0 ] || die 1 "$nr_trouble troubles; the run files, consoles and logs are in $results (--retry runs those boots again)"
say "nothing is wrong in $total boots, which took $seconds s, $jobs at a time"
[ "$whole" = 1 ] || exit 0

{
	cat <<-TEXT
	<!-- SPDX-License-Identifier: GPL-2.0-only -->
	# Long runs: do the checks stay silent?

	Made by \`make soak\`; do not edit. Linux $(cat "$O/kernel/$base/release"), QEMU $(qemu-system-riscv64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p'), multi-threaded mode: all ${#scenarios[@]}
	[scenarios](../bench/scenarios/README.md), ${#seeds[@]} seeds each, on the base as released (\`tracepoints\`), the
	fixed base and v4; with ${vcpus[*]} vCPUs, or as many as the scenario says itself (\`partition-3\`). One
	boot for a version, a scenario and a number of vCPUs; a run is one of dirtyguest in it, with
	4 MiB (two leaves, so that four vCPUs meet in each) and two rounds where the scenario does not
	say how many. Up to four of them share a \`gstage trace --checks\`. \`lost-dirty\` is each run's own
	comparison of what it wrote with what was reported, the other checks are \`gstage check\` of the
	trace, which stands for each of its runs. $total boots, $((total * ${#seeds[@]})) runs; the boots took $((seconds / 60)) minutes, $jobs at a time.

	$(cat "$work/tables")

	- Nothing may be broken but \`livelock\`, and \`spurious\` with it, in \`after-thp\` where the fix is
	  missing: such a run, which has a trace of its own, ends when it is found. It is left out of the second table.
	- No event was lost, no kernel logged a warning, and after each boot nobody uses kvm.ko any
	  more: these are the other troubles.
	- *unknown* is a check that had nothing to look at in that run: without eager splitting (v4)
	  \`split-complete\` cannot be told, and where no leaf is split no fence for one is asked for.
	- In this mode chance decides which faults of the vCPUs meet, and no two runs are alike. A
	  VM has as many harts as its guest has vCPUs, but no more than the machine has cores, $(nproc) here.

	\`make soak\` goes on where it was ended; \`VERSIONS=\`, \`SCENARIOS=\`, \`VCPUS=\`, \`SEEDS=\` (lists)
	narrow it, and then this page is left as it is. The run files are in \`RESULTS=\`
	(\`\$O/results/soak\`): \`VERSION/SCENARIO/VCPUS/SEED.json\`, and beside them \`runs.json\` with the verdicts.
	TEXT
} >"$work/soak.md"
mv "$work/soak.md" "$GSTAGE_TOP/docs/soak.md"
say "written to docs/soak.md"
