// SPDX-License-Identifier: GPL-2.0-only
/* gstage report: shows what run files hold. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd.h"
#include "user/cmd_common.h"
#include "user/exitcode.h"
#include "user/log.h"
#include "user/opts.h"
#include "user/report.h"
#include "user/run.h"

enum {
	KEY_RESOLUTION = 0x2000,
};

struct report_cmd_opts {
	struct common_opts common;
	unsigned int resolution;
	char **files;
	int nr_files;
};

static const char doc[] =
	"Show what run files hold: what was traced, whether anything was lost, "
	"and phases, splits, faults with latency histograms, permission updates, "
	"write-protects and flushes. \"-\" reads standard input.\v"
	"Exit status: 0 all is complete; 1 a check of a run failed; 2 usage, or a "
	"file that is no run file; 3 a run is incomplete.\n\n"
	"EXAMPLES\n"
	"  gstage report run.json\n"
	"  gstage report -u run.json                # times in microseconds\n"
	"  gstage report --resolution 1 run.json    # a histogram row per octave\n"
	"  gstage report --json run.json            # one JSON object per run\n";

static const struct argp_option options[] = {
	{ "resolution", KEY_RESOLUTION, "N", 0,
	  "Histogram rows per octave: 1, 2, 4, 8 or 16 (default: as many as fit)",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static void set_resolution(struct report_cmd_opts *opts,
			   struct argp_state *state, const char *arg)
{
	uint64_t n;
	int err = parse_u64_range(arg, 1, 16, &n);

	if (err)
		argp_error(state, "--resolution: '%s' %s", arg,
			   parse_strerror(err));
	if (n & (n - 1))
		argp_error(state, "--resolution: '%s' is not 1, 2, 4, 8 or 16",
			   arg);
	opts->resolution = (unsigned int)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report_cmd_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->common;
		break;
	case KEY_RESOLUTION:
		set_resolution(opts, state, arg);
		break;
	case ARGP_KEY_ARGS:
		opts->files = state->argv + state->next;
		opts->nr_files = state->argc - state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no run file given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int print_text(const json_t *run, const char *file,
		      const struct report_cmd_opts *opts)
{
	const struct report_opts report = {
		.unit = opts->common.unit,
		.resolution = opts->resolution,
		.quiet = opts->common.quiet,
		.verbose = opts->common.verbose > 0,
	};

	if (opts->nr_files > 1)
		printf("%-10s%s\n", "file:", file);
	return report_print(stdout, run, &report);
}

static int print_json(const json_t *run, const char *file)
{
	json_t *json = report_json(run, file);
	int err;

	if (!json)
		return -ENOMEM;
	err = json_dumpf(json, stdout, JSON_COMPACT) ? -EIO : 0;
	json_decref(json);
	if (!err && (putchar('\n') == EOF || fflush(stdout)))
		err = -EIO;
	return err;
}

static bool has_failed_check(const json_t *run)
{
	const json_t *checks = json_object_get(run, "checks");
	size_t i;

	for (i = 0; i < json_array_size(checks); i++) {
		if (json_is_false(
			    json_object_get(json_array_get(checks, i), "ok")))
			return true;
	}
	return false;
}

/* The exit status for one file. */
static int report_file(const char *file, const struct report_cmd_opts *opts)
{
	int err, status = GSTAGE_EX_OK;
	struct run *run = NULL;
	const json_t *root;

	if (run__read(file, &run))
		return GSTAGE_EX_USAGE;
	root = run__root(run);
	err = opts->common.json ? print_json(root, file) :
				  print_text(root, file, opts);
	if (err) {
		pr_err("cannot print the report of %s: %s", file,
		       strerror(-err));
		status = GSTAGE_EX_USAGE;
	} else if (!json_is_true(json_object_get(root, "complete"))) {
		status = GSTAGE_EX_INCOMPLETE;
	} else if (has_failed_check(root)) {
		status = GSTAGE_EX_REGRESSION;
	}
	run__free(run);
	return status;
}

/* What is worse must not be hidden by another file: 2, then 3, then 1. */
static int worse_status(int a, int b)
{
	static const int order[] = { GSTAGE_EX_USAGE, GSTAGE_EX_INCOMPLETE,
				     GSTAGE_EX_REGRESSION };
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (a == order[i] || b == order[i])
			return order[i];
	}
	return GSTAGE_EX_OK;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "RUN...",
		.doc = doc,
		.children = common_children,
	};
	struct report_cmd_opts opts = { 0 };
	int i, status = GSTAGE_EX_OK;

	if (argp_parse(&argp, argc, argv, 0, NULL, &opts))
		return GSTAGE_EX_USAGE;

	for (i = 0; i < opts.nr_files; i++) {
		if (i && !opts.common.json)
			putchar('\n');
		status =
			worse_status(status, report_file(opts.files[i], &opts));
	}
	return status;
}
