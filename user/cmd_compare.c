// SPDX-License-Identifier: GPL-2.0-only
/* gstage compare: puts the runs of two and more versions side by side. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd.h"
#include "user/cmd_common.h"
#include "user/compare.h"
#include "user/compare_format.h"
#include "user/compare_load.h"
#include "user/compare_verdict.h"
#include "user/exitcode.h"
#include "user/gate.h"
#include "user/log.h"
#include "user/run.h"

enum {
	KEY_VARY = 0x2000,
	KEY_AA,
	KEY_BAND,
	KEY_FAIL_ON,
	KEY_BISECT,
};

struct compare_cmd_opts {
	struct common_opts common;
	struct compare_opts compare;
	struct gates *gates;
	const char *band;
	bool bisect;
	char **args;
	size_t nr_args;
};

static const char *const more_formats[] = { "ktap", "mail", NULL };

static const char doc[] =
	"Put the runs of versions side by side; the first arm is what the others "
	"are compared with. Exact counts in one table; instructions in another "
	"(runs of QEMU's instruction counter), with quantiles as ranges; host "
	"time in a third. RUN is a run file, or a directory whose *.json are "
	"taken. Several runs of an arm are boots of the same thing: other seeds, "
	"or, for host time, the replicates.\v"
	"An arm may differ from the first in version (with its kvm.ko) or in "
	"kvm_args, or in what --vary names, and in nothing else.\n\n"
	"Formats: text, json, ktap, mail (a block of 72 columns for a cover "
	"letter).\n\n"
	"Exit status: 0 compared, no gate broke; 1 a gate broke, or a run lost "
	"pages or failed a check; 2 usage, or a file that is no run file; 3 a "
	"run is incomplete; 5 refused (the arms differ in more than the thing "
	"compared, or in nothing) or inconclusive (a gate cannot be decided). "
	"With --bisect: 0 good, 1 bad, 125 anything else.\n\n"
	"EXAMPLES\n"
	"  gstage compare fault=split.json eager=eager.json\n"
	"  gstage compare v4=r/v4 eager=r/eager v1=r/v1\n"
	"  gstage compare a=1.json,2.json b=3.json,4.json\n"
	"  gstage compare --band again v4=r/v4 eager=r/eager again=r/again\n"
	"  gstage compare --fail-on faults.p99=5%,splits.count=0 \\\n"
	"      v4=r/v4 eager=r/eager\n"
	"  gstage compare --vary kernel,base,kernel_config_sha256 \\\n"
	"      v72=72.json v73=73.json\n"
	"  gstage compare --aa first=1.json again=2.json\n";

static const struct argp_option options[] = {
	{ "vary", KEY_VARY, "KEY[,KEY...]", 0,
	  "The arms may differ in these members of the environment and in no "
	  "other (default: version or kvm_args)",
	  0 },
	{ "aa", KEY_AA, NULL, 0,
	  "The arms are meant to be equal: refuse any difference", 0 },
	{ "band", KEY_BAND, "LABEL", 0,
	  "This arm repeats the first one; what differs between the two is what "
	  "chance does",
	  0 },
	{ "fail-on", KEY_FAIL_ON, "GATE[,GATE...]", 0,
	  "Fail when a figure grew by more than this: faults.p99=5%, "
	  "phase.enable=10%+1000, splits.count=0 (repeatable)",
	  0 },
	{ "bisect", KEY_BISECT, NULL, 0,
	  "Exit status for 'git bisect run': 0, 1, or 125 for what cannot be "
	  "judged",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static void add_gates(struct compare_cmd_opts *opts, struct argp_state *state,
		      const char *text)
{
	char reason[512];

	if (gates_parse(&opts->gates, text, reason, sizeof(reason)))
		argp_error(state, "--fail-on: %s", reason);
}

static void check_usage(const struct compare_cmd_opts *opts,
			struct argp_state *state)
{
	if (opts->nr_args < 2)
		argp_error(
			state,
			"two arms at least are needed: A=run.json B=run.json");
	if (opts->compare.aa && opts->compare.vary)
		argp_error(state, "--aa and --vary contradict each other");
	if (opts->compare.aa && opts->band)
		argp_error(state, "--aa and --band contradict each other");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compare_cmd_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		opts->common.more_formats = more_formats;
		state->child_inputs[0] = &opts->common;
		break;
	case KEY_VARY:
		if (!*arg)
			argp_error(state, "--vary: no key given");
		opts->compare.vary = arg;
		break;
	case KEY_AA:
		opts->compare.aa = true;
		break;
	case KEY_BAND:
		if (opts->band && strcmp(opts->band, arg))
			argp_error(state, "--band: two arms were named");
		opts->band = arg;
		break;
	case KEY_FAIL_ON:
		add_gates(opts, state, arg);
		break;
	case KEY_BISECT:
		opts->bisect = true;
		break;
	case ARGP_KEY_ARG:
		opts->args[opts->nr_args++] = arg;
		break;
	case ARGP_KEY_END:
		check_usage(opts, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int status_of(int err)
{
	switch (err) {
	case -ENODATA:
		return GSTAGE_EX_INCOMPLETE;
	case -EXDEV:
		return GSTAGE_EX_INCONCLUSIVE;
	default:
		return GSTAGE_EX_USAGE;
	}
}

static int print_comparison(const json_t *comparison,
			    const struct common_opts *opts)
{
	const char *format = opts->format ? opts->format : "";
	int err;

	if (opts->json)
		err = json_dumpf(comparison, stdout, JSON_COMPACT) ||
				      putchar('\n') == EOF ?
			      -EIO :
			      0;
	else if (!strcmp(format, "ktap"))
		err = compare_print_ktap(stdout, comparison);
	else if (!strcmp(format, "mail"))
		err = compare_print_mail(stdout, comparison);
	else
		err = compare_print(stdout, comparison, opts->quiet,
				    opts->verbose > 0);
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = -EIO;
	if (err)
		pr_err("cannot print the comparison: %s", strerror(-err));
	return err;
}

/* Figures of a run that broke an invariant are shown, but not silently. */
static void warn_of_broken(const json_t *comparison)
{
	const json_t *broken = json_object_get(comparison, "broken");
	size_t i;

	for (i = 0; i < json_array_size(broken); i++) {
		const json_t *one = json_array_get(broken, i);

		pr_warn("%s %s", run_str(one, "file"), run_str(one, "text"));
	}
}

