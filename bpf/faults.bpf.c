// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a vCPU stands still for a G-stage page fault, by path and access.
 *
 * On tracepoints from the lookup of the memslot to the return of
 * kvm_riscv_mmu_map(), in nanoseconds. On functions from the call of the exit
 * handler, which is the only one that knows the access; that is some hundred
 * instructions more. MMIO is no fault here. Falsified by: the counts of
 * work.bpf.c, which KVM adds up itself; on functions by the counts below, which
 * other hooks keep.
 */
#include "bpf/splits.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/vcpu.bpf.h"
#include "bpf/walk.bpf.h"

static __always_inline int handle_fault(const struct kvm *kvm, __u32 path,
					__u32 access, __u64 duration_ns)
{
	struct place p;

	if (path >= GSTAGE_NR_PATHS || access >= GSTAGE_NR_ACCESSES ||
	    !find_place(kvm, &p))
		return 0;

	hist_add(&p.row->fault_ns[path][access], duration_ns,
		 cfg_clock_resolution_ns);
	return 0;
}

/* An event for each fault. Not for runs that only count. */
SEC("?tp_btf/kvm_gstage_fault")
int BPF_PROG(on_fault, struct kvm_vcpu *vcpu, struct kvm_gstage_fault *fault)
{
	/* The verifier holds any argument of a module's tracepoint for NULL. */
	if (!vcpu || !fault)
		return 0;

	return handle_fault(vcpu->kvm,
			    fault->ret < 0 ? GSTAGE_PATH_ERROR : fault->path,
			    fault->scause - EXC_INST_GUEST_PAGE_FAULT,
			    fault->duration_ns);
}

/* --- on functions ---------------------------------------------------------- */

/*
 * The vCPU has left the guest. If it came to another CPU since the last time, it
 * has flushed everything before it entered; so it has before its first entry. On
 * hardware without VMIDs, where their version stays 0, it does not.
 */
static __always_inline void watch_cpu(struct gstage_vcpu *slot,
				      struct kvm_vcpu *vcpu, struct place *p)
{
	int cpu = vcpu->arch.last_exit_cpu;
	bool is_new = slot->vcpu != (__u64)vcpu;

	if (is_new)
		slot->next_fence = 0;
	if ((is_new ? vcpu->stat.exits == 1 : cpu != slot->last_cpu) &&
	    vcpu->kvm->arch.vmid.vmid_version) {
		add(p->counts->flush_executed[GSTAGE_FLUSH_VMID], 1);
		add(p->counts->fences[GSTAGE_FLUSH_VMID], 1);
	}
	slot->last_cpu = cpu;
}

SEC("?fentry/kvm_riscv_vcpu_exit")
int BPF_PROG(fn_exit, struct kvm_vcpu *vcpu, void *run,
	     struct kvm_cpu_trap *trap)
{
	__u64 access = trap->scause - EXC_INST_GUEST_PAGE_FAULT;
	/* 22 is an instruction that is to be emulated. */
	bool is_fault = access < GSTAGE_NR_ACCESSES && access != 2;
	__u32 idx = vcpu->vcpu_idx;
	struct gstage_vcpu *slot;
	struct place p;

	if ((!is_fault && !cfg_fn_executed) || !find_place(vcpu->kvm, &p))
		return 0;

	slot = slot_at(p.vm_index, idx);
	if (cfg_fn_executed)
		watch_cpu(slot, vcpu, &p);
	slot->vcpu = (__u64)vcpu;
	if (!is_fault) {
		slot->is_open = 0;
		return 0;
	}
	slot->is_open = 1;
	slot->task = bpf_get_current_task();
	slot->access = access;
	slot->path = GSTAGE_PATH_FAST;
	slot->phase = vms[bounded(p.vm_index, GSTAGE_MAX_VMS)].phase;
	slot->nr_flushes = 0;
	if (idx >= nr_vcpus[bounded(p.vm_index, GSTAGE_MAX_VMS)])
		nr_vcpus[bounded(p.vm_index, GSTAGE_MAX_VMS)] = idx + 1;
	p.row->vm_index = p.vm_index;
	p.row->vcpu_index = idx;
	add(p.counts->faults[GSTAGE_PATH_FAST]
			    [bounded(access, GSTAGE_NR_ACCESSES)],
	    1);
	if (cfg_latency)
		slot->start_ns = bpf_ktime_get_ns();
	return 0;
}

/* It was MMIO, or there is no memory: no fault after all. */
static __always_inline int handle_no_memory(__u64 vcpu)
{
	struct gstage_vcpu *slot = find_slot(vcpu);

	if (!slot || slot->path != GSTAGE_PATH_FAST)
		return 0;
	count_fault(slot, GSTAGE_PATH_FAST, -1);
	slot->is_open = 0;
	add(coverage.no_memory, 1);
	return 0;
}

SEC("?fentry/kvm_riscv_vcpu_mmio_load")
int BPF_PROG(fn_mmio_load, struct kvm_vcpu *vcpu)
{
	return handle_no_memory((__u64)vcpu);
}

SEC("?fentry/kvm_riscv_vcpu_mmio_store")
int BPF_PROG(fn_mmio_store, struct kvm_vcpu *vcpu)
{
	return handle_no_memory((__u64)vcpu);
}

