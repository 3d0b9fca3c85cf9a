// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM exits of each vCPU by cause, and how long the host took: from an exit to
 * the next entry of the same vCPU. And what became of each vCPU's time in each
 * phase: in the guest, in G-stage faults, in fences, waiting for mmu_lock.
 *
 * kvm_exit does not say which vCPU it is of; but from kvm_entry to kvm_exit a
 * thread cannot be moved to another CPU. Both, and the functions below, are in
 * any kernel. In nanoseconds, with what the hooks in between cost. Falsified by:
 * KVM's own counts of faults against the exits of their causes.
 *
 * KVM lets interrupts in before kvm_exit: one of the host that ends a stay in the
 * guest is handled before it, and counts as guest. The function that leaves the
 * guest is noinstr; the first that could be hooked before interrupts are let in,
 * kvm_riscv_vcpu_timer_sync(), would put a hook more into every exit, which costs
 * each fault more than there is to be gained at the few exits by interrupts.
 */
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"

#define SCAUSE_INTERRUPT (1ULL << 63)

/* Of one vCPU each; a single one, the smallest, unless --exits is given. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gstage_exits);
} exits SEC(".maps");

__u32 nr_exits = 0;

/* By VM and index of the vCPU: place in the map, plus 1. */
static __u8 places[GSTAGE_MAX_VMS][GSTAGE_MAX_VCPUS] = {};

static __always_inline struct gstage_exits *exits_at(__u32 slot)
{
	__u32 i = slot - 1;

	return bpf_map_lookup_elem(&exits, &i);
}

/* A vCPU that has no place yet, or only one of an earlier VM. */
static __noinline __u32 new_place(__u32 vm, __u32 idx, __u32 id)
{
	struct gstage_exits *e;
	__u32 slot;

	if (vm >= GSTAGE_MAX_VMS || idx >= GSTAGE_MAX_VCPUS)
		return 0;
	slot = __sync_fetch_and_add(&nr_exits, 1) + 1;
	e = exits_at(slot);
	if (!e) {
		add(nr_exits, -1);
		add(losses.vcpu_overflow, 1);
		return 0;
	}
	e->vm = vms[vm].ordinal;
	e->vm_index = vm;
	e->vcpu = id;
	places[bounded(vm, GSTAGE_MAX_VMS)][bounded(idx, GSTAGE_MAX_VCPUS)] =
		slot;
	return slot;
}

/*
 * Another vCPU is filling the entry of the VM, on a CPU that an emulator may have
 * stopped: find_new_vm() waits less long, and is content with an entry that still
 * has the number of an earlier VM. What is kept by that number must not be.
 */
#define ENTRY_TRIES (1 << 20)

struct awaited {
	__u64 kvm;
	__u32 vm;
	__u32 pad;
};

static int look_at_vm(__u64 i, void *data)
{
	struct awaited *awaited = data;
	__u32 vm = bounded(awaited->vm, GSTAGE_MAX_VMS);

	return *(volatile __u64 *)&vms[vm].kvm == awaited->kvm;
}

/* Whether entry @vm is that of @kvm; nothing is counted else. */
static __always_inline bool is_filled(__u32 vm, __u64 kvm)
{
	struct awaited awaited = { .kvm = kvm, .vm = vm };

	if (look_at_vm(0, &awaited))
		return true;
	bpf_loop(ENTRY_TRIES, look_at_vm, &awaited, 0);
	if (look_at_vm(0, &awaited))
		return true;
	add(losses.vm_overflow, 1);
	return false;
}

/*
 * Index of a VM that is not the first, or GSTAGE_MAX_VMS. Whether one is followed
 * takes a walk to the ancestors of its process, too long for each of its entries.
 * A thread remains what it is, so the answer is kept for this one.
 */
