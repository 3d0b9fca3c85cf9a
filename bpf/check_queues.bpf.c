// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queues of fences: whose was full, and whether anybody else had to flush
 * everything for it. Falsified by: a request that was under way when tracing
 * began, which is forgiven once for each vCPU; as many vCPUs as a queue has
 * places that have all queued a fence and not yet asked for it.
 */
#include "bpf/checks.bpf.h"
#include "bpf/hook.bpf.h"

/* NULL if it is not followed. */
static __always_inline struct fence_queue *queue_of(struct vm_checks *c,
						    __u32 vcpu)
{
	if (!c)
		return NULL;
	if (vcpu >= MAX_VCPUS) {
		add(checks.untracked_vcpus, 1);
		return NULL;
	}
	return &c->queues[bounded(vcpu, MAX_VCPUS)];
}

/* The row that counts for this queue, or NULL if there are too many. */
static __always_inline struct gstage_queue *
row_of(struct fence_queue *queue, __u32 vm_index, __u32 vcpu, __u64 gpa)
{
	struct gstage_queue *row;

	/* Fences are queued under no common lock: only one may take a row. */
	if (!__sync_fetch_and_add(&queue->nr_full, 1)) {
		__u32 i = __sync_fetch_and_add(&checks.nr_queues, 1);

		if (i < GSTAGE_MAX_QUEUES) {
			row = &checks.queues[bounded(i, GSTAGE_MAX_QUEUES)];
			row->vm =
				vms[bounded(vm_index, GSTAGE_MAX_VMS)].ordinal;
			row->vcpu = vcpu;
			row->time_ns = bpf_ktime_get_ns();
			row->gpa = gpa;
			queue->row = i + 1;
		}
	}
	if (!queue->row)
		return NULL;
	return &checks.queues[bounded(queue->row - 1, GSTAGE_MAX_QUEUES)];
}

SEC("?tp_btf/kvm_hfence_full")
int BPF_PROG(check_hfence_full, struct kvm_vcpu *vcpu, unsigned int type,
	     __u64 addr, __u64 size, unsigned long order)
{
	struct fence_queue *queue;
	struct gstage_queue *row;
	struct place p;

	if (!vcpu || !find_place(vcpu->kvm, &p))
		return 0;
	queue = queue_of(checks_of(p.vm_index), vcpu->vcpu_id);
	if (!queue)
		return 0;
	if (type <= HFENCE_GVMA_VMID_ALL)
		__sync_fetch_and_add(&queue->nr_told, 1);
	row = row_of(queue, p.vm_index, vcpu->vcpu_id, addr);
	if (row)
		add(row->nr_full, 1);
	return 0;
}

/* All vCPUs are asked for something, which may be to flush everything. */
ON_ENTRY(kvm_make_all_cpus_request, check_request_all, struct kvm *kvm,
	 unsigned int req)
{
	struct vm_checks *c;
	struct place p;

	if ((req & REQ_MASK) != REQ_TLB_FLUSH || !find_place(kvm, &p))
		return 0;
	c = checks_of(p.vm_index);
	if (c)
		add(c->nr_flush_all, 1);
	return 0;
}

static __always_inline bool is_place_taken(const struct kvm_vcpu *vcpu,
					   __u64 place)
{
	int type = 0;

	bpf_probe_read_kernel(
		&type, sizeof(type),
		fence_at(vcpu, place) +
			bpf_core_field_offset(struct kvm_riscv_hfence, type));
	return type;
}

/*
 * No place is left in the queue of @vcpu: there is a fence where the next would
 * go. While one is put there that looks the same in an empty queue, so look half
 * a queue further, too.
 */
static __always_inline bool is_queue_full(const struct kvm_vcpu *vcpu)
{
	__u64 next;

	if (!bpf_core_field_exists(struct kvm_vcpu, arch.hfence_queue))
		return false;
	next = kget(vcpu, arch.hfence_tail);
	return is_place_taken(vcpu, next) &&
	       is_place_taken(vcpu, next + GSTAGE_FENCE_QUEUE / 2);
}

/*
 * A vCPU whose queue is full flushes everything, and will then drain the queue:
 * each fence in it was asked for. If nobody has asked, it stays full, and each
 * further fence is another flush of everything.
 */
static __always_inline bool will_drain(const struct kvm_vcpu *vcpu)
{
	return kget(vcpu, requests) & (1ull << REQ_HFENCE);
}

/*
 * With a place free there must have been a full queue, or a request of all vCPUs.
 * KVM tells of a full queue once until the request is served; whoever finds it
 * full until then asks again, untold. Where these meet, each vCPU may bring one
 * more flush after the one that was told of.
 */
static __always_inline __u64 allowed_of(const struct kvm_vcpu *vcpu,
					const struct fence_queue *queue,
					const struct vm_checks *c)
{
	const struct kvm *kvm = kget(vcpu, kvm);
	__u64 nr_vcpus = kget(kvm, online_vcpus.counter);

	return queue->nr_told * nr_vcpus + c->nr_flush_all + 1;
}

ON_ENTRY(kvm_riscv_tlb_flush_process, check_flush_all, struct kvm_vcpu *vcpu)
{
	__u32 id = kget(vcpu, vcpu_id);
	struct fence_queue *queue;
	struct vm_checks *c;
	struct place p;
	__u64 nr;

	if (!find_place(kget(vcpu, kvm), &p))
		return 0;
	c = checks_of(p.vm_index);
	queue = queue_of(c, id);
	if (!c || !queue)
		return 0;
	if (is_queue_full(vcpu)) {
		if (!will_drain(vcpu))
			broken(GSTAGE_CHECK_FENCE_QUEUE, p.vm_index, id, 0,
			       GSTAGE_QUEUE_STUCK);
		return 0;
	}
	nr = __sync_fetch_and_add(&queue->nr_served, 1) + 1;
	if (nr > allowed_of(vcpu, queue, c))
		broken(GSTAGE_CHECK_FENCE_QUEUE, p.vm_index, id, 0, nr);
	return 0;
}
