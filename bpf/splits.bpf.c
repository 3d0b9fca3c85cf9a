// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dirty logging does to the leaves: huge ones split, with the cause and
 * the level, or not split because of an error; and leaves of any level that
 * lost write permission. Leaves are counted, never calls: on functions by what
 * is in the page table before and after.
 */
#include "bpf/splits.bpf.h"

#include "bpf/hook.bpf.h"
#include "bpf/vcpu.bpf.h"

static __always_inline int handle_wp(const struct kvm *kvm, __u32 cause,
				     __u64 level0, __u64 level1, __u64 level2)
{
	struct place p;

	if (!find_place(kvm, &p) || cause >= GSTAGE_NR_CAUSES)
		return 0;

	add(p.counts->wp_leaves[cause][0], level0);
	if (level1)
		add(p.counts->wp_leaves[cause][1], level1);
	if (level2)
		add(p.counts->wp_leaves[cause][2], level2);
	return 0;
}

/* Only for --events: what is counted KVM counts itself. */
SEC("?tp_btf/kvm_mmu_split_huge_page")
int BPF_PROG(on_split, struct kvm *kvm, __u64 gfn, __u64 spte, int level,
	     int error)
{
	struct place p;

	if (find_place(kvm, &p))
		emit_split(p.vm_index, gfn << PAGE_SHIFT, level,
			   level ? level - 1 : 0,
			   is_in_log_op(p.vm_index) ?
				   cause_of_phase(p.vm_index) :
				   GSTAGE_CAUSE_FAULT,
			   error);
	return 0;
}

/* --- on functions ---------------------------------------------------------- */

/*
 * A function that is under way. It holds mmu_lock for writing, so there is one of
 * them for each VM.
 */
static struct pass {
	__u32 is_valid;
	__u32 nr_free; /* pages in the cache, before */
	struct leaf leaf; /* before */
	__u64 nr_writable[3]; /* before */
	/* Leaves with write permission from @gpa to @end, by level (2: and above). */
	struct tables tables;
	__u64 gpa;
	__u64 end;
	__u64 nr[3];
	__u64 ptes[64];
} passes[GSTAGE_MAX_VMS] = {};

/*
 * Splits outside of faults: those of faults are seen by fn_map_page(), whether
 * the call in it is inlined or not.
 */
ON_ENTRY(kvm_riscv_gstage_split_huge, fn_split, struct kvm_gstage *gstage,
	 struct kvm_mmu_memory_cache *cache, __u64 gpa, __u32 target)
{
	struct tables tables;
	struct pass *pass;
	struct place p;

	if (!find_place(kget(gstage, kvm), &p))
		return 0;
	if (!cache)
		return handle_split(kget(gstage, kvm), gpa, target + 1, target,
				    cause_of_phase(p.vm_index), -1);
	pass = &passes[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	pass->is_valid = 0;
	if (find_slot_of_cache(cache) || !find_tables(gstage, &tables))
		return 0;
	walk(&tables, gpa, &pass->leaf);
	pass->nr_free = kget(cache, nobjs);
	pass->is_valid = 1;
	return 0;
}

/* Each leaf that is split takes one page from the cache, for its table. */
ON_RETURN(kvm_riscv_gstage_split_huge, fn_split_done, struct kvm_gstage *gstage,
	  struct kvm_mmu_memory_cache *cache, __u64 gpa, __u32 target)
{
	struct pass *pass;
	__u32 level, cause, nr, i;
	struct place p;

