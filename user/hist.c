// SPDX-License-Identifier: GPL-2.0-only
/* Log-linear histograms in memory; see hist.h and bpf/hist.h. */
#include "user/hist.h"

#include <errno.h>

#define SUB_BITS GSTAGE_HIST_SUB_BITS
#define LINEAR_LIMIT (1u << (SUB_BITS + 1))

_Static_assert(GSTAGE_HIST_BUCKETS == (GSTAGE_HIST_MAX_POW - SUB_BITS + 1)
					      << SUB_BITS,
	       "the number of buckets does not follow from the geometry");

unsigned int hist_index(uint64_t v)
{
	unsigned int msb;

	if (v < LINEAR_LIMIT)
		return (unsigned int)v;
	msb = 63 - (unsigned int)__builtin_clzll(v);
	if (msb >= GSTAGE_HIST_MAX_POW)
		return GSTAGE_HIST_BUCKETS;
	return ((msb - SUB_BITS) << SUB_BITS) +
	       (unsigned int)(v >> (msb - SUB_BITS));
}

uint64_t hist_bucket_ge(unsigned int idx)
{
	unsigned int shift;

	if (idx < LINEAR_LIMIT)
		return idx;
	/* idx = (shift << SUB_BITS) + m with m in [2^SUB_BITS, 2^(SUB_BITS+1)) */
	shift = (idx >> SUB_BITS) - 1;
	return (uint64_t)(idx - (shift << SUB_BITS)) << shift;
}

uint64_t hist_bucket_lt(unsigned int idx)
{
	/* The next bucket starts where this one ends, the last one's too. */
	return hist_bucket_ge(idx + 1);
}

void hist_add(struct hist *h, uint64_t v)
{
	hist_add_many(h, v, 1);
}

void hist_add_many(struct hist *h, uint64_t v, uint64_t n)
{
	unsigned int idx = hist_index(v);

	if (!n)
		return;
	if (!h->count || v < h->min)
		h->min = v;
	if (!h->count || v > h->max)
		h->max = v;
	h->count += n;
	h->sum += n * v;
	if (idx < GSTAGE_HIST_BUCKETS)
		h->buckets[idx] += n;
	else
		h->overflow += n;
}

void hist_merge(struct hist *dst, const struct hist *src)
{
	unsigned int i;

	if (!src->count)
		return;
	if (!dst->count || src->min < dst->min)
		dst->min = src->min;
	if (!dst->count || src->max > dst->max)
		dst->max = src->max;
	dst->count += src->count;
	dst->sum += src->sum;
	dst->underflow += src->underflow;
	dst->overflow += src->overflow;
	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++)
		dst->buckets[i] += src->buckets[i];
}

/* The sum lies between all values at the lower and all at the upper bounds. */
static bool sum_fits_buckets(const struct hist *h)
{
	unsigned __int128 low = 0, high = 0;
	unsigned int i;

	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++) {
		low += (unsigned __int128)h->buckets[i] * hist_bucket_ge(i);
		high += (unsigned __int128)h->buckets[i] *
			(hist_bucket_lt(i) - 1);
	}
	low += (unsigned __int128)h->overflow << GSTAGE_HIST_MAX_POW;
	high += (unsigned __int128)h->overflow * h->max;
	return h->sum >= low && h->sum <= high;
}

bool hist_is_consistent(const struct hist *h)
{
	uint64_t total = h->underflow + h->overflow;
	unsigned int first = GSTAGE_HIST_BUCKETS, last = 0, i;

	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++) {
		if (!h->buckets[i])
			continue;
		total += h->buckets[i];
		if (first == GSTAGE_HIST_BUCKETS)
			first = i;
		last = i;
	}
	if (total != h->count)
		return false;
	if (!h->count)
		return !h->sum;
	if (h->count == h->underflow)
		return true;
	if (h->min > h->max || !sum_fits_buckets(h))
		return false;
	/* A value below 0 may count as a minimum of 0, so only look without. */
	if (!h->underflow && hist_index(h->min) != first)
		return false;
	if (h->overflow)
		return hist_index(h->max) == GSTAGE_HIST_BUCKETS;
	return hist_index(h->max) == last;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t hist_rank(const struct hist *h, unsigned int permille)
{
	/* ceil(count * permille / 1000), and the smallest value for 0. */
	uint64_t rank =
		(uint64_t)(((unsigned __int128)h->count * permille + 999) /
			   1000);

	return rank ? rank : 1;
}

void hist_at_rank(const struct hist *h, uint64_t rank, uint64_t *lo,
		  uint64_t *hi)
{
	uint64_t seen = h->underflow;
	unsigned int i;

	if (rank <= seen) {
		*lo = 0;
		*hi = 0;
		return;
	}
	/* The largest is known exactly, and so is the smallest. */
	if (rank == h->count || rank == 1) {
		*lo = rank == 1 ? h->min : h->max;
		*hi = *lo;
		return;
	}
	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (rank > seen)
			continue;
		*lo = max_u64(hist_bucket_ge(i), h->min);
		*hi = min_u64(hist_bucket_lt(i) - 1, h->max);
		return;
	}
	*lo = max_u64(1ull << GSTAGE_HIST_MAX_POW, h->min);
	*hi = h->max;
}

int hist_quantile(const struct hist *h, unsigned int permille, uint64_t *lo,
		  uint64_t *hi)
{
	if (permille > 1000)
		return -EINVAL;
	if (!h->count)
		return -ENODATA;
	hist_at_rank(h, hist_rank(h, permille), lo, hi);
	return 0;
}

uint64_t hist_mean(const struct hist *h)
{
	uint64_t n = h->count - h->underflow;

	if (!n)
		return 0;
	return h->sum / n + (h->sum % n >= n - n / 2);
}
