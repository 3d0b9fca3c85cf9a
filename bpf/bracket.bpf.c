// SPDX-License-Identifier: GPL-2.0-only
/*
 * What gstage's own hooks add to the latency of a fault, on the running kernel.
 *
 * A fault of the function backend is played on the functions that the kernel has
 * for tests of BPF, which do nothing and which user space can have called: from
 * where fn_exit_timed() reads the clock to where fn_mapped() does, with the hooks
 * that are between them in a fault. These do the same work here, on a vCPU and
 * page tables made up for it. On tracepoints nothing of ours is in a fault. In
 * nanoseconds. Falsified by: latencies of one scenario on functions
 * and on tracepoints (tests/vm/bracket.sh).
 */
#include "bpf/faults.bpf.h"
#include "bpf/flushes.bpf.h"
#include "bpf/hook.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/vcpu.bpf.h"
#include "bpf/walk.bpf.h"

struct gstage_bracket bracket = {};

/*
 * No VM is traced yet, so this one is taken for the first. What is counted for it
 * user space throws away.
 */
#define NO_KVM ((const struct kvm *)0)

/*
 * Running it as a test calls the functions with what is attached to them; itself it
 * is attached to none. No kprobe, as these cannot be run so.
 */
SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(bracket_run)
{
	return 0;
}

/* @p as a number. */
static __always_inline __u64 address_of(const void *p)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &p);
	return address;
}

/* Others may test their programs at the same time, and while a trace runs. */
static __always_inline bool is_ours(void)
{
	return bracket.tgid == bpf_get_current_pid_tgid() >> 32;
}

/* As fn_exit_timed() leaves it. */
static __always_inline int begin(void)
{
	struct gstage_state *s = state_ptr();
	struct gstage_vcpu *slot = &s->vcpus[0][0];
	__u64 vcpu;

	if (!is_ours())
		return 0;
	vcpu = address_of(&bracket.zero) -
	       bpf_core_field_offset(struct kvm_vcpu, vcpu_idx);
	bracket.cache = vcpu + bpf_core_field_offset(struct kvm_vcpu,
						     arch.mmu_page_cache);
	bracket.before_at = address_of(bracket.before);
	bracket.after_at = address_of(bracket.after);
	slot->vcpu = vcpu;
	slot->is_open = 1;
	slot->path = GSTAGE_PATH_FAST;
	slot->access = GSTAGE_ACCESS_WRITE;
	*hint_here(s) = 0;
	slot->task = bpf_get_current_task();
	slot->start_ns = bpf_ktime_get_ns();
	return 0;
}

/* Two places to begin at: what is between a fault and its end differs. */
ON_ENTRY(bpf_fentry_test6, bracket_fast)
{
	return begin();
}

ON_ENTRY(bpf_fentry_test2, bracket_slow)
{
	return begin();
}

/* fn_topup() */
ON_RETURN(bpf_fentry_test4, bracket_topup)
{
	note_topup((void *)bracket.cache, 0);
	return 0;
}

/* fn_flush_gpa(), for the leaf that is split */
ON_ENTRY(bpf_fentry_test3, bracket_flush_huge)
{
	__u64 size = 1ULL << LEVEL_SHIFT(1);

	if (!is_fault_flush(size, LEVEL_SHIFT(1)))
		handle_call(NO_KVM, HFENCE_GVMA_VMID_GPA, bracket.gpa, size,
			    LEVEL_SHIFT(1));
	return 0;
}

/* Splits outside of faults that are under way. */
static __u32 has_split[GSTAGE_MAX_VMS] = {};

/* fn_split(), and fn_split_done(): this one is that of a fault */
ON_ENTRY(bpf_fentry_test5, bracket_split)
{
	__u32 *has;
	struct place p;

	if (!find_place(NO_KVM, &p))
		return 0;
	has = &has_split[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	*has = 0;
	if (!find_slot_of_cache((void *)bracket.cache))
		*has = 1;
	return 0;
}

ON_RETURN(bpf_fentry_test5, bracket_split_done)
{
	__u32 *has;
	struct place p;

	if (!find_place(NO_KVM, &p))
		return 0;
	has = &has_split[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	if (*has)
		*has = 0;
	return 0;
}

/* find_tables(): three reads by helper. */
static __always_inline void read_tables(struct tables *t, const __u64 *at)
{
	__u64 kvm, pgd;

	bpf_probe_read_kernel(&t->pgd, sizeof(t->pgd), at);
	bpf_probe_read_kernel(&kvm, sizeof(kvm), at);
	bpf_probe_read_kernel(&pgd, sizeof(pgd), at);
	t->levels = bracket.levels;
	t->phys_to_virt = pgd;
}

/* fn_map_page() */
ON_ENTRY(bpf_fentry_test6, bracket_map_page)
{
	struct gstage_vcpu *slot = find_slot_of_cache((void *)bracket.cache);
	struct tables tables;

	if (!slot)
		return 0;
	read_tables(&tables, &bracket.before_at);
	note_leaf(slot, &tables, bracket.gpa);
	return 0;
}

/* fn_map_page_done() */
ON_RETURN(bpf_fentry_test6, bracket_map_page_done)
{
	struct gstage_vcpu *slot = find_slot_of_cache((void *)bracket.cache);
	struct tables tables;

	if (!slot)
		return 0;
	read_tables(&tables, &bracket.after_at);
	judge_leaf(NO_KVM, slot, &tables, bracket.gpa, 0, 0);
	return 0;
}

/* fn_flush_gpa() */
ON_ENTRY(bpf_fentry_test7, bracket_flush)
{
	is_fault_flush(bracket.flush_bytes, bracket.flush_order);
	return 0;
}

/* fn_mapped(), and what is not within the latency. */
ON_RETURN(bpf_fentry_test8, bracket_end)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct gstage_vcpu *slot = slot_here(state_ptr());

	if (!is_ours() || !slot->is_open)
		return 0;
	slot->is_open = 0;
	bracket.sum_ns += now_ns - slot->start_ns;
	bracket.nr++;
	return 0;
}