	if (!cache || !find_place(kget(gstage, kvm), &p))
		return 0;
	pass = &passes[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	if (!pass->is_valid || !pass->leaf.pte)
		return 0;
	pass->is_valid = 0;
	cause = cause_of_phase(p.vm_index);
	level = pass->leaf.level;
	nr = pass->nr_free - kget(cache, nobjs);
	for (i = 0; i < MAX_LEVELS && i < nr && level; i++) {
		handle_split(kget(gstage, kvm), gpa, level, level - 1, cause,
			     0);
		level--;
	}
	/* No page was left. */
	if (level > target)
		handle_split(kget(gstage, kvm), gpa, level, level - 1, cause,
			     -1);
	return 0;
}

/* 64 pages each, or a huge leaf, or a hole: 64 GiB in 4K leaves. */
#define MAX_SCAN_STEPS (1 << 18)

/* @data is the number of the VM: it must be on the stack. */
static int scan_step(__u64 i, void *data)
{
	struct pass *s = &passes[bounded(*(__u32 *)data, GSTAGE_MAX_VMS)];
	struct tables tables = s->tables;
	__u64 gpa = s->gpa, end = s->end, size;
	__u64 first, nr, mask, nr_writable = 0;
	struct leaf leaf;
	__u32 n;

	if (gpa >= end)
		return 1;
	walk(&tables, gpa, &leaf);
	size = 1ULL << LEVEL_SHIFT(leaf.level);
	if (leaf.level) {
		if (leaf.pte & PAGE_WRITE)
			s->nr[leaf.level > 1 ? 2 : 1]++;
		s->gpa = (gpa & ~(size - 1)) + size;
		return 0;
	}

	/* The 64 entries around, of which those from @gpa to @end count. */
	first = (gpa >> PAGE_SHIFT) & 63;
	nr = (end - gpa + size - 1) >> PAGE_SHIFT;
	if (nr > 64 - first)
		nr = 64 - first;
	mask = ~0ULL >> (64 - nr) << first;
	if (bpf_probe_read_kernel(s->ptes, sizeof(s->ptes),
				  (void *)(leaf.ptep - 8 * first)))
		return 1;
	/* Without a branch, which the verifier would follow both ways each time. */
	for (n = 0; n < 64; n++)
		nr_writable += s->ptes[n] / PAGE_WRITE & mask >> n & 1;
	s->nr[0] += nr_writable;
	s->gpa = gpa + (nr << PAGE_SHIFT);
	return 0;
}

/* False: there is more than can be looked through. */
static __always_inline bool scan(const struct kvm_gstage *gstage, __u32 vm,
				 __u64 gpa, __u64 end)
{
	struct pass *pass = &passes[bounded(vm, GSTAGE_MAX_VMS)];
	struct tables tables;

	pass->gpa = gpa;
	pass->end = end;
	pass->nr[0] = pass->nr[1] = pass->nr[2] = 0;
	if (!find_tables(gstage, &tables))
		return false;
	pass->tables = tables;
	bpf_loop(MAX_SCAN_STEPS, scan_step, &vm, 0);
	return pass->gpa >= pass->end;
}

static __always_inline int wp_begin(const struct kvm_gstage *gstage, __u64 gpa,
				    __u64 end)
{
	struct pass *pass;
	struct place p;

	if (!find_place(kget(gstage, kvm), &p))
		return 0;
	pass = &passes[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	pass->is_valid = scan(gstage, p.vm_index, gpa, end);
	if (!pass->is_valid)
		add(coverage.scans_cut, 1);
	pass->nr_writable[0] = pass->nr[0];
	pass->nr_writable[1] = pass->nr[1];
	pass->nr_writable[2] = pass->nr[2];
	return 0;
}

static __always_inline int wp_end(const struct kvm_gstage *gstage, __u64 gpa,
				  __u64 end)
{
	struct pass *pass;
	struct place p;

	if (!find_place(kget(gstage, kvm), &p))
		return 0;
	pass = &passes[bounded(p.vm_index, GSTAGE_MAX_VMS)];
	if (!pass->is_valid || !scan(gstage, p.vm_index, gpa, end))
		return 0;
	pass->is_valid = 0;
	return handle_wp(kget(gstage, kvm), cause_of_phase(p.vm_index),
			 pass->nr_writable[0] - pass->nr[0],
			 pass->nr_writable[1] - pass->nr[1],
			 pass->nr_writable[2] - pass->nr[2]);
}

ON_ENTRY(kvm_riscv_gstage_wp_range, fn_wp_range, struct kvm_gstage *gstage,
	 __u64 gpa, __u64 end)
{
	return wp_begin(gstage, gpa, end);
}

ON_RETURN(kvm_riscv_gstage_wp_range, fn_wp_range_done,
	  struct kvm_gstage *gstage, __u64 gpa, __u64 end)
{
	return wp_end(gstage, gpa, end);
}

/* Up to 64 pages, those of a mask. */
#define MASK_BYTES (64ULL << PAGE_SHIFT)

ON_ENTRY(kvm_riscv_gstage_wp_pt_masked, fn_wp_masked, struct kvm_gstage *gstage,
	 __u64 gfn)
{
	return wp_begin(gstage, gfn << PAGE_SHIFT,
			(gfn << PAGE_SHIFT) + MASK_BYTES);
}

ON_RETURN(kvm_riscv_gstage_wp_pt_masked, fn_wp_masked_done,
	  struct kvm_gstage *gstage, __u64 gfn)
{
	return wp_end(gstage, gfn << PAGE_SHIFT,
		      (gfn << PAGE_SHIFT) + MASK_BYTES);
}
