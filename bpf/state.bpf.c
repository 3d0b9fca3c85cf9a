// SPDX-License-Identifier: GPL-2.0-only
/*
 * Definitions of state.bpf.h: which VMs are followed, and their phases.
 *
 * A VM is met at its first event. Its phase changes with the log operations of
 * user space, so that any VMM gets a phase table without knowing about us.
 */
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/stats.bpf.h"
#include "bpf/vcpu.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 cfg_tgid = 0;
const volatile bool cfg_latency = true;
const volatile __u64 cfg_clock_resolution_ns = 1;
const volatile bool cfg_events = false;
const volatile __u32 cfg_max_phases = GSTAGE_MAX_PHASES;
const volatile bool cfg_fn_prots = false;
const volatile bool cfg_fn_executed = false;
const volatile bool cfg_stats = false;
const volatile bool cfg_checks = false;
const volatile bool cfg_stalls = false;

struct gstage_state state = {};
struct gstage_phase phases[GSTAGE_MAX_PHASES] = {};
__u32 nr_phases = 0;
__u32 nr_vms = 0;
struct gstage_losses losses = {};
struct gstage_coverage coverage = {};
__u32 nr_vcpus[GSTAGE_MAX_VMS] = {};

struct rows_map rows SEC(".maps");
struct turns_map turns SEC(".maps");

/* Sized at load; a page, the smallest there is, unless --events is given. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

/* Deep enough for a VMM below a shell below a wrapper below the command. */
#define MAX_ANCESTORS 16

static bool is_wanted(const struct task_struct *task)
{
	int i;

	if (!cfg_tgid)
		return true;
	for (i = 0; i < MAX_ANCESTORS; i++) {
		__u32 tgid = BPF_CORE_READ(task, tgid);

		if (tgid == cfg_tgid)
			return true;
		if (tgid <= 1)
			return false;
		task = BPF_CORE_READ(task, real_parent);
	}
	return false;
}

/* Enough for the other CPU, unless it is stopped in the middle. */
#define ENTRY_TRIES 500

struct entry {
	__u64 kvm;
	__u32 i;
};

static int look_at_entry(__u64 i, void *data)
{
	struct entry *entry = data;

	return *(volatile __u64 *)&vms[bounded(entry->i, GSTAGE_MAX_VMS)].kvm ==
	       entry->kvm;
}

/*
 * Another vCPU of the VM is filling the entry. If that takes long, count with
 * what is there: on_destroy_vm() leaves the phase that will most likely come.
 * (A plain loop of so many rounds takes the verifier a second, in each program.)
 */
static int wait_for_entry(int i, __u64 kvm)
{
	struct entry entry = { .kvm = kvm, .i = i };

	bpf_loop(ENTRY_TRIES, look_at_entry, &entry, 0);
	return i;
}

__noinline int find_vm(const struct met *met)
{
	__u64 kvm;
	int i;

	if (!met)
		return GSTAGE_MAX_VMS;
	kvm = met->kvm;
	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (vms[i].kvm == kvm)
			return i;
	}
	if (!is_wanted((const struct task_struct *)met->task))
		return GSTAGE_MAX_VMS;

	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		__u64 old = __sync_val_compare_and_swap(&vms[i].owner, 0, kvm);

		/* Another vCPU met it first and is filling the entry. */
		if (old == kvm)
			return wait_for_entry(i, kvm);
		if (old)
			continue;
		vms[i].ordinal = __sync_fetch_and_add(&nr_vms, 1) + 1;
		vms[i].round = 0;
		vms[i].nr_logged = 0;
		vms[i].since_ns = 0;
		begin_stats(i, kvm);
		enter_phase(i, GSTAGE_PHASE_POPULATE, 0);
		/* An exchange orders the stores before it. */
		__sync_lock_test_and_set(&vms[i].kvm, kvm);
		return i;
	}
	add(losses.vm_overflow, 1);
	return GSTAGE_MAX_VMS;
}

__noinline int find_new_vm(const __u64 *address)
{
	struct met met = {
		.kvm = address ? *address : 0,
		.task = bpf_get_current_task(),
	};

	return address ? find_vm(&met) : GSTAGE_MAX_VMS;
}

struct wanted {
	__u32 vm;
	__u32 kind;
	__u32 round;
	__u32 found;
};

