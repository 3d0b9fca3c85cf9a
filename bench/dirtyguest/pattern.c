// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of a pass as pure functions: see pattern.h.
 *
 * A permutation of n elements needs no memory: a four-round Feistel network
 * permutes the next power of four, and a result outside [0, n) is fed back
 * until it falls inside (cycle walking, fewer than four steps on average).
 */
#include "pattern.h"

/* Told apart by the salt: streams drawn from one key must not be related. */
#define SALT_PASS 0x7061737300000001ull
#define SALT_PAGE 0x7061676500000002ull
#define SALT_KIND 0x6b696e6400000003ull
#define SALT_DRAW 0x6472617700000004ull
#define SALT_HOT 0x686f740000000005ull

/* The finaliser of splitmix64 (Steele, Lea, Flood, 2014). */
__u64 dg_mix(__u64 x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

__u32 dg_half_bits(__u64 n)
{
	__u32 half = 0;

	while (half < DG_INDEX_BITS / 2 && (1ull << (2 * half)) < n)
		half++;
	return half;
}

static __u64 feistel(__u64 x, __u32 half, __u64 key)
{
	const __u64 mask = (1ull << half) - 1;
	__u64 left = x >> half, right = x & mask;

	for (int round = 0; round < 4; round++) {
		__u64 f = (right + key) * 0x9e3779b97f4a7c15ull;
		__u64 next = left ^ ((f >> 40) & mask);

		left = right;
		right = next;
		key = (key >> 17) | (key << 47);
	}
	return (left << half) | right;
}

__u64 dg_permute(__u64 x, __u64 n, __u32 half, __u64 key)
{
	do {
		x = feistel(x, half, key);
	} while (x >= n);
	return x;
}

void dg_range(__u64 nr_pages, __u32 nr_vcpus, __u32 vcpu, __u32 overlap,
	      __u64 *first, __u64 *count)
{
	__u64 unit = nr_pages / DG_BLOCK_PAGES >= nr_vcpus ? DG_BLOCK_PAGES : 1;
	__u64 nr_units = nr_pages / unit;

	if (overlap) {
		*first = 0;
		*count = nr_pages;
		return;
	}
	*first = nr_units * vcpu / nr_vcpus * unit;
	if (vcpu + 1 == nr_vcpus)
		*count = nr_pages - *first;
	else
		*count = nr_units * (vcpu + 1) / nr_vcpus * unit - *first;
}

static __u64 nr_ops(const struct dg_pass *pass)
{
	if (pass->order == DG_ORDER_STRIDE2M)
		return (pass->nr_pages + DG_BLOCK_PAGES - 1) / DG_BLOCK_PAGES;
	return pass->nr_pages;
}

void dg_pass_init(struct dg_pass *pass, const struct dg_pass_params *p)
{
	__u64 window;

	dg_range(p->nr_pages, p->nr_vcpus, p->vcpu, p->overlap,
		 &pass->first_page, &pass->nr_pages);
	pass->first_page += p->first_page;
	pass->order = p->order;
	pass->write_percent = p->write_percent;
	pass->vcpu = p->vcpu;
	pass->pad = 0;
	pass->nr_ops = nr_ops(pass);
	pass->key = dg_mix(dg_mix(dg_mix(p->seed ^ SALT_PASS) + p->round) +
			   p->vcpu);
	pass->page_bits = dg_half_bits(pass->nr_pages);
	pass->op_bits = dg_half_bits(pass->nr_ops);

	/* The hot window stays put: it is the same in every round. */
	window = pass->nr_pages * p->hot_percent / 100;
	if (!window)
		window = 1;
	pass->hot_pages = window;
	pass->hot_first =
		dg_mix(p->seed ^ SALT_HOT) % (pass->nr_pages - window + 1);
}

/* Page of operation @i, relative to the pass's range. */
static __u64 op_page(const struct dg_pass *pass, __u64 i)
{
	__u64 start, len;

	switch (pass->order) {
	case DG_ORDER_RANDOM:
		return dg_permute(i, pass->nr_pages, pass->page_bits,
				  pass->key ^ SALT_PAGE);
	case DG_ORDER_STRIDE2M:
		start = i * DG_BLOCK_PAGES;
		len = pass->nr_pages - start;
		if (len > DG_BLOCK_PAGES)
			len = DG_BLOCK_PAGES;
		return start + dg_mix(pass->key ^ SALT_DRAW ^ i) % len;
	case DG_ORDER_HOT:
		return pass->hot_first +
		       dg_mix(pass->key ^ SALT_DRAW ^ i) % pass->hot_pages;
	default:
		return i;
	}
}

/*
 * Exactly nr_ops * write_percent / 100 operations write, rounded down, and
 * which ones is drawn by the key.
 */
static __u32 op_is_write(const struct dg_pass *pass, __u64 i)
{
	if (pass->write_percent >= 100)
		return 1;
	if (!pass->write_percent)
		return 0;
	return dg_permute(i, pass->nr_ops, pass->op_bits,
			  pass->key ^ SALT_KIND) <
	       pass->nr_ops * pass->write_percent / 100;
}

void dg_pass_op(const struct dg_pass *pass, __u64 i, struct dg_op *op)
{
	op->page = pass->first_page + op_page(pass, i);
	op->is_write = op_is_write(pass, i);
	op->pad = 0;
	op->value = dg_mix(pass->key ^ (op->page << DG_INDEX_BITS) ^ i);
}