/* Judge and print; the exit status. */
static int conclude(const struct compare_cmd_opts *opts, json_t *comparison)
{
	const json_t *verdict;
	int err = comparison ? 0 : -ENOMEM;

	if (!err && opts->gates)
		err = gates_judge(opts->gates, comparison);
	if (!err)
		err = compare_set_verdict(comparison, opts->bisect);
	if (err) {
		pr_err("cannot compare: %s", strerror(-err));
		return GSTAGE_EX_USAGE;
	}
	if (print_comparison(comparison, &opts->common))
		return GSTAGE_EX_USAGE;
	warn_of_broken(comparison);
	verdict = json_object_get(comparison, "verdict");
	if (run_int(verdict, "status") >= GSTAGE_EX_INCONCLUSIVE)
		pr_err("%s", run_str(verdict, "text"));
	return (int)run_int(verdict, "status");
}

static int compare(const struct compare_cmd_opts *opts,
		   const struct loaded_arm *arms)
{
	struct compare_arm *sides = calloc(opts->nr_args, sizeof(*sides));
	json_t *differs = NULL, *comparison = NULL;
	char reason[2048];
	int err, status;
	size_t i;

	for (i = 0; sides && i < opts->nr_args; i++)
		sides[i] = (struct compare_arm){
			.label = arms[i].label,
			.runs = arms[i].roots,
			.files = (const char **)arms[i].files,
			.nr_runs = arms[i].nr,
			.is_band = opts->band &&
				   !strcmp(opts->band, arms[i].label),
		};
	snprintf(reason, sizeof(reason), "%s", strerror(ENOMEM));
	err = sides ? compare_check(sides, opts->nr_args, &opts->compare,
				    &differs, reason, sizeof(reason)) :
		      -ENOMEM;
	if (err) {
		pr_err("%s", reason);
		status = status_of(err);
	} else {
		comparison = compare_build(sides, opts->nr_args, differs);
		status = conclude(opts, comparison);
	}
	json_decref(comparison);
	json_decref(differs);
	free(sides);
	return status;
}

/* The band must be an arm, and one that is compared with the first. */
static int check_band(const struct compare_cmd_opts *opts,
		      const struct loaded_arm *arms)
{
	size_t i;

	if (!opts->band)
		return 0;
	for (i = 1; i < opts->nr_args; i++) {
		if (!strcmp(arms[i].label, opts->band))
			return 0;
	}
	if (!strcmp(arms[0].label, opts->band))
		pr_err("--band: '%s' is the first arm; name the one that repeats it",
		       opts->band);
	else
		pr_err("--band: no arm is called '%s'", opts->band);
	return -EINVAL;
}

static int load_and_compare(const struct compare_cmd_opts *opts,
			    struct loaded_arm *arms)
{
	size_t i;

	for (i = 0; i < opts->nr_args; i++) {
		if (loaded_arm__parse(&arms[i], opts->args[i]))
			return GSTAGE_EX_USAGE;
	}
	if (loaded_arms__check(arms, opts->nr_args) || check_band(opts, arms))
		return GSTAGE_EX_USAGE;
	for (i = 0; i < opts->nr_args; i++) {
		if (loaded_arm__read(&arms[i]))
			return GSTAGE_EX_USAGE;
	}
	return compare(opts, arms);
}

/*
 * git bisect takes 2 for "bad": with --bisect even a wrong option must end with
 * 125, and argp sees the options one after the other.
 */
static bool wants_bisect(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strncmp(argv[i], "--bi", 4))
			return true;
	}
	return false;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "A=RUN[,RUN...] B=RUN[,RUN...] [C=RUN[,RUN...]...]",
		.doc = doc,
		.children = timeless_children,
	};
	struct compare_cmd_opts opts = { 0 };
	bool bisect = wants_bisect(argc, argv);
	int status = GSTAGE_EX_USAGE;
	struct loaded_arm *arms;
	size_t i;

	if (bisect)
		argp_err_exit_status = GSTAGE_EX_SKIP;
	opts.args = calloc((size_t)argc + 1, sizeof(*opts.args));
	arms = calloc((size_t)argc + 1, sizeof(*arms));
	if (!opts.args || !arms)
		pr_err("%s", strerror(ENOMEM));
	else if (!argp_parse(&argp, argc, argv, 0, NULL, &opts))
		status = load_and_compare(&opts, arms);

	if (bisect && status > GSTAGE_EX_REGRESSION)
		status = GSTAGE_EX_SKIP;
	for (i = 0; arms && i < opts.nr_args; i++)
		loaded_arm__free(&arms[i]);
	free(arms);
	free(opts.args);
	gates_free(opts.gates);
	return status;
}
