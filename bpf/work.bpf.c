// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vCPUs did, added up by KVM and reported in batches: faults, permission
 * updates, the fences that faults asked for, and the fences executed. An event
 * for each of them would cost three times as much as counting is allowed to.
 *
 * KVM reports when a vCPU returns to user space, or after 128 faults and
 * fences, so a batch is counted in the phase in which it ended. Up to 127 of
 * each vCPU that is still in KVM are not reported when tracing ends.
 *
 * A request goes to all vCPUs, each of which executes it before it enters the
 * guest: with N vCPUs in the guest, N executed for one asked.
 */
#include "bpf/state.bpf.h"

static __always_inline void count_hfences(struct gstage_phase_counts *c,
					  const struct kvm_gstage_work *work)
{
	__u32 type;

	for (type = 0; type < NR_HFENCE_TYPES; type++) {
		__u32 kind = GSTAGE_FLUSH_VVMA;

		if (type == WORK_HFENCE_LEAF)
			kind = GSTAGE_FLUSH_PAGE;
		else if (type == HFENCE_GVMA_VMID_GPA)
			kind = GSTAGE_FLUSH_RANGE;
		else if (type == HFENCE_GVMA_VMID_ALL)
			kind = GSTAGE_FLUSH_VMID;
		add(c->flush_executed[kind], work->hfences[type]);
		add(c->fences[kind], work->hfence_insns[type]);
	}
}

static __always_inline void count_faults(struct gstage_phase_counts *c,
					 const struct kvm_gstage_work *work)
{
	__u32 path, access, i;

	for (path = 0; path < GSTAGE_NR_PATHS; path++) {
		__u32 row = path == GSTAGE_PATH_ERROR ? WORK_FAILED : path;

		for (access = 0; access < GSTAGE_NR_ACCESSES; access++)
			add(c->faults[path][access],
			    work->faults[4 * row + access]);
	}
	/* A poisoned page maps nothing, either. */
	for (access = 0; access < GSTAGE_NR_ACCESSES; access++)
		add(c->faults[GSTAGE_PATH_ERROR][access],
		    work->faults[4 * GSTAGE_PATH_ERROR + access]);
	for (i = 0; i < GSTAGE_NR_PROTS; i++)
		add(c->prots[i], work->prots[i]);
	for (i = 0; cfg_work_flushes && i < GSTAGE_NR_LEVELS; i++)
		add(c->fault_flushes[i], work->flushes[i]);
}

SEC("?tp_btf/kvm_gstage_work")
int BPF_PROG(on_work, struct kvm_vcpu *vcpu, struct kvm_gstage_work *work)
{
	struct place p;

	if (!vcpu || !work || !find_place(vcpu->kvm, &p))
		return 0;

	count_faults(p.counts, work);
	count_hfences(p.counts, work);
	return 0;
}
