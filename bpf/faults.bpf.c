// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a vCPU stands still for a G-stage page fault, by path and access.
 *
 * On tracepoints from the lookup of the memslot to the return of
 * kvm_riscv_mmu_map(), in nanoseconds. On functions from the call of the exit
 * handler, which is the only one that knows the access; that is some hundred
 * instructions more. MMIO is no fault here. Falsified by: the
 * statistics of KVM; on functions by the counts below, which other hooks keep.
 */
#include "bpf/check_faults.bpf.h"
#include "bpf/faults.bpf.h"
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/vcpu.bpf.h"
#include "bpf/walk.bpf.h"

/* An event for each fault. Not for runs that only count, unless it is checked. */
SEC("?tp_btf/kvm_gstage_fault")
int BPF_PROG(on_fault, struct kvm_vcpu *vcpu, struct kvm_gstage_fault *fault)
{
	__u32 path, access;
	struct place p;

	/* The verifier holds any argument of a module's tracepoint for NULL. */
	if (!vcpu || !fault || !find_place(vcpu->kvm, &p))
		return 0;
	path = path_of_event(fault);
	access = fault->scause - EXC_INST_GUEST_PAGE_FAULT;
	if (path >= GSTAGE_NR_PATHS || access >= GSTAGE_NR_ACCESSES)
		return 0;
	if (cfg_checks)
		check_fault(vcpu, p.vm_index, fault);
	if (!cfg_latency)
		return 0;
	hist_add(&p.row->fault_ns[path][access], fault->duration_ns,
		 cfg_clock_resolution_ns);
	if (fault->fences[0] | fault->fences[1] | fault->fences[2])
		hist_add(&p.row->flush_waits[GSTAGE_FLUSH_PAGE],
			 fault->fence_ns, cfg_clock_resolution_ns);
	return 0;
}

/* --- on functions ---------------------------------------------------------- */

/*
 * What @slot has counted belongs to a phase that is over, or to another vCPU: it
 * becomes that of @vcpu, and begins at 0.
 */
static __noinline int take_slot(struct gstage_vcpu *slot, struct kvm_vcpu *vcpu,
				__u32 vm)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_row *row = bpf_map_lookup_elem(&rows, &cpu);
	struct gstage_phase_counts *c;
	__u32 path, access;

	if (!row) {
		add(losses.row_misses, 1);
		return 0;
	}
	__sync_fetch_and_add(&slot->moves, 1);
	c = &row->phases[(slot->phase - 1) % GSTAGE_MAX_PHASES];
	for (path = 0; path < GSTAGE_NR_PATHS; path++) {
		for (access = 0; access < GSTAGE_NR_ACCESSES; access++)
			add(c->faults[path][access],
			    slot->faults[path][access]);
		add(c->fault_flushes[0], slot->flushes[path]);
	}
	if (cfg_fn_prots) {
		/* The fast path flushes what it changes, and nothing else. */
		path = slot->flushes[GSTAGE_PATH_FAST];
		add(c->prots[GSTAGE_PROT_CHANGED], path);
		add(c->prots[GSTAGE_PROT_UNCHANGED],
		    (__u64)slot->faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE] -
			    path);
	}
	__builtin_memset(slot->faults, 0, sizeof(slot->faults));
	__builtin_memset(slot->flushes, 0, sizeof(slot->flushes));
	if (slot->vcpu != (__u64)vcpu) {
		slot->vcpu = (__u64)vcpu;
		slot->next_fence = 0;
		slot->last_cpu = -1;
		slot->resolution_ns = cfg_clock_resolution_ns;
	}
	slot->phase = vms[bounded(vm, GSTAGE_MAX_VMS)].phase + 1;
	__sync_fetch_and_add(&slot->moves, 1);
	note_vcpu(vm, kget(vcpu, vcpu_idx));
	return 0;
}

/* From here on a fault, of the fast path until it turns out to be another. */
static __always_inline void open_slot(struct gstage_vcpu *slot, __u64 access)
{
	slot->is_open = 1;
	slot->path = GSTAGE_PATH_FAST;
	slot->access = access;
	slot->faults[GSTAGE_PATH_FAST][bounded64(access, GSTAGE_NR_ACCESSES)]++;
}

