#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The memory of the maps: what is told is what the kernel has charged for them,
# and on a machine with 256 possible CPUs, with places for the exits of 64 vCPUs
# and everything else on, it stays below 64 MiB.
. "$(dirname "$0")/../vmlib.sh"

MOST=$((64 << 20))

# trace OPTIONS...: gstage is the parent of its command, and holds the maps.
trace() {
	run_in_vm --kvm-args eager_page_split=1 --hugepages 8 -- \
		"gstage trace -q $* -o run.json -- sh -c 'cat /proc/\$PPID/fdinfo/* >fdinfo; dirtyguest -q --backing hugetlb-2m --rounds 1 --vcpus 4'"
	# Programs are charged, too; only maps have a type of this name.
	charged=$(awk '/^map_type:/ { map = 1 } /^memlock:/ { if (map) sum += $2; map = 0 } END { print sum + 0 }' "$DIR/fdinfo")
	told=$(query .environment.map_bytes)
	# The kernel rounds each map up to pages and has a header for each.
	[ "$charged" -ge "$told" ] || fail "the maps take $told bytes, of which only $charged are charged ($*)"
	[ $((charged - told)) -le $((told / 20)) ] || fail "the maps take $told bytes, but $charged are charged ($*)"
	# One hart: one possible CPU.
	count .environment.harts 1
	of_256=$(query '.environment | .map_bytes + 255 * .map_bytes_per_cpu')
	[ "$of_256" -le "$MOST" ] || fail "with 256 CPUs the maps take $of_256 bytes, more than $MOST ($*)"
}

trace
few=$of_256
! full || trace --exits --stalls --locks --checks --events
trace --backend function --exits --stalls --locks --events
[ "$of_256" -gt "$few" ] || fail "places for exits and a ring buffer take nothing: $few, $of_256"
# What is told in words.
expect 0 "$GSTAGE" report -v "$RUN"
has_out "maps:     $(query '.environment | "\((.map_bytes + 1023) / 1024 | floor) KiB, of them \((.map_bytes_per_cpu + 1023) / 1024 | floor) KiB for each possible CPU"')"

if full; then
	# A row for each possible CPU, and nothing else, more with two harts than with one.
	one=$(query .environment.map_bytes)
	per_cpu=$(query .environment.map_bytes_per_cpu)
	run_in_vm --mode smp --smp 2 --hugepages 8 -- \
		'gstage trace -q --backend function --exits --stalls --locks --events -o run.json -- dirtyguest -q --backing hugetlb-2m --rounds 1'
	count .environment.map_bytes $((one + per_cpu))
fi