static __always_inline __u32 find_other_vm(__u64 kvm)
{
	__u64 task = bpf_get_current_pid_tgid();
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_row *row = bpf_map_lookup_elem(&rows, &cpu);
	__u32 vm;

	if (row && row->refused_kvm == kvm && row->refused_task == task)
		return GSTAGE_MAX_VMS;
	vm = find_new_vm(&kvm);
	if (vm < GSTAGE_MAX_VMS)
		return is_filled(vm, kvm) ? vm : GSTAGE_MAX_VMS;
	/* Refused, and not for want of room, which may come. */
	if (row && !losses.vm_overflow) {
		row->refused_kvm = kvm;
		row->refused_task = task;
	}
	return GSTAGE_MAX_VMS;
}

/* The place of a vCPU, or 0. */
static __always_inline __u32 find_place_of(const struct kvm_vcpu *vcpu)
{
	__u64 kvm = (__u64)kget(vcpu, kvm);
	__u32 idx = bounded(kget(vcpu, vcpu_idx), GSTAGE_MAX_VCPUS);
	struct gstage_exits *e;
	__u32 slot, vm = 0;

	if (vms[0].kvm != kvm) {
		vm = find_other_vm(kvm);
		if (vm >= GSTAGE_MAX_VMS)
			return 0;
	}
	slot = places[bounded(vm, GSTAGE_MAX_VMS)][idx];
	if (slot) {
		e = exits_at(slot);
		if (e && e->vm == vms[bounded(vm, GSTAGE_MAX_VMS)].ordinal)
			return slot;
	}
	return new_place(vm, idx, kget(vcpu, vcpu_id));
}

/* --- what the time goes to ------------------------------------------------- */

static __always_inline void spend(struct gstage_exits *e, __u32 phase, __u64 ns)
{
	struct gstage_stall *stall = &e->stalls[phase % GSTAGE_MAX_PHASES];
	__u32 doing = bounded(e->doing, 8);

	if (doing < GSTAGE_NR_DOINGS)
		stall->ns[doing] += ns;
}

struct walk {
	struct gstage_span span;
	__u64 nr;
	__u32 slot;
	__u32 vm;
};

static int look_at_turn(__u64 i, void *data)
{
	struct walk *walk = data;
	struct gstage_exits *e = exits_at(walk->slot);
	__u32 vm = walk->vm;
	struct gstage_turns *t = bpf_map_lookup_elem(&turns, &vm);
	const struct gstage_turn *turn;

	if (!e || !t)
		return 1;
	turn = turns_at(t, walk->nr, i);
	spend(e, turn->phase, turns_take(turn, walk->nr, i, &walk->span));
	return walk->span.end_ns <= walk->span.since_ns;
}

/* The phase has changed meanwhile: to each its part. */
int spend_by_turns(__u32 slot, __u64 now_ns);
__noinline int spend_by_turns(__u32 slot, __u64 now_ns)
{
	struct gstage_exits *e = exits_at(slot);
	struct walk walk = { .slot = slot };
	struct gstage_turns *t;

	if (!e)
		return 0;
	walk.vm = e->vm_index;
	t = bpf_map_lookup_elem(&turns, &walk.vm);
	if (!t)
		return 0;
	walk.nr = t->nr;
	walk.span.since_ns = e->since_ns;
	walk.span.end_ns = now_ns;
	bpf_loop(GSTAGE_KEPT_TURNS, look_at_turn, &walk, 0);
	return 0;
}

/* What @e did until now belongs to what it was doing. It goes on with @next. */
static __always_inline void turn_to(struct gstage_exits *e, __u32 slot,
				    __u32 next, __u64 now_ns)
{
	const struct gstage_turn *newest;
	struct gstage_turns *t;
	__u32 vm = e->vm_index;

	t = bpf_map_lookup_elem(&turns, &vm);
	/* Empty: the VM is being met this moment, by another vCPU. */
	if (!t || !t->nr)
		return;
	if (!e->since_ns)
		e->since_ns = now_ns;
	if (now_ns > e->since_ns) {
		newest = turns_at(t, t->nr, 0);
		if (newest->start_ns <= e->since_ns)
			spend(e, newest->phase, now_ns - e->since_ns);
		else
			spend_by_turns(slot, now_ns);
		e->since_ns = now_ns;
	}
	e->doing = next;
}