static __always_inline struct gstage_vcpu *
begin_fault(struct gstage_state *s, struct kvm_vcpu *vcpu,
	    struct kvm_cpu_trap *trap, __u32 *vm)
{
	__u64 access = kget(trap, scause) - EXC_INST_GUEST_PAGE_FAULT;
	struct gstage_vcpu *slot;

	/* Between them is an instruction that is to be emulated. */
	if (access >= GSTAGE_NR_ACCESSES || access == 2)
		return NULL;
	/* A phase belongs to one VM, so the slot need not be asked whose it is. */
	if (s->all_vms[0].kvm == (__u64)kget(vcpu, kvm)) {
		*vm = 0;
		slot = slot_in_first(s, vcpu);
		if (slot->phase != s->all_vms[0].phase + 1)
			take_slot(slot, vcpu, 0);
		open_slot(slot, access);
		return slot;
	}
	*vm = vm_of(vcpu);
	if (*vm >= GSTAGE_MAX_VMS)
		return NULL;
	slot = slot_at(*vm, kget(vcpu, vcpu_idx));
	if (slot->phase != vms[bounded(*vm, GSTAGE_MAX_VMS)].phase + 1)
		take_slot(slot, vcpu, *vm);
	open_slot(slot, access);
	return slot;
}

ON_ENTRY(kvm_riscv_vcpu_exit, fn_exit, struct kvm_vcpu *vcpu, void *run,
	 struct kvm_cpu_trap *trap)
{
	__u32 vm;

	begin_fault(state_ptr(), vcpu, trap, &vm);
	return 0;
}

/* The same, and when it began, and which thread it is. */
ON_ENTRY(kvm_riscv_vcpu_exit, fn_exit_timed, struct kvm_vcpu *vcpu, void *run,
	 struct kvm_cpu_trap *trap)
{
	struct gstage_vcpu *slot;
	struct gstage_state *s = state_ptr();
	__u32 vm;

	slot = begin_fault(s, vcpu, trap, &vm);
	if (!slot)
		return 0;
	*hint_here(s) =
		(__u64)vm * GSTAGE_MAX_VCPUS + (__u32)kget(vcpu, vcpu_idx);
	slot->task = bpf_get_current_task();
	slot->start_ns = bpf_ktime_get_ns();
	return 0;
}

/*
 * The vCPU has left the guest. If it came to another CPU since the last time, it
 * has flushed everything before it entered; so it has before its first entry. On
 * hardware without VMIDs, where their version stays 0, it does not.
 */
ON_ENTRY(kvm_riscv_vcpu_exit, fn_cpu, struct kvm_vcpu *vcpu)
{
	int cpu = kget(vcpu, arch.last_exit_cpu);
	const struct kvm *kvm = kget(vcpu, kvm);
	struct gstage_vcpu *slot;
	struct place p;
	bool is_new;

	if (!find_place(kvm, &p))
		return 0;
	slot = slot_at(p.vm_index, kget(vcpu, vcpu_idx));
	is_new = slot->vcpu != (__u64)vcpu;
	if (is_new)
		take_slot(slot, vcpu, p.vm_index);
	if ((is_new ? kget(vcpu, stat.exits) == 1 : cpu != slot->last_cpu) &&
	    kget(kvm, arch.vmid.vmid_version)) {
		add(p.counts->flush_executed[GSTAGE_FLUSH_VMID], 1);
		add(p.counts->fences[GSTAGE_FLUSH_VMID], 1);
	}
	slot->last_cpu = cpu;
	return 0;
}

/* It was MMIO, or there is no memory: no fault after all. */
static __always_inline int handle_no_memory(__u64 vcpu)
{
	struct gstage_vcpu *slot = find_open_slot(vcpu);

	if (!slot || slot->path != GSTAGE_PATH_FAST)
		return 0;
	count_fault(slot, GSTAGE_PATH_FAST, -1);
	slot->is_open = 0;
	add(coverage.no_memory, 1);
	return 0;
}

ON_ENTRY(kvm_riscv_vcpu_mmio_load, fn_mmio_load, struct kvm_vcpu *vcpu)
{
	return handle_no_memory((__u64)vcpu);
}

ON_ENTRY(kvm_riscv_vcpu_mmio_store, fn_mmio_store, struct kvm_vcpu *vcpu)
{
	return handle_no_memory((__u64)vcpu);
}

