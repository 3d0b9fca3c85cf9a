/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a G-stage page table: what a function did to the leaves is the
 * difference between before and after, and what must hold is looked at there.
 * Whoever reads it holds mmu_lock, or takes what it finds for a hint.
 */
#ifndef GSTAGE_BPF_WALK_BPF_H
#define GSTAGE_BPF_WALK_BPF_H

#include "bpf/hook.bpf.h"

/* Sv57x4 */
#define MAX_LEVELS 5

struct tables {
	__u64 pgd;
	__u64 phys_to_virt; /* of the linear mapping, which tables lie in */
	__u32 levels;
};

struct leaf {
	__u64 pte; /* 0: no leaf */
	__u64 ptep; /* where the walk ended */
	__u32 level; /* there */
};

static __always_inline bool find_tables(const struct kvm_gstage *gstage,
					struct tables *t)
{
	const struct kvm *kvm = kget(gstage, kvm);

	/* Read by helper: loaded directly they would be pointers, not numbers. */
	t->pgd = (__u64)BPF_CORE_READ(gstage, pgd);
	t->levels = kget(gstage, pgd_levels);
	t->phys_to_virt = (__u64)BPF_CORE_READ(gstage, kvm, arch.pgd) -
			  kget(kvm, arch.pgd_phys);
	return t->pgd && t->levels && t->levels <= MAX_LEVELS;
}

static __noinline int walk(const struct tables *t, __u64 gpa, struct leaf *leaf)
{
	__u64 table, pte, index;
	__u32 level, i;

	if (!t || !leaf)
		return -1;
	leaf->pte = 0;
	table = t->pgd;
	level = t->levels - 1;
	for (i = 0; i < MAX_LEVELS; i++) {
		index = gpa >> LEVEL_SHIFT(level);
		/* The root is four pages. */
		index &= (1ULL << (i ? 9 : 9 + 2)) - 1;
		leaf->ptep = table + 8 * index;
		leaf->level = level;
		if (bpf_probe_read_kernel(&pte, sizeof(pte),
					  (void *)leaf->ptep) ||
		    !pte)
			return 0;
		if (pte & PAGE_LEAF) {
			leaf->pte = pte;
			return 0;
		}
		if (!level)
			return 0;
		level--;
		table = (PTE_PFN(pte) << PAGE_SHIFT) + t->phys_to_virt;
	}
	return 0;
}

/* Is there anything in the entry beside that of @leaf? A split fills them all. */
static __always_inline bool has_sibling(const struct leaf *leaf)
{
	__u64 pte;

	return !bpf_probe_read_kernel(&pte, sizeof(pte),
				      (void *)(leaf->ptep ^ 8)) &&
	       pte;
}

#endif /* GSTAGE_BPF_WALK_BPF_H */
