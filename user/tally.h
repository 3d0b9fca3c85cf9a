/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all CPUs counted, added up, and as a run file shows it. Plain C and
 * jansson: no BPF, so it is tested without one.
 */
#ifndef GSTAGE_USER_TALLY_H
#define GSTAGE_USER_TALLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/gstage.h"
#include "user/hist.h"

struct tally {
	uint32_t nr_phases;
	struct gstage_phase phases[GSTAGE_MAX_PHASES];
	struct gstage_vm vms[GSTAGE_MAX_VMS];
	struct gstage_losses losses;
	struct gstage_checks checks; /* only with --checks */
	struct gstage_coverage coverage;
	const struct gstage_exits *exits; /* by vCPU; only with --exits */
	uint32_t nr_exits;
	uint32_t nr_vcpus; /* of VMs that run, where KVM counts */
	bool has_stats; /* it does; and then: */
	uint64_t range_flushes[GSTAGE_NR_RANGE_SIZES];
	struct gstage_row sum;
};

/* Add the counts of one CPU. */
void tally_add_row(struct tally *t, const struct gstage_row *row);

/*
 * Add what a vCPU has counted since its phase began, for the function backend;
 * with @prots permission updates, too, which the fast path's requests tell.
 */
void tally_add_vcpu(struct tally *t, const struct gstage_vcpu *vcpu,
		    bool prots);

/* Add what KVM has counted in phase @i; @layout tells what is where in @raw. */
void tally_add_stats(struct tally *t, unsigned int i,
		     const struct gstage_raw_stats *raw,
		     const struct gstage_stats *layout);

/* *since = *now - *last; of what is less now, nothing. */
void tally_stats_since(struct gstage_raw_stats *since,
		       const struct gstage_raw_stats *now,
		       const struct gstage_raw_stats *last);

/*
 * End the phases that VMs were in when tracing ended, at @now_ns
 * (CLOCK_MONOTONIC).
 */
void tally_close_phases(struct tally *t, uint64_t now_ns);

/* The counts of all phases together. */
void tally_total(const struct tally *t, struct gstage_phase_counts *total);

/* *diff = *now - *before, two readings of the same trace; may be @now. */
void tally_subtract(struct gstage_phase_counts *diff,
		    const struct gstage_phase_counts *now,
		    const struct gstage_phase_counts *before);

/* *dst = @src with what the kernel side leaves out: count, and min as it is. */
void tally_hist(struct hist *dst, const struct gstage_hist *src);

/* "dirty 2" and the like, for phase @p; @buf of 32 bytes is enough. */
const char *tally_phase_name(const struct gstage_phase *p, char *buf,
			     size_t size);

/*
 * Set the members phases, faults, splits, prot_updates, write_protects,
 * flush_requests, flush_executed, losses of the run file @root. @counts_only
 * leaves out the histograms. 0 or -ENOMEM.
 */
int tally_to_run(const struct tally *t, json_t *root, bool counts_only);

/*
 * Set the member locks of @root and of its phases, which tally_to_run() made:
 * how long mmu_lock was held. 0 or -ENOMEM.
 */
int tally_locks_to_run(const struct tally *t, json_t *root);

/* Set the member exits of @root, and what of them was lost. 0 or -ENOMEM. */
int tally_exits_to_run(const struct tally *t, json_t *root);

/* Set the member stalls of @root. 0 or -ENOMEM. */
int tally_stalls_to_run(const struct tally *t, json_t *root);

/* "store guest page fault" and the like, for scause. */
const char *tally_exit_name(bool is_interrupt, unsigned int code);

/*
 * Append to the checks of @root what must be true of every trace: each latency
 * histogram holds as many values as KVM itself counted. Without @saw_all, where
 * VMs ran before the trace began, or where one runs on, it may hold some more,
 * since it is attached before the first look at KVM's counts and until after the
 * last one.
 */
int tally_check(const struct tally *t, json_t *root, bool counts_only,
		bool saw_all);

/* "fast" and the like, for GSTAGE_PATH_@path. */
const char *tally_path_name(unsigned int path);

/* "clear" and the like, for GSTAGE_CAUSE_@cause. */
const char *tally_cause_name(unsigned int cause);

/* The name of check @nr (GSTAGE_CHECK_*), as in run files. */
const char *tally_check_name(unsigned int nr);

/* The kernel function that @address is in, or NULL; valid until the next call. */
typedef const char *(*symbol_fn)(void *ctx, uint64_t address);

/*
 * Append to the checks of @root what --checks looked at, each with its first
 * offender, whose stack is given by name. @symbol may be NULL. 0 or -ENOMEM.
 */
int tally_checks_to_run(const struct tally *t, json_t *root, symbol_fn symbol,
			void *symbol_ctx);

/* Is a VM that was met still alive? */
bool tally_has_live_vm(const struct tally *t);

#endif /* GSTAGE_USER_TALLY_H */
