// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of user space on the dirty log, which cut the life of a VM
 * into phases. Times are those of the operation inside KVM, without the way
 * in and out of the kernel.
 */
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"

/*
 * Tracing began when the VM was already logged: the rounds are counted from
 * here, and a CLEAR belongs to a round before the first.
 */
static __always_inline void join_logged(struct gstage_vm *vm, __u32 slot,
					__u32 op)
{
	if (vm->nr_logged || (op != DIRTY_LOG_GET && op != DIRTY_LOG_CLEAR))
		return;
	vm->nr_logged = 1;
	vm->first_slot = slot;
	vm->round = op == DIRTY_LOG_CLEAR ? 2 : 1;
}

static __always_inline void begin_op(__u32 i, struct gstage_vm *vm, __u32 slot,
				     __u32 op)
{
	join_logged(vm, slot, op);
	switch (op) {
	case DIRTY_LOG_ENABLE:
		enter_phase(i, GSTAGE_PHASE_ENABLE, 0);
		break;
	case DIRTY_LOG_DISABLE:
		enter_phase(i, GSTAGE_PHASE_DISABLE, 0);
		break;
	case DIRTY_LOG_GET:
		/* More slots than one: their GETs belong to the same harvest. */
		enter_phase(i, GSTAGE_PHASE_GET,
			    slot == vm->first_slot || vm->round < 2 ?
				    vm->round :
				    vm->round - 1);
		break;
	case DIRTY_LOG_CLEAR:
		enter_phase(i, GSTAGE_PHASE_CLEAR,
			    vm->round < 2 ? 1 : vm->round - 1);
		break;
	}
}

static __always_inline void end_op(__u32 i, struct gstage_vm *vm, __u32 slot,
				   __u32 op, int ret)
{
	if (!ret && op == DIRTY_LOG_ENABLE) {
		if (!vm->nr_logged++) {
			vm->first_slot = slot;
			vm->round++;
		}
	} else if (!ret && op == DIRTY_LOG_DISABLE) {
		if (vm->nr_logged)
			vm->nr_logged--;
		/* The next GET chooses the slot whose GETs count the rounds. */
		if (slot == vm->first_slot)
			vm->first_slot = GSTAGE_NO_SLOT;
	} else if (!ret && op == DIRTY_LOG_GET) {
		if (vm->first_slot == GSTAGE_NO_SLOT)
			vm->first_slot = slot;
		if (slot == vm->first_slot)
			vm->round++;
	}

	if (vm->nr_logged)
		enter_phase(i, GSTAGE_PHASE_DIRTY, vm->round);
	else if (vm->round)
		enter_phase(i, GSTAGE_PHASE_AFTER, 0);
	else
		enter_phase(i, GSTAGE_PHASE_POPULATE, 0);
}

static __always_inline int handle_log_op(const struct kvm *kvm, __u32 slot,
					 __u32 op, bool end, int ret)
{
	struct place p;

	if (!find_place(kvm, &p) || p.vm_index >= GSTAGE_MAX_VMS)
		return 0;

	if (cfg_events) {
		struct gstage_rec rec = {
			.kind = GSTAGE_REC_LOG_OP,
			.gpa = slot,
			.from = op,
			.to = end,
			.ret = ret,
		};

		emit(p.vm_index, &rec);
	}
	if (end)
		end_op(p.vm_index, &vms[p.vm_index], slot, op, ret);
	else
		begin_op(p.vm_index, &vms[p.vm_index], slot, op);
	return 0;
}

SEC("?tp_btf/kvm_dirty_log")
int BPF_PROG(on_dirty_log, struct kvm *kvm, __u32 slot, unsigned int op,
	     bool end, int ret)
{
	return handle_log_op(kvm, slot, op, end, ret);
}

/* --- on functions ---------------------------------------------------------- */

/*
 * An ioctl on the way. The function that does the work is inlined, so what is
 * seen is the ioctl, a function of the architecture that it calls once it holds
 * slots_lock, and its end, when another may hold the lock already.
 */
struct log_call {
	__u64 task; /* 0: free */
	__u64 kvm;
	__u32 op; /* DIRTY_LOG_*, or OP_DELETE */
	__u32 slot;
	__u32 state;
	__u32 pad;
};

/* A slot goes: it is the end of the log if the slot is logged. */
#define OP_DELETE 4

#define CALL_WAITS 1 /* for slots_lock */
#define CALL_BEGUN 2
#define CALL_ENDED 3 /* by the begin of another one */

/* Threads that are in one of these ioctls at a time. */
#define MAX_LOG_CALLS 16

static struct log_call log_calls[MAX_LOG_CALLS] = {};

/*
 * Global functions below, where static ones would do: the verifier looks at them
 * once for each program, and not once for each way that leads there.
 */
int find_call(const __u64 *kvm);
int find_begun(__u64 kvm);
int end_call(__u32 i, int ret);
int begin_call(__u32 i, __u32 op, __u32 slot);

/*
 * That of the current thread, or a new one for the VM at *@kvm if that is not 0;
 * by reference, see find_place().
 */
__noinline int find_call(const __u64 *kvm)
{
	__u64 task = bpf_get_current_task();
	__u32 i;

	if (!kvm)
		return MAX_LOG_CALLS;
	for (i = 0; i < MAX_LOG_CALLS; i++) {
		if (log_calls[i].task == task)
			return i;
	}
	for (i = 0; *kvm && i < MAX_LOG_CALLS; i++) {
		if (__sync_val_compare_and_swap(&log_calls[i].task, 0, task))
			continue;
		log_calls[i].kvm = *kvm;
		log_calls[i].state = CALL_WAITS;
		return i;
	}
	return MAX_LOG_CALLS;
}