/* An instruction fetch from no memory is handed to the guest. */
SEC("?fentry/kvm_riscv_vcpu_trap_redirect")
int BPF_PROG(fn_redirect, struct kvm_vcpu *vcpu)
{
	struct gstage_vcpu *slot = find_slot((__u64)vcpu);

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
SEC("?fexit/kvm_mmu_topup_memory_cache")
int BPF_PROG(fn_topup, void *cache, int min, int ret)
{
	struct gstage_vcpu *slot = find_slot_of_cache(cache);

	if (slot)
		set_path(slot, ret < 0 ? GSTAGE_PATH_ERROR : GSTAGE_PATH_RETRY);
	else if (ret < 0)
		return handle_no_pages(cache, ret);
	return 0;
}

SEC("?fentry/kvm_riscv_gstage_map_page")
int BPF_PROG(fn_map_page, struct kvm_gstage *gstage, void *cache, __u64 gpa)
{
	struct gstage_vcpu *slot = find_slot_of_cache(cache);
	struct tables tables;
	struct leaf leaf;

	if (!slot || !find_tables(gstage, &tables))
		return 0;
	walk(&tables, gpa, &leaf);
	slot->leaf_pte = leaf.pte;
	slot->leaf_level = leaf.level;
	return 0;
}

/* What was done to the leaf that was there before. */
static __always_inline __u32 path_of(const struct gstage_vcpu *slot,
				     const struct leaf *now, __u32 wanted)
{
	if (!slot->leaf_pte)
		return GSTAGE_PATH_MAP;
	if (slot->leaf_level > wanted)
		return GSTAGE_PATH_SPLIT;
	if (now->level == slot->leaf_level &&
	    PTE_PFN(now->pte) == PTE_PFN(slot->leaf_pte))
		return GSTAGE_PATH_PROT;
	return GSTAGE_PATH_MAP;
}

/*
 * A leaf was larger than what is wanted: where smaller ones are in its place now
 * it was split, once for each level; where nothing is beside them it was dropped.
 */
static __always_inline void count_broken(const struct kvm *kvm, __u64 gpa,
					 const struct gstage_vcpu *slot,
					 const struct leaf *now, __u32 wanted)
{
	__u32 level = slot->leaf_level, i;

	if (now->level < level && !has_sibling(now))
		return;
	for (i = 0; i < MAX_LEVELS && level > now->level; i++) {
		handle_split(kvm, gpa, level, level - 1, GSTAGE_CAUSE_FAULT, 0);
		level--;
	}
	/* No page was left for its table. */
	if (level > wanted)
		handle_split(kvm, gpa, level, level - 1, GSTAGE_CAUSE_FAULT,
			     -1);
}

SEC("?fexit/kvm_riscv_gstage_map_page")
int BPF_PROG(fn_map_page_done, struct kvm_gstage *gstage, void *cache,
	     __u64 gpa, __u64 hpa, unsigned long size, bool is_read_only,
	     bool is_exec, struct kvm_gstage_mapping *out, int ret)
{
	struct gstage_vcpu *slot = find_slot_of_cache(cache);
	struct tables tables;
	struct leaf now;
	struct place p;
	__u32 path;

	if (!slot || !find_tables(gstage, &tables))
		return 0;
	walk(&tables, gpa, &now);
	path = path_of(slot, &now, out->level);
	if (path == GSTAGE_PATH_SPLIT)
		count_broken(gstage->kvm, gpa, slot, &now, out->level);
	set_path(slot, ret < 0 ? GSTAGE_PATH_ERROR : path);
	if (path == GSTAGE_PATH_PROT && cfg_fn_prots &&
	    find_place(gstage->kvm, &p))
		add(p.counts->prots[now.pte == slot->leaf_pte], 1);
	return 0;
}

/* The end of each fault: only for latencies and permissions. */
SEC("?fexit/kvm_riscv_mmu_map")
int BPF_PROG(fn_mapped, struct kvm_vcpu *vcpu, void *memslot, __u64 gpa,
	     unsigned long hva, bool is_write, void *out, int ret)
{
	struct gstage_vcpu *slot;
	__u64 now_ns = bpf_ktime_get_ns();
	struct place p;

	if (!find_place(vcpu->kvm, &p))
		return 0;
	slot = slot_at(p.vm_index, vcpu->vcpu_idx);
	if (slot->vcpu != (__u64)vcpu || !slot->is_open) {
		/* The first one of a vCPU may have begun before tracing. */
		if (slot->vcpu == (__u64)vcpu)
			add(coverage.faults_unseen, 1);
		slot->vcpu = (__u64)vcpu;
		return 0;
	}
	slot->is_open = 0;
	if (ret < 0 && slot->path == GSTAGE_PATH_RETRY)
		set_path(slot, GSTAGE_PATH_ERROR);
	/* The fast path flushes what it changes, and nothing else. */
	if (cfg_fn_prots && slot->path == GSTAGE_PATH_FAST)
		add(p.counts->prots[slot->nr_flushes ? GSTAGE_PROT_CHANGED :
						       GSTAGE_PROT_UNCHANGED],
		    1);
	return handle_fault(vcpu->kvm, slot->path, slot->access,
			    now_ns - slot->start_ns);
}

/* Back in user space with an error, and no other hook has seen it. */
SEC("?fexit/kvm_arch_vcpu_ioctl_run")
int BPF_PROG(fn_run_done, struct kvm_vcpu *vcpu, int ret)
{
	struct gstage_vcpu *slot;

	if (ret >= 0 || vcpu->run->exit_reason != KVM_EXIT_UNKNOWN)
		return 0;
	slot = find_slot((__u64)vcpu);
	if (slot && slot->path == GSTAGE_PATH_RETRY)
		set_path(slot, GSTAGE_PATH_ERROR);
	return 0;
}