/* --- entries and exits ----------------------------------------------------- */

SEC("?tp_btf/kvm_entry")
int BPF_PROG(on_entry, struct kvm_vcpu *vcpu)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_exits *e;
	struct gstage_row *row;
	__u64 now_ns;
	__u32 slot;

	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row || !vcpu) {
		add(losses.row_misses, 1);
		return 0;
	}
	slot = find_place_of(vcpu);
	row->exits_slot = slot;
	e = exits_at(slot);
	if (!e)
		return 0;

	now_ns = bpf_ktime_get_ns();
	if (e->exit_ns) {
		struct gstage_exit *exit =
			&e->list[e->last % GSTAGE_MAX_EXIT_CAUSES];

		hist_add(&exit->host_ns, now_ns - e->exit_ns,
			 cfg_clock_resolution_ns);
	}
	if (cfg_stalls)
		turn_to(e, slot, GSTAGE_DOING_GUEST, now_ns);
	e->task = bpf_get_current_task();
	e->is_in_guest = 1;
	return 0;
}

/* Index of the cause in e->list[]; GSTAGE_MAX_EXIT_CAUSES if there is no room. */
static __always_inline __u32 find_cause(struct gstage_exits *e, __u64 scause)
{
	__u64 code = scause & ~SCAUSE_INTERRUPT;
	__u32 i = code;

	if (code >= GSTAGE_EXIT_INTERRUPT)
		return GSTAGE_MAX_EXIT_CAUSES;
	if (scause & SCAUSE_INTERRUPT)
		i += GSTAGE_EXIT_INTERRUPT;
	i = bounded(i, GSTAGE_NR_EXIT_CODES);
	if (!e->index[i]) {
		if (e->nr_causes >= GSTAGE_MAX_EXIT_CAUSES)
			return GSTAGE_MAX_EXIT_CAUSES;
		e->index[i] = ++e->nr_causes;
	}
	return e->index[i] - 1;
}

SEC("?tp_btf/kvm_exit")
int BPF_PROG(on_exit, struct kvm_cpu_trap *trap)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_exits *e;
	struct gstage_row *row;
	__u64 now_ns;
	__u32 cause;

	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row || !row->exits_slot || !trap)
		return 0;
	e = exits_at(row->exits_slot);
	if (!e || !e->is_in_guest)
		return 0;

	now_ns = bpf_ktime_get_ns();
	if (cfg_stalls)
		turn_to(e, row->exits_slot, GSTAGE_DOING_REST, now_ns);
	e->is_in_guest = 0;
	cause = find_cause(e, trap->scause);
	if (cause >= GSTAGE_MAX_EXIT_CAUSES) {
		add(losses.cause_overflow, 1);
		e->exit_ns = 0;
		return 0;
	}
	e->exit_ns = now_ns;
	e->last = cause;
	e->list[bounded(cause, GSTAGE_MAX_EXIT_CAUSES)].count++;
	return 0;
}

/* --- what the host did meanwhile ------------------------------------------- */

struct search {
	__u64 task;
	__u32 found; /* place plus 1 */
};

static __always_inline bool is_in_fault(const struct gstage_exits *e)
{
	return e->doing == GSTAGE_DOING_FAULT || e->doing == GSTAGE_DOING_LOCK;
}

static int look_at_place(__u64 i, void *data)
{
	struct gstage_exits *e = exits_at(i + 1);
	struct search *search = data;

	if (!e || i >= nr_exits)
		return 1;
	if (e->task != search->task || !is_in_fault(e))
		return 0;
	search->found = i + 1;
	return 1;
}

