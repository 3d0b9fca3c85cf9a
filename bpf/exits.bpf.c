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
 */
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
	e->vcpu = id;
	places[vm][idx] = slot;
	return slot;
}

/* The place of a vCPU, or 0; its VM in *@vm. */
static __always_inline __u32 find_place_of(const struct kvm_vcpu *vcpu,
					   __u32 *vm)
{
	__u64 kvm = (__u64)vcpu->kvm;
	__u32 idx = bounded(vcpu->vcpu_idx, GSTAGE_MAX_VCPUS);
	struct gstage_exits *e;
	__u32 slot;

	*vm = 0;
	if (vms[0].kvm != kvm) {
		*vm = find_new_vm(&kvm);
		if (*vm >= GSTAGE_MAX_VMS)
			return 0;
	}
	slot = places[bounded(*vm, GSTAGE_MAX_VMS)][idx];
	if (slot) {
		e = exits_at(slot);
		if (e && e->vm == vms[bounded(*vm, GSTAGE_MAX_VMS)].ordinal)
			return slot;
	}
	return new_place(*vm, idx, vcpu->vcpu_id);
}

static __always_inline struct gstage_stall *stall_of(struct gstage_exits *e,
						     __u32 phase)
{
	return &e->stalls[phase % GSTAGE_MAX_PHASES];
}

/*
 * From @since_ns to now @e was in the guest, or outside. What of it lies before
 * the present phase belongs to the phase of that time; where there is another
 * between the two, the vCPU was not running in it.
 */
static __always_inline void pass_time(struct gstage_exits *e, __u32 vm,
				      __u64 since_ns, __u64 now_ns,
				      bool is_guest)
{
	const struct gstage_vm *v = &vms[bounded(vm, GSTAGE_MAX_VMS)];
	__u64 phase_ns = v->since_ns;
	struct gstage_stall *s;
	__u64 end_ns;

	if (phase_ns > since_ns) {
		end_ns = phases[e->phase % GSTAGE_MAX_PHASES].end_ns;
		s = stall_of(e, e->phase);
		if (e->phase != v->phase && end_ns > since_ns) {
			s->wall_ns += end_ns - since_ns;
			if (is_guest)
				s->guest_ns += end_ns - since_ns;
		}
		since_ns = phase_ns;
	}
	e->phase = v->phase;
	if (now_ns < since_ns)
		return;
	s = stall_of(e, v->phase);
	s->wall_ns += now_ns - since_ns;
	if (is_guest)
		s->guest_ns += now_ns - since_ns;
}

SEC("?tp_btf/kvm_entry")
int BPF_PROG(on_entry, struct kvm_vcpu *vcpu)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_exits *e;
	struct gstage_row *row;
	__u32 vm, slot;
	__u64 now_ns;

	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row || !vcpu) {
		add(losses.row_misses, 1);
		return 0;
	}
	slot = find_place_of(vcpu, &vm);
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
		pass_time(e, vm, e->exit_ns, now_ns, false);
	} else {
		e->phase = vms[bounded(vm, GSTAGE_MAX_VMS)].phase;
	}
	e->task = bpf_get_current_task();
	e->entry_ns = now_ns;
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

/* The VM of a vCPU that has been met. */
static __always_inline __u32 vm_of(const struct gstage_exits *e)
{
	__u32 i;

	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (vms[i].ordinal == e->vm)
			return i;
	}
	return 0;
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
	if (!e || !e->entry_ns)
		return 0;

	now_ns = bpf_ktime_get_ns();
	pass_time(e, vm_of(e), e->entry_ns, now_ns, true);
	e->entry_ns = 0;
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

static int look_at_place(__u64 i, void *data)
{
	struct gstage_exits *e = exits_at(i + 1);
	struct search *search = data;

	if (!e || i >= nr_exits)
		return 1;
	if (e->task != search->task || !e->fault_ns)
		return 0;
	search->found = i + 1;
	return 1;
}

