/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the function backend does inside of a fault that takes the slow path.
 * Apart from the hooks, because bracket.bpf.c measures what it costs.
 */
#ifndef GSTAGE_BPF_FAULTS_BPF_H
#define GSTAGE_BPF_FAULTS_BPF_H

#include "bpf/splits.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/vcpu.bpf.h"
#include "bpf/walk.bpf.h"

/* The cache at @cache was filled. False: it is that of no fault. */
static __always_inline bool note_topup(const void *cache, int ret)
{
	struct gstage_vcpu *slot = find_slot_of_cache(cache);

	if (!slot)
		return false;
	set_path(slot, ret < 0 ? GSTAGE_PATH_ERROR : GSTAGE_PATH_RETRY);
	return true;
}

/* Before the slow path touches the leaf at @gpa. */
static __always_inline void note_leaf(struct gstage_vcpu *slot,
				      const struct tables *tables, __u64 gpa)
{
	struct leaf leaf;

	walk(tables, gpa, &leaf);
	slot->leaf_pte = leaf.pte;
	slot->leaf_level = leaf.level;
}

/* What was done to the leaf that was there before. */
static __always_inline __u32 path_of(const struct gstage_vcpu *slot,
				     const struct leaf *now, __u32 wanted)
{
	if (!slot->leaf_pte)
		return GSTAGE_PATH_MAP;
	if (slot->leaf_level > wanted)
		return GSTAGE_PATH_SPLIT;
	if (now->level == slot->leaf_level &&
	    PTE_PFN(now->pte) == PTE_PFN(slot->leaf_pte))
		return GSTAGE_PATH_PROT;
	return GSTAGE_PATH_MAP;
}

/*
 * A leaf was larger than what is wanted: where smaller ones are in its place now
 * it was split, once for each level; where nothing is beside them it was dropped.
 */
static __always_inline void count_broken(const struct kvm *kvm, __u64 gpa,
					 const struct gstage_vcpu *slot,
					 const struct leaf *now, __u32 wanted)
{
	__u32 level = slot->leaf_level, i;

	if (now->level < level && !has_sibling(now))
		return;
	for (i = 0; i < MAX_LEVELS && level > now->level; i++) {
		handle_split(kvm, gpa, level, level - 1, GSTAGE_CAUSE_FAULT, 0);
		level--;
	}
	/* No page was left for its table. */
	if (level > wanted)
		handle_split(kvm, gpa, level, level - 1, GSTAGE_CAUSE_FAULT,
			     -1);
}

/* After the slow path mapped @gpa by a leaf of level @wanted, or failed. */
static __always_inline void judge_leaf(const struct kvm *kvm,
				       struct gstage_vcpu *slot,
				       const struct tables *tables, __u64 gpa,
				       __u32 wanted, int ret)
{
	struct leaf now;
	struct place p;
	__u32 path;

	walk(tables, gpa, &now);
	path = path_of(slot, &now, wanted);
	if (path == GSTAGE_PATH_SPLIT)
		count_broken(kvm, gpa, slot, &now, wanted);
	set_path(slot, ret < 0 ? GSTAGE_PATH_ERROR : path);
	if (path == GSTAGE_PATH_PROT && cfg_fn_prots && find_place(kvm, &p))
		add(p.counts->prots[now.pte == slot->leaf_pte], 1);
}

#endif /* GSTAGE_BPF_FAULTS_BPF_H */
