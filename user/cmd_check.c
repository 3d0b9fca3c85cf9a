// SPDX-License-Identifier: GPL-2.0-only
/*
 * gstage check: what must hold of dirty logging, on run files or on a command
 * that is traced for it.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/check.h"
#include "user/cmd.h"
#include "user/cmd_common.h"
#include "user/exitcode.h"
#include "user/log.h"
#include "user/out.h"
#include "user/run.h"

enum {
	KEY_ONLY = 0x2000,
	KEY_SKIP,
	KEY_STOP,
	KEY_LIST,
};

#define MAX_CHECKS 16
/* What is handed on to gstage trace, besides the command. */
#define MAX_TRACE_ARGS 16

struct check_opts {
	struct common_opts common;
	bool is_off[MAX_CHECKS];
	bool has_only;
	bool stop;
	const char *pid;
	const char *duration;
	const char *output;
	char **files;
	int nr_files;
	char **cmdline;
	int nr_words;
};

static const char doc[] =
	"Does dirty logging keep its promises? Judges run files, or traces COMMAND "
	"(or the VMs of a process, -p) with all checks on and judges that. Each "
	"check is held, BROKEN with the first offender, or cannot be told by this "
	"run and why.\v"
	"Exit status: 0 nothing is broken; 1 something is; 2 usage; 3 a run is "
	"incomplete; 4 tracing is not possible here; 5 no check could be told.\n\n"
	"EXAMPLES\n"
	"  gstage check run.json\n"
	"  gstage check --stop-on-broken -- dirtyguest --backing thp --after\n"
	"  gstage check --only livelock -d 10 -p $(pidof qemu-system-riscv64)\n";

