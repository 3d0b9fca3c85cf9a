/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * When the phases of a VM began, and to which of them an interval belongs: one
 * that a vCPU spends in its guest or behind a lock can span several.
 *
 * Only with --stalls. Log operations of a VM come one after the other, and each
 * adds one turn here; the vCPUs look at it while that goes on. No part of an
 * interval is left out: what is older than the turns that are kept counts as of
 * the oldest of these.
 */
#ifndef GSTAGE_BPF_TURNS_H
#define GSTAGE_BPF_TURNS_H

#include <linux/types.h>

/* A power of 2. An operation takes two: a CLEAR in 128 chunks just fits. */
#define GSTAGE_MAX_TURNS 256
/* But for the one that may be being written. */
#define GSTAGE_KEPT_TURNS (GSTAGE_MAX_TURNS - 1)

struct gstage_turn {
	__u64 start_ns; /* CLOCK_MONOTONIC */
	__u32 phase; /* index */
	__u32 pad;
};

struct gstage_turns {
	__u64 nr; /* so far; the newest is nr - 1, modulo their number */
	struct gstage_turn list[GSTAGE_MAX_TURNS];
};

/* An interval, of which what lies behind @end_ns has been given to its phases. */
struct gstage_span {
	__u64 since_ns;
	__u64 end_ns;
};

/* The phase of @vm changes: from one who is alone in doing so. */
static inline void turns_add(struct gstage_turns *turns, __u64 start_ns,
			     __u32 phase)
{
	struct gstage_turn *turn = &turns->list[turns->nr % GSTAGE_MAX_TURNS];

	turn->start_ns = start_ns;
	turn->phase = phase;
	/* It orders the stores before it. */
	__sync_fetch_and_add(&turns->nr, 1);
}

/* The @i-th before the newest of @nr turns; @nr is not 0. */
static inline const struct gstage_turn *
turns_at(const struct gstage_turns *turns, __u64 nr, __u64 i)
{
	return &turns->list[(nr - 1 - i) % GSTAGE_MAX_TURNS];
}

/*
 * Take from the end of @span what lies in @turn, the @i-th before the newest of
 * @nr, and return how long that is. From 0 on, until nothing is left of it.
 */
static inline __u64 turns_take(const struct gstage_turn *turn, __u64 nr,
			       __u64 i, struct gstage_span *span)
{
	__u64 end_ns = span->end_ns, start_ns = turn->start_ns;

	if (i + 1 >= nr || i + 1 >= GSTAGE_KEPT_TURNS ||
	    start_ns < span->since_ns)
		start_ns = span->since_ns;
	/* Began, on another CPU, after the interval had ended. */
	if (start_ns >= end_ns)
		return 0;
	span->end_ns = start_ns;
	return end_ns - start_ns;
}

#endif /* GSTAGE_BPF_TURNS_H */
