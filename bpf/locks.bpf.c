// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long mmu_lock is held, for reading and for writing, by phase: what a
 * vCPU that faults at the same time would have to wait.
 *
 * From the return of the lock function to the call of the unlock function, in
 * nanoseconds. KVM's own, of the VMs that are followed; only with --locks,
 * since every rwlock of the kernel runs through these hooks. Falsified by:
 * holds that began but did not end, counted as lost.
 */
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"

/*
 * A holder cannot be preempted, so a CPU has at most one hold of each mode. A
 * lock taken inside of an interrupt is not an mmu_lock.
 */
static __always_inline int handle_lock(const void *lock, __u32 mode)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 vm = find_owner(lock);
	struct gstage_row *row;

	if (vm >= GSTAGE_MAX_VMS)
		return 0;
	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row) {
		add(losses.row_misses, 1);
		return 0;
	}
	row->locks.since_ns[mode] = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int handle_unlock(const void *lock, __u32 mode)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 vm = find_owner(lock);
	struct gstage_holds *holds;
	struct gstage_row *row;
	__u64 held_ns;

	if (vm >= GSTAGE_MAX_VMS)
		return 0;
	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row) {
		add(losses.row_misses, 1);
		return 0;
	}
	/* Taken before the VM was met: this hold is not counted. */
	if (!row->locks.since_ns[mode])
		return 0;

	held_ns = bpf_ktime_get_ns() - row->locks.since_ns[mode];
	row->locks.since_ns[mode] = 0;
	holds = &row->locks.phases[vms[vm].phase % GSTAGE_MAX_PHASES][mode];
	add(holds->count, 1);
	add(holds->sum_ns, held_ns);
	if (held_ns > holds->max_ns)
		holds->max_ns = held_ns;
	hist_add(&row->locks.held_ns[mode], held_ns, cfg_clock_resolution_ns);
	return 0;
}

ON_RETURN(_raw_write_lock, on_write_lock, void *lock)
{
	return handle_lock(lock, GSTAGE_LOCK_WRITE);
}

ON_ENTRY(_raw_write_unlock, on_write_unlock, void *lock)
{
	return handle_unlock(lock, GSTAGE_LOCK_WRITE);
}

ON_RETURN(_raw_read_lock, on_read_lock, void *lock)
{
	return handle_lock(lock, GSTAGE_LOCK_READ);
}

ON_ENTRY(_raw_read_unlock, on_read_unlock, void *lock)
{
	return handle_unlock(lock, GSTAGE_LOCK_READ);
}