static const struct argp_option options[] = {
	{ "only", KEY_ONLY, "NAME,...", 0, "Only these checks", 0 },
	{ "skip", KEY_SKIP, "NAME,...", 0, "All but these", 0 },
	{ "list", KEY_LIST, NULL, 0, "Name the checks and end", 0 },
	{ "pid", 'p', "PID", 0, "Trace the VMs of this process", 0 },
	{ "duration", 'd', "TIME", 0, "Trace no longer than that", 0 },
	{ "output", 'o', "FILE", 0, "Keep the traced run", 0 },
	{ "stop-on-broken", KEY_STOP, NULL, 0,
	  "End the trace, and COMMAND, when livelock, logged-leaf or flush-protocol breaks",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static void choose(struct check_opts *opts, struct argp_state *state,
		   const char *option, const char *list, bool is_off)
{
	char *copy = strdup(list), *save = NULL, *name;
	size_t i;

	for (name = strtok_r(copy, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		for (i = 0; i < check_count(); i++) {
			if (!strcmp(name, check_name(i)))
				break;
		}
		if (i == check_count())
			argp_error(
				state,
				"%s: there is no check '%s'; --list names them",
				option, name);
		else
			opts->is_off[i] = is_off;
	}
	free(copy);
}

static void list_checks(void)
{
	size_t i;

	for (i = 0; i < check_count(); i++)
		puts(check_name(i));
	exit(fflush(stdout) ? GSTAGE_EX_USAGE : GSTAGE_EX_OK);
}

static void parse_words(struct check_opts *opts, struct argp_state *state)
{
	bool is_command = state->next > 0 &&
			  !strcmp(state->argv[state->next - 1], "--");

	if (is_command) {
		opts->cmdline = state->argv + state->next;
		opts->nr_words = state->argc - state->next;
	} else {
		opts->files = state->argv + state->next;
		opts->nr_files = state->argc - state->next;
	}
}

static void check_words(struct check_opts *opts, struct argp_state *state)
{
	bool is_live = opts->cmdline || opts->pid;

	if (opts->files && is_live)
		argp_error(state,
			   "run files and a trace contradict each other");
	if (!opts->files && !is_live)
		argp_error(state,
			   "no run file, no -p and no '-- COMMAND' given");
	if (!is_live && (opts->stop || opts->duration || opts->output))
		argp_error(
			state,
			"--stop-on-broken, -d and -o need -p or '-- COMMAND'");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_opts *opts = state->input;
	size_t i;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->common;
		break;
	case KEY_ONLY:
		for (i = 0; i < MAX_CHECKS && !opts->has_only; i++)
			opts->is_off[i] = true;
		opts->has_only = true;
		choose(opts, state, "--only", arg, false);
		break;
	case KEY_SKIP:
		choose(opts, state, "--skip", arg, true);
		break;
	case KEY_LIST:
		list_checks();
		break;
	case KEY_STOP:
		opts->stop = true;
		break;
	case 'p':
		opts->pid = arg;
		break;
	case 'd':
		opts->duration = arg;
		break;
	case 'o':
		opts->output = arg;
		break;
	case ARGP_KEY_ARGS:
		parse_words(opts, state);
		break;
	case ARGP_KEY_END:
		check_words(opts, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const char *const state_names[] = {
	[CHECK_HELD] = "held",
	[CHECK_BROKEN] = "BROKEN",
	[CHECK_UNKNOWN] = "unknown",
};

static void print_first(const json_t *first)
{
	json_int_t time_ns = run_int(first, "time_ns");
	const json_t *name;
	char text[128];
	size_t i;

	if (time_ns)
		printf("                          at %" JSON_INTEGER_FORMAT
		       ".%09" JSON_INTEGER_FORMAT
		       " s, phase %s, after %" JSON_INTEGER_FORMAT " faults\n",
		       time_ns / 1000000000, time_ns % 1000000000,
		       out_text(text, sizeof(text), run_str(first, "phase")),
		       run_int(first, "after_faults"));
	json_array_foreach(json_object_get(first, "stack"), i, name) {
		printf("                          %s\n",
		       out_text(text, sizeof(text), json_string_value(name)));
	}
}

static void print_verdict(const struct check_verdict *v, bool quiet)
{
	char text[600];

	if (quiet && v->state != CHECK_BROKEN)
		return;
	printf("  %-15s %-8s %s\n", v->name, state_names[v->state],
	       out_text(text, sizeof(text), v->detail));
	if (v->first && !quiet)
		print_first(v->first);
}

static json_t *verdict_json(const struct check_verdict *v)
{
	static const char *const words[] = { "held", "broken", "unknown" };
	json_t *json = json_pack("{s:s s:s s:s}", "name", v->name, "state",
				 words[v->state], "detail", v->detail);

	if (json && v->first)
		json_object_set(json, "first", (json_t *)v->first);
	return json;
}

static int print_json(json_t *verdicts, const char *file, const json_t *run)
{
	json_t *json = json_pack("{s:s s:s s:O s:o}", "schema",
				 "gstage-check/1", "file", file, "complete",
				 json_object_get(run, "complete"), "checks",
				 verdicts);
	int err = !json || json_dumpf(json, stdout, JSON_COMPACT) ||
		  putchar('\n') == EOF;

	json_decref(json);
	return err ? -EIO : 0;
}

/* The exit status for one run. */
static int judge_run(const json_t *run, const char *file,
		     const struct check_opts *opts)
{
	bool is_complete = json_is_true(json_object_get(run, "complete"));
	size_t i, nr_broken = 0, nr_known = 0;
	json_t *verdicts = json_array();
	struct check_verdict v;
	int err = 0;

	if (!opts->common.json && !opts->common.quiet)
		printf("%s%s\n", file,
		       is_complete ? "" : ": incomplete, events were lost");
	for (i = 0; i < check_count(); i++) {
		if (opts->is_off[i])
			continue;
		check_judge(run, i, &v);
		nr_broken += v.state == CHECK_BROKEN;
		nr_known += v.state != CHECK_UNKNOWN;
		if (opts->common.json)
			json_array_append_new(verdicts, verdict_json(&v));
		else
			print_verdict(&v, opts->common.quiet);
	}
	if (opts->common.json)
		err = print_json(verdicts, file, run);
	else
		json_decref(verdicts);
	if (fflush(stdout))
		err = -errno;
	if (err) {
		pr_err("cannot write to stdout: %s", strerror(-err));
		return GSTAGE_EX_USAGE;
	}
	if (nr_broken)
		return GSTAGE_EX_REGRESSION;
	if (!is_complete)
		return GSTAGE_EX_INCOMPLETE;
	return nr_known ? GSTAGE_EX_OK : GSTAGE_EX_INCONCLUSIVE;
}

static int judge_file(const char *file, const char *name,
		      const struct check_opts *opts)
{
	struct run *run = NULL;
	int status;

	if (run__read(file, &run))
		return GSTAGE_EX_USAGE;
	status = judge_run(run__root(run), name, opts);
	run__free(run);
	return status;
}

/* Broken counts more than incomplete, that more than not known. */
static int worse(int a, int b)
{
	static const int order[] = { GSTAGE_EX_USAGE, GSTAGE_EX_REGRESSION,
				     GSTAGE_EX_INCOMPLETE,
				     GSTAGE_EX_INCONCLUSIVE };
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (a == order[i] || b == order[i])
			return order[i];
	}
	return GSTAGE_EX_OK;
}

/* gstage trace with the checks on, into @file. Its exit status. */
static int trace_into(char *file, const struct check_opts *opts)
{
	char **argv = calloc(opts->nr_words + MAX_TRACE_ARGS, sizeof(*argv));
	int argc = 0, i, status;

	if (!argv) {
		pr_err("no memory");
		return GSTAGE_EX_IMPOSSIBLE;
	}
	argv[argc++] = (char *)"gstage check";
	argv[argc++] = (char *)"--checks";
	argv[argc++] = (char *)"-q";
	argv[argc++] = (char *)"--force";
	argv[argc++] = (char *)"-o";
	argv[argc++] = file;
	if (opts->stop)
		argv[argc++] = (char *)"--stop-on-broken";
	if (opts->pid) {
		argv[argc++] = (char *)"-p";
		argv[argc++] = (char *)opts->pid;
	}
	if (opts->duration) {
		argv[argc++] = (char *)"-d";
		argv[argc++] = (char *)opts->duration;
	}
	if (opts->cmdline)
		argv[argc++] = (char *)"--";
	for (i = 0; i < opts->nr_words; i++)
		argv[argc++] = opts->cmdline[i];
	status = cmd_trace(argc, argv);
	free(argv);
	return status;
}

static int check_live(const struct check_opts *opts)
{
	char tmp[] = "/tmp/gstage-check-XXXXXX";
	int status, judged, fd;

	if (opts->output && run__check_output(opts->output, false))
		return GSTAGE_EX_USAGE;
	if (!opts->output) {
		fd = mkstemp(tmp);
		if (fd < 0) {
			pr_err("cannot make a file in /tmp: %s",
			       strerror(errno));
			return GSTAGE_EX_IMPOSSIBLE;
		}
		close(fd);
	}
	status = trace_into(opts->output ? (char *)opts->output : tmp, opts);
	if (status == GSTAGE_EX_USAGE || status == GSTAGE_EX_IMPOSSIBLE) {
		judged = status;
	} else {
		judged = judge_file(opts->output ? opts->output : tmp,
				    opts->cmdline ? opts->cmdline[0] : "VMs",
				    opts);
		/* The command's own failure, where nothing else is wrong. */
		if (judged == GSTAGE_EX_OK)
			judged = status;
	}
	if (!opts->output)
		unlink(tmp);
	return judged;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "RUN...\n-- COMMAND [ARG...]",
	.doc = doc,
	.children = timeless_children,
};

int cmd_check(int argc, char **argv)
{
	struct check_opts opts = {};
	int status = GSTAGE_EX_OK, i;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &opts);
	if (!opts.files)
		return check_live(&opts);
	for (i = 0; i < opts.nr_files; i++)
		status = worse(status,
			       judge_file(opts.files[i], opts.files[i], &opts));
	return status;
}
