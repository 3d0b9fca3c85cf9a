/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fault that a vCPU is handling, for the function backend: its hooks see the
 * steps of a fault one by one, and each of them something else. What is known so
 * far is in a slot of the vCPU, found by its number: no hash, nothing to insert
 * or to lose.
 *
 * A fault is counted when it begins, as one of the fast path, and is moved to
 * another path by the hooks of the slower ones. So the most frequent fault is
 * counted by a single hook, and in its slot, which takes a third of the
 * instructions that the counters of a phase take.
 */
#ifndef GSTAGE_BPF_VCPU_BPF_H
#define GSTAGE_BPF_VCPU_BPF_H

#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"

/* One more than the highest number seen. */
extern __u32 nr_vcpus[GSTAGE_MAX_VMS];

/*
 * @i below @n, a power of 2, as bounded(), without narrowing it: each of these
 * costs a fault two instructions.
 */
static __always_inline __u64 bounded64(__u64 i, __u64 n)
{
	barrier_var(i);
	return i & (n - 1);
}

/* The state by a pointer that the compiler does not load again. */
static __always_inline struct gstage_state *state_ptr(void)
{
	struct gstage_state *s = &state;

	barrier_var(s);
	return s;
}

static __always_inline __u64 *hint_here(struct gstage_state *s)
{
	return &s->hints[bounded64(bpf_get_smp_processor_id(),
				   GSTAGE_MAX_HINTS)];
}

static __always_inline struct gstage_vcpu *slot_at(__u64 vm, __u64 idx)
{
	return &state.vcpus[bounded64(vm, GSTAGE_MAX_VMS)]
			   [bounded64(idx, GSTAGE_MAX_VCPUS)];
}

/* The one that may be running on this CPU. */
static __always_inline struct gstage_vcpu *slot_here(struct gstage_state *s)
{
	return &s->vcpus[0][bounded64(*hint_here(s),
				      GSTAGE_MAX_VMS * GSTAGE_MAX_VCPUS)];
}

static __always_inline void note_vcpu(__u32 vm, __u32 idx)
{
	if (idx >= nr_vcpus[bounded(vm, GSTAGE_MAX_VMS)])
		nr_vcpus[bounded(vm, GSTAGE_MAX_VMS)] = idx + 1;
}

/* Index of the VM that is followed, or one that is met now; or GSTAGE_MAX_VMS. */
static __always_inline __u32 vm_of(const struct kvm_vcpu *vcpu)
{
	__u64 kvm = (__u64)kget(vcpu, kvm);

	return find_new_vm(&kvm);
}

/* Of the first VM, by far the most common one: no index to be multiplied. */
static __always_inline struct gstage_vcpu *
slot_in_first(struct gstage_state *s, const struct kvm_vcpu *vcpu)
{
	return &s->vcpus[0][bounded64((__u32)kget(vcpu, vcpu_idx),
				      GSTAGE_MAX_VCPUS)];
}

/* Of a vCPU whose VM is followed, or NULL. */
static __always_inline struct gstage_vcpu *slot_of(const struct kvm_vcpu *vcpu)
{
	struct gstage_state *s = state_ptr();
	__u32 vm;

	if (s->all_vms[0].kvm == (__u64)kget(vcpu, kvm))
		return slot_in_first(s, vcpu);
	vm = vm_of(vcpu);
	return vm < GSTAGE_MAX_VMS ? slot_at(vm, kget(vcpu, vcpu_idx)) : NULL;
}

/* Of the vCPU at address @vcpu, which may be none at all: then NULL. */
static __always_inline struct gstage_vcpu *find_open_slot(__u64 vcpu)
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
	return find_open_slot(
		(__u64)cache -
		bpf_core_field_offset(struct kvm_vcpu, arch.mmu_page_cache));
}

/* Count the fault of @slot @n more times (-1: once less) as one of @path. */
static __always_inline void count_fault(struct gstage_vcpu *slot, __u32 path,
					__u32 n)
{
	if (path < GSTAGE_NR_PATHS)
		slot->faults[path][bounded(slot->access, GSTAGE_NR_ACCESSES)] +=
			n;
}

/* The fault turns out to take @path. */
static __always_inline void set_path(struct gstage_vcpu *slot, __u32 path)
{
	count_fault(slot, slot->path, -1);
	count_fault(slot, path, 1);
	slot->path = path;
}

/*
 * Count a fence that the fault under way here asks for. False: it is another's,
 * and is still to be counted.
 */
static __always_inline bool is_fault_flush(__u64 size, __u64 order)
{
	struct gstage_vcpu *slot;

	if (order != PAGE_SHIFT || size != 1 << PAGE_SHIFT)
		return false;
	slot = slot_here(state_ptr());
	if (slot->task != bpf_get_current_task() || !slot->is_open ||
	    slot->path >= GSTAGE_NR_PATHS)
		return false;
	slot->flushes[slot->path]++;
	return true;
}

#endif /* GSTAGE_BPF_VCPU_BPF_H */
