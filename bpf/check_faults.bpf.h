/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold of each fault of a vCPU: see docs/check.md, checks livelock,
 * spurious, holes, logged-leaf, and flush-protocol as far as faults go. Apart from
 * the other checks, since on_fault() does it: a program of its own would cost each
 * fault twice as much.
 */
#ifndef GSTAGE_BPF_CHECK_FAULTS_BPF_H
#define GSTAGE_BPF_CHECK_FAULTS_BPF_H

#include "bpf/checks.bpf.h"

/* A and D, too: a CPU may fault for want of them. */
static __always_inline bool is_allowed(const struct kvm_gstage_fault *fault)
{
	__u64 wanted = PAGE_ACCESSED | PAGE_EXEC;

	if (fault->scause == EXC_STORE_GUEST_PAGE_FAULT)
		wanted = PAGE_ACCESSED | PAGE_DIRTY | PAGE_WRITE;
	else if (fault->scause == EXC_LOAD_GUEST_PAGE_FAULT)
		wanted = PAGE_ACCESSED | PAGE_READ;
	return (fault->old_pte & wanted) == wanted;
}

/* The same vCPU on the same page again and again, and nothing in between. */
static __always_inline void check_repeats(struct vm_checks *c, __u32 vm,
					  __u32 vcpu,
					  const struct kvm_gstage_fault *fault)
{
	__u64 gpa = fault->gpa & ~((1ULL << PAGE_SHIFT) - 1);
	__u64 page = gpa | fault->scause;
	__u32 epoch = c->op.epoch;
	struct last_fault *last;

	if (vcpu >= MAX_VCPUS) {
		add(checks.untracked_vcpus, 1);
		return;
	}
	add(checks.list[GSTAGE_CHECK_LIVELOCK].checked, 1);
	add(checks.list[GSTAGE_CHECK_SPURIOUS].checked, 1);
	last = &c->last_faults[bounded(vcpu, MAX_VCPUS)];
	if (last->page != page || last->epoch != epoch) {
		last->page = page;
		last->epoch = epoch;
		last->repeats = 0;
		last->spurious = is_allowed(fault);
		return;
	}
	last->repeats++;
	last->spurious = is_allowed(fault) ? last->spurious + 1 : 0;
	if (last->repeats + 1 == GSTAGE_LIVELOCK_FAULTS)
		broken(GSTAGE_CHECK_LIVELOCK, vm, vcpu, gpa,
		       GSTAGE_LIVELOCK_FAULTS);
	/* Another vCPU may have mended the leaf meanwhile: once, not always. */
	if (last->spurious == GSTAGE_SPURIOUS_FAULTS)
		broken(GSTAGE_CHECK_SPURIOUS, vm, vcpu, gpa,
		       GSTAGE_SPURIOUS_FAULTS);
}

/* More than there can be between the end of a fault and its event. */
#define EVENT_DELAY_NS 1000000

/*
 * All pages of the slot were mapped when logging began, and neither taking write
 * permission nor splitting unmaps any: reading one never faults. Retries are
 * because of an MMU notifier, after which the slot is whole no more; and a fault
 * may have begun before the page was mapped.
 */
static __always_inline void check_hole(const struct logged_slot *slot, __u32 vm,
				       __u32 vcpu,
				       const struct kvm_gstage_fault *fault)
{
	if (!slot->is_whole || fault->scause == EXC_STORE_GUEST_PAGE_FAULT ||
	    path_of_event(fault) == GSTAGE_PATH_RETRY)
		return;
	if (bpf_ktime_get_ns() - fault->duration_ns >
	    slot->since_ns + EVENT_DELAY_NS)
		broken(GSTAGE_CHECK_HOLES, vm, vcpu, fault->gpa,
		       1ULL << PAGE_SHIFT);
}

static __always_inline bool has_huge_flush(const struct kvm_gstage_fault *fault)
{
	return fault->fences[1] || fault->fences[2];
}

static __always_inline void lacks_flush(__u32 vm, __u32 vcpu, __u64 gpa,
					__u32 level)
{
	add(checks.flush_missing, 1);
	broken(GSTAGE_CHECK_FLUSH_PROTOCOL, vm, vcpu,
	       gpa & ~(LEVEL_SIZE(level) - 1), LEVEL_SIZE(level));
}

static __always_inline void check_flush(struct logged_slot *slot, __u32 vm,
					__u32 vcpu,
					const struct kvm_gstage_fault *fault)
{
	__u32 level = fault->level & 3, path = path_of_event(fault);

	/* A read may find a leaf that is writable and make it read-only. */
	if (fault->old_pte & ~fault->new_pte & PAGE_LEAF) {
		add(checks.list[GSTAGE_CHECK_FLUSH_PROTOCOL].checked, 1);
		if (!(level ? has_huge_flush(fault) : fault->fences[0]))
			lacks_flush(vm, vcpu, fault->gpa, level);
	}
	/*
	 * A huge leaf is gone: split, or replaced by a smaller one where all
	 * was mapped by huge ones. Once one was split, the latter may be a
	 * fault that another vCPU has dealt with.
	 */
	if (path == GSTAGE_PATH_SPLIT)
		slot->is_all_huge = 0;
	else if (path != GSTAGE_PATH_MAP || fault->level || !slot->is_all_huge)
		return;
	add(checks.list[GSTAGE_CHECK_FLUSH_PROTOCOL].checked, 1);
	if (!has_huge_flush(fault))
		lacks_flush(vm, vcpu, fault->gpa, 1);
}

static __always_inline void check_leaf(struct vm_checks *c, __u32 vm,
				       __u32 vcpu,
				       const struct kvm_gstage_fault *fault)
{
	struct logged_slot *slot = find_slot(c, vm, fault->gpa);

	if (!slot || fault->ret < 0)
		return;
	add(checks.list[GSTAGE_CHECK_LOGGED_LEAF].checked, 1);
	if (fault->scause == EXC_STORE_GUEST_PAGE_FAULT && fault->level)
		broken(GSTAGE_CHECK_LOGGED_LEAF, vm, vcpu, fault->gpa,
		       LEVEL_SIZE(fault->level & 3));
	check_hole(slot, vm, vcpu, fault);
	check_flush(slot, vm, vcpu, fault);
}

static __always_inline void check_fault(const struct kvm_vcpu *vcpu, __u32 vm,
					const struct kvm_gstage_fault *fault)
{
	struct vm_checks *c = checks_of(vm);

	if (!c)
		return;
	check_repeats(c, vm, vcpu->vcpu_id, fault);
	check_leaf(c, vm, vcpu->vcpu_id, fault);
}

#endif /* GSTAGE_BPF_CHECK_FAULTS_BPF_H */