static int look_at_phase(__u64 i, void *data)
{
	struct gstage_phase *p = &phases[bounded(i, GSTAGE_MAX_PHASES)];
	struct wanted *wanted = data;

	if (i >= nr_phases)
		return 1;
	if (p->vm != wanted->vm || p->kind != wanted->kind ||
	    p->round != wanted->round)
		return 0;
	wanted->found = i;
	return 1;
}

static int find_phase(__u32 vm, __u32 kind, __u32 round)
{
	struct wanted wanted = {
		.vm = vm,
		.kind = kind,
		.round = round,
		.found = GSTAGE_MAX_PHASES,
	};
	__u32 i;

	bpf_loop(GSTAGE_MAX_PHASES, look_at_phase, &wanted, 0);
	if (wanted.found < GSTAGE_MAX_PHASES)
		return wanted.found;
	i = __sync_fetch_and_add(&nr_phases, 1);
	if (i >= cfg_max_phases || i >= GSTAGE_MAX_PHASES) {
		add(nr_phases, -1);
		add(losses.phase_overflow, 1);
		return cfg_max_phases - 1;
	}
	phases[i].vm = vm;
	phases[i].kind = kind;
	phases[i].round = round;
	return i;
}

/* The present phase of the VM ends now. */
__noinline int leave_phase(__u32 vm_index)
{
	struct gstage_phase *p;
	struct gstage_vm *vm;

	if (vm_index >= GSTAGE_MAX_VMS)
		return -1;
	vm = &vms[vm_index];
	if (!vm->since_ns)
		return 0;

	p = &phases[vm->phase % GSTAGE_MAX_PHASES];
	p->end_ns = bpf_ktime_get_ns();
	p->duration_ns += p->end_ns - vm->since_ns;
	vm->since_ns = 0;
	return 0;
}

/*
 * The VM leaves its phase for another one. Log operations of one VM are
 * serialized by KVM (slots_lock).
 */
__noinline int enter_phase(__u32 vm_index, __u32 kind, __u32 round)
{
	struct gstage_phase *p;
	struct gstage_vm *vm;
	__u32 i;

	if (vm_index >= GSTAGE_MAX_VMS)
		return -1;
	vm = &vms[vm_index];

	/* Of neither phase is the time that this takes. */
	leave_phase(vm_index);
	if (vm->kvm)
		take_stats(vm_index);
	i = find_phase(vm->ordinal, kind, round);
	if (i >= GSTAGE_MAX_PHASES)
		return -1;
	p = &phases[i];
	vm->since_ns = bpf_ktime_get_ns();
	if (!p->entered++)
		p->start_ns = vm->since_ns;
	p->end_ns = 0;
	vm->phase = i;
	if (cfg_stalls) {
		struct gstage_turns *t = bpf_map_lookup_elem(&turns, &vm_index);

		if (t)
			turns_add(t, vm->since_ns, i);
	}
	return 0;
}

__noinline int emit(__u32 vm_index, struct gstage_rec *rec)
{
	if (!rec || vm_index >= GSTAGE_MAX_VMS)
		return -1;
	rec->vm = vms[vm_index].ordinal;
	rec->time_ns = bpf_ktime_get_ns();
	if (bpf_ringbuf_output(&records, rec, sizeof(*rec), 0))
		add(losses.record_drops, 1);
	return 0;
}

/*
 * A VM gets memory, or another one: it is met at the first. Those that had some
 * when tracing began user space has met (read_vm).
 */
ON_ENTRY(kvm_arch_prepare_memory_region, on_memory, struct kvm *kvm)
{
	__u64 address = (__u64)kvm;

	find_new_vm(&address);
	return 0;
}

/*
 * Its vCPUs are still there. The address of a struct kvm may be used again by the
 * next VM: without this hook two VMs in a row may be taken for one.
 */
ON_ENTRY(kvm_arch_destroy_vm, on_destroy_vm, struct kvm *kvm)
{
	int i;

	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (vms[i].kvm != (__u64)kvm)
			continue;
		leave_phase(i);
		take_stats(i);
		vms[i].kvm = 0;
		vms[i].phase = nr_phases;
		__sync_lock_test_and_set(&vms[i].owner, 0);
	}
	return 0;
}
