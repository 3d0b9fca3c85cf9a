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

/* One step of msb(). The barrier keeps it one branch: two are made else. */
#define MSB_STEP(v, bit, n)               \
	do {                              \
		if ((v) >= 1ULL << (n)) { \
			(v) >>= (n);      \
			(bit) += (n);     \
			barrier_var(bit); \
		}                         \
	} while (0)

/* Index of the highest bit of @v, which is not 0. BPF has no such thing. */
static __always_inline __u64 msb(__u64 v)
{
	__u64 bit = 0;

	MSB_STEP(v, bit, 32);
	MSB_STEP(v, bit, 16);
	MSB_STEP(v, bit, 8);
	MSB_STEP(v, bit, 4);
	MSB_STEP(v, bit, 2);
	return bit + (v >> 1);
}

static __always_inline __u64 hist_bucket(__u64 v)
{
	__u64 shift;

	if (v < 1U << (GSTAGE_HIST_SUB_BITS + 1))
		return v;
	shift = msb(v) - GSTAGE_HIST_SUB_BITS;
	return (shift << GSTAGE_HIST_SUB_BITS) + (v >> shift);
}

/* Values below @resolution are too small for the clock that took them. */
static __always_inline void hist_add(struct gstage_hist *h, __u64 v,
				     __u64 resolution)
{
	__u64 i;

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
