// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences asked for, and executed. On tracepoints KVM counts both, and only the time
 * that others than faults waited for them is here; on functions both are.
 */
#include "bpf/flushes.bpf.h"
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/vcpu.bpf.h"

/*
 * Every request, of faults, too: so only with --fences, for how long the others
 * waited, and with --events, for full queues.
 */
SEC("?tp_btf/kvm_hfence_request")
int BPF_PROG(on_hfence_request, struct kvm *kvm, struct kvm_hfence_request *req)
{
	struct place p;
	__u32 kind;

	if (!req || !find_place(kvm, &p))
		return 0;
	kind = flush_kind(req->type, req->size, req->order);
	/* Those of a fault, all together, come with the fault. */
	if (cfg_latency && !(req->vcpu && kind == GSTAGE_FLUSH_PAGE))
		hist_add(&p.row->flush_waits[kind], req->wait_ns,
			 cfg_clock_resolution_ns);
	if (cfg_events && req->full) {
		struct gstage_rec rec = {
			.kind = GSTAGE_REC_QUEUE_FULL,
			.gpa = req->addr,
			.size = req->size,
			.from = req->full,
		};

		emit(p.vm_index, &rec);
	}
	return 0;
}

/* --- on functions ---------------------------------------------------------- */

/* Nearly all are for the 4K leaf of a fault. */
ON_ENTRY(kvm_riscv_hfence_gvma_vmid_gpa, fn_flush_gpa, struct kvm *kvm,
	 unsigned long hbase, unsigned long hmask, __u64 gpa, __u64 size,
	 unsigned long order)
{
	if (is_fault_flush(size, order))
		return 0;
	return handle_call(kvm, HFENCE_GVMA_VMID_GPA, gpa, size, order);
}

/* While it asks for a range, this thread is not to be taken for its fault. */
static __always_inline void hide_task(bool is_hidden)
{
	struct gstage_vcpu *slot = slot_here(state_ptr());
	__u64 task = bpf_get_current_task();

	/* An address is even. */
	if ((slot->task & ~1ULL) == task)
		slot->task = task | is_hidden;
}

ON_ENTRY(kvm_arch_flush_remote_tlbs_range, fn_range, struct kvm *kvm, __u64 gfn,
	 __u64 nr_pages)
{
	__u64 gpa = gfn << PAGE_SHIFT, size = nr_pages << PAGE_SHIFT;
	struct place p;

	handle_call(kvm, HFENCE_GVMA_VMID_GPA, gpa, size, PAGE_SHIFT);
	if (find_place(kvm, &p)) {
		hide_task(true);
		p.row->range_gpa = gpa;
		p.row->range_bytes = size;
		p.row->range_task = bpf_get_current_task();
	}
	return 0;
}

ON_RETURN(kvm_arch_flush_remote_tlbs_range, fn_range_done, struct kvm *kvm)
{
	struct place p;

	if (find_place(kvm, &p)) {
		hide_task(false);
		p.row->range_task = 0;
	}
	return 0;
}

ON_ENTRY(kvm_riscv_hfence_gvma_vmid_all, fn_flush_vmid, struct kvm *kvm)
{
	return handle_call(kvm, HFENCE_GVMA_VMID_ALL, 0, 0, 0);
}

/* Outside of the G-stage code: the end of a VM, a dirty ring that is reset. */
ON_ENTRY(kvm_flush_remote_tlbs, fn_flush_vm, struct kvm *kvm)
{
	return handle_call(kvm, HFENCE_GVMA_VMID_ALL, 0, 0, 0);
}

/* Of VS-stage, asked for by the guest: a kind of its own, whatever the type. */
ON_ENTRY(kvm_riscv_hfence_vvma_asid_gva, fn_vvma_asid_gva, struct kvm *kvm,
	 unsigned long hbase, unsigned long hmask, unsigned long gva,
	 unsigned long size)
{
	return handle_call(kvm, HFENCE_UNKNOWN, gva, size, 0);
}

ON_ENTRY(kvm_riscv_hfence_vvma_asid_all, fn_vvma_asid_all, struct kvm *kvm)
{
	return handle_call(kvm, HFENCE_UNKNOWN, 0, 0, 0);
}

