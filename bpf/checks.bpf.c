// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold of the operations on the dirty log, looked at with each event:
 * only with --checks. What each check says, and what it cannot see, is in
 * docs/check.md. Faults are in check_faults.bpf.h.
 */
#include "bpf/checks.bpf.h"
#include "bpf/hook.bpf.h"
#include "bpf/walk.bpf.h"

const volatile bool cfg_eager = false;

struct gstage_checks checks = {};
struct vm_checks_map vm_checks SEC(".maps");

/* As find_tables(), where there is no struct kvm_gstage. */
static __always_inline bool find_kvm_tables(const struct kvm *kvm,
					    struct tables *t)
{
	t->pgd = (__u64)BPF_CORE_READ(kvm, arch.pgd);
	t->levels = BPF_CORE_READ(kvm, arch.pgd_levels);
	t->phys_to_virt = t->pgd - BPF_CORE_READ(kvm, arch.pgd_phys);
	return t->pgd && t->levels && t->levels <= MAX_LEVELS;
}

/* The leaf that maps @gpa; without one pte and level are 0. */
static __noinline int read_leaf(const struct kvm *kvm, __u64 gpa,
				struct leaf *leaf)
{
	struct tables t;

	leaf->pte = 0;
	leaf->ptep = 0;
	leaf->level = 0;
	if (!find_kvm_tables(kvm, &t))
		return 0;
	walk(&t, gpa, leaf);
	if (!leaf->pte)
		leaf->level = 0;
	return 0;
}

/* The entry is for a new VM: nothing is known of it. */
__noinline int forget_vm(__u32 vm_index)
{
	struct vm_checks *c = bpf_map_lookup_elem(&vm_checks, &vm_index);
	__u32 i;

	if (!c || vm_index >= GSTAGE_MAX_VMS)
		return -1;
	for (i = 0; i < MAX_SLOTS; i++)
		c->slots[i] = (struct logged_slot){};
	for (i = 0; i < MAX_VCPUS; i++) {
		c->last_faults[i] = (struct last_fault){};
		c->queues[i] = (struct fence_queue){};
	}
	c->op = (struct log_op){};
	c->nr_slots = 0;
	c->nr_flush_all = 0;
	c->ordinal = vms[vm_index].ordinal;
	return 0;
}

__noinline int find_slot_nr(__u32 vm_index, __u64 gpa)
{
	struct vm_checks *c = bpf_map_lookup_elem(&vm_checks, &vm_index);
	__u32 i;

	if (!c)
		return -1;
	for (i = 0; i < MAX_SLOTS && i < c->nr_slots; i++) {
		const struct logged_slot *slot =
			&c->slots[bounded(i, MAX_SLOTS)];

		if (gpa >= slot->lo && gpa < slot->hi)
			return i;
	}
	return -1;
}

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

/*
 * A pass over the log has just taken write permission from @gpa on, and mmu_lock
 * is still held. Of ENABLE it was to do so of all leaves; else of those with a
 * bit in a mask of 64 pages, which is known of a huge leaf that holds them all.
 */
static __noinline int check_pass(const struct kvm *kvm, __u32 vm, __u64 gpa,
				 __u64 size, bool is_all)
{
	__u64 last = gpa + size - 1;
	struct leaf leaf;

	add(checks.list[GSTAGE_CHECK_LOGGED_LEAF].checked, 1);
	read_leaf(kvm, gpa, &leaf);
	if (!(leaf.pte & PAGE_WRITE) || (!is_all && !leaf.level)) {
		if (!is_all)
			return 0;
		gpa = last;
		read_leaf(kvm, gpa, &leaf);
		if (!(leaf.pte & PAGE_WRITE))
			return 0;
	} else if (!is_all && (gpa ^ last) >> (LEVEL_SHIFT(leaf.level) & 63)) {
		/* The bits may lie in the next one. */
		struct leaf next;

		read_leaf(kvm, last, &next);
		if (!next.level || !(next.pte & PAGE_WRITE))
			return 0;
	}
	broken(GSTAGE_CHECK_LOGGED_LEAF, vm, GSTAGE_NO_VCPU,
	       gpa & ~(LEVEL_SIZE(leaf.level & 3) - 1),
	       LEVEL_SIZE(leaf.level & 3));
	return 0;
}

