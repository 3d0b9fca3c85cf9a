/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting a fence that is asked for, whoever saw it. Apart from the hooks, because
 * bracket.bpf.c measures what it costs.
 */
#ifndef GSTAGE_BPF_FLUSHES_BPF_H
#define GSTAGE_BPF_FLUSHES_BPF_H

#include "bpf/state.bpf.h"
#include "bpf/vcpu.bpf.h"

static __always_inline __u32 flush_kind(__u32 type, __u64 size, __u64 order)
{
	__u32 kind = GSTAGE_FLUSH_VVMA;

	if (type == HFENCE_GVMA_VMID_ALL || type == HFENCE_GVMA_ALL)
		kind = GSTAGE_FLUSH_VMID;
	else if (type == HFENCE_GVMA_VMID_GPA)
		kind = size == 1ULL << (order & 63) ? GSTAGE_FLUSH_PAGE :
						      GSTAGE_FLUSH_RANGE;
	return bounded(kind, GSTAGE_NR_FLUSHES);
}

static __always_inline void handle_request(struct place *p, __u32 kind,
					   __u64 size)
{
	add(p->counts->flush_requests[kind], 1);
	add(p->counts->flush_bytes[kind], size);
	/* Everything has no size. */
	if (cfg_latency && size)
		hist_add(&p->row->flush_sizes[kind], size, 0);
}

struct search {
	__u64 task;
	__u32 vm;
	__u32 found; /* number of the vCPU, GSTAGE_MAX_VCPUS if there is none */
};

static int search_step(__u64 i, void *data)
{
	struct search *search = data;

	if (slot_at(search->vm, i)->task != search->task)
		return 0;
	search->found = i;
	return 1;
}

/*
 * The vCPU that this thread is handling a fault of, or NULL: it has come from
 * another CPU, or is no vCPU at all.
 */
static __noinline struct gstage_vcpu *search_fault(__u32 vm)
{
	struct search search = {
		.task = bpf_get_current_task(),
		.vm = vm,
		.found = GSTAGE_MAX_VCPUS,
	};

	bpf_loop(nr_vcpus[bounded(vm, GSTAGE_MAX_VMS)], search_step, &search,
		 0);
	return search.found < GSTAGE_MAX_VCPUS ? slot_at(vm, search.found) :
						 NULL;
}

/*
 * A request is seen where it enters the file that makes it. A range comes in by a
 * function of its own and may go through that of a page afterwards: it is
 * counted once.
 */
static __noinline int handle_call(const struct kvm *kvm, __u32 type, __u64 gpa,
				  __u64 size, __u32 order)
{
	__u32 kind = flush_kind(type, size, order);
	struct gstage_vcpu *slot;
	struct place p;

	if (!find_place(kvm, &p))
		return 0;
	if (p.row->range_task == bpf_get_current_task() &&
	    p.row->range_gpa == gpa && p.row->range_bytes == size)
		return 0;
	if (kind != GSTAGE_FLUSH_PAGE) {
		handle_request(&p, kind, size);
		return 0;
	}
	/* Their size is one of a few. */
	if (order == PAGE_SHIFT) {
		slot = search_fault(p.vm_index);
		if (slot && slot->is_open && slot->path < GSTAGE_NR_PATHS) {
			slot->flushes[slot->path]++;
			return 0;
		}
	}
	add(p.counts->fault_flushes[clamp_level((order - PAGE_SHIFT) / 9)], 1);
	return 0;
}

#endif /* GSTAGE_BPF_FLUSHES_BPF_H */
