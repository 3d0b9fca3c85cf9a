// SPDX-License-Identifier: GPL-2.0-only
/* gstage compare: puts the runs of two versions side by side. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/cmd.h"
#include "user/cmd_common.h"
#include "user/compare.h"
#include "user/exitcode.h"
#include "user/log.h"
#include "user/run.h"

#define LABEL_MAX 16
#define LABEL_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"

enum {
	KEY_VARY = 0x2000,
	KEY_AA,
};

struct compare_cmd_opts {
	struct common_opts common;
	struct compare_opts compare;
	char *args[2];
	unsigned int nr_args;
};

/* An arm that owns what compare_arm borrows. */
struct loaded_arm {
	char label[LABEL_MAX + 1];
	const char **files; /* into the command line */
	struct run **runs;
	const json_t **roots;
	size_t nr;
};

static const char doc[] =
	"Put the runs of two versions side by side: exact counts in one table, "
	"instructions in another (runs of QEMU's instruction counter only), "
	"quantiles as ranges. Several runs of an arm are repetitions: the median "
	"is shown, with the spread when they disagree.\v"
	"The arms may differ in version (with its kvm.ko) or in kvm_args, or in "
	"what --vary names, and in nothing else.\n\n"
	"Exit status: 0 compared; 1 compared, but a run lost pages or failed a "
	"check; 2 usage, or a file that is no run file; 3 a run is incomplete; "
	"5 the arms differ in more than the thing compared, or in nothing.\n\n"
	"EXAMPLES\n"
	"  gstage compare fault=split.json eager=eager.json\n"
	"  gstage compare a=1.json,2.json b=3.json,4.json\n"
	"  gstage compare --vary kernel,base,kernel_config_sha256 \\\n"
	"      v72=72.json v73=73.json\n"
	"  gstage compare --aa first=1.json again=2.json\n"
	"  gstage compare --json fault=split.json eager=eager.json\n";