/* The vCPU whose thread this is, if it handles a fault. It may have moved here. */
static __always_inline struct gstage_exits *find_faulting(void)
{
	struct search search = { .task = bpf_get_current_task() };
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_exits *e;
	struct gstage_row *row;

	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row)
		return NULL;
	e = exits_at(row->exits_slot);
	if (e && e->task == search.task)
		return e->fault_ns ? e : NULL;
	bpf_loop(GSTAGE_MAX_EXIT_VCPUS, look_at_place, &search, 0);
	return exits_at(search.found);
}

static __always_inline struct gstage_exits *of_vcpu(const struct kvm_vcpu *vcpu)
{
	__u32 vm;

	return exits_at(find_place_of(vcpu, &vm));
}

SEC("?fentry/kvm_riscv_mmu_map")
int BPF_PROG(stall_fault, struct kvm_vcpu *vcpu)
{
	struct gstage_exits *e = of_vcpu(vcpu);

	if (e)
		e->fault_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("?fexit/kvm_riscv_mmu_map")
int BPF_PROG(stall_fault_done, struct kvm_vcpu *vcpu)
{
	struct gstage_exits *e = of_vcpu(vcpu);

	if (e && e->fault_ns)
		stall_of(e, e->phase)->fault_ns +=
			bpf_ktime_get_ns() - e->fault_ns;
	if (e)
		e->fault_ns = 0;
	return 0;
}

static __always_inline int fences_begin(const struct kvm_vcpu *vcpu)
{
	struct gstage_exits *e = of_vcpu(vcpu);

	if (e)
		e->fence_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int fences_end(const struct kvm_vcpu *vcpu)
{
	struct gstage_exits *e = of_vcpu(vcpu);

	if (e && e->fence_ns)
		stall_of(e, e->phase)->fence_ns +=
			bpf_ktime_get_ns() - e->fence_ns;
	if (e)
		e->fence_ns = 0;
	return 0;
}

SEC("?fentry/kvm_riscv_hfence_process")
int BPF_PROG(stall_fences, struct kvm_vcpu *vcpu)
{
	return fences_begin(vcpu);
}

SEC("?fexit/kvm_riscv_hfence_process")
int BPF_PROG(stall_fences_done, struct kvm_vcpu *vcpu)
{
	return fences_end(vcpu);
}

SEC("?fentry/kvm_riscv_tlb_flush_process")
int BPF_PROG(stall_flush, struct kvm_vcpu *vcpu)
{
	return fences_begin(vcpu);
}

SEC("?fexit/kvm_riscv_tlb_flush_process")
int BPF_PROG(stall_flush_done, struct kvm_vcpu *vcpu)
{
	return fences_end(vcpu);
}

static __always_inline int lock_begin(const void *lock)
{
	struct gstage_exits *e;

	if (find_owner(lock) >= GSTAGE_MAX_VMS)
		return 0;
	e = find_faulting();
	if (e)
		e->lock_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int lock_end(const void *lock)
{
	struct gstage_exits *e;

	if (find_owner(lock) >= GSTAGE_MAX_VMS)
		return 0;
	e = find_faulting();
	if (!e || !e->lock_ns)
		return 0;
	stall_of(e, e->phase)->lock_ns += bpf_ktime_get_ns() - e->lock_ns;
	e->lock_ns = 0;
	return 0;
}

SEC("?fentry/_raw_write_lock")
int BPF_PROG(stall_write_lock, void *lock)
{
	return lock_begin(lock);
}

SEC("?fexit/_raw_write_lock")
int BPF_PROG(stall_write_locked, void *lock)
{
	return lock_end(lock);
}

SEC("?fentry/_raw_read_lock")
int BPF_PROG(stall_read_lock, void *lock)
{
	return lock_begin(lock);
}

SEC("?fexit/_raw_read_lock")
int BPF_PROG(stall_read_locked, void *lock)
{
	return lock_end(lock);
}
