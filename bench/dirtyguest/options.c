// SPDX-License-Identifier: GPL-2.0-only
/* Command line of dirtyguest: see options.h. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "memory.h"
#include "options.h"
#include "user/exitcode.h"
#include "user/opts.h"

#define CLEAR_ALIGN_PAGES 64 /* KVM_CLEAR_DIRTY_LOG wants words */
/* A vCPU that only waits for its turn on a busy CPU must not look stuck. */
#define MIN_LIMIT_NS 100000000ull
#define MAX_LIMIT_NS (24 * 3600 * 1000000000ull)
#define MAX_ROUNDS 100000 /* each is kept, and an object in the result */

enum {
	OPT_BACKING = 0x100,
	OPT_VCPUS,
	OPT_READERS,
	OPT_SIZE,
	OPT_SLOT_OFFSET,
	OPT_SHARE,
	OPT_ROUNDS,
	OPT_ORDER,
	OPT_WRITES,
	OPT_HOT,
	OPT_SEED,
	OPT_NO_POPULATE,
	OPT_LOG,
	OPT_CLEAR_CHUNK,
	OPT_CLEAR_OFFSET,
	OPT_LIVE,
	OPT_AFTER,
	OPT_AFTER_ORDER,
	OPT_LIMIT,
	OPT_PIN,
	OPT_FIFO,
	OPT_FORCE,
	OPT_DRY_RUN,
	OPT_KVM_STATS,
	OPT_SELF_TEST,
	OPT_KILL,
	OPT_KILL_IN,
	OPT_KILL_AFTER,
};

const char *const dg_backing_names[DG_NR_BACKINGS] = {
	"4k",
	"thp",
	"hugetlb-2m",
	"hugetlb-1g",
};

const char *const dg_log_mode_names[DG_NR_LOG_MODES] = {
	"clear-on-get",
	"manual",
	"initially-set",
};

const char *const dg_order_names[DG_NR_ORDERS] = {
	"seq",
	"random",
	"stride2m",
	"hot",
};

const char *const dg_log_op_names[] = { "enable", "get", "clear", "disable" };

static const char *const kill_names[DG_NR_KILLS] = { "nobody", "self",
						     "parent" };

static const char *const share_names[] = { "partition", "overlap" };

static const char *const self_test_names[DG_NR_SELF_TESTS] = {
	"none",
	"lose-bit",
	"add-bit",
	"wrong-value",
};

const char *argp_program_version = "dirtyguest " GSTAGE_VERSION;

static const char doc[] =
	"Run a guest that dirties its memory by a plan, drive KVM's dirty log, "
	"and check that every page written was reported."
	"\v"
	"A run: populate (every page written once), enable logging, then in each "
	"round dirty, get and clear, then disable, then with --after one more "
	"pass. Sizes take K, M or G; durations take ns, us, ms, s or m.\n"
	"\n"
	"Exit status: 0 every page written was reported and holds its value; "
	"1 not so, or the guest or KVM failed; 2 bad usage; 4 not possible here "
	"(no /dev/kvm, no huge pages, result not writable); 124 a vCPU made no "
	"progress within --limit.\n"
	"\n"
	"EXAMPLES\n"
	"  dirtyguest --backing hugetlb-2m --size 16M\n"
	"  dirtyguest --backing thp --order random --log initially-set\n"
	"  dirtyguest --backing hugetlb-1g --clear-chunk 64 --clear-offset 192\n"
	"  dirtyguest --backing thp --after --limit 1\n";

