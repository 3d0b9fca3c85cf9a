/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear histograms in memory; the geometry is in bpf/hist.h. Plain C: no
 * libbpf, no JSON (run.h converts), no printing (out.h prints).
 *
 * Invariant: count == sum of buckets[] + underflow + overflow. min and max are
 * exact and mean nothing while count is 0.
 */
#ifndef GSTAGE_USER_HIST_H
#define GSTAGE_USER_HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/hist.h"

struct hist {
	uint64_t count; /* every value seen, under- and overflow too */
	uint64_t sum; /* of the values; underflow adds nothing */
	uint64_t min;
	uint64_t max;
	uint64_t underflow; /* below the resolution of the clock; not in sum */
	uint64_t overflow; /* values of 2^GSTAGE_HIST_MAX_POW and more */
	uint64_t buckets[GSTAGE_HIST_BUCKETS];
};

/*
 * The bucket of @v, or GSTAGE_HIST_BUCKETS when it overflows. Formula: H2
 * histogram, the same as HdrHistogram with one significant digit.
 */
unsigned int hist_index(uint64_t v);

/* Bounds of bucket @idx < GSTAGE_HIST_BUCKETS: ge <= v < lt. */
uint64_t hist_bucket_ge(unsigned int idx);
uint64_t hist_bucket_lt(unsigned int idx);

void hist_add(struct hist *h, uint64_t v);

/* The same value @n times. */
void hist_add_many(struct hist *h, uint64_t v, uint64_t n);

/* Add all of @src to @dst; an empty side leaves the other's min and max. */
void hist_merge(struct hist *dst, const struct hist *src);

/* Does the invariant hold, and do min, max and sum fit the buckets? */
bool hist_is_consistent(const struct hist *h);

/*
 * Where the quantile @permille / 1000 lies (500 is p50, 999 is p99.9), nearest
 * rank: the smallest value with at least that share of the values at or below
 * it. The true value v satisfies *lo <= v <= *hi: the bounds of its bucket,
 * narrowed by min and max, which are themselves exact. -ENODATA when empty, -EINVAL above 1000.
 */
int hist_quantile(const struct hist *h, unsigned int permille, uint64_t *lo,
		  uint64_t *hi);

/*
 * The rank of that quantile among the values, 1 to count; and where the value of
 * any such rank lies. @rank is in that range.
 */
uint64_t hist_rank(const struct hist *h, unsigned int permille);
void hist_at_rank(const struct hist *h, uint64_t rank, uint64_t *lo,
		  uint64_t *hi);

/* sum / count, rounded to nearest; 0 when empty. Underflow is left out. */
uint64_t hist_mean(const struct hist *h);

#endif /* GSTAGE_USER_HIST_H */
