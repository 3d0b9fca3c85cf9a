/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of dirtyguest, parsed and checked as a whole. */
#ifndef DIRTYGUEST_OPTIONS_H
#define DIRTYGUEST_OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>

#include "killer.h"
#include "pattern.h"

enum dg_backing {
	DG_BACKING_4K,
	DG_BACKING_THP,
	DG_BACKING_HUGETLB_2M,
	DG_BACKING_HUGETLB_1G,
	DG_NR_BACKINGS,
};

enum dg_log_mode {
	DG_LOG_CLEAR_ON_GET, /* GET clears and write-protects */
	DG_LOG_MANUAL, /* CLEAR does, in chunks */
	DG_LOG_INITIALLY_SET, /* as manual, and all pages begin dirty */
	DG_NR_LOG_MODES,
};

/* Deliberate errors, to show that the checker notices: hidden option. */
enum dg_self_test {
	DG_SELF_TEST_NONE,
	DG_SELF_TEST_LOSE_BIT, /* drop a reported page before comparing */
	DG_SELF_TEST_ADD_BIT, /* report a page nobody wrote */
	DG_SELF_TEST_WRONG_VALUE, /* expect another value than was stored */
	DG_NR_SELF_TESTS,
};

struct dg_options {
	enum dg_backing backing;
	enum dg_log_mode log_mode;
	enum dg_self_test self_test;
	__u32 nr_vcpus;
	__u32 nr_readers; /* the last vCPUs, which only read */
	__u32 order; /* DG_ORDER_* */
	__u32 after_order; /* DG_ORDER_* */
	__u32 write_percent;
	__u32 hot_percent;
	__u32 overlap;
	__u64 nr_rounds;
	__u64 seed;
	__u64 size_bytes; /* working set of all vCPUs, whole pages */
	__u64 slot_offset_pages; /* inside a 2M page */
	__u64 clear_chunk_pages; /* 0: the whole slot at once */
	__u64 clear_offset_pages;
	__u64 limit_ns;
	__u64 live_ns; /* between harvests while vCPUs run; 0: none */
	enum dg_kill kill;
	__u32 kill_in; /* index in dg_log_op_names */
	__u64 kill_delay_ns;
	const char *result; /* file name or NULL; borrowed from argv */
	bool skip_populate;
	bool after;
	bool pin;
	bool fifo;
	bool force;
	bool dry_run;
	bool kvm_stats;
	bool quiet;
	bool verbose;
};

extern const char *const dg_backing_names[DG_NR_BACKINGS];
extern const char *const dg_log_mode_names[DG_NR_LOG_MODES];
extern const char *const dg_log_op_names[4];
extern const char *const dg_order_names[DG_NR_ORDERS];

/*
 * Fill in @opts from the command line. On bad usage prints one line and ends
 * the program with status 2; --help and --version end it with 0.
 */
void dg_options__parse(struct dg_options *opts, int argc, char **argv);

/* What a run with @opts would do, to stdout. Needs neither KVM nor memory. */
void dg_options__print_plan(const struct dg_options *opts);

/* Pages of the working set; of the memory slot that holds it. */
__u64 dg_options__work_pages(const struct dg_options *opts);
__u64 dg_options__slot_pages(const struct dg_options *opts);

#endif /* DIRTYGUEST_OPTIONS_H */