static const struct argp_option options[] = {
	{ 0, 0, 0, 0, "Memory and vCPUs:", 1 },
	{ "backing", OPT_BACKING, "KIND", 0,
	  "4k, thp, hugetlb-2m or hugetlb-1g (default 4k)", 0 },
	{ "vcpus", OPT_VCPUS, "N", 0, "vCPUs, one thread each (default 1)", 0 },
	{ "size", OPT_SIZE, "BYTES", 0,
	  "memory all vCPUs work on together (default 16M)", 0 },
	{ "share", OPT_SHARE, "HOW", 0,
	  "partition: each vCPU its own part; overlap: all vCPUs all pages (default partition)",
	  0 },
	{ "readers", OPT_READERS, "N", 0,
	  "the last N vCPUs only read, every page once a round, in random order; with --share overlap (default 0)",
	  0 },
	{ "slot-offset", OPT_SLOT_OFFSET, "PAGES", 0,
	  "let the slot begin so many pages inside a 2M page, for the guest and for the host (0 to 511, default 0)",
	  0 },
	{ "pin", OPT_PIN, 0, 0,
	  "keep vCPU i on the i-th CPU this process may use", 0 },
	{ "fifo", OPT_FIFO, 0, 0,
	  "each vCPU runs until it is done with its pass, as far as CPUs are short (SCHED_FIFO)",
	  0 },
	{ 0, 0, 0, 0, "What the guest does:", 2 },
	{ "rounds", OPT_ROUNDS, "N", 0, "logged rounds (default 3)", 0 },
	{ "order", OPT_ORDER, "ORDER", 0,
	  "seq or random: every page once; stride2m: one page in each 2 MiB; hot: draws from a small window, as many as there are pages (default seq)",
	  0 },
	{ "hot", OPT_HOT, "PERCENT", 0,
	  "size of the hot window, 1 to 100 (default 10)", 0 },
	{ "writes", OPT_WRITES, "PERCENT", 0,
	  "share of writes, the rest are reads (default 100)", 0 },
	{ "seed", OPT_SEED, "N", 0, "of all random choices (default 1)", 0 },
	{ "no-populate", OPT_NO_POPULATE, 0, 0,
	  "do not write all pages before logging: they are touched first while it is on, or after it",
	  0 },
	{ "after", OPT_AFTER, 0, 0, "write on, one pass, once logging is off",
	  0 },
	{ "after-order", OPT_AFTER_ORDER, "ORDER", 0,
	  "order of that pass (default seq); implies --after", 0 },
	{ 0, 0, 0, 0, "The dirty log:", 3 },
	{ "log", OPT_LOG, "MODE", 0,
	  "clear-on-get, manual or initially-set (default manual)", 0 },
	{ "clear-chunk", OPT_CLEAR_CHUNK, "PAGES", 0,
	  "pages of one CLEAR call, a multiple of 64 (default: all)", 0 },
	{ "clear-offset", OPT_CLEAR_OFFSET, "PAGES", 0,
	  "page the first CLEAR call begins at, a multiple of 64; the pages before come last (default 0)",
	  0 },
	{ "live", OPT_LIVE, "DURATION", 0,
	  "harvest the log every so often while the vCPUs run, too (default: only when they have stopped)",
	  0 },
	{ 0, 0, 0, 0, "Running and results:", 4 },
	{ "limit", OPT_LIMIT, "DURATION", 0,
	  "end when a vCPU makes no progress, or a log phase does not end, for so long (default 10s)",
	  0 },
	{ "output", 'o', "FILE", 0, "write the result there, as JSON", 0 },
	{ "result", 0, 0, OPTION_ALIAS, 0, 0 },
	{ "force", OPT_FORCE, 0, 0, "replace FILE if it exists", 0 },
	{ "dry-run", OPT_DRY_RUN, 0, 0, "print the plan and do nothing", 0 },
	{ "kvm-stats", OPT_KVM_STATS, 0, 0,
	  "print KVM's own statistics of the VM and its vCPUs at the end", 0 },
	{ "quiet", 'q', 0, 0, "no table on stdout", 0 },
	{ "verbose", 'v', 0, 0, "say more on stderr", 0 },
	{ 0, 'h', 0, OPTION_HIDDEN, 0, 0 },
	{ "self-test", OPT_SELF_TEST, "HOW", OPTION_HIDDEN, 0, 0 },
	{ "kill", OPT_KILL, "WHO", OPTION_HIDDEN, 0, 0 },
	{ "kill-in", OPT_KILL_IN, "PHASE", OPTION_HIDDEN, 0, 0 },
	{ "kill-after", OPT_KILL_AFTER, "DURATION", OPTION_HIDDEN, 0, 0 },
	{ 0 },
};

/* argp_error() names the program and ends it with argp_err_exit_status. */
static __u32 parse_name(struct argp_state *state, const char *option,
			const char *arg, const char *const *names, __u32 nr)
{
	char list[80] = "";

	for (__u32 i = 0; i < nr; i++) {
		if (!strcmp(arg, names[i]))
			return i;
		strcat(strcat(list, i ? ", " : ""), names[i]);
	}
	argp_failure(state, GSTAGE_EX_USAGE, 0, "--%s %s: want one of %s",
		     option, arg, list);
	return 0;
}

static void check_number(struct argp_state *state, const char *option,
			 const char *arg, int err, __u64 value, __u64 min,
			 __u64 max)
{
	if (err)
		argp_failure(state, GSTAGE_EX_USAGE, 0, "--%s '%s' %s", option,
			     arg, parse_strerror(err));
	else if (value < min || value > max)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--%s %s: must be from %llu to %llu", option, arg,
			     min, max);
}