/* Huge leaves of a pass, which are to be split before the operation ends. */
static __always_inline void want_splits(struct log_op *op, __u64 gpa,
					__u64 size, __u64 level1, __u64 level2)
{
	__u64 lo = gpa & ~(LEVEL_SIZE(1) - 1);
	__u64 hi = (gpa + size + LEVEL_SIZE(1) - 1) & ~(LEVEL_SIZE(1) - 1);
	__u64 nr_blocks = (hi - lo) >> LEVEL_SHIFT(1);

	/* Of 1G only what was asked for has to become 4K. */
	op->nr_wanted[0] +=
		level1 + (level2 << 9 < nr_blocks ? level2 << 9 : nr_blocks);
	op->nr_wanted[1] += level2;
	if (!op->left_hi || lo < op->left_lo)
		op->left_lo = lo;
	if (hi > op->left_hi)
		op->left_hi = hi;
}

SEC("?tp_btf/kvm_gstage_wp")
int BPF_PROG(check_wp, struct kvm *kvm, __u64 gfn, __u64 nr_pages, __u64 asked,
	     unsigned long level0, unsigned long level1, unsigned long level2)
{
	__u64 gpa = gfn << PAGE_SHIFT, size = nr_pages << PAGE_SHIFT;
	struct logged_slot *slot;
	struct vm_checks *c;
	struct log_op *op;
	struct place p;
	bool is_enable;
	__u64 huge;

	if (!kvm || !find_place(kvm, &p))
		return 0;
	c = checks_of(p.vm_index);
	if (!c || !c->op.is_active)
		return 0;
	op = &c->op;

	is_enable = op->nr == DIRTY_LOG_ENABLE;
	slot = logged_slot_of(c, op->slot);
	huge = (level1 << LEVEL_SHIFT(1)) + (level2 << LEVEL_SHIFT(2));
	if (slot) {
		/* Logging may have begun before tracing did. */
		if (op->slot >= c->nr_slots)
			c->nr_slots = op->slot + 1;
		if (!slot->hi || gpa < slot->lo)
			slot->lo = gpa;
		if (gpa + size > slot->hi)
			slot->hi = gpa + size;
		if (is_enable) {
			slot->is_all_huge = huge == size;
			slot->is_whole = huge + (level0 << PAGE_SHIFT) == size;
			slot->since_ns = bpf_ktime_get_ns();
		}
	}
	check_pass(kvm, p.vm_index, gpa, size, is_enable);
	if (cfg_eager && (level1 || level2))
		want_splits(op, gpa, size, level1, level2);
	if (level0 || level1 || level2)
		want_flush(op, CHANGE_WP, gpa, gpa + size,
			   level0 + level1 + level2);
	return 0;
}

/* A split that failed: whatever it was for, the leaf stays as it is. */
static __always_inline void note_failure(__u32 vm, __u64 gpa, __u32 from,
					 __u32 cause, int ret)
{
	struct gstage_undone *undone = &checks.undone;

	if (!__sync_fetch_and_add(&undone->nr_failed, 1)) {
		undone->gpa = gpa;
		undone->cause = cause;
		undone->error = ret;
	}
	broken(GSTAGE_CHECK_SPLIT_COMPLETE, vm, GSTAGE_NO_VCPU,
	       gpa & ~(LEVEL_SIZE(from & 3) - 1), LEVEL_SIZE(from & 3));
}