/* Place of the vCPU whose thread this is, if it handles a fault; or 0. */
static __always_inline __u32 find_faulting(void)
{
	struct search search = { .task = bpf_get_current_task() };
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_exits *e;
	struct gstage_row *row;

	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row)
		return 0;
	e = exits_at(row->exits_slot);
	if (e && e->task == search.task)
		return is_in_fault(e) ? row->exits_slot : 0;
	/* It may have moved here since its exit. */
	bpf_loop(GSTAGE_MAX_EXIT_VCPUS, look_at_place, &search, 0);
	return search.found;
}

static __always_inline int begin_doing(const struct kvm_vcpu *vcpu, __u32 what)
{
	__u32 slot = find_place_of(vcpu);
	struct gstage_exits *e = exits_at(slot);

	if (e)
		turn_to(e, slot, what, bpf_ktime_get_ns());
	return 0;
}

/* What was not seen to begin ends all the same, in the rest. */
static __always_inline int end_doing(const struct kvm_vcpu *vcpu)
{
	return begin_doing(vcpu, GSTAGE_DOING_REST);
}

ON_ENTRY(kvm_riscv_mmu_map, stall_fault, struct kvm_vcpu *vcpu)
{
	return begin_doing(vcpu, GSTAGE_DOING_FAULT);
}

ON_RETURN(kvm_riscv_mmu_map, stall_fault_done, struct kvm_vcpu *vcpu)
{
	return end_doing(vcpu);
}

ON_ENTRY(kvm_riscv_hfence_process, stall_fences, struct kvm_vcpu *vcpu)
{
	return begin_doing(vcpu, GSTAGE_DOING_FENCES);
}

ON_RETURN(kvm_riscv_hfence_process, stall_fences_done, struct kvm_vcpu *vcpu)
{
	return end_doing(vcpu);
}

ON_ENTRY(kvm_riscv_tlb_flush_process, stall_flush, struct kvm_vcpu *vcpu)
{
	return begin_doing(vcpu, GSTAGE_DOING_FENCES);
}

ON_RETURN(kvm_riscv_tlb_flush_process, stall_flush_done, struct kvm_vcpu *vcpu)
{
	return end_doing(vcpu);
}

ON_ENTRY(kvm_riscv_hfence_vvma_all_process, stall_vvma, struct kvm_vcpu *vcpu)
{
	return begin_doing(vcpu, GSTAGE_DOING_FENCES);
}

ON_RETURN(kvm_riscv_hfence_vvma_all_process, stall_vvma_done,
	  struct kvm_vcpu *vcpu)
{
	return end_doing(vcpu);
}

ON_ENTRY(kvm_riscv_fence_i_process, stall_fence_i, struct kvm_vcpu *vcpu)
{
	return begin_doing(vcpu, GSTAGE_DOING_FENCES);
}

ON_RETURN(kvm_riscv_fence_i_process, stall_fence_i_done, struct kvm_vcpu *vcpu)
{
	return end_doing(vcpu);
}

/* The vCPU that handles a fault here turns to @next with the lock of its VM. */
static __always_inline int turn_in_fault(const void *lock, __u32 next)
{
	struct gstage_exits *e;
	__u32 slot;

	if (find_owner(lock) >= GSTAGE_MAX_VMS)
		return 0;
	slot = find_faulting();
	e = exits_at(slot);
	if (e)
		turn_to(e, slot, next, bpf_ktime_get_ns());
	return 0;
}

ON_ENTRY(_raw_write_lock, stall_write_lock, void *lock)
{
	return turn_in_fault(lock, GSTAGE_DOING_LOCK);
}

ON_RETURN(_raw_write_lock, stall_write_locked, void *lock)
{
	return turn_in_fault(lock, GSTAGE_DOING_FAULT);
}

ON_ENTRY(_raw_read_lock, stall_read_lock, void *lock)
{
	return turn_in_fault(lock, GSTAGE_DOING_LOCK);
}

ON_RETURN(_raw_read_lock, stall_read_locked, void *lock)
{
	return turn_in_fault(lock, GSTAGE_DOING_FAULT);
}
