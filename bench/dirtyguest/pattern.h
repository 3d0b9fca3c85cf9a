/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which page each operation of a pass touches, whether it writes, and what.
 *
 * A pass is one vCPU working through its operations once. Everything about an
 * operation is a function of the pass and the operation's index, so the guest
 * that does it and the host that checks it compute it from the same code.
 * Compiled freestanding for the guest: no libc, no global state.
 */
#ifndef DIRTYGUEST_PATTERN_H
#define DIRTYGUEST_PATTERN_H

#include <linux/types.h>

#define DG_ORDER_SEQ 0 /* every page once, ascending */
#define DG_ORDER_RANDOM 1 /* every page once, seeded permutation */
#define DG_ORDER_STRIDE2M 2 /* one page drawn from each 2 MiB */
#define DG_ORDER_HOT 3 /* draws with repeats from a small window */
#define DG_NR_ORDERS 4

#define DG_BLOCK_PAGES 512 /* 4K pages in a 2M leaf */

/* Page numbers and operation indices must fit this many bits. */
#define DG_INDEX_BITS 32

/* What the user chose; pages are counted from DG_TEST_GPA. */
struct dg_pass_params {
	__u64 seed;
	__u64 round; /* 0 is populate */
	__u32 vcpu;
	__u32 nr_vcpus;
	__u32 order; /* DG_ORDER_* */
	__u32 write_percent; /* 0 to 100, the rest are reads */
	__u32 hot_percent; /* 1 to 100, of the vCPU's own pages */
	__u32 overlap; /* 1: all vCPUs share all pages; 0: a part each */
	__u64 nr_pages; /* of the whole working set */
	__u64 first_page; /* that the working set begins at */
};

/* A pass ready to run. Filled in by dg_pass_init() only; part of the ABI. */
struct dg_pass {
	__u64 key; /* differs by seed, round and vCPU */
	__u64 first_page;
	__u64 nr_pages; /* this vCPU's range */
	__u64 nr_ops;
	__u64 hot_first; /* relative to first_page */
	__u64 hot_pages;
	__u32 order;
	__u32 write_percent;
	__u32 page_bits; /* half width of the permutation over nr_pages */
	__u32 op_bits; /* half width of the permutation over nr_ops */
	__u32 vcpu;
	__u32 pad;
};

_Static_assert(sizeof(struct dg_pass) == 72, "struct dg_pass is shared");

/* One operation. */
struct dg_op {
	__u64 page; /* from DG_TEST_GPA */
	__u64 value; /* stored, if is_write */
	__u32 is_write;
	__u32 pad;
};

/*
 * The pages [*first, *first + *count) that vCPU @vcpu of @nr_vcpus works on.
 * Parts are whole 2M blocks when each vCPU can have one, else whole pages.
 * @nr_pages must be at least @nr_vcpus.
 */
void dg_range(__u64 nr_pages, __u32 nr_vcpus, __u32 vcpu, __u32 overlap,
	      __u64 *first, __u64 *count);

/* Prepare @pass. @p must have passed its owner's range checks. */
void dg_pass_init(struct dg_pass *pass, const struct dg_pass_params *p);

/* Operation @i of @pass; @i is below pass->nr_ops. */
void dg_pass_op(const struct dg_pass *pass, __u64 i, struct dg_op *op);

/* Bijection of [0, @n) onto itself, chosen by @key. @half: dg_half_bits(@n). */
__u64 dg_permute(__u64 x, __u64 n, __u32 half, __u64 key);

/* Smallest h with 4^h >= @n. */
__u32 dg_half_bits(__u64 n);

/* Good 64-bit mixing: every input bit reaches every output bit. */
__u64 dg_mix(__u64 x);

#endif /* DIRTYGUEST_PATTERN_H */