SEC("?tp_btf/kvm_mmu_split_huge_page")
int BPF_PROG(check_split, struct kvm *kvm, __u64 gfn, __u64 spte, int from,
	     int error)
{
	__u64 gpa = gfn << PAGE_SHIFT;
	struct logged_slot *slot;
	struct vm_checks *c;
	struct log_op *op;
	struct place p;
	bool is_own;

	if (!kvm || !find_place(kvm, &p))
		return 0;
	is_own = is_in_log_op(p.vm_index);
	if (error) {
		note_failure(p.vm_index, gpa, from,
			     is_own ? cause_of_phase(p.vm_index) :
				      GSTAGE_CAUSE_FAULT,
			     error);
		return 0;
	}
	c = checks_of(p.vm_index);
	if (!c)
		return 0;
	op = &c->op;
	/*
	 * A modified leaf wants a fence at an address within its page, of any
	 * size (Privileged Architecture, SFENCE.VMA, and HFENCE.GVMA alike): of
	 * 1G one of the 2M in which it was met is enough.
	 */
	gpa &= ~(LEVEL_SIZE(1) - 1);
	slot = find_slot(c, p.vm_index, gpa);
	/* With one vCPU there is nobody who could read meanwhile. */
	if (slot && slot->is_whole &&
	    BPF_CORE_READ(kvm, online_vcpus.counter) > 1)
		add(checks.list[GSTAGE_CHECK_HOLES].checked, 1);
	/* A fault may be faster than the operation. */
	if (op->is_active && (from == 1 || from == 2))
		add(op->nr_split[(from - 1) & 1], 1);
	if (from == 1 && gpa == op->left_lo)
		op->left_lo += LEVEL_SIZE(1);
	/* Fences of faults are judged with the fault. */
	if (!is_own)
		return 0;
	if (slot)
		slot->is_all_huge = 0;
	if (op->is_active)
		want_flush(op, CHANGE_SPLIT, gpa, gpa + LEVEL_SIZE(1), 1);
	return 0;
}

struct search {
	const struct kvm *kvm;
	__u64 gpa;
	struct leaf leaf;
};

static int visit_block(__u64 i, struct search *search)
{
	read_leaf(search->kvm, search->gpa, &search->leaf);
	if (search->leaf.level)
		return 1;
	search->gpa += LEVEL_SIZE(1);
	return 0;
}

/*
 * The operation is done. Fewer leaves were split than it found: look for one
 * that is left. There need not be one: the leaf may have been unmapped, and
 * what other masks cover is not to be split.
 */
static __noinline int judge_splits(const struct kvm *kvm, __u32 vm,
				   struct log_op *op)
{
	struct search search = { .kvm = kvm };
	__u64 nr_left = 0;

	if (!op)
		return 0;
	search.gpa = op->left_lo;
	if (op->nr_wanted[0] || op->nr_wanted[1])
		add(checks.list[GSTAGE_CHECK_SPLIT_COMPLETE].checked, 1);
	if (op->nr_wanted[0] > op->nr_split[0])
		nr_left += op->nr_wanted[0] - op->nr_split[0];
	if (op->nr_wanted[1] > op->nr_split[1])
		nr_left += op->nr_wanted[1] - op->nr_split[1];
	if (!nr_left || op->left_hi <= op->left_lo)
		return 0;
	if (op->is_unmapped) {
		add(checks.unjudged_ops, 1);
		return 0;
	}
	bpf_loop((op->left_hi - op->left_lo) >> LEVEL_SHIFT(1), visit_block,
		 &search, 0);
	if (!search.leaf.level)
		return 0;
	add(checks.undone.nr_left, nr_left);
	broken(GSTAGE_CHECK_SPLIT_COMPLETE, vm, GSTAGE_NO_VCPU, search.gpa,
	       LEVEL_SIZE(search.leaf.level & 3));
	return 0;
}

SEC("?tp_btf/kvm_hfence_request")
int BPF_PROG(check_hfence_request, struct kvm *kvm,
	     struct kvm_hfence_request *req)
{
	bool is_all, is_own;
	struct vm_checks *c;
	struct log_op *op;
	struct place p;
	__u64 lo, hi;
	__u32 nr;

	/* Those of faults are judged with the fault. */
	if (!req || (req->vcpu && !req->full) || !find_place(kvm, &p))
		return 0;
	c = checks_of(p.vm_index);
	if (!c)
		return 0;
	if (req->full)
		c->full_gpa = req->addr;
	is_all = req->type == HFENCE_GVMA_VMID_ALL;
	if ((!is_all && req->type != HFENCE_GVMA_VMID_GPA) || req->vcpu ||
	    !c->op.is_active)
		return 0;
	op = &c->op;

