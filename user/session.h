/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF side of a trace: open, load, attach, read, free. What is read is
 * plain memory (user/tally.h makes sense of it).
 */
#ifndef GSTAGE_USER_SESSION_H
#define GSTAGE_USER_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/gstage.h"
#include "user/bracket.h"
#include "user/probes.h"
#include "user/tally.h"

struct session;

struct session_opts {
	pid_t pid; /* follow VMs of this process and its children; 0: all */
	/* What serves each fact, by probes_choose(); they and the view stay. */
	const struct probe_choice *choices;
	struct probe_view view;
	bool counts_only; /* no histograms */
	bool is_eager; /* KVM splits when logging begins, not in faults */
	bool events; /* pass rare records to on_record */
	uint32_t max_phases; /* 1 to GSTAGE_MAX_PHASES */
	uint32_t ring_bytes; /* of the ring buffer: a power of 2, 4096 or more */
	uint64_t clock_resolution_ns; /* shorter durations are underflow */
	/* With events or checks. */
	int (*on_record)(void *ctx, const struct gstage_rec *rec);
	void *record_ctx;
};

/*
 * Open the programs and set their options. 0 or -errno, reported. *sp is set
 * only on success and is the caller's to free.
 */
int session__new(const struct session_opts *opts, struct session **sp);

/* Make another process the one to follow; before session__load(). */
void session__follow(struct session *s, pid_t pid);

/* Verify and load. 0 or -errno, reported. */
int session__load(struct session *s);

/*
 * Measure what the hooks of a fault add to its latency (user/bracket.h). Before
 * session__attach(), and only where latencies are wanted. 0 or -errno, reported;
 * that a figure is not known is no error.
 */
int session__measure_bracket(struct session *s, struct bracket *b);

/* From its return on every event is counted. 0 or -errno, reported. */
int session__attach(struct session *s);

/* Bytes of all maps, after session__load(), and of them for each possible CPU. */
uint64_t session__map_bytes(const struct session *s, uint64_t *per_cpu);

/* A descriptor that is readable when records wait; -1 without events. */
int session__record_fd(const struct session *s);

/* Hand waiting records to on_record. Their number, or -errno. */
int session__consume(struct session *s);

/* No more events. What was counted can still be read. */
void session__detach(struct session *s);

/* Add up what all CPUs counted so far. */
void session__read(struct session *s, struct tally *t);

/*
 * How often a program was skipped by the kernel because it was already running
 * on that CPU.
 */
uint64_t session__misses(const struct session *s);

/*
 * The schema's probes array, new reference or NULL. @choices are those of the
 * session, with what a run has shown of them.
 */
json_t *session__probes(const struct session *s,
			const struct probe_choice choices[NR_FACTS]);

void session__free(struct session *s);

#endif /* GSTAGE_USER_SESSION_H */
