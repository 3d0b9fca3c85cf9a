/* SPDX-License-Identifier: GPL-2.0-only */
/* A histogram as the BPF side leaves it: no count, the minimum negated. */
#ifndef GSTAGE_TESTS_UNIT_BPF_HIST_H
#define GSTAGE_TESTS_UNIT_BPF_HIST_H

#include <stdint.h>

#include "bpf/gstage.h"
#include "user/hist.h"

static inline void put(struct gstage_hist *h, uint64_t v)
{
	h->sum += v;
	if (~v > h->neg_min)
		h->neg_min = ~v;
	if (v > h->max)
		h->max = v;
	if (hist_index(v) < GSTAGE_HIST_BUCKETS)
		h->buckets[hist_index(v)]++;
	else
		h->overflow++;
}

#endif /* GSTAGE_TESTS_UNIT_BPF_HIST_H */
