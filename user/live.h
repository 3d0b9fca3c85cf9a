/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a trace prints while it runs: one line per interval, and one per rare
 * event. Both on stdout, as text or as one JSON object per line.
 */
#ifndef GSTAGE_USER_LIVE_H
#define GSTAGE_USER_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/tally.h"

struct live {
	FILE *out;
	bool json;
	bool timestamps;
	unsigned int nr_lines; /* of text intervals, for the header */
	struct tally *before; /* what the last interval ended with */
};

/* Start with nothing counted. 0 or -ENOMEM. */
int live_init(struct live *live, FILE *out, bool json, bool timestamps);

/* What came since the last call. 0, or -errno when it cannot be written. */
int live_interval(struct live *live, const struct tally *now);

/* A record of the ring buffer. 0 or -errno. */
int live_record(struct live *live, const struct gstage_rec *rec);

void live_free(struct live *live);

#endif /* GSTAGE_USER_LIVE_H */
