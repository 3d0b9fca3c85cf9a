/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the G-stage page table of a VM. Whoever reads it holds mmu_lock, or
 * takes what it finds for a hint.
 */
#ifndef GSTAGE_BPF_TABLES_BPF_H
#define GSTAGE_BPF_TABLES_BPF_H

#include "bpf/checks.bpf.h"

#define MAX_LEVELS 5
/* The root table of the G-stage is four times as large as the others. */
#define ROOT_INDEX_MASK 0x7ff
#define INDEX_MASK 0x1ff

struct leaf {
	__u64 pte; /* 0: nothing is mapped there */
	__u32 level;
};

/* The leaf that maps @gpa. */
static __noinline int read_leaf(const struct kvm *kvm, __u64 gpa,
				struct leaf *leaf)
{
	__u64 table = (__u64)BPF_CORE_READ(kvm, arch.pgd), pte;
	/* All tables lie in the linear mapping, as the root does. */
	__u64 offset = table - BPF_CORE_READ(kvm, arch.pgd_phys);
	__u32 level = BPF_CORE_READ(kvm, arch.pgd_levels) - 1;
	__u64 mask = ROOT_INDEX_MASK;
	__u32 i;

	leaf->pte = 0;
	leaf->level = 0;
	for (i = 0; i < MAX_LEVELS && level < MAX_LEVELS; i++) {
		__u64 index = (gpa >> (LEVEL_SHIFT(level) & 63)) & mask;

		if (bpf_probe_read_kernel(&pte, sizeof(pte),
					  (void *)(table + 8 * index)) ||
		    !pte)
			return 0;
		if (pte & PAGE_LEAF) {
			leaf->pte = pte;
			leaf->level = level;
			return 0;
		}
		if (!level)
			return 0;
		table = (((pte >> PTE_PFN_SHIFT) & ((1ULL << PTE_PFN_BITS) - 1))
			 << PAGE_SHIFT) +
			offset;
		mask = INDEX_MASK;
		level--;
	}
	return 0;
}

#endif /* GSTAGE_BPF_TABLES_BPF_H */
