// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold while memory is logged, looked at with each event: only with
 * --checks. What each check says, and what it cannot see, is in docs/check.md.
 *
 * All of it is about requests and page tables as KVM makes them, never about
 * what comes of it in the guest: an emulator hides a missing fence.
 */
#include "bpf/state.bpf.h"

#define PAGE_SHIFT 12
#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * (level))

/* As many as are followed; powers of 2. */
#define MAX_VCPUS 64
#define MAX_SLOTS 32

/* What wants a fence: leaves that lost permission, or that were split. */
#define CHANGE_WP 0
#define CHANGE_SPLIT 1
#define NR_CHANGES 2

struct gstage_checks checks = {};

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
	__u64 is_all_huge; /* by huge leaves alone, and none was split yet */
};

/*
 * A log operation under way. Those of one VM are serialized by KVM (slots_lock),
 * and passes and splits outside of faults come from them.
 */
struct log_op {
	__u32 epoch; /* operations so far, begins and ends */
	__u32 is_active;
	__u32 nr; /* DIRTY_LOG_* */
	__u32 slot;
	__u32 nr_requests;
	__u32 pad;
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
};

static struct last_fault last_faults[GSTAGE_MAX_VMS][MAX_VCPUS] = {};
static struct logged_slot logged_slots[GSTAGE_MAX_VMS][MAX_SLOTS] = {};
static struct log_op log_ops[GSTAGE_MAX_VMS] = {};

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
static __always_inline struct logged_slot *slot_of(__u32 vm, __u32 slot)
{
	if (slot >= MAX_SLOTS)
		return NULL;
	return &logged_slots[bounded(vm, GSTAGE_MAX_VMS)]
			    [bounded(slot, MAX_SLOTS)];
}

/* The slot that @gpa is in, if it is logged. */
static __always_inline struct logged_slot *find_slot(__u32 vm, __u64 gpa)
{
	__u32 i;

	for (i = 0; i < MAX_SLOTS; i++) {
		struct logged_slot *slot =
			&logged_slots[bounded(vm, GSTAGE_MAX_VMS)][i];

		if (gpa >= slot->lo && gpa < slot->hi)
			return slot;
	}
	return NULL;
}

