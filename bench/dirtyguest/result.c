// SPDX-License-Identifier: GPL-2.0-only
/* Results of a run, collected and printed as text: see result.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result.h"

int result__new(struct result *res, const struct dg_options *opts)
{
	memset(res, 0, sizeof(*res));
	res->nr_vcpus = opts->nr_vcpus;
	res->max_rounds = opts->nr_rounds;
	/* populate, enable, first get and clear, disable, after; 3 a round */
	res->max_phases = 6 + 3 * opts->nr_rounds;

	res->rounds = calloc(opts->nr_rounds, sizeof(*res->rounds));
	res->turns =
		calloc(opts->nr_rounds * opts->nr_vcpus, sizeof(*res->turns));
	res->phases = calloc(res->max_phases, sizeof(*res->phases));
	if (!res->rounds || !res->turns || !res->phases) {
		result__free(res);
		return -ENOMEM;
	}
	for (__u64 i = 0; i < opts->nr_rounds; i++) {
		res->rounds[i].round = i + 1;
		res->rounds[i].turns = res->turns + i * opts->nr_vcpus;
	}
	return 0;
}

void result__total(const struct result *res, struct check_log *total)
{
	memset(total, 0, sizeof(*total));
	for (__u64 i = 0; i < res->nr_rounds; i++) {
		const struct check_log *log = &res->rounds[i].log;

		if (log->pages_lost && !total->pages_lost)
			total->first_lost = log->first_lost;
		total->pages_written += log->pages_written;
		total->pages_reported += log->pages_reported;
		total->pages_lost += log->pages_lost;
		total->pages_spurious += log->pages_spurious;
	}
}

bool result__is_good(const struct result *res)
{
	struct check_log total;

	result__total(res, &total);
	return !total.pages_lost && !res->values_wrong &&
	       res->initial_reported == res->initial_expected;
}

static void print_setup(const struct result *res, const struct dg_options *opts)
{
	printf("%u vCPU%s, %llu pages of 4K backed by %s (%llu of %llu as large as asked), order %s, %u%% writes, log %s\n",
	       opts->nr_vcpus, opts->nr_vcpus == 1 ? "" : "s",
	       dg_options__work_pages(opts), dg_backing_names[opts->backing],
	       res->nr_huge, res->nr_blocks, dg_order_names[opts->order],
	       opts->write_percent, dg_log_mode_names[opts->log_mode]);
}

static void print_round(const char *name, const struct check_log *log,
			__u64 dirty_ns, __u64 get_ns, __u64 clear_ns)
{
	printf("%6s %8llu %8llu %5llu %8llu %12llu %10llu %10llu\n", name,
	       log->pages_written, log->pages_reported, log->pages_lost,
	       log->pages_spurious, dirty_ns, get_ns, clear_ns);
}

void result__print(const struct result *res, const struct dg_options *opts)
{
	__u64 dirty_ns = 0, get_ns = 0, clear_ns = 0;
	struct check_log total;
	char name[24];

	print_setup(res, opts);
	printf("%6s %8s %8s %5s %8s %12s %10s %10s\n", "round", "written",
	       "reported", "lost", "spurious", "dirty_ns", "get_ns",
	       "clear_ns");
	for (__u64 i = 0; i < res->nr_rounds; i++) {
		const struct result_round *r = &res->rounds[i];

		snprintf(name, sizeof(name), "%llu", r->round);
		print_round(name, &r->log, r->dirty_ns, r->get_ns, r->clear_ns);
		dirty_ns += r->dirty_ns;
		get_ns += r->get_ns;
		clear_ns += r->clear_ns;
	}
	result__total(res, &total);
	print_round("total", &total, dirty_ns, get_ns, clear_ns);
	printf("populate_ns %llu, enable_ns %llu, disable_ns %llu",
	       res->populate_ns, res->enable_ns, res->disable_ns);
	if (opts->after)
		printf(", after_ns %llu", res->after_ns);
	if (opts->log_mode == DG_LOG_INITIALLY_SET)
		printf("\nfirst harvest: %llu of %llu pages, get_ns %llu, clear_ns %llu",
		       res->initial_reported, res->initial_expected,
		       res->initial_get_ns, res->initial_clear_ns);
	printf("\n%s\n",
	       result__is_good(res) && !res->error[0] ?
		       "every page written was reported, every value is as expected" :
		       "FAILED");
}

void result__free(struct result *res)
{
	free(res->rounds);
	free(res->turns);
	free(res->phases);
	memset(res, 0, sizeof(*res));
}
