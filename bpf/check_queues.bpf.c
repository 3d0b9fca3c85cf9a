// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queues of fences: whose was full, and whether anybody else had to flush
 * everything for it. Falsified by: a request that was under way when tracing
 * began, which is forgiven once for each vCPU; as many vCPUs as a queue has
 * places that have all queued a fence and not yet asked for it.
 */
#include "bpf/checks.bpf.h"
#include "bpf/hook.bpf.h"
#include "bpf/stats.bpf.h"

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

#define NO_ROW 0xffffffff

/* The row that counts for this queue, or NULL if there are too many. */
static __always_inline struct gstage_queue *
row_of(struct fence_queue *queue, __u32 vm_index, __u32 vcpu, __u64 gpa)
{
	struct gstage_queue *row;

	/* Only its own thread looks at it. */
	if (!queue->row) {
		__u32 i = __sync_fetch_and_add(&checks.nr_queues, 1);

		queue->row = i < GSTAGE_MAX_QUEUES ? i + 1 : NO_ROW;
		if (queue->row == NO_ROW)
			return NULL;
		row = &checks.queues[bounded(i, GSTAGE_MAX_QUEUES)];
		row->vm = vms[bounded(vm_index, GSTAGE_MAX_VMS)].ordinal;
		row->vcpu = vcpu;
		row->time_ns = bpf_ktime_get_ns();
		row->gpa = gpa;
	}
	if (queue->row == NO_ROW)
		return NULL;
	return &checks.queues[bounded(queue->row - 1, GSTAGE_MAX_QUEUES)];
}

/*
 * KVM counts each time that the queue of this vCPU was found full: by what it has
 * counted since the last look.
 */
static __always_inline void note_full(struct fence_queue *queue, __u32 vm,
				      __u32 vcpu, __u64 nr_full, __u64 gpa)
{
	struct gstage_queue *row;
	__u64 nr = nr_full - queue->nr_full;

	if (nr_full <= queue->nr_full)
		return;
	/* Some of them may be older than the trace. */
	if (!queue->nr_full && vm_stats[bounded(vm, GSTAGE_MAX_VMS)].had_full)
		nr = 1;
	queue->nr_full = nr_full;
	add(queue->nr_seen, nr);
	row = row_of(queue, vm, vcpu, gpa);
	if (row)
		add(row->nr_full, nr);
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
	note_full(queue, p.vm_index, id, kget(vcpu, stat.hfence_queue_full),
		  c->full_gpa);
	if (is_queue_full(vcpu)) {
		if (!will_drain(vcpu))
			broken(GSTAGE_CHECK_FENCE_QUEUE, p.vm_index, id, 0,
			       GSTAGE_QUEUE_STUCK);
		return 0;
	}
	/*
	 * With a place free there must have been a full queue, each of which asks
	 * once, or a request of all vCPUs.
	 */
	nr = ++queue->nr_served;
	if (nr > queue->nr_seen + c->nr_flush_all + 1)
		broken(GSTAGE_CHECK_FENCE_QUEUE, p.vm_index, id, 0, nr);
	return 0;
}