/* --- faults --------------------------------------------------------------- */

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
static __always_inline void check_repeats(__u32 vm, __u32 vcpu,
					  const struct kvm_gstage_fault *fault)
{
	__u64 gpa = fault->gpa & ~((1ULL << PAGE_SHIFT) - 1);
	__u64 page = gpa | fault->scause;
	__u32 epoch = log_ops[bounded(vm, GSTAGE_MAX_VMS)].epoch;
	struct last_fault *last;

	if (vcpu >= MAX_VCPUS) {
		add(checks.untracked_vcpus, 1);
		return;
	}
	add(checks.list[GSTAGE_CHECK_LIVELOCK].checked, 1);
	add(checks.list[GSTAGE_CHECK_SPURIOUS].checked, 1);
	last = &last_faults[bounded(vm, GSTAGE_MAX_VMS)]
			   [bounded(vcpu, MAX_VCPUS)];
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

static __always_inline bool has_huge_flush(const struct kvm_gstage_fault *fault)
{
	return fault->flushes[1] || fault->flushes[2] || fault->flushes[3];
}

static __always_inline void check_leaf(__u32 vm, __u32 vcpu,
				       const struct kvm_gstage_fault *fault)
{
	struct logged_slot *slot = find_slot(vm, fault->gpa);

	if (!slot || fault->ret < 0)
		return;
	add(checks.list[GSTAGE_CHECK_LOGGED_LEAF].checked, 1);
	if (fault->scause == EXC_STORE_GUEST_PAGE_FAULT && fault->level)
		broken(GSTAGE_CHECK_LOGGED_LEAF, vm, vcpu, fault->gpa,
		       1ULL << LEVEL_SHIFT(fault->level & 3));

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
	if (!has_huge_flush(fault)) {
		add(checks.flush_missing, 1);
		broken(GSTAGE_CHECK_FLUSH_PROTOCOL, vm, vcpu, fault->gpa,
		       1ULL << LEVEL_SHIFT(1));
	}
}

SEC("?tp_btf/kvm_gstage_fault")
int BPF_PROG(check_fault, struct kvm_vcpu *vcpu, struct kvm_gstage_fault *fault)
{
	struct place p;

	if (!vcpu || !fault || !find_place(vcpu->kvm, &p))
		return 0;

	check_repeats(p.vm_index, vcpu->vcpu_id, fault);
	check_leaf(p.vm_index, vcpu->vcpu_id, fault);
	return 0;
}

/* --- log operations ---------------------------------------------------------- */

/* @nr leaves between @lo and @hi changed and want a fence. */
static __always_inline void want_flush(struct log_op *op, __u32 change,
				       __u64 lo, __u64 hi, __u64 nr)
{
	struct waiting *w = &op->waiting[change];

	add(checks.list[GSTAGE_CHECK_FLUSH_PROTOCOL].checked, 1);
	/* It was asked for already: of all, or for each leaf. */
	if (op->nr_early && ((op->early_lo <= lo && op->early_hi >= hi) ||
			     (op->early_lo >= lo && op->early_hi <= hi &&
			      op->nr_early >= nr))) {
		add(checks.flush_redundant, -op->nr_early);
		op->nr_early = 0;
		return;
	}
	if (!w->hi || lo < w->lo)
		w->lo = lo;
	if (hi > w->hi)
		w->hi = hi;
}

/* A fence from @lo to @hi: what of @w does it leave? */
static __always_inline void flush(struct waiting *w, __u64 lo, __u64 hi)
{
	if (!w->hi || lo >= w->hi || hi <= w->lo)
		return;
	if (lo <= w->lo && hi >= w->hi) {
		w->hi = 0;
		w->is_touched = w->is_late = 0;
		return;
	}
	/* From one end: the rest may come. */
	w->is_touched = 1;
	if (lo <= w->lo)
		w->lo = hi;
	else if (hi >= w->hi)
		w->hi = lo;
}

/* Too late for a fence of @w. */
static __always_inline void judge_waiting(__u32 vm, struct waiting *w)
{
	if (!w->hi)
		return;
	if (w->is_touched)
		add(checks.flush_too_small, 1);
	else
		add(checks.flush_missing, 1);
	broken(GSTAGE_CHECK_FLUSH_PROTOCOL, vm, GSTAGE_NO_VCPU, w->lo,
	       w->hi - w->lo);
	w->hi = 0;
	w->is_touched = w->is_late = 0;
}

SEC("?tp_btf/kvm_gstage_wp")
int BPF_PROG(check_wp, struct kvm *kvm, __u64 gpa, __u64 size,
	     unsigned int cause, unsigned int level0, unsigned int level1,
	     unsigned int level2)
{
	struct logged_slot *slot;
	struct log_op *op;
	struct place p;

	if (!find_place(kvm, &p))
		return 0;
	op = &log_ops[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	if (!op->is_active)
		return 0;

	slot = slot_of(p.vm_index, op->slot);
	if (slot) {
		if (!slot->hi || gpa < slot->lo)
			slot->lo = gpa;
		if (gpa + size > slot->hi)
			slot->hi = gpa + size;
		if (cause == GSTAGE_CAUSE_ENABLE)
			slot->is_all_huge =
				((__u64)level1 << LEVEL_SHIFT(1)) +
					((__u64)level2 << LEVEL_SHIFT(2)) ==
				size;
	}
	if (level0 || level1 || level2)
		want_flush(op, CHANGE_WP, gpa, gpa + size,
			   (__u64)level0 + level1 + level2);
	return 0;
}

SEC("?tp_btf/kvm_gstage_split")
int BPF_PROG(check_split, struct kvm *kvm, __u64 gpa, __u32 from, __u32 to,
	     unsigned int cause, int ret, bool flushed)
{
	__u64 size = 1ULL << LEVEL_SHIFT(from & 3);
	struct logged_slot *slot;
	struct log_op *op;
	struct place p;

	/* Splits of faults are judged with the fault. */
	if (ret || cause == GSTAGE_CAUSE_FAULT || !find_place(kvm, &p))
		return 0;
	op = &log_ops[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	slot = find_slot(p.vm_index, gpa);
	if (slot)
		slot->is_all_huge = 0;
	if (op->is_active && !flushed)
		want_flush(op, CHANGE_SPLIT, gpa & ~(size - 1),
			   (gpa & ~(size - 1)) + size, 1);
	return 0;
}

SEC("?tp_btf/kvm_hfence_request")
int BPF_PROG(check_hfence_request, struct kvm *kvm, unsigned int type,
	     __u64 addr, __u64 size, unsigned long order)
{
	bool is_all = type == HFENCE_GVMA_VMID_ALL;
	struct log_op *op;
	struct place p;
	__u64 lo, hi;

	if ((!is_all && type != HFENCE_GVMA_VMID_GPA) || !find_place(kvm, &p))
		return 0;
	op = &log_ops[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	if (!op->is_active)
		return 0;

	if (++op->nr_requests == GSTAGE_FENCE_QUEUE + 1)
		broken(GSTAGE_CHECK_FENCE_QUEUE, p.vm_index, GSTAGE_NO_VCPU,
		       addr, op->nr_requests);
	lo = is_all ? 0 : addr;
	hi = is_all ? -1ULL : addr + size;
	if (!op->waiting[CHANGE_WP].hi && !op->waiting[CHANGE_SPLIT].hi) {
		add(checks.flush_redundant, 1);
		if (!op->nr_early || lo < op->early_lo)
			op->early_lo = lo;
		if (!op->nr_early || hi > op->early_hi)
			op->early_hi = hi;
		op->nr_early++;
		return 0;
	}
	op->nr_early = 0;
	flush(&op->waiting[CHANGE_WP], lo, hi);
	flush(&op->waiting[CHANGE_SPLIT], lo, hi);
	return 0;
}

/*
 * Whoever splits may drop mmu_lock for a while. When logging is enabled it is
 * for the splitting code to announce by a fence what it has split, and before
 * the lock is taken again. In CLEAR and GET the fence is the caller's, at the end
 * of the operation: KVM's convention for the log, and 7.3 does so for splits, too.
 * That is counted as late, and broken only if the fence never comes.
 */
SEC("?fentry/_raw_write_lock")
int BPF_PROG(check_write_lock, void *lock)
{
	__u64 kvm = (__u64)lock - bpf_core_field_offset(struct kvm, mmu_lock);
	struct waiting *w;
	struct log_op *op;
	__u32 i;

	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		op = &log_ops[i];
		if (vms[i].kvm != kvm || !op->is_active ||
		    op->pid_tgid != bpf_get_current_pid_tgid())
			continue;
		w = &op->waiting[CHANGE_SPLIT];
		if (w->hi && !w->is_late) {
			add(checks.flush_late, 1);
			w->is_late = 1;
		}
		if (op->nr == DIRTY_LOG_ENABLE)
			judge_waiting(i, w);
		break;
	}
	return 0;
}

SEC("?tp_btf/kvm_dirty_log")
int BPF_PROG(check_dirty_log, struct kvm *kvm, __u32 slot, unsigned int nr,
	     bool end, int ret)
{
	struct logged_slot *logged;
	struct log_op *op;
	struct place p;

	if (!find_place(kvm, &p))
		return 0;
	op = &log_ops[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	logged = slot_of(p.vm_index, slot);
	if (!logged)
		add(checks.untracked_slots, 1);
	op->epoch++;
	if (end) {
		judge_waiting(p.vm_index, &op->waiting[CHANGE_WP]);
		judge_waiting(p.vm_index, &op->waiting[CHANGE_SPLIT]);
		op->is_active = 0;
		if (logged && !ret && nr == DIRTY_LOG_DISABLE)
			logged->hi = 0;
		return 0;
	}
	add(checks.list[GSTAGE_CHECK_FENCE_QUEUE].checked, 1);
	if (logged && nr == DIRTY_LOG_ENABLE)
		logged->hi = logged->is_all_huge = 0;
	op->is_active = 1;
	op->pid_tgid = bpf_get_current_pid_tgid();
	op->nr = nr;
	op->slot = slot;
	op->nr_requests = 0;
	op->nr_early = 0;
	return 0;
}