/* An instruction fetch from no memory is handed to the guest. */
ON_ENTRY(kvm_riscv_vcpu_trap_redirect, fn_redirect, struct kvm_vcpu *vcpu)
{
	struct gstage_vcpu *slot = find_open_slot((__u64)vcpu);

	/* A fetch that is mapped never takes the fast path. */
	if (!slot || slot->access != GSTAGE_ACCESS_EXEC)
		return 0;
	return handle_no_memory((__u64)vcpu);
}

/* The cache of eager splits cannot be filled: the rest is not split. */
static __always_inline int handle_no_pages(const void *cache, int ret)
{
	const struct kvm *kvm;
	__u32 i;

	if (!bpf_core_field_exists(struct kvm, arch.pgd_split_page_cache))
		return 0;
	kvm = cache -
	      bpf_core_field_offset(struct kvm, arch.pgd_split_page_cache);
	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (vms[i].kvm == (__u64)kvm)
			return handle_split(kvm, 0, 1, 0, cause_of_phase(i),
					    ret);
	}
	return 0;
}

/*
 * The slow path begins with filling its cache. Until it maps something it may
 * still be given up.
 */
ON_RESULT(kvm_mmu_topup_memory_cache, fn_topup, void *cache, int min, int ret)
{
	if (!note_topup(cache, ret) && ret < 0)
		return handle_no_pages(cache, ret);
	return 0;
}

ON_ENTRY(kvm_riscv_gstage_map_page, fn_map_page, struct kvm_gstage *gstage,
	 void *cache, __u64 gpa)
{
	struct gstage_vcpu *slot = find_slot_of_cache(cache);
	struct tables tables;

	if (slot && find_tables(gstage, &tables))
		note_leaf(slot, &tables, gpa);
	return 0;
}

ON_RESULT(kvm_riscv_gstage_map_page, fn_map_page_done,
	  struct kvm_gstage *gstage, void *cache, __u64 gpa, __u64 hpa,
	  unsigned long size, bool is_read_only, bool is_exec,
	  struct kvm_gstage_mapping *out, int ret)
{
	struct gstage_vcpu *slot = find_slot_of_cache(cache);
	struct tables tables;

	if (slot && find_tables(gstage, &tables))
		judge_leaf(kget(gstage, kvm), slot, &tables, gpa,
			   kget(out, level), ret);
	return 0;
}

/* The end of each fault: only for latencies. */
ON_RESULT(kvm_riscv_mmu_map, fn_mapped, struct kvm_vcpu *vcpu, void *memslot,
	  __u64 gpa, unsigned long hva, bool is_write, void *out, int ret)
{
	__u64 now_ns = bpf_ktime_get_ns();
	__u32 cpu = bpf_get_smp_processor_id();
	struct gstage_vcpu *slot = slot_of(vcpu);
	struct gstage_row *row;
	__u64 path;

	if (!slot)
		return 0;
	if (!slot->is_open) {
		/* The first one of a vCPU may have begun before tracing. */
		if (slot->phase)
			add(coverage.faults_unseen, 1);
		return 0;
	}
	slot->is_open = 0;
	if (ret < 0 && slot->path == GSTAGE_PATH_RETRY)
		set_path(slot, GSTAGE_PATH_ERROR);
	path = slot->path;
	row = bpf_map_lookup_elem(&rows, &cpu);
	if (!row || path >= GSTAGE_NR_PATHS) {
		add(losses.row_misses, 1);
		return 0;
	}
	hist_add(&row->fault_ns[path]
			       [bounded64(slot->access, GSTAGE_NR_ACCESSES)],
		 now_ns - slot->start_ns, slot->resolution_ns);
	return 0;
}

/*
 * On the way back to user space. KVM sets the reason when a run begins, and leaves it
 * only where it returns an error, which no other hook may have seen. At the end of
 * kvm_arch_vcpu_ioctl_run(), but that a vCPU is in for long: kretprobes have room for
 * few calls. Whoever else puts a vCPU has no fault of it open.
 */
ON_ENTRY(vcpu_put, fn_run_done, struct kvm_vcpu *vcpu)
{
	const struct kvm_run *run = kget(vcpu, run);
	struct gstage_vcpu *slot;

	if (kget(run, exit_reason) != KVM_EXIT_UNKNOWN)
		return 0;
	slot = find_open_slot((__u64)vcpu);
	if (slot && slot->path == GSTAGE_PATH_RETRY)
		set_path(slot, GSTAGE_PATH_ERROR);
	return 0;
}
