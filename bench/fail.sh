#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# fail.sh WHERE COMMAND...: run COMMAND while allocations of page tables fail, by the
# fault injection of a debug kernel (kernel-patches/kernel-debug.config). Only for
# what COMMAND and its children ask KVM for, and only
#
#   enable   when dirty logging is enabled      fault   in a fault of the guest
#   clear    when the log is cleared            kvm     anywhere in KVM, slabs, too
#   none     nowhere, all else being the same (run.sh, for which that is a run without
#            --fail, does not offer it)
#
# PROBABILITY: percent (100; in fault and kvm that leaves a guest no page to run on);
# PAGES: as many are given first (0). Runs in the guest.
set -eu

page=/sys/kernel/debug/fail_page_alloc
slab=/sys/kernel/debug/failslab
cannot() {
	echo "fail.sh: $*" >&2
	exit 4
}
[ "$(id -u)" = 0 ] || cannot "only root can make allocations fail"
grep -q ' /sys/kernel/debug debugfs ' /proc/mounts ||
	cannot "debugfs is not mounted: mount -t debugfs debugfs /sys/kernel/debug"
[ -e "$page/require-start" ] || cannot "this kernel cannot fail allocations; boot a debug one (--base 7.3-debug)"

# Functions of KVM by address; labels of the compiler are none.
functions() { grep ' [tT] [^.$].*\[kvm\]$' /proc/kallsyms | sort; }
# From the first byte of that function to the next one.
range_of() {
	functions | awk -v name="$1" '
		from && $1 != from { print "0x" from, "0x" $1; exit }
		$3 == name { from = $1 }'
}

slab_probability=0 probability=${PROBABILITY:-100}
case $1 in
enable) range=$(range_of kvm_arch_commit_memory_region) ;;
clear) range=$(range_of kvm_arch_mmu_enable_log_dirty_pt_masked) ;;
fault) range=$(range_of kvm_riscv_mmu_map) ;;
kvm)
	range=$(functions | awk 'NR == 1 { from = $1 } { to = $1 } END { print "0x" from, "0x" to }')
	slab_probability=$probability
	;;
none) range='0x0 0x0' probability=0 ;;
*)
	echo "fail.sh: '$1' is not enable, clear, fault, kvm or none" >&2
	exit 2
	;;
esac
[ -n "$range" ] || cannot "this KVM has no function for '$1' in /proc/kallsyms"
shift

for at in "$page" "$slab"; do
	echo 0 >"$at/probability"
	echo Y >"$at/task-filter"
	# Also those that may wait, as KVM's do.
	echo N >"$at/ignore-gfp-wait"
	echo -1 >"$at/times"
	echo 0 >"$at/verbose"
	echo "${range% *}" >"$at/require-start"
	echo "${range#* }" >"$at/require-end"
done
echo 0 >"$page/min-order"
echo N >"$page/ignore-gfp-highmem"
# The page that reaches it fails.
echo "$((${PAGES:-0} > 0 ? PAGES + 1 : 0))" >"$page/space"
echo "$probability" >"$page/probability"
echo "$slab_probability" >"$slab/probability"
echo 1 >/proc/self/make-it-fail
exec "$@"
