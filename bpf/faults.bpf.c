// SPDX-License-Identifier: GPL-2.0-only
/*
 * G-stage page faults: how many went which way, how long the vCPU stood still,
 * what they did to the permissions, and the fences they asked for.
 *
 * From the lookup of the memslot to the return of kvm_riscv_mmu_map(), in
 * nanoseconds. MMIO is no fault here. Falsified by: the fault counts of the
 * phases against the pages that the guest wrote.
 */
#include "bpf/state.bpf.h"

/* One fault, from whatever hook. */
struct fault {
	__u64 duration_ns;
	__u32 path;
	__u32 access;
	__u32 prot_old;
	__u32 prot_new;
	__u32 retries;
	/* Four bytes, one for each level of leaf: fences asked for. */
	__u32 flushes;
};

static __always_inline void count_prot(struct gstage_phase_counts *c,
				       const struct fault *f)
{
	if (f->retries)
		add(c->prots[GSTAGE_PROT_LOST_RACE], f->retries);
	if (!f->prot_new)
		return;
	if (f->prot_new != f->prot_old)
		add(c->prots[GSTAGE_PROT_CHANGED], 1);
	else
		add(c->prots[GSTAGE_PROT_UNCHANGED], 1);
}

static __always_inline void count_flushes(struct gstage_phase_counts *c,
					  const struct fault *f)
{
	int level;

	/* Nearly always: the one 4K leaf. */
	if (f->flushes == 1) {
		add(c->fault_flushes[0], 1);
		return;
	}
	for (level = 0; level < GSTAGE_NR_LEVELS; level++) {
		__u32 n = f->flushes >> (8 * level) & 0xff;

		if (n)
			add(c->fault_flushes[level], n);
	}
}

static __always_inline int handle_fault(const struct kvm *kvm,
					const struct fault *f)
{
	struct place p;

	if (!find_place(kvm, &p))
		return 0;
	if (f->path >= GSTAGE_NR_PATHS || f->access >= GSTAGE_NR_ACCESSES)
		return 0;

	add(p.counts->faults[f->path][f->access], 1);
	count_prot(p.counts, f);
	count_flushes(p.counts, f);
	if (cfg_latency)
		hist_add(&p.row->fault_ns[f->path][f->access], f->duration_ns,
			 cfg_clock_resolution_ns);
	return 0;
}

SEC("tp_btf/kvm_gstage_fault")
int BPF_PROG(on_fault, struct kvm_vcpu *vcpu, struct kvm_gstage_fault *fault)
{
	struct fault f;

	/* The verifier holds any argument of a module's tracepoint for NULL. */
	if (!vcpu || !fault)
		return 0;

	f.duration_ns = fault->duration_ns;
	f.path = fault->ret < 0 ? GSTAGE_PATH_ERROR : fault->path;
	f.access = fault->access;
	f.prot_old = fault->prot_old;
	f.prot_new = fault->prot_new;
	f.retries = fault->retries;
	f.flushes = *(__u32 *)__builtin_preserve_access_index(&fault->flushes);
	return handle_fault(vcpu->kvm, &f);
}