static const struct argp_option options[] = {
	{ "vary", KEY_VARY, "KEY[,KEY...]", 0,
	  "The arms may differ in these members of the environment and in no "
	  "other (default: version or kvm_args)",
	  0 },
	{ "aa", KEY_AA, NULL, 0,
	  "The arms are meant to be equal: refuse any difference", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compare_cmd_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
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
	case ARGP_KEY_ARG:
		if (opts->nr_args == 2)
			argp_error(state, "more than two arms: '%s'", arg);
		opts->args[opts->nr_args++] = arg;
		break;
	case ARGP_KEY_END:
		if (opts->nr_args < 2)
			argp_error(
				state,
				"two arms are needed: A=run.json B=run.json");
		if (opts->compare.aa && opts->compare.vary)
			argp_error(state,
				   "--aa and --vary contradict each other");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* "LABEL=FILE[,FILE...]"; cuts @arg into pieces. */
static int parse_arm(char *arg, struct loaded_arm *arm)
{
	size_t len = strspn(arg, LABEL_CHARS), room = 2;
	char *p;

	if (!len || arg[len] != '=') {
		pr_err("'%s' has no label; write it as NAME=run.json, NAME of letters, digits and . _ + -",
		       arg);
		return -EINVAL;
	}
	if (len > LABEL_MAX) {
		pr_err("label '%.*s' is longer than %d characters", (int)len,
		       arg, LABEL_MAX);
		return -EINVAL;
	}
	memcpy(arm->label, arg, len);
	for (p = arg; *p; p++)
		room += *p == ',';
	arm->files = calloc(room, sizeof(*arm->files));
	arm->runs = calloc(room, sizeof(*arm->runs));
	arm->roots = calloc(room, sizeof(*arm->roots));
	if (!arm->files || !arm->runs || !arm->roots) {
		pr_err("%s", strerror(ENOMEM));
		return -ENOMEM;
	}

	for (p = arg + len + 1; p; arm->nr++) {
		arm->files[arm->nr] = p;
		p = strchr(p, ',');
		if (p)
			*p++ = '\0';
		if (!*arm->files[arm->nr]) {
			pr_err("label '%s' has an empty file name", arm->label);
			return -EINVAL;
		}
	}
	return 0;
}

/* A run compared with itself says nothing; under another name neither. */
static int refuse_same_files(const struct loaded_arm arms[2])
{
	size_t nr_all = arms[0].nr + arms[1].nr, i, j;
	struct stat *seen;
	int err = 0;

	seen = calloc(nr_all, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	for (i = 0; i < nr_all && !err; i++) {
		const char *file = i < arms[0].nr ?
					   arms[0].files[i] :
					   arms[1].files[i - arms[0].nr];

		/* What cannot be looked at is reported when it is read. */
		if (stat(file, &seen[i]) || !S_ISREG(seen[i].st_mode))
			memset(&seen[i], 0, sizeof(seen[i]));
		for (j = 0; j < i; j++) {
			if (!seen[i].st_ino ||
			    seen[i].st_ino != seen[j].st_ino ||
			    seen[i].st_dev != seen[j].st_dev)
				continue;
			pr_err("%s is given twice; a run cannot be compared with itself",
			       file);
			err = -EINVAL;
			break;
		}
	}
	free(seen);
	return err;
}

static int load_arm(struct loaded_arm *arm)
{
	size_t i;
	int err;

	for (i = 0; i < arm->nr; i++) {
		err = run__read(arm->files[i], &arm->runs[i]);
		if (err)
			return err;
		arm->roots[i] = run__root(arm->runs[i]);
	}
	return 0;
}

static void free_arm(struct loaded_arm *arm)
{
	size_t i;

	for (i = 0; arm->runs && i < arm->nr; i++)
		run__free(arm->runs[i]);
	free(arm->roots);
	free(arm->runs);
	free(arm->files);
}

/* Counts of a run that broke an invariant are shown, but not silently. */
static int invariant_status(const struct loaded_arm *arm)
{
	int status = GSTAGE_EX_OK;
	size_t i, c;

	for (i = 0; i < arm->nr; i++) {
		const json_t *checks = json_object_get(arm->roots[i], "checks");
		const json_t *guest = json_object_get(arm->roots[i], "guest");

		for (c = 0; c < json_array_size(checks); c++) {
			const json_t *check = json_array_get(checks, c);

			if (json_is_true(json_object_get(check, "ok")))
				continue;
			pr_warn("%s failed its check '%s'", arm->files[i],
				run_str(check, "name"));
			status = GSTAGE_EX_REGRESSION;
		}
		if (run_int(guest, "pages_lost")) {
			pr_warn("%s lost %" JSON_INTEGER_FORMAT " pages",
				arm->files[i], run_int(guest, "pages_lost"));
			status = GSTAGE_EX_REGRESSION;
		}
	}
	return status;
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
	int err;

	if (!comparison) {
		err = -ENOMEM;
	} else if (opts->json) {
		err = json_dumpf(comparison, stdout, JSON_COMPACT) ||
				      putchar('\n') == EOF || fflush(stdout) ?
			      -EIO :
			      0;
	} else {
		err = compare_print(stdout, comparison, opts->quiet,
				    opts->verbose > 0);
	}
	if (err)
		pr_err("cannot print the comparison: %s", strerror(-err));
	return err;
}

static int compare(const struct compare_cmd_opts *opts,
		   const struct loaded_arm arms[2])
{
	const struct compare_arm sides[2] = {
		{ arms[0].label, arms[0].roots, arms[0].files, arms[0].nr },
		{ arms[1].label, arms[1].roots, arms[1].files, arms[1].nr },
	};
	json_t *differs = NULL, *comparison;
	char reason[1024];
	int err;

	err = compare_check(sides, &opts->compare, &differs, reason,
			    sizeof(reason));
	if (err) {
		pr_err("%s", reason);
		return status_of(err);
	}
	comparison = compare_build(sides, differs);
	err = print_comparison(comparison, &opts->common);
	json_decref(comparison);
	json_decref(differs);
	if (err)
		return GSTAGE_EX_USAGE;
	return invariant_status(&arms[0]) | invariant_status(&arms[1]);
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "A=RUN[,RUN...] B=RUN[,RUN...]",
		.doc = doc,
		.children = timeless_children,
	};
	struct compare_cmd_opts opts = { 0 };
	struct loaded_arm arms[2] = { 0 };
	int status = GSTAGE_EX_USAGE;

	if (argp_parse(&argp, argc, argv, 0, NULL, &opts))
		return status;

	if (parse_arm(opts.args[0], &arms[0]) ||
	    parse_arm(opts.args[1], &arms[1]))
		goto out;
	if (!strcmp(arms[0].label, arms[1].label)) {
		pr_err("both arms are called '%s'; give them two names",
		       arms[0].label);
		goto out;
	}
	if (refuse_same_files(arms) || load_arm(&arms[0]) || load_arm(&arms[1]))
		goto out;
	status = compare(&opts, arms);
out:
	free_arm(&arms[1]);
	free_arm(&arms[0]);
	return status;
}
