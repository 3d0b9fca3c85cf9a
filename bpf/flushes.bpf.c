// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences asked for (outside of faults, which report their own), and asked for
 * in vain because a vCPU's queue was full. Those executed are in work.bpf.c.
 */
#include "bpf/state.bpf.h"

static __always_inline __u32 flush_kind(__u32 type, __u64 size, __u64 order)
{
	__u32 kind = GSTAGE_FLUSH_VVMA;

	if (type == HFENCE_GVMA_VMID_ALL)
		kind = GSTAGE_FLUSH_VMID;
	else if (type == HFENCE_GVMA_VMID_GPA)
		kind = size == 1ULL << (order & 63) ? GSTAGE_FLUSH_PAGE :
						      GSTAGE_FLUSH_RANGE;
	return bounded(kind, GSTAGE_NR_FLUSHES);
}

SEC("tp_btf/kvm_hfence_request")
int BPF_PROG(on_hfence_request, struct kvm *kvm, unsigned int type, __u64 addr,
	     __u64 size, unsigned long order)
{
	__u32 kind = flush_kind(type, size, order);
	struct place p;

	if (!find_place(kvm, &p))
		return 0;

	add(p.counts->flush_requests[kind], 1);
	add(p.counts->flush_bytes[kind], size);
	/* Everything has no size. */
	if (cfg_latency && size)
		hist_add(&p.row->flush_sizes[kind], size, 0);
	return 0;
}

SEC("tp_btf/kvm_hfence_full")
int BPF_PROG(on_hfence_full, struct kvm_vcpu *vcpu, unsigned int type,
	     __u64 addr, __u64 size, unsigned long order)
{
	struct place p;

	if (!vcpu || !find_place(vcpu->kvm, &p))
		return 0;

	add(p.counts->flush_fallbacks[flush_kind(type, size, order)], 1);
	if (cfg_events) {
		struct gstage_rec rec = {
			.kind = GSTAGE_REC_QUEUE_FULL,
			.gpa = addr,
			.size = size,
			.from = vcpu->vcpu_id,
		};

		emit(p.vm_index, &rec);
	}
	return 0;
}
