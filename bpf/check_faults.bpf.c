// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold of each fault of a vCPU: see docs/check.md, checks livelock,
 * spurious, holes, logged-leaf, and flush-protocol as far as faults go.
 */
#include "bpf/checks.bpf.h"
#include "bpf/hook.bpf.h"

static __always_inline bool is_allowed(const struct kvm_gstage_fault *fault)
{
	__u32 wanted = PAGE_EXEC;

	if (fault->scause == EXC_STORE_GUEST_PAGE_FAULT)
		wanted = PAGE_WRITE;
	else if (fault->scause == EXC_LOAD_GUEST_PAGE_FAULT)
		wanted = PAGE_READ;
	return fault->prot_old & wanted;
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
	    fault->path == GSTAGE_PATH_RETRY)
		return;
	if (bpf_ktime_get_ns() - fault->duration_ns >
	    slot->since_ns + EVENT_DELAY_NS)
		broken(GSTAGE_CHECK_HOLES, vm, vcpu, fault->gpa,
		       1ULL << PAGE_SHIFT);
}

static __always_inline bool has_huge_flush(const struct kvm_gstage_fault *fault)
{
	return fault->flushes[1] || fault->flushes[2] || fault->flushes[3];
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
	__u32 level = fault->level & 3;

	/* A read may find a leaf that is writable and make it read-only. */
	if (fault->prot_old & ~fault->prot_new) {
		add(checks.list[GSTAGE_CHECK_FLUSH_PROTOCOL].checked, 1);
		if (!(level ? has_huge_flush(fault) : fault->flushes[0]))
			lacks_flush(vm, vcpu, fault->gpa, level);
	}
	/*
	 * A huge leaf is gone: split, or replaced by a smaller one where all
	 * was mapped by huge ones. Once one was split, the latter may be a
	 * fault that another vCPU has dealt with.
	 */
	if (fault->path == GSTAGE_PATH_SPLIT)
		slot->is_all_huge = 0;
	else if (fault->path != GSTAGE_PATH_MAP || fault->level ||
		 !slot->is_all_huge)
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

SEC("?tp_btf/kvm_gstage_fault")
int BPF_PROG(check_fault, struct kvm_vcpu *vcpu, struct kvm_gstage_fault *fault)
{
	struct vm_checks *c;
	struct place p;

	if (!vcpu || !fault || !find_place(vcpu->kvm, &p))
		return 0;

	c = checks_of(p.vm_index);
	if (!c)
		return 0;
	check_repeats(c, p.vm_index, vcpu->vcpu_id, fault);
	check_leaf(c, p.vm_index, vcpu->vcpu_id, fault);
	return 0;
}

/*
 * Pages of @range are taken away, or are marked as not accessed, for which a CPU
 * may fault, too.
 */
static __always_inline int handle_notifier(const struct kvm *kvm,
					   const struct kvm_gfn_range *range)
{
	__u64 lo = BPF_CORE_READ(range, start) << PAGE_SHIFT;
	__u64 hi = BPF_CORE_READ(range, end) << PAGE_SHIFT;
	struct vm_checks *c;
	struct place p;
	__u32 i;

	if (!find_place(kvm, &p))
		return 0;
	c = checks_of(p.vm_index);
	if (!c)
		return 0;
	c->op.is_unmapped = 1;
	for (i = 0; i < MAX_SLOTS && i < c->nr_slots; i++) {
		struct logged_slot *slot = &c->slots[bounded(i, MAX_SLOTS)];

		if (lo < slot->hi && hi > slot->lo)
			slot->is_whole = slot->is_all_huge = 0;
	}
	return 0;
}

ON_ENTRY(kvm_unmap_gfn_range, check_unmap, struct kvm *kvm,
	 struct kvm_gfn_range *range)
{
	return handle_notifier(kvm, range);
}

ON_ENTRY(kvm_age_gfn, check_age, struct kvm *kvm, struct kvm_gfn_range *range)
{
	return handle_notifier(kvm, range);
}
