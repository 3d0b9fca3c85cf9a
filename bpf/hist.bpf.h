/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filling a histogram. Geometry and formula: bpf/hist.h.
 */
#ifndef GSTAGE_BPF_HIST_BPF_H
#define GSTAGE_BPF_HIST_BPF_H

#include "bpf/gstage.h"
#include "bpf/kvm.bpf.h"

/* An amoadd without result: two programs may share a CPU by preemption. */
#define add(counter, n) ((void)__sync_fetch_and_add(&(counter), (n)))

/* Index of the highest bit of @v, which is not 0. BPF has no such thing. */
static __always_inline __u32 msb(__u64 v)
{
	__u32 bit = 0;

	if (v >> 32) {
		v >>= 32;
		bit = 32;
	}
	if (v >> 16) {
		v >>= 16;
		bit += 16;
	}
	if (v >> 8) {
		v >>= 8;
		bit += 8;
	}
	if (v >> 4) {
		v >>= 4;
		bit += 4;
	}
	if (v >> 2) {
		v >>= 2;
		bit += 2;
	}
	return bit + (v >> 1);
}

static __always_inline __u32 hist_bucket(__u64 v)
{
	__u32 shift;

	if (v < 1U << (GSTAGE_HIST_SUB_BITS + 1))
		return v;
	shift = msb(v) - GSTAGE_HIST_SUB_BITS;
	return (shift << GSTAGE_HIST_SUB_BITS) + (v >> shift);
}

/* Values below @resolution are too small for the clock that took them. */
static __always_inline void hist_add(struct gstage_hist *h, __u64 v,
				     __u64 resolution)
{
	__u32 i;

	if (v < resolution) {
		add(h->underflow, 1);
		return;
	}
	add(h->sum, v);
	/* One program alone writes these, and never on top of itself. */
	if (v > h->max)
		h->max = v;
	if (~v > h->neg_min)
		h->neg_min = ~v;

	i = hist_bucket(v);
	if (i < GSTAGE_HIST_BUCKETS)
		add(h->buckets[i], 1);
	else
		add(h->overflow, 1);
}

#endif /* GSTAGE_BPF_HIST_BPF_H */