	/* MMU notifiers ask, too, which cover what they cover. */
	is_own = op->pid_tgid == bpf_get_current_pid_tgid();
	nr = is_own ? ++op->nr_requests : 0;
	if (nr > checks.most_fences)
		checks.most_fences = nr;
	if (nr == GSTAGE_FENCES_PER_HOLD + 1)
		broken(GSTAGE_CHECK_FENCE_QUEUE, p.vm_index, GSTAGE_NO_VCPU,
		       req->addr, nr);
	lo = is_all ? 0 : req->addr;
	hi = is_all ? -1ULL : req->addr + req->size;
	if (!op->waiting[CHANGE_WP].hi && !op->waiting[CHANGE_SPLIT].hi) {
		if (!is_own)
			return 0;
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
ON_ENTRY(_raw_write_lock, check_write_lock, void *lock)
{
	__u64 kvm = (__u64)lock - bpf_core_field_offset(struct kvm, mmu_lock);
	struct vm_checks *c;
	struct waiting *w;
	struct log_op *op;
	__u32 i;

	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (vms[i].kvm != kvm)
			continue;
		c = checks_of(i);
		if (!c || !c->op.is_active ||
		    c->op.pid_tgid != bpf_get_current_pid_tgid())
			break;
		op = &c->op;
		op->nr_requests = 0;
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

static __always_inline void begin_log_op(struct log_op *op, __u32 nr,
					 __u32 slot)
{
	op->pid_tgid = bpf_get_current_pid_tgid();
	op->nr = nr;
	op->slot = slot;
	op->nr_requests = 0;
	op->nr_early = 0;
	op->is_unmapped = 0;
	op->nr_wanted[0] = op->nr_wanted[1] = 0;
	op->nr_split[0] = op->nr_split[1] = 0;
	op->left_lo = op->left_hi = 0;
	op->is_active = 1;
}

/* Two threads are in operations on one VM: what is whose is not known. */
static __always_inline void give_up_op(struct log_op *op)
{
	if (op->is_active)
		add(checks.unjudged_ops, 1);
	add(checks.unjudged_ops, 1);
	op->is_active = 0;
	op->waiting[CHANGE_WP].hi = op->waiting[CHANGE_SPLIT].hi = 0;
}

SEC("?tp_btf/kvm_dirty_log")
int BPF_PROG(check_dirty_log, struct kvm *kvm, __u32 slot, unsigned int nr,
	     bool end, int ret)
{
	struct logged_slot *logged;
	struct vm_checks *c;
	struct log_op *op;
	struct place p;

	if (!kvm || !find_place(kvm, &p))
		return 0;
	c = checks_of(p.vm_index);
	if (!c)
		return 0;
	op = &c->op;
	logged = logged_slot_of(c, slot);
	/* That of a dirty ring is of no slot. */
	if (!logged && nr != DIRTY_LOG_RESET)
		add(checks.untracked_slots, 1);
	__sync_fetch_and_add(&op->epoch, 1);
	if (end) {
		if (op->nr_running)
			__sync_fetch_and_add(&op->nr_running, -1);
		if (op->is_active) {
			judge_waiting(p.vm_index, &op->waiting[CHANGE_WP]);
			judge_waiting(p.vm_index, &op->waiting[CHANGE_SPLIT]);
			judge_splits(kvm, p.vm_index, op);
		}
		op->is_active = 0;
		if (logged && !ret && nr == DIRTY_LOG_DISABLE)
			logged->hi = 0;
		return 0;
	}
	add(checks.list[GSTAGE_CHECK_FENCE_QUEUE].checked, 1);
	if (logged && nr == DIRTY_LOG_ENABLE)
		logged->hi = logged->is_all_huge = logged->is_whole = 0;
	if (__sync_fetch_and_add(&op->nr_running, 1))
		give_up_op(op);
	else
		begin_log_op(op, nr, slot);
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
