/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fault that a vCPU is handling, for the function backend: its hooks see the
 * steps of a fault one by one, and each of them something else. What is known so
 * far is in a slot of the vCPU, found by its number: no hash, nothing to insert
 * or to lose.
 *
 * A fault is counted when it begins, as one of the fast path, and is moved to
 * another path by the hooks of the slower ones. So the most frequent fault is
 * counted by a single hook.
 */
#ifndef GSTAGE_BPF_VCPU_BPF_H
#define GSTAGE_BPF_VCPU_BPF_H

#include "bpf/state.bpf.h"

extern struct gstage_vcpu vcpus[GSTAGE_MAX_VMS][GSTAGE_MAX_VCPUS];
/* One more than the highest number seen. */
extern __u32 nr_vcpus[GSTAGE_MAX_VMS];

static __always_inline struct gstage_vcpu *slot_at(__u32 vm, __u32 idx)
{
	return &vcpus[bounded(vm, GSTAGE_MAX_VMS)]
		     [bounded(idx, GSTAGE_MAX_VCPUS)];
}

/* Of the vCPU at address @vcpu, which may be none at all: then NULL. */
static __always_inline struct gstage_vcpu *find_slot(__u64 vcpu)
{
	struct gstage_vcpu *slot;
	__u32 i;
	int idx;

	if (bpf_probe_read_kernel(&idx, sizeof(idx),
				  (void *)vcpu +
					  bpf_core_field_offset(struct kvm_vcpu,
								vcpu_idx)))
		return NULL;
	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		slot = slot_at(i, idx);
		if (slot->vcpu == vcpu && slot->is_open)
			return slot;
	}
	return NULL;
}

/* Of the vCPU whose faults take their pages from @cache, or NULL. */
static __always_inline struct gstage_vcpu *find_slot_of_cache(const void *cache)
{
	return find_slot(
		(__u64)cache -
		bpf_core_field_offset(struct kvm_vcpu, arch.mmu_page_cache));
}

/* Count the fault of @slot @n more times (-1: once less) as one of @path. */
static __always_inline void count_fault(const struct gstage_vcpu *slot,
					__u32 path, __u64 n)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_row *row = bpf_map_lookup_elem(&rows, &cpu);

	if (!row || path >= GSTAGE_NR_PATHS) {
		add(losses.row_misses, 1);
		return;
	}
	/* Rows are added up modulo 2^64: that of this CPU may go below zero. */
	add(row->phases[slot->phase % GSTAGE_MAX_PHASES]
		    .faults[path][bounded(slot->access, GSTAGE_NR_ACCESSES)],
	    n);
}

/* The fault turns out to take @path. */
static __always_inline void set_path(struct gstage_vcpu *slot, __u32 path)
{
	count_fault(slot, slot->path, -1);
	count_fault(slot, path, 1);
	slot->path = path;
}

#endif /* GSTAGE_BPF_VCPU_BPF_H */
