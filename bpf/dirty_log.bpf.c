// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of user space on the dirty log, which cut the life of a VM
 * into phases. Times are those of the operation inside KVM, without the way
 * in and out of the kernel.
 */
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"

/*
 * Operations of one VM that have begun and not ended, in the order in which they
 * did: the oldest one has slots_lock or gets it next, since their events come
 * before it is taken and after it is released. It is the one whose phase it is.
 */
struct op {
	__u64 task;
	__u32 slot;
	__u32 op;
};

#define MAX_OPS 4

static struct {
	struct op list[MAX_OPS];
	__u32 nr;
	__u32 ordinal; /* of the VM that they are of */
	__u32 is_locked; /* by whoever handles one */
	__u32 pad;
} ops[GSTAGE_MAX_VMS] = {};

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
	case DIRTY_LOG_RESET:
		enter_phase(i, GSTAGE_PHASE_CLEAR,
			    vm->round < 2 ? 1 : vm->round - 1);
		break;
	}
}

/* What the VM has come to by it. */
static __always_inline void note_result(struct gstage_vm *vm, __u32 slot,
					__u32 op, int ret)
{
	if (ret)
		return;
	switch (op) {
	case DIRTY_LOG_ENABLE:
		if (!vm->nr_logged++) {
			vm->first_slot = slot;
			vm->round++;
		}
		break;
	case DIRTY_LOG_DISABLE:
		if (vm->nr_logged)
			vm->nr_logged--;
		/* The next GET chooses the slot whose GETs count the rounds. */
		if (slot == vm->first_slot)
			vm->first_slot = GSTAGE_NO_SLOT;
		break;
	case DIRTY_LOG_GET:
		if (vm->first_slot == GSTAGE_NO_SLOT)
			vm->first_slot = slot;
		if (slot == vm->first_slot)
			vm->round++;
		break;
	}
}

static __always_inline void leave_op(__u32 i, const struct gstage_vm *vm)
{
	if (vm->nr_logged)
		enter_phase(i, GSTAGE_PHASE_DIRTY, vm->round);
	else if (vm->round)
		enter_phase(i, GSTAGE_PHASE_AFTER, 0);
	else
		enter_phase(i, GSTAGE_PHASE_POPULATE, 0);
}

static __always_inline void emit_op(__u32 i, __u32 slot, __u32 op, bool end,
				    int ret)
{
	struct gstage_rec rec = {
		.kind = GSTAGE_REC_LOG_OP,
		.gpa = slot,
		.from = op,
		.to = end,
		.ret = ret,
	};

	if (cfg_events)
		emit(i, &rec);
}

/* Of operations that are seen one after the other. */
static __always_inline int handle_log_op(const struct kvm *kvm, __u32 slot,
					 __u32 op, bool end, int ret)
{
	struct place p;

	if (!find_place(kvm, &p) || p.vm_index >= GSTAGE_MAX_VMS)
		return 0;
	emit_op(p.vm_index, slot, op, end, ret);
	if (end) {
		note_result(&vms[p.vm_index], slot, op, ret);
		leave_op(p.vm_index, &vms[p.vm_index]);
	} else {
		begin_op(p.vm_index, &vms[p.vm_index], slot, op);
	}
	return 0;
}

/* --- on tracepoints --------------------------------------------------------- */

/* Where that of @task is in the list, or MAX_OPS. */
static __always_inline __u32 find_op(__u32 vm, __u64 task)
{
	__u32 i;

	vm = bounded(vm, GSTAGE_MAX_VMS);
	for (i = 0; i < MAX_OPS; i++) {
		if (i < ops[vm].nr && ops[vm].list[i].task == task)
			return i;
	}
	return MAX_OPS;
}

int is_in_log_op(__u32 vm)
{
	return find_op(vm, bpf_get_current_task()) < MAX_OPS;
}

/* Global functions, so that the verifier looks at them once. */
int begin_traced(__u32 i, __u32 slot, __u32 op);
int end_traced(__u32 i, __u32 slot, __u32 op, int ret);

__noinline int begin_traced(__u32 i, __u32 slot, __u32 op)
{
	__u32 vm = bounded(i, GSTAGE_MAX_VMS), at;
	__u64 task = bpf_get_current_task();

	/* A ring may be reset before it is used for anything. */
	if (op == DIRTY_LOG_RESET && !vms[vm].nr_logged)
		return 0;
	if (ops[vm].ordinal != vms[vm].ordinal)
		ops[vm].nr = 0;
	ops[vm].ordinal = vms[vm].ordinal;
	/* The end of one that is there was not seen. */
	at = find_op(vm, task);
	if (at >= MAX_OPS)
		at = ops[vm].nr;
	if (at >= MAX_OPS) {
		add(losses.op_overflow, 1);
		return 0;
	}
	if (at == ops[vm].nr)
		ops[vm].nr++;
	ops[vm].list[bounded(at, MAX_OPS)] = (struct op){
		.task = task,
		.slot = slot,
		.op = op,
	};
	if (!at)
		begin_op(vm, &vms[vm], slot, op);
	return 0;
}

__noinline int end_traced(__u32 i, __u32 slot, __u32 op, int ret)
{
	__u32 vm = bounded(i, GSTAGE_MAX_VMS), at, n;
	struct op *list = ops[vm].list;

	at = find_op(vm, bpf_get_current_task());
	/* Its begin was not, or it is one that does not count. */
	if (at >= MAX_OPS && op == DIRTY_LOG_RESET)
		return 0;
	for (n = 0; n < MAX_OPS - 1; n++) {
		if (n >= at)
			list[n] = list[n + 1];
	}
	if (at < MAX_OPS)
		ops[vm].nr--;
	note_result(&vms[vm], slot, op, ret);
	if (at && ops[vm].nr)
		return 0;
	if (ops[vm].nr)
		begin_op(vm, &vms[vm], list[0].slot, list[0].op);
	else
		leave_op(vm, &vms[vm]);
	return 0;
}

/*
 * Events of two operations of a VM may come at once. The one that is handled keeps
 * its CPU, so whoever waits is on another one; that may be stopped below it.
 */
#define LOCK_TRIES (1 << 20)

extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

static int try_lock(__u64 i, void *data)
{
	__u32 vm = bounded(*(__u32 *)data, GSTAGE_MAX_VMS);

	if (__sync_val_compare_and_swap(&ops[vm].is_locked, 0, 1))
		return 0;
	*(__u32 *)data = GSTAGE_MAX_VMS;
	return 1;
}

SEC("?tp_btf/kvm_dirty_log")
int BPF_PROG(on_dirty_log, struct kvm *kvm, __u32 slot, unsigned int op,
	     bool end, int ret)
{
	struct place p;
	__u32 wanted;

	if (!find_place(kvm, &p))
		return 0;
	emit_op(p.vm_index, slot, op, end, ret);
	wanted = p.vm_index;
	bpf_preempt_disable();
	bpf_loop(LOCK_TRIES, try_lock, &wanted, 0);
	if (wanted < GSTAGE_MAX_VMS)
		add(losses.op_overflow, 1);
	else if (end)
		end_traced(p.vm_index, slot, op, ret);
	else
		begin_traced(p.vm_index, slot, op);
	if (wanted >= GSTAGE_MAX_VMS)
		__sync_lock_test_and_set(
			&ops[bounded(p.vm_index, GSTAGE_MAX_VMS)].is_locked, 0);
	bpf_preempt_enable();
	return 0;
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
