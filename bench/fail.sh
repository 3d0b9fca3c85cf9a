#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# fail.sh WHERE COMMAND...: run COMMAND while allocations of page tables fail, by the
# fault injection of a debug kernel (kernel-patches/kernel-debug.config). Only for
# what COMMAND and its children ask KVM for, and only
#
#   enable   when dirty logging is enabled      fault   in a fault of the guest
#   clear    when the log is cleared            kvm     anywhere in KVM, slabs, too
#   none     nowhere
#
# PROBABILITY: percent (100); PAGES: as many are given first (0). Runs in the guest.
set -eu

page=/sys/kernel/debug/fail_page_alloc
slab=/sys/kernel/debug/failslab
[ -e "$page/require-start" ] || {
	echo "fail.sh: this kernel cannot fail allocations; boot a debug one (--base 7.3-debug)" >&2
	exit 4
}

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
[ -n "$range" ] || {
	echo "fail.sh: this KVM has no function for '$1' in /proc/kallsyms" >&2
	exit 4
}
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
