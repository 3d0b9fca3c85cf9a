// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a vCPU stands still for a G-stage page fault, by path and access.
 *
 * From the lookup of the memslot to the return of kvm_riscv_mmu_map(), in
 * nanoseconds. MMIO is no fault here. Falsified by: the counts of work.bpf.c,
 * which KVM adds up itself.
 */
#include "bpf/state.bpf.h"

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
