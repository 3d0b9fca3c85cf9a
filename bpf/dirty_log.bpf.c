// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of user space on the dirty log, which cut the life of a VM
 * into phases. Times are those of the operation inside KVM, without the way
 * in and out of the kernel.
 */
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

SEC("tp_btf/kvm_dirty_log")
int BPF_PROG(on_dirty_log, struct kvm *kvm, __u32 slot, unsigned int op,
	     bool end, int ret)
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
