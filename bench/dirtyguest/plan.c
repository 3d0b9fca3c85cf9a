// SPDX-License-Identifier: GPL-2.0-only
/* --dry-run: what a run would do, from the options alone. */
#include <stdio.h>

#include "abi.h"
#include "memory.h"
#include "options.h"

static void print_vcpus(const struct dg_options *opts)
{
	struct dg_pass_params params = {
		.seed = opts->seed,
		.round = 1,
		.nr_vcpus = opts->nr_vcpus,
		.order = opts->order,
		.write_percent = opts->write_percent,
		.hot_percent = opts->hot_percent,
		.overlap = opts->overlap,
		.nr_pages = dg_options__work_pages(opts),
		.first_page = opts->slot_offset_pages,
	};

	for (__u32 i = 0; i < opts->nr_vcpus; i++) {
		struct dg_pass pass;

		params.vcpu = i;
		if (i >= opts->nr_vcpus - opts->nr_readers) {
			params.order = DG_ORDER_RANDOM;
			params.write_percent = 0;
		}
		dg_pass_init(&pass, &params);
		printf("vCPU %u: pages %llu to %llu, %llu operations a round, %llu of them writes",
		       i, pass.first_page, pass.first_page + pass.nr_pages - 1,
		       pass.nr_ops, pass.nr_ops * pass.write_percent / 100);
		if (pass.order == DG_ORDER_HOT)
			printf(", hot pages %llu to %llu",
			       pass.first_page + pass.hot_first,
			       pass.first_page + pass.hot_first +
				       pass.hot_pages - 1);
		putchar('\n');
	}
}

static void print_phases(const struct dg_options *opts)
{
	__u64 slot = dg_options__slot_pages(opts);
	__u64 chunk = opts->clear_chunk_pages ? opts->clear_chunk_pages : slot;
	__u64 offset = opts->clear_offset_pages;
	__u64 nr_clears = (slot - offset + chunk - 1) / chunk +
			  (offset + chunk - 1) / chunk;

	printf("phases: %senable, ", opts->skip_populate ? "" : "populate, ");
	if (opts->log_mode == DG_LOG_INITIALLY_SET)
		printf("get, clear, ");
	printf("%llu x (dirty, get%s), disable%s\n", opts->nr_rounds,
	       opts->log_mode == DG_LOG_CLEAR_ON_GET ? "" : ", clear",
	       opts->after ? ", after" : "");
	if (opts->live_ns)
		printf("live: a harvest every %llu us while the vCPUs run\n",
		       opts->live_ns / 1000);
	if (opts->log_mode != DG_LOG_CLEAR_ON_GET)
		printf("clear: %llu calls of up to %llu pages, the first at page %llu\n",
		       nr_clears, chunk, offset);
}

void dg_options__print_plan(const struct dg_options *opts)
{
	printf("memory: %llu pages of 4K at GPA %#llx, backed by %s in pages of %zu bytes\n",
	       dg_options__work_pages(opts),
	       DG_TEST_GPA + opts->slot_offset_pages * DG_PAGE_BYTES,
	       dg_backing_names[opts->backing],
	       memory__page_bytes(opts->backing));
	printf("slot: %llu pages; log %s; order %s; seed %llu; limit %llu ms\n",
	       dg_options__slot_pages(opts), dg_log_mode_names[opts->log_mode],
	       dg_order_names[opts->order], opts->seed,
	       opts->limit_ns / 1000000);
	print_vcpus(opts);
	print_phases(opts);
}
