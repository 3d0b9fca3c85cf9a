/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run found out: collected by the phases, written as the `guest` object
 * of a run file and printed as a table. All durations are nanoseconds.
 */
#ifndef DIRTYGUEST_RESULT_H
#define DIRTYGUEST_RESULT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "check.h"
#include "memory.h"
#include "options.h"

struct result_phase {
	const char *name; /* populate enable dirty get clear disable after */
	__u64 round; /* 0 outside the rounds */
	__u64 start_ns;
	__u64 end_ns;
};

/* One vCPU's part of one pass. */
struct result_turn {
	__u64 run_ns;
	__u64 nr_writes;
};

struct result_round {
	__u64 round; /* from 1 */
	struct check_log log;
	__u64 values_wrong;
	__u64 dirty_ns, get_ns, clear_ns;
	__u64 nr_live; /* harvests while the vCPUs ran */
	struct result_turn *turns; /* one per vCPU */
};

struct result {
	__u32 nr_vcpus;
	__u64 nr_rounds; /* finished */
	__u64 max_rounds;
	struct result_round *rounds;
	struct result_turn *turns; /* memory of all rounds' turns */
	size_t nr_phases, max_phases;
	struct result_phase *phases;
	__u64 populate_ns, enable_ns, disable_ns, after_ns;
	/* With initially-set: the first harvest, when all pages are dirty. */
	__u64 initial_reported, initial_expected;
	__u64 initial_get_ns, initial_clear_ns;
	__u64 values_wrong; /* all passes */
	__u64 runs_refused; /* KVM_RUN that failed for want of memory */
	__u64 nr_blocks, nr_huge; /* see struct memory */
	char error[160]; /* empty, or why the run ended early */
};

/* 0 or -ENOMEM. */
int result__new(struct result *res, const struct dg_options *opts);

/* Sums over the finished rounds; first_lost is of the first round with any. */
void result__total(const struct result *res, struct check_log *total);

/* Does the run show that KVM kept its promise? */
bool result__is_good(const struct result *res);

/* The table of rounds, to stdout. */
void result__print(const struct result *res, const struct dg_options *opts);

/*
 * Write the JSON object to @path: to a temporary name beside it, then renamed.
 * Without @force an existing @path is left alone: -EEXIST. Reported.
 */
int result__write(const struct result *res, const struct dg_options *opts,
		  const char *path, bool force);

/* Accepts a zeroed struct. */
void result__free(struct result *res);

#endif /* DIRTYGUEST_RESULT_H */
