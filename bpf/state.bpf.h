/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all programs share: the options, the maps, which VMs are followed and
 * the phase that each of them is in. Defined in state.bpf.c.
 */
#ifndef GSTAGE_BPF_STATE_BPF_H
#define GSTAGE_BPF_STATE_BPF_H

#include "bpf/gstage.h"
#include "bpf/hist.bpf.h"
#include "bpf/kvm.bpf.h"
#include "bpf/turns.h"

/* VMs of this process and of those it started; 0: all. */
extern const volatile __u32 cfg_tgid;
/* Histograms, not only counts. */
extern const volatile bool cfg_latency;
/* Durations below this many nanoseconds are the clock's, not the kernel's. */
extern const volatile __u64 cfg_clock_resolution_ns;
/* Rare events go to the ring buffer. */
extern const volatile bool cfg_events;
/* Phases that may be used, 1 to GSTAGE_MAX_PHASES. */
extern const volatile __u32 cfg_max_phases;
/* Facts that the function backend serves, each with a hook more in a fault. */
extern const volatile bool cfg_fn_prots;
extern const volatile bool cfg_fn_executed;
/* Counts come from KVM's statistics (stats.bpf.c). */
extern const volatile bool cfg_stats;
/* What must hold of faults. */
extern const volatile bool cfg_checks;
/* What the time of vCPUs goes to. */
extern const volatile bool cfg_stalls;

extern struct gstage_state state;
#define vms (state.all_vms)
extern struct gstage_phase phases[GSTAGE_MAX_PHASES];
extern __u32 nr_phases;
extern __u32 nr_vms;
extern struct gstage_losses losses;
extern struct gstage_coverage coverage;

/* One row per possible CPU, sized at load. */
struct rows_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gstage_row);
};

extern struct rows_map rows SEC(".maps");

/* By index of the VM; a single one unless --stalls is given. */
struct turns_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gstage_turns);
};

extern struct turns_map turns SEC(".maps");

/* A VM, and a thread that has to do with it; by reference, see find_place(). */
struct met {
	__u64 kvm;
	__u64 task;
};

/*
 * Index in vms[] of the VM, met now if the thread or an ancestor of it is the
 * process to follow; GSTAGE_MAX_VMS if it is not followed.
 */
int find_vm(const struct met *met);
/* The same for the current thread. */
int find_new_vm(const __u64 *kvm);
int enter_phase(__u32 vm_index, __u32 kind, __u32 round);
int leave_phase(__u32 vm_index);
/* Is this thread in a log operation of the VM? On tracepoints only. */
int is_in_log_op(__u32 vm_index);
/* @rec but for vm and time_ns, which are filled in. */
int emit(__u32 vm_index, struct gstage_rec *rec);

/* Where to count, for the VM of an event on this CPU. */
struct place {
	struct gstage_row *row;
	struct gstage_phase_counts *counts;
	__u32 vm_index;
};

/*
 * False when the VM is not followed or there is no place for it, which has
 * then been counted as a loss. One VM is by far the most common, so it is
 * looked for first and without a call.
 */
static __always_inline bool find_place(const struct kvm *kvm, struct place *p)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 i = 0;

	if (vms[0].kvm != (__u64)kvm) {
		/* By reference: to a global function a pointer is no number. */
		__u64 address = (__u64)kvm;

		i = find_new_vm(&address);
		if (i >= GSTAGE_MAX_VMS)
			return false;
	}

	p->vm_index = i;
	p->row = bpf_map_lookup_elem(&rows, &cpu);
	if (!p->row) {
		add(losses.row_misses, 1);
		return false;
	}
	p->counts = &p->row->phases[vms[i].phase % GSTAGE_MAX_PHASES];
	return true;
}

/* The VM that @lock is the mmu_lock of, or GSTAGE_MAX_VMS. None is met here. */
static __always_inline __u32 find_owner(const void *lock)
{
	__u64 kvm = (__u64)lock - bpf_core_field_offset(struct kvm, mmu_lock);
	__u32 i;

	if (vms[0].kvm == kvm)
		return 0;
	for (i = 1; i < GSTAGE_MAX_VMS; i++) {
		if (vms[i].kvm == kvm)
			return i;
	}
	return GSTAGE_MAX_VMS;
}

/*
 * @i below @n, a power of 2. Where the compiler knows that it is, it drops a
 * plain check, but the verifier has to be shown it.
 */
static __always_inline __u32 bounded(__u32 i, __u32 n)
{
	barrier_var(i);
	return i & (n - 1);
}

/* What leaves are changed for outside of faults: the log operation under way. */
static __always_inline __u32 cause_of_phase(__u32 vm)
{
	__u32 phase = vms[bounded(vm, GSTAGE_MAX_VMS)].phase;

	switch (phases[phase % GSTAGE_MAX_PHASES].kind) {
	case GSTAGE_PHASE_ENABLE:
		return GSTAGE_CAUSE_ENABLE;
	case GSTAGE_PHASE_GET:
		return GSTAGE_CAUSE_GET;
	}
	/* A dirty ring that is reset counts as CLEAR, too. */
	return GSTAGE_CAUSE_CLEAR;
}

/* Of a path that failed the series knows none. */
static __always_inline __u32 path_of_event(const struct kvm_gstage_fault *fault)
{
	return fault->path ? fault->path - 1 : GSTAGE_PATH_ERROR;
}

static __always_inline __u32 clamp_level(__u32 level)
{
	if (level >= GSTAGE_NR_LEVELS)
		level = GSTAGE_NR_LEVELS - 1;
	return bounded(level, GSTAGE_NR_LEVELS);
}

/* Of the kernel: ours has not all of its members. */
#define FENCE_BYTES bpf_core_type_size(struct kvm_riscv_hfence)

/* Where this place of the queue of fences lies; it is a ring. */
static __always_inline const void *fence_at(const struct kvm_vcpu *vcpu,
					    __u64 place)
{
	return (const void *)vcpu +
	       bpf_core_field_offset(struct kvm_vcpu, arch.hfence_queue) +
	       FENCE_BYTES * (place & (GSTAGE_FENCE_QUEUE - 1));
}

#endif /* GSTAGE_BPF_STATE_BPF_H */