/* That of the current thread, if it has one. */
static __always_inline __u32 find_own_call(void)
{
	__u64 none = 0;

	return find_call(&none);
}

/* One for @kvm that has begun and not ended. */
__noinline int find_begun(__u64 kvm)
{
	__u32 i;

	for (i = 0; i < MAX_LOG_CALLS; i++) {
		if (log_calls[i].task && log_calls[i].kvm == kvm &&
		    log_calls[i].state == CALL_BEGUN)
			return i;
	}
	return MAX_LOG_CALLS;
}

__noinline int end_call(__u32 i, int ret)
{
	struct log_call *call;

	if (i >= MAX_LOG_CALLS)
		return 0;
	call = &log_calls[i];
	call->state = CALL_ENDED;
	return handle_log_op((void *)call->kvm, call->slot, call->op, true,
			     ret);
}

__noinline int begin_call(__u32 i, __u32 op, __u32 slot)
{
	struct log_call *call;

	if (i >= MAX_LOG_CALLS)
		return 0;
	call = &log_calls[i];
	/* Whoever had the lock before has come to its end. */
	end_call(find_begun(call->kvm), 0);
	call->op = op;
	call->slot = slot;
	call->state = CALL_BEGUN;
	return handle_log_op((void *)call->kvm, slot, op, false, 0);
}

ON_ENTRY(kvm_vm_ioctl, fn_ioctl, struct file *file, unsigned int nr,
	 unsigned long arg)
{
	struct log_call *call;
	__u64 size = 0, kvm;
	__u32 slot = 0, op, i;

	switch (nr) {
	case KVM_GET_DIRTY_LOG:
		op = DIRTY_LOG_GET;
		break;
	case KVM_CLEAR_DIRTY_LOG:
		op = DIRTY_LOG_CLEAR;
		break;
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		if (bpf_probe_read_user(&size, sizeof(size),
					(void *)arg + MEMORY_SIZE_OFFSET) ||
		    size)
			return 0;
		op = OP_DELETE;
		break;
	default:
		return 0;
	}
	bpf_probe_read_user(&slot, sizeof(slot), (void *)arg);
	kvm = (__u64)kget(file, private_data);
	i = find_call(&kvm);
	if (i >= MAX_LOG_CALLS) {
		add(losses.vm_overflow, 1);
		return 0;
	}
	call = &log_calls[i];
	call->op = op;
	call->slot = slot;
	return 0;
}

static __always_inline __u32 slot_number(const struct kvm_memory_slot *slot)
{
	return (__u32)kget(slot, as_id) << 16 | (__u16)kget(slot, id);
}

/* In GET and CLEAR, once it is clear that there is a log. */
ON_ENTRY(kvm_arch_sync_dirty_log, fn_log_op, struct kvm *kvm,
	 struct kvm_memory_slot *slot)
{
	__u32 i = find_own_call();

	if (i < MAX_LOG_CALLS && log_calls[i].state == CALL_WAITS &&
	    log_calls[i].op != OP_DELETE)
		begin_call(i, log_calls[i].op, slot_number(slot));
	return 0;
}

/* A slot that goes is unmapped before anything else is asked. */
ON_ENTRY(kvm_arch_flush_shadow_memslot, fn_flush_slot, struct kvm *kvm,
	 struct kvm_memory_slot *slot)
{
	__u32 i;

	if (!(kget(slot, flags) & KVM_MEM_LOG_DIRTY_PAGES))
		return 0;
	i = find_own_call();
	if (i < MAX_LOG_CALLS && log_calls[i].state == CALL_WAITS &&
	    log_calls[i].op == OP_DELETE)
		begin_call(i, DIRTY_LOG_DISABLE, slot_number(slot));
	return 0;
}

ON_ENTRY(kvm_arch_prepare_memory_region, fn_set_slot, struct kvm *kvm,
	 struct kvm_memory_slot *old, struct kvm_memory_slot *new)
{
	__u32 old_flags = old ? kget(old, flags) : 0,
	      new_flags = new ? kget(new, flags) : 0;
	__u64 address = (__u64)kvm;
	__u32 i;

	if (!((old_flags ^ new_flags) & KVM_MEM_LOG_DIRTY_PAGES))
		return 0;
	i = find_call(&address);
	if (i >= MAX_LOG_CALLS) {
		add(losses.vm_overflow, 1);
		return 0;
	}
	if (log_calls[i].state == CALL_WAITS)
		begin_call(i,
			   new_flags & KVM_MEM_LOG_DIRTY_PAGES ?
				   DIRTY_LOG_ENABLE :
				   DIRTY_LOG_DISABLE,
			   slot_number(new ? new : old));
	return 0;
}

ON_RESULT(kvm_vm_ioctl, fn_ioctl_done, struct file *file, unsigned int nr,
	  unsigned long arg, long ret)
{
	struct log_call *call;
	__u32 i;

	i = find_own_call();
	if (i >= MAX_LOG_CALLS)
		return 0;
	call = &log_calls[i];
	/* It failed before anything was done: an operation all the same. */
	if (call->state == CALL_WAITS && call->op != OP_DELETE)
		begin_call(i, call->op, call->slot);
	if (call->state == CALL_BEGUN)
		end_call(i, ret);
	call->state = 0;
	__sync_lock_test_and_set(&call->task, 0);
	return 0;
}