static __u64 parse_number(struct argp_state *state, const char *option,
			  const char *arg, __u64 min, __u64 max)
{
	uint64_t value = 0;

	check_number(state, option, arg, parse_u64(arg, &value), value, min,
		     max);
	return value;
}

static __u64 parse_clear_pages(struct argp_state *state, const char *option,
			       const char *arg, __u64 min)
{
	__u64 value = parse_number(state, option, arg, min, 0xffffffc0);

	if (value % CLEAR_ALIGN_PAGES)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--%s %s: must be a multiple of %d pages", option,
			     arg, CLEAR_ALIGN_PAGES);
	return value;
}

static __u64 parse_size(struct argp_state *state, const char *arg)
{
	uint64_t value = 0;
	int err = parse_size_bytes(arg, &value);

	check_number(state, "size", arg, err, value, DG_PAGE_BYTES,
		     1ull << (DG_INDEX_BITS + DG_PAGE_SHIFT - 1));
	if (value % DG_PAGE_BYTES)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--size %s: must be a multiple of %d bytes", arg,
			     DG_PAGE_BYTES);
	return value;
}

static __u64 parse_limit(struct argp_state *state, const char *arg)
{
	uint64_t value = 0;
	int err = parse_duration_ns(arg, &value);

	check_number(state, "limit", arg, err, value, 0, UINT64_MAX);
	if (value < MIN_LIMIT_NS || value > MAX_LIMIT_NS)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--limit %s: must be from 100ms to 24h", arg);
	return value;
}

static __u64 parse_live(struct argp_state *state, const char *arg)
{
	uint64_t value = 0;
	int err = parse_duration_ns(arg, &value);

	check_number(state, "live", arg, err, value, 0, UINT64_MAX);
	if (!value || value > MAX_LIMIT_NS)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--live %s: must be from 1ns to 24h", arg);
	return value;
}

#define PARSE_NAME(option, names) \
	parse_name(state, option, arg, names, sizeof(names) / sizeof(names[0]))

static error_t parse_guest_option(int key, char *arg, struct argp_state *state)
{
	struct dg_options *opts = state->input;

	switch (key) {
	case OPT_ROUNDS:
		opts->nr_rounds =
			parse_number(state, "rounds", arg, 1, MAX_ROUNDS);
		return 0;
	case OPT_ORDER:
		opts->order = PARSE_NAME("order", dg_order_names);
		return 0;
	case OPT_WRITES:
		opts->write_percent =
			(__u32)parse_number(state, "writes", arg, 0, 100);
		return 0;
	case OPT_HOT:
		opts->hot_percent =
			(__u32)parse_number(state, "hot", arg, 1, 100);
		return 0;
	case OPT_SEED:
		/* JSON integers are signed. */
		opts->seed = parse_number(state, "seed", arg, 0, INT64_MAX);
		return 0;
	case OPT_AFTER_ORDER:
		opts->after_order = PARSE_NAME("after-order", dg_order_names);
		opts->after = true;
		return 0;
	case OPT_NO_POPULATE:
		opts->skip_populate = true;
		return 0;
	case OPT_AFTER:
		opts->after = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_log_option(int key, char *arg, struct argp_state *state)
{
	struct dg_options *opts = state->input;

	switch (key) {
	case OPT_LOG:
		opts->log_mode = PARSE_NAME("log", dg_log_mode_names);
		return 0;
	case OPT_CLEAR_CHUNK:
		opts->clear_chunk_pages = parse_clear_pages(
			state, "clear-chunk", arg, CLEAR_ALIGN_PAGES);
		return 0;
	case OPT_CLEAR_OFFSET:
		opts->clear_offset_pages =
			parse_clear_pages(state, "clear-offset", arg, 0);
		return 0;
	case OPT_LIVE:
		opts->live_ns = parse_live(state, arg);
		return 0;
	case OPT_SELF_TEST:
		opts->self_test = PARSE_NAME("self-test", self_test_names);
		return 0;
	default:
		return parse_guest_option(key, arg, state);
	}
}

static error_t parse_memory_option(int key, char *arg, struct argp_state *state)
{
	struct dg_options *opts = state->input;

	switch (key) {
	case OPT_BACKING:
		opts->backing = PARSE_NAME("backing", dg_backing_names);
		return 0;
	case OPT_VCPUS:
		opts->nr_vcpus = (__u32)parse_number(state, "vcpus", arg, 1,
						     DG_MAX_VCPUS);
		return 0;
	case OPT_READERS:
		opts->nr_readers = (__u32)parse_number(state, "readers", arg, 0,
						       DG_MAX_VCPUS - 1);
		return 0;
	case OPT_SIZE:
		opts->size_bytes = parse_size(state, arg);
		return 0;
	case OPT_SLOT_OFFSET:
		opts->slot_offset_pages = parse_number(
			state, "slot-offset", arg, 0, DG_BLOCK_PAGES - 1);
		return 0;
	case OPT_SHARE:
		opts->overlap = PARSE_NAME("share", share_names);
		return 0;
	case OPT_PIN:
		opts->pin = true;
		return 0;
	case OPT_FIFO:
		opts->fifo = true;
		return 0;
	default:
		return parse_log_option(key, arg, state);
	}
}

/* What only the options together can tell. */
static void check_together(struct argp_state *state,
			   const struct dg_options *opts)
{
	bool clears = opts->clear_chunk_pages || opts->clear_offset_pages;

	if (opts->log_mode == DG_LOG_CLEAR_ON_GET && clears)
		argp_failure(
			state, GSTAGE_EX_USAGE, 0,
			"--clear-chunk and --clear-offset have no meaning with --log clear-on-get");
	if (opts->clear_offset_pages >= dg_options__slot_pages(opts))
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--clear-offset %llu: the slot has %llu pages",
			     opts->clear_offset_pages,
			     dg_options__slot_pages(opts));
	if (opts->nr_readers && !opts->overlap)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--readers %u: with --share overlap only",
			     opts->nr_readers);
	if (opts->nr_readers >= opts->nr_vcpus)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--readers %u: --vcpus %u leaves none that writes",
			     opts->nr_readers, opts->nr_vcpus);
	if (dg_options__work_pages(opts) < opts->nr_vcpus)
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "--vcpus %u: --size has fewer pages (%llu)",
			     opts->nr_vcpus, dg_options__work_pages(opts));
}

