#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# boot.sh RESULTS CELL: one boot of a soak, many runs of dirtyguest in it, each
# under the tracer with the checks on. CELL is VERSION/SCENARIO/VCPUS. Leaves in
# RESULTS/CELL:
#
#   SEED.json   the run file of a trace, by the first of its seeds
#   runs.json   what became of each run, and `troubles`, empty when all is well
#   log, console.log, dmesg, guest.log
#
# The rest comes by SOAK_* from soak.sh: BASE, SEEDS, KEY (what runs.json was
# made with), HARTS, RUN_LIMIT and LIMIT (seconds, for a run and for the boot).
#
# Status: 0 all is well; 1 there are troubles.
set -euo pipefail
# shellcheck source=../host/lib.sh
. "$(dirname "$0")/../host/lib.sh"

PROG=soak
results=$1 cell=$2
IFS=/ read -r version scenario vcpus <<<"$cell"
final=$results/$cell
work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-soak.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=$work/out

# name, claim, vm (options of vm.sh), args (options of dirtyguest)
vm='' args=''
# shellcheck source=/dev/null
. "$GSTAGE_TOP/bench/scenarios/$scenario.scn"

# Loading the programs takes longer than a guest's run, so some runs share a
# trace: as many as its table of phases has room for. What is broken ends it, so
# where that is expected, each has its own.
group=4
case $scenario/$version in
after-thp/fixed) ;;
after-thp/*) group=1 ;;
esac
# Two leaves of 2M where the scenario has no size of its own: each fault takes the
# emulator as long as 100000 instructions. What is to be shown with many leaves
# does not need all of their pages. The last of equal options counts.
more=
[ "$scenario" != enable-128m ] || more='--order stride2m'
run="dirtyguest -q --size 4M --rounds 2 $args $more --vcpus $vcpus --limit ${SOAK_RUN_LIMIT}s"
# One that is alone is the tracer's own child, which the tracer can end.
cat >"$work/one.sh" <<GUEST
[ \$# -gt 1 ] || exec $run --seed \$1
for seed; do
	status=0
	$run --seed \$seed || status=\$?
	echo "\$seed \$status" >>statuses
done
exit \$status
GUEST
cat >"$work/soak.sh" <<GUEST
set -- $SOAK_SEEDS
while [ \$# -gt 0 ]; do
	first=\$1 seeds=''
	while [ \$# -gt 0 ] && [ "\$(echo \$seeds | wc -w)" -lt $group ]; do
		seeds="\$seeds \$1"
		shift
	done
	timeout -s INT -k 10 $((SOAK_RUN_LIMIT * group)) gstage trace -q --checks --stop-on-broken -o \$first.json -- \\
		sh /one.sh \$seeds >\$first.log 2>&1
	status=\$?
	echo "\$first \$status" >>traces
	[ " \$first" != "\$seeds" ] || echo "\$first \$status" >>statuses
	for seed in \$seeds; do echo "\$seed \$first" >>groups; done
done
awk '\$1 == "kvm" { print \$3 }' /proc/modules >users
GUEST

# Whoever measures host time wants the machine for itself (bench/matrix/cell.sh).
exec {alone}>>"${GSTAGE_MACHINE_LOCK:-${XDG_RUNTIME_DIR:-/tmp}/gstage-host-time.$(id -u).lock}"
flock -s "$alone"
started=$EPOCHREALTIME
pid=''
# A second signal must not end this before the VM has.
trap 'trap "" INT TERM HUP; kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; exit 143' INT TERM HUP
# A kernel that hangs before it starts init is the emulator's trouble, not ours
# (docs/vm.md): again, and not for ever.
for ((boots = 1; ; boots++)); do
	status=0
	# shellcheck disable=SC2086 # options are words
	setpriv --pdeathsig TERM "$GSTAGE_TOP/bench/vm.sh" --base "$SOAK_BASE" --kvm "$O/kernel/$SOAK_BASE/kvm-$version.ko" \
		--mode smp --smp "$SOAK_HARTS" --limit "$SOAK_LIMIT" --boot-limit 120 --strict $vm \
		--add "$work/soak.sh:/soak.sh" --add "$work/one.sh:/one.sh" --out "$out" \
		-- sh /soak.sh >"$work/log" 2>&1 </dev/null {alone}>&- &
	pid=$!
	wait "$pid" || status=$?
	if [ "$boots" -ge 3 ] || ! grep -qs '^boot: ' "$out/failure"; then break; fi
	say "$cell: the kernel did not start init, once more"
done
seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $started }")

# --- what became of it -------------------------------------------------------------
# The livelock after logging of transparent huge pages is in all but the fixed
# ones; a vCPU that livelocks faults in vain, too.
allowed='[]'
case $scenario/$version in
*/fixed) ;;
after-thp/*) allowed='["livelock", "spurious"]' ;;
esac

# of FILE SEED: what the guest wrote there of it
of() { awk -v seed="$2" '$1 == seed { print $2 }' "$out/$1" 2>/dev/null || :; }

# one SEED: what became of that run, as JSON. A run file that cannot be read is
# none.
one() {
	local seed=$1 first own ended file

	first=$(of groups "$seed")
	first=${first:-$seed}
	file=$out/$first.json
	own=$(of statuses "$seed")
	# The trace ends with the status of its last run.
	ended=$own
	[ "$ended" != 0 ] || ended=$(of traces "$first")
	if ! jq -e .schema "$file" >/dev/null 2>&1 ||
		! { "$O/native/gstage" check --json "$file" || :; } >"$work/judged" 2>"$work/error" || [ ! -s "$work/judged" ]; then
		jq -nc --argjson seed "$seed" --arg ended "${ended:-not reached}" --arg error "$(tail -n 1 "$out/$first.log" 2>/dev/null || :)" \
			'{seed: $seed, ended: $ended, checks: {}, faults: 0, livelock: false,
			  trouble: "no run (status \($ended)) \($error)"}'
		return
	fi
	# A run file has the result of its last guest only; each guest's own comparison
	# is in its status.
	jq -c --argjson seed "$seed" --argjson first "$first" --arg own "$own" --arg ended "${ended:-not reached}" --argjson allowed "$allowed" --slurpfile run "$file" '
		. as $judged | [.checks[] | select(.state == "broken")] as $broken |
		([$broken[] | select(.name == "livelock")] | length > 0) as $livelock |
		[$broken[] | select(.name as $name | $allowed | index($name) | not) | "\(.name): \(.detail)"] as $bad |
		{seed: $seed, ended: $ended, complete, checks: ([.checks[] | {(.name): .state}] | add | ."lost-dirty" = ({"0": "held", "1": "broken"}[$own] // "unknown")),
		 faults: (if $seed == $first then [$run[0].faults[].count] | add // 0 else 0 end),
		 livelock: ($livelock and ($allowed | length > 0)),
		 trouble: (if $bad != [] then $bad | join("; ")
			elif $judged.complete | not then "incomplete: events were lost"
			elif $ended != "0" and ($livelock | not) then "status \($ended)"
			else "" end)}' "$work/judged"
}

boot=''
if [ -s "$out/failure" ]; then
	boot=$(cat "$out/failure")
elif [ "$status" -ne 0 ]; then
	boot=$(tail -n 1 "$work/log")
	: "${boot:=the boot ended with status $status}"
elif [ "$(cat "$out/users" 2>/dev/null)" != 0 ]; then
	boot="kvm has $(cat "$out/users") users when all is over"
elif grep -m1 -E 'INFO: (task|possible|rcu)|rcu: INFO:' "$out/dmesg" >"$work/info"; then
	boot="the guest's kernel complained: $(cat "$work/info")"
fi
for seed in $SOAK_SEEDS; do one "$seed"; done >"$work/runs"
jq -n --arg key "$SOAK_KEY" --arg version "$version" --arg scenario "$scenario" --argjson vcpus "$vcpus" \
	--argjson seconds "$seconds" --argjson boots "$boots" --arg boot "$boot" --slurpfile runs "$work/runs" '
	{key: $key, version: $version, scenario: $scenario, vcpus: $vcpus, seconds: $seconds, boots: $boots, runs: $runs,
	 troubles: ([$boot | select(. != "")] + [$runs[] | select(.trouble != "") | "seed \(.seed): \(.trouble)"])}' >"$work/runs.json"

# Evidence of what is rare is not written over.
if [ -e "$final" ] && jq -e '.troubles != []' "$final/runs.json" >/dev/null 2>&1; then
	nr=1
	while [ -e "$final.trouble-$nr" ]; do nr=$((nr + 1)); done
	mv "$final" "$final.trouble-$nr"
fi
rm -rf "$final"
mkdir -p "$final"
for file in "$out"/*.json "$out"/{console.log,dmesg} "$work/log"; do
	[ ! -e "$file" ] || mv "$file" "$final/"
done
for seed in $SOAK_SEEDS; do
	sed "s/^/$seed: /" "$out/$seed.log" 2>/dev/null || :
done >"$final/guest.log"
# Last: with it the boot is there.
mv "$work/runs.json" "$final/runs.json"

if jq -e '.troubles == []' "$final/runs.json" >/dev/null; then
	say "$cell: $seconds s"
	exit 0
fi
say "$cell: $seconds s, $(jq -r '"\(.troubles | length) troubles, first: \(.troubles[0])"' "$final/runs.json")"
exit 1
