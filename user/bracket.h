/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bracket cost: what lies between the two clock reads of a latency and is
 * gstage's and not KVM's. Measured by user/bracket_run.c when a trace starts;
 * here is what becomes of the measurements. Plain C.
 */
#ifndef GSTAGE_USER_BRACKET_H
#define GSTAGE_USER_BRACKET_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/gstage.h"
#include "user/probes.h"

#define BRACKET_UNKNOWN UINT64_MAX

struct bracket {
	/* In a fault of that path, ns; or BRACKET_UNKNOWN. */
	uint64_t path_ns[GSTAGE_NR_PATHS];
	uint64_t took_ns; /* to measure */
	char reason[160]; /* why one is not known that could be; or empty */
};

/* The same, some times in a row. */
struct bracket_batch {
	uint64_t nr;
	uint64_t sum_ns;
};

/* Everything is unknown, for the @reason given. */
void bracket_init(struct bracket *b, const char *reason);

/*
 * What one of them takes: the median of the means of the batches, rounded, since
 * a mean is spoilt by the one interrupt that a batch may have had. Empty batches
 * do not count; BRACKET_UNKNOWN if there are only such. Sorts @batches.
 */
uint64_t bracket_median(struct bracket_batch *batches, size_t n);

/*
 * @ns without the @nr empty functions that the measurement went through:
 * @long_ns was measured through BRACKET_EMPTY_MORE more of them than @short_ns.
 * BRACKET_UNKNOWN if any of the three is.
 */
#define BRACKET_EMPTY_MORE 4
uint64_t bracket_without_empty(uint64_t ns, uint64_t long_ns, uint64_t short_ns,
			       unsigned int nr);

/*
 * Set the member bracket of the run @root. The hooks of what @choices serve
 * beyond latencies and counts are not measured, and named. 0 or -ENOMEM.
 */
int bracket_to_run(const struct bracket *b,
		   const struct probe_choice choices[NR_FACTS], json_t *root);

#endif /* GSTAGE_USER_BRACKET_H */