static error_t parse_kill_option(int key, char *arg, struct argp_state *state)
{
	struct dg_options *opts = state->input;
	uint64_t value = 0;

	switch (key) {
	case OPT_KILL:
		opts->kill = PARSE_NAME("kill", kill_names);
		return 0;
	case OPT_KILL_IN:
		opts->kill_in = PARSE_NAME("kill-in", dg_log_op_names);
		return 0;
	case OPT_KILL_AFTER:
		check_number(state, "kill-after", arg,
			     parse_duration_ns(arg, &value), value, 0,
			     MAX_LIMIT_NS);
		opts->kill_delay_ns = value;
		return 0;
	default:
		return parse_memory_option(key, arg, state);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct dg_options *opts = state->input;

	switch (key) {
	case OPT_LIMIT:
		opts->limit_ns = parse_limit(state, arg);
		return 0;
	case 'o':
		opts->result = arg;
		return 0;
	case OPT_FORCE:
		opts->force = true;
		return 0;
	case OPT_DRY_RUN:
		opts->dry_run = true;
		break;
	case OPT_KVM_STATS:
		opts->kvm_stats = true;
		return 0;
	case 'q':
		opts->quiet = true;
		return 0;
	case 'v':
		opts->verbose = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		argp_failure(state, GSTAGE_EX_USAGE, 0,
			     "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		check_together(state, opts);
		return 0;
	default:
		return parse_kill_option(key, arg, state);
	}
}

void dg_options__parse(struct dg_options *opts, int argc, char **argv)
{
	static const struct argp argp = {
		options, parse_option, 0, doc, 0, 0, 0
	};

	*opts = (struct dg_options){
		.backing = DG_BACKING_4K,
		.log_mode = DG_LOG_MANUAL,
		.nr_vcpus = 1,
		.order = DG_ORDER_SEQ,
		.after_order = DG_ORDER_SEQ,
		.write_percent = 100,
		.hot_percent = 10,
		.nr_rounds = 3,
		.seed = 1,
		.size_bytes = 16 << 20,
		.limit_ns = 10000000000ull,
	};
	argp_err_exit_status = GSTAGE_EX_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, opts))
		exit(GSTAGE_EX_USAGE);
}

__u64 dg_options__work_pages(const struct dg_options *opts)
{
	return opts->size_bytes / DG_PAGE_BYTES;
}

__u64 dg_options__slot_pages(const struct dg_options *opts)
{
	__u64 page_bytes = memory__page_bytes(opts->backing);

	return (opts->size_bytes + page_bytes - 1) / page_bytes * page_bytes /
	       DG_PAGE_BYTES;
}
