/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of --checks share: what is known of each VM, and how a
 * broken check is reported. Defined in checks.bpf.c.
 *
 * All of it is about requests and page tables as KVM makes them, never about
 * what comes of it in the guest: an emulator hides a missing fence.
 */
#ifndef GSTAGE_BPF_CHECKS_BPF_H
#define GSTAGE_BPF_CHECKS_BPF_H

#include "bpf/state.bpf.h"

#define LEVEL_SIZE(level) (1ULL << LEVEL_SHIFT(level))

/* As many as are followed; powers of 2. */
#define MAX_VCPUS 64
#define MAX_SLOTS 32

/* What wants a fence: leaves that lost permission, or that were split. */
#define CHANGE_WP 0
#define CHANGE_SPLIT 1
#define NR_CHANGES 2

/* The last fault of a vCPU. */
struct last_fault {
	__u64 page; /* GPA, with scause in the low bits */
	__u32 epoch; /* of the VM */
	__u32 repeats; /* faults after the first one on this page */
	__u32 spurious; /* of these in a row that changed nothing */
	__u32 pad;
};

/* A slot that is logged, as far as passes over it have shown it. */
struct logged_slot {
	__u64 lo; /* GPA */
	__u64 hi; /* 0: not logged */
	__u32 is_all_huge; /* by huge leaves alone, and none was split yet */
	__u32 is_whole; /* every page has been mapped since logging began */
	__u64 since_ns; /* the last pass of ENABLE */
};

/* The queue of fences of a vCPU. */
struct fence_queue {
	__u64 nr_full; /* KVM's count, when it was looked at last */
	__u64 nr_seen; /* of it, since the VM is followed */
	__u64 nr_served; /* requests to flush everything, with a place free */
	__u32 row; /* in checks.queues, from 1; 0: none yet */
	__u32 pad;
};

/*
 * A log operation under way. Passes over the log and splits outside of faults come
 * from them.
 */
struct log_op {
	__u32 epoch; /* operations so far, begins and ends */
	__u32 is_active; /* and judged */
	__u32 nr_running; /* of several threads there may be several */
	__u32 nr; /* DIRTY_LOG_* */
	__u32 slot;
	__u32 nr_requests; /* since it took mmu_lock last */
	__u32 is_unmapped; /* MMU notifiers took leaves away meanwhile */
	__u64 pid_tgid; /* who is at it */
	struct waiting {
		__u64 lo; /* GPA */
		__u64 hi; /* 0: nothing waits */
		__u32 is_touched; /* by a fence that was too small */
		__u32 is_late; /* and that has been counted */
	} waiting[NR_CHANGES];
	/* Fences that came while nothing waited for one. */
	__u64 early_lo;
	__u64 early_hi;
	__u64 nr_early;
	/* Huge leaves of level 1 and 2 that it has to split, and has split. */
	__u64 nr_wanted[2];
	__u64 nr_split[2];
	/* Where the first of them that is not split may lie. */
	__u64 left_lo;
	__u64 left_hi;
};

struct vm_checks {
	__u32 ordinal; /* of the VM that all this is about */
	__u32 nr_slots; /* highest logged slot so far, and 1 */
	__u64 nr_flush_all; /* requests to all vCPUs to flush everything */
	__u64 full_gpa; /* of the last request that found a queue full */
	struct log_op op;
	struct logged_slot slots[MAX_SLOTS];
	struct last_fault last_faults[MAX_VCPUS];
	struct fence_queue queues[MAX_VCPUS];
};

extern struct gstage_checks checks;

struct vm_checks_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GSTAGE_MAX_VMS);
	__type(key, __u32);
	__type(value, struct vm_checks);
};

extern struct vm_checks_map vm_checks SEC(".maps");

int forget_vm(__u32 vm_index);

/* What is known of a VM; the entry may have been another VM's before. */
static __always_inline struct vm_checks *checks_of(__u32 vm_index)
{
	struct vm_checks *c = bpf_map_lookup_elem(&vm_checks, &vm_index);

	if (c && c->ordinal != vms[bounded(vm_index, GSTAGE_MAX_VMS)].ordinal)
		forget_vm(vm_index);
	return c;
}

/* @check is broken: count it, keep the first one, tell. */
static __always_inline void broken(__u32 check, __u32 vm, __u32 vcpu, __u64 gpa,
				   __u64 size)
{
	struct gstage_check *c = &checks.list[check];
	struct gstage_rec rec = {
		.kind = GSTAGE_REC_BROKEN,
		.gpa = gpa,
		.size = size,
		.from = check,
		.to = vcpu,
	};

	add(c->broken, 1);
	if (__sync_val_compare_and_swap(&c->time_ns, 0, bpf_ktime_get_ns()))
		return;
	c->gpa = gpa;
	c->size = size;
	c->nr_faults = checks.list[GSTAGE_CHECK_LIVELOCK].checked;
	c->vm = vms[bounded(vm, GSTAGE_MAX_VMS)].ordinal;
	c->phase = vms[bounded(vm, GSTAGE_MAX_VMS)].phase;
	c->vcpu = vcpu;
	/*
	 * Not bpf_get_stack(): that is perf's, which takes a fault of a vCPU for
	 * guest code and gives nothing.
	 */
	bpf_get_task_stack(bpf_get_current_task_btf(), c->stack,
			   sizeof(c->stack), 0);
	emit(vm, &rec);
}

/* The slot of that number, or NULL if it is not followed. */
static __always_inline struct logged_slot *logged_slot_of(struct vm_checks *c,
							  __u32 slot)
{
	if (slot >= MAX_SLOTS)
		return NULL;
	return &c->slots[bounded(slot, MAX_SLOTS)];
}

/* Its number, or -1. A function of its own, so that it is verified once. */
int find_slot_nr(__u32 vm_index, __u64 gpa);

/* The slot that @gpa is in, if it is logged. */
static __always_inline struct logged_slot *find_slot(struct vm_checks *c,
						     __u32 vm_index, __u64 gpa)
{
	int nr = find_slot_nr(vm_index, gpa);

	return nr < 0 ? NULL : &c->slots[bounded(nr, MAX_SLOTS)];
}

#endif /* GSTAGE_BPF_CHECKS_BPF_H */
