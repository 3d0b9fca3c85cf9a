#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every version that comes with 7.3 does what its description says, by exact
# counts of the standard scenario: 8 leaves of 2M, 4096 pages, each written in
# 3 rounds. A version that loses pages runs to a reported failure.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

need parallel
versions=(v1 v2 v4 fault-split eager eager-v2 wp-unbatched wp-range no-wp-fix thp-promote late-flush double-flush
	unaligned-start no-pgd-check full-for-all no-pages fixed)
# These lose pages in full-pass, too.
losing=(fast-huge)
for dir in "$TOP"/kernel-patches/7.3/versions/*/; do
	case " ${versions[*]} ${losing[*]} " in *" $(basename "$dir") "*) ;; *) fail "version $(basename "$dir") is not looked at here" ;; esac
done

results=$WORK/results
cat >"$WORK/plan" <<-PLAN
	arms ${versions[*]}
	scenarios full-pass
	boots 1
	trace --locks
PLAN
expect 0 env O="$O" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results"

# facts VERSION WORD=NUMBER...: what full-pass counts of it.
fact() {
	case $1 in
	splits-fault | splits-enable | splits-clear) echo "[.splits[] | select(.cause == \"${1#*-}\") | .count] | add // 0" ;;
	map-write) echo '[.faults[] | select(.path == "map" and .access == "write") | .count] | add // 0' ;;
	fast | split | prot) echo "[.faults[] | select(.path == \"$1\") | .count] | add // 0" ;;
	page | range) echo "[.flush_requests[] | select(.kind == \"$1\") | .count] | add // 0" ;;
	fallbacks) echo '[.flush_requests[].fallbacks] | add' ;;
	read-locks) echo '[.locks[] | select(.mode == "read") | .count] | add // 0' ;;
	*) fail "no fact '$1'" ;;
	esac
}
facts() {
	local word

	RUN=$results/full-pass/$1/01.json
	for word in "${@:2}"; do
		count "$(fact "${word%=*}")" "${word#*=}"
	done
	count .environment.version "$1"
	count .guest.pages_lost 0
	count .guest.pages_reported 12288
}
facts v1 splits-fault=0 splits-enable=0 map-write=4105 prot=8192 fast=0 page=12298 range=4 read-locks=0
for name in v2 v4; do
	facts $name splits-fault=8 splits-enable=0 map-write=9 split=8 prot=12280 fast=0 page=12306 range=4 read-locks=0
done
facts fault-split splits-fault=8 splits-enable=0 split=8 fast=12280 prot=0 page=12306 range=4 read-locks=12288
facts eager splits-fault=0 splits-enable=8 split=0 fast=12288 prot=0 page=12298 range=5 fallbacks=0
facts no-pages splits-fault=0 splits-enable=8 split=0 fast=12288 prot=0 page=12298 range=5 fallbacks=0
facts fixed splits-fault=0 splits-enable=8 split=0 fast=12288 prot=0 page=12298 range=5 fallbacks=0
facts eager-v2 splits-enable=8 fast=12288 page=12298 range=5 fallbacks=0
facts late-flush splits-enable=8 fast=12288 page=12298 range=5 fallbacks=0
facts double-flush splits-enable=8 fast=12288 page=12298 range=197 fallbacks=3
facts wp-unbatched splits-enable=8 fast=12288 page=28692 range=5 fallbacks=3
facts wp-range splits-enable=8 fast=12288 page=12298 range=5
facts no-wp-fix splits-fault=8 fast=12280 page=12306
facts thp-promote splits-fault=8 fast=12280 page=12306
for name in unaligned-start no-pgd-check full-for-all; do
	facts $name splits-enable=8 fast=12288 page=12298 range=5 fallbacks=0
done

# A block for a cover letter keeps to 72 columns, however wide its ranges are.
arms=()
for name in "${versions[@]}"; do arms+=("$name=$results/full-pass/$name"); done
expect 0 "$GSTAGE" compare -f mail "${arms[@]}"
equal "$(awk 'length > 72 || / $/' "$WORK/out")" "" "lines that are too wide"
has_out "lock hold: write p90"

# longer A B FILTER: of version A the figure is at least twice that of B.
longer() {
	local a b

	a=$(jq "$3" "$results/full-pass/$1/01.json") b=$(jq "$3" "$results/full-pass/$2/01.json")
	[ "$a" -ge $((2 * b)) ] || fail "$3 of $1 is $a, of $2 $b: not twice as much"
}
longer wp-unbatched eager '[.phases[] | select(.name | startswith("clear")) | .duration_ns] | add'

RUN=$DIR/run.json
# What wp-range costs shows where few of many pages are written; what the last
# two lose where a leaf is larger than what is cleared, and where it is made
# large again.
lost() { # VERSION SCENARIO
	WANT=1 run_scenario "$2" --version "$1"
	[ "$(query .guest.pages_lost)" -gt 0 ] || fail "$1 loses nothing in $2"
	[ "$(query .guest.pages_lost)" -eq $(($(query .guest.pages_written) - $(query .guest.pages_reported))) ] || fail "the lost pages do not add up"
	query .guest.pages_lost
}
for name in eager wp-range; do
	run_scenario read-mostly --version $name
	mkdir -p "$results/read-mostly/$name"
	cp "$RUN" "$results/read-mostly/$name/01.json"
done
a=$(jq '[.phases[] | select(.name | startswith("clear")) | .duration_ns] | add' "$results/read-mostly/wp-range/01.json")
b=$(jq '[.phases[] | select(.name | startswith("clear")) | .duration_ns] | add' "$results/read-mostly/eager/01.json")
[ "$a" -ge $((2 * b)) ] || fail "clear of read-mostly: wp-range $a, eager $b: not twice as much"
equal "$(lost no-wp-fix initially-set)" 12288 "pages that no-wp-fix loses"
equal "$(lost thp-promote full-pass-thp)" 12264 "pages that thp-promote loses"
equal "$(lost fast-huge full-pass)" 12264 "pages that fast-huge loses"
count "$(fact fast)" 24
count "$(fact splits-fault)" 0

# Where the log begins with all pages dirty CLEAR splits: one fence for each of 8
# leaves, and the one for the slot that the base has.
initially_set() { # VERSION REQUESTS-OF-A-PAGE REQUESTS-OF-CLEAR
	run_scenario initially-set --version "$1"
	count "$(fact splits-clear)" 8
	count "$(fact page)" "$2"
	count '.phases[] | select(.name == "clear 1") | .flush_requests' "$3"
}
initially_set eager 12298 1
initially_set eager-v2 12306 9
# After logging is off, v1 and v2 write a huge leaf over the table of each 2M.
after() { # VERSION FAULTS
	run_scenario after --version "$1"
	count '[.phases[] | select(.name == "after") | .faults[] | "\(.path) \(.count)"] | join(" ")' "$2"
}
after v1 "map 8"
after v2 "map 8"
after v4 "prot 4096"

# One full queue: who has nothing to do with it flushes as much as who has it.
for name in eager full-for-all; do
	run_scenario partition-2 --version $name
	mkdir -p "$results/partition-2/$name"
	cp "$RUN" "$results/partition-2/$name/01.json"
done
vmid() { jq '[.flush_executed[] | select(.kind == "vmid") | .count] | add' "$results/partition-2/$1/01.json"; }
[ "$(vmid full-for-all)" -gt $((2 * $(vmid eager))) ] || fail "full-for-all flushes all $(vmid full-for-all) times, the base $(vmid eager)"

# The other base, which splits on fault only.
for name in fault-split wp-range; do
	run_scenario full-pass --base 7.2 --version $name
	count .environment.base 7.2
	count .guest.pages_lost 0
	count "$(fact splits-fault)" 8
done

# The livelock of both bases is mended. That of 7.3 is in tests/vm/check.sh.
run_scenario after-thp --base 7.2 --version fixed
count '[.phases[] | select(.name == "after") | .faults[] | select(.path == "prot") | .count] | add' 4096