ON_ENTRY(kvm_riscv_hfence_vvma_gva, fn_vvma_gva, struct kvm *kvm,
	 unsigned long hbase, unsigned long hmask, unsigned long gva,
	 unsigned long size)
{
	return handle_call(kvm, HFENCE_UNKNOWN, gva, size, 0);
}

ON_ENTRY(kvm_riscv_hfence_vvma_all, fn_vvma_all, struct kvm *kvm)
{
	return handle_call(kvm, HFENCE_UNKNOWN, 0, 0, 0);
}

#define FENCE_FIELD(buf, field)     \
	(*(__u64 *)((void *)(buf) + \
		    bpf_core_field_offset(struct kvm_riscv_hfence, field)))

/* A queue that is about to be emptied. */
struct queue {
	const struct kvm_vcpu *vcpu;
	struct gstage_phase_counts *counts;
	__u64 head;
	__u64 nr;
};

/* The next entry, counted as KVM counts it. */
static int count_fence(__u64 i, void *data)
{
	struct queue *queue = data;
	const struct kvm_vcpu *vcpu = queue->vcpu;
	__u64 at = (queue->head + i) & (GSTAGE_FENCE_QUEUE - 1);
	__u64 entry[8] = {};
	__u64 nr_insns, size;
	__u32 kind, type;

	if (FENCE_BYTES > sizeof(entry) ||
	    bpf_probe_read_kernel(entry, FENCE_BYTES, fence_at(vcpu, at)))
		return 1;
	type = FENCE_FIELD(entry, type);
	if (!type)
		return 1;
	size = FENCE_FIELD(entry, size);
	nr_insns = size >> (FENCE_FIELD(entry, order) & 63);
	kind = flush_kind(type, size, FENCE_FIELD(entry, order));
	add(queue->counts->flush_executed[kind], 1);
	add(queue->counts->fences[kind],
	    !size || nr_insns > 512 ? 1 : nr_insns);
	queue->nr++;
	/* Not one look more than needed. */
	return ((at + 1) & (GSTAGE_FENCE_QUEUE - 1)) ==
	       kget(vcpu, arch.hfence_tail);
}

/* The vCPU is about to execute what is in its queue. */
ON_ENTRY(kvm_riscv_hfence_process, fn_hfences, struct kvm_vcpu *vcpu)
{
	struct queue queue = { .vcpu = vcpu };
	struct gstage_vcpu *slot;
	struct place p;
	__u64 head;

	if (!find_place(kget(vcpu, kvm), &p))
		return 0;
	head = kget(vcpu, arch.hfence_head);
	/*
	 * What others asked for while it was emptied the last time was executed
	 * then, too. At 0 the vCPU was reset.
	 */
	slot = slot_at(p.vm_index, kget(vcpu, vcpu_idx));
	if (slot->next_fence && head && slot->next_fence != head + 1)
		add(coverage.fences_unseen,
		    (head + 1 - slot->next_fence) & (GSTAGE_FENCE_QUEUE - 1));
	queue.counts = p.counts;
	queue.head = head;
	bpf_loop(GSTAGE_FENCE_QUEUE, count_fence, &queue, 0);
	slot->next_fence = ((head + queue.nr) & (GSTAGE_FENCE_QUEUE - 1)) + 1;
	return 0;
}

static __always_inline int handle_flush_all(const struct kvm *kvm, __u32 kind)
{
	struct place p;

	if (!find_place(kvm, &p))
		return 0;
	add(p.counts->flush_executed[kind], 1);
	add(p.counts->fences[kind], 1);
	return 0;
}

ON_ENTRY(kvm_riscv_tlb_flush_process, fn_flush_all, struct kvm_vcpu *vcpu)
{
	return handle_flush_all(kget(vcpu, kvm), GSTAGE_FLUSH_VMID);
}

ON_ENTRY(kvm_riscv_hfence_vvma_all_process, fn_flush_vvma,
	 struct kvm_vcpu *vcpu)
{
	return handle_flush_all(kget(vcpu, kvm), GSTAGE_FLUSH_VVMA);
}
